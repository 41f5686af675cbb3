#include "secrets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "serin/base/text.hpp"

namespace serin::google_emulator {
namespace {

constexpr std::size_t most_bytes = 65'536;  // of a payload

std::string secret_of(const Call& call) { return fmt::format("projects/{}/secrets/{}", call.parts[0], call.parts[1]); }

/// Sorted by number when they are sorted by text.
std::string version_key(const std::string& secret, std::int64_t number) {
  return fmt::format("{}/versions/{:012}", secret, number);
}

std::unexpected<Failure> no_secret(const std::string& name) {
  return not_found(fmt::format("Secret [{}] not found.", name));
}

/// What is kept with a version and shown to nobody.
json::object without_payload(json::object version) {
  version.erase("payload");
  return version;
}

}  // namespace

Reply Secrets::create(Call& call) {
  const std::string id = call.query("secretId");
  const bool good = !id.empty() && id.size() <= 255 && std::ranges::all_of(id, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
  if (!good) return bad("The secret ID does not match [a-zA-Z0-9_-]{1,255}.");
  if (!call.body.contains("replication")) return bad("replication is needed");
  const std::string name = fmt::format("projects/{}/secrets/{}", call.parts[0], id);
  if (store_.get("secret", name)) return exists(fmt::format("Secret [{}] already exists.", name));
  json::object secret = call.body;
  secret["name"] = name;
  secret["createTime"] = micros_text(call.now);
  secret["etag"] = "\"" + random_hex(random_, 14) + "\"";
  store_.put("secret", name, secret);
  return secret;
}

Reply Secrets::get(Call& call) {
  auto found = store_.get("secret", secret_of(call));
  if (!found) return no_secret(secret_of(call));
  return *std::move(found);
}

Reply Secrets::list(Call& call) {
  std::vector<json::object> all = store_.list("secret", fmt::format("projects/{}/secrets/", call.parts[0]));
  const Page page = Page::of(call, "pageSize", 25'000);
  json::array list;
  for (std::size_t i = page.from; i < all.size() && i < page.from + page.most; ++i) list.push_back(std::move(all[i]));
  json::object out{{"secrets", std::move(list)}, {"totalSize", all.size()}};
  if (const std::string token = page.next(all.size()); !token.empty()) out["nextPageToken"] = token;
  return out;
}

Reply Secrets::patch(Call& call) {
  auto secret = store_.get("secret", secret_of(call));
  if (!secret) return no_secret(secret_of(call));
  if (const std::string etag = text_at(call.body, "etag"); !etag.empty() && etag != text_at(*secret, "etag"))
    return refuse(400, "FAILED_PRECONDITION", "failedPrecondition", "The etag does not match.");
  const std::string mask = call.query("updateMask");
  for (const std::string_view field : split(mask, ',')) {
    if (field != "labels" && field != "annotations")
      return refuse(501, "UNIMPLEMENTED", "notImplemented",
                    "Only labels and annotations can be changed in this emulator");
    if (const json::value* value = call.body.if_contains(field)) {
      (*secret)[field] = *value;
    } else {
      secret->erase(field);
    }
  }
  (*secret)["etag"] = "\"" + random_hex(random_, 14) + "\"";
  store_.put("secret", secret_of(call), *secret);
  return *secret;
}

Reply Secrets::remove(Call& call) {
  const std::string name = secret_of(call);
  if (!store_.erase("secret", name)) return no_secret(name);
  store_.execute("DELETE FROM resources WHERE kind = 'secret_version' AND substr(name, 1, length(?1)) = ?1",
                 {name + "/versions/"});
  return json::object();
}

Reply Secrets::add_version(Call& call) {
  const std::string secret = secret_of(call);
  if (!store_.get("secret", secret)) return no_secret(secret);
  const json::object* payload = object_at(call.body, "payload");
  const auto data = base64_decode(payload == nullptr ? "" : text_at(*payload, "data"));
  if (payload == nullptr || !data) return bad("payload.data must be base64");
  if (data->size() > most_bytes) return bad("The payload is larger than 65536 bytes.");
  const std::int64_t checksum = crc32c(*data);
  if (payload->contains("dataCrc32c") && int_at(*payload, "dataCrc32c", -1) != checksum)
    return bad("The checksum of the payload does not match dataCrc32c.");
  const std::int64_t number = store_.count("secret_version/" + secret);
  json::object version{{"name", fmt::format("{}/versions/{}", secret, number)},
                       {"createTime", micros_text(call.now)},
                       {"state", "ENABLED"},
                       {"etag", "\"" + random_hex(random_, 14) + "\""},
                       {"clientSpecifiedPayloadChecksum", payload->contains("dataCrc32c")},
                       {"payload", base64_encode(*data)}};
  store_.put("secret_version", version_key(secret, number), version);
  return without_payload(std::move(version));
}

std::expected<json::object, Failure> Secrets::version(const Call& call) {
  const std::string secret = secret_of(call);
  if (!store_.get("secret", secret)) return no_secret(secret);
  std::optional<json::object> found;
  if (call.parts[2] == "latest") {
    std::vector<json::object> all = store_.list("secret_version", secret + "/versions/");
    if (!all.empty()) found = std::move(all.back());
  } else if (const auto number = to_int(call.parts[2])) {
    found = store_.get("secret_version", version_key(secret, *number));
  }
  if (!found) return not_found(fmt::format("Secret Version [{}/versions/{}] not found.", secret, call.parts[2]));
  return *std::move(found);
}

Reply Secrets::get_version(Call& call) {
  auto found = version(call);
  if (!found) return std::unexpected(found.error());
  return without_payload(*std::move(found));
}

Reply Secrets::list_versions(Call& call) {
  const std::string secret = secret_of(call);
  if (!store_.get("secret", secret)) return no_secret(secret);
  std::vector<json::object> all = store_.list("secret_version", secret + "/versions/");
  std::ranges::reverse(all);  // the newest first
  if (const std::string filter = call.query("filter"); !filter.empty()) {
    constexpr std::string_view by_state = "state:";
    if (!filter.starts_with(by_state))
      return refuse(501, "UNIMPLEMENTED", "notImplemented", "Only the filter state:X is supported by this emulator");
    std::erase_if(all,
                  [&](const json::object& one) { return text_at(one, "state") != filter.substr(by_state.size()); });
  }
  const Page page = Page::of(call, "pageSize", 25'000);
  json::array list;
  for (std::size_t i = page.from; i < all.size() && i < page.from + page.most; ++i)
    list.push_back(without_payload(std::move(all[i])));
  json::object out{{"versions", std::move(list)}, {"totalSize", all.size()}};
  if (const std::string token = page.next(all.size()); !token.empty()) out["nextPageToken"] = token;
  return out;
}

Reply Secrets::access(Call& call) {
  auto found = version(call);
  if (!found) return std::unexpected(found.error());
  const std::string name = text_at(*found, "name");
  if (const std::string state = text_at(*found, "state"); state != "ENABLED")
    return refuse(400, "FAILED_PRECONDITION", "failedPrecondition",
                  fmt::format("Secret Version [{}] is in {} state.", name, state));
  const std::string data = text_at(*found, "payload");
  return json::object{
      {"name", name},
      {"payload",
       json::object{{"data", data}, {"dataCrc32c", std::to_string(crc32c(base64_decode(data).value_or("")))}}}};
}

Reply Secrets::change_state(Call& call, std::string_view state) {
  auto found = version(call);
  if (!found) return std::unexpected(found.error());
  const std::string name = text_at(*found, "name");
  if (const std::string etag = text_at(call.body, "etag"); !etag.empty() && etag != text_at(*found, "etag"))
    return refuse(400, "FAILED_PRECONDITION", "failedPrecondition", "The etag does not match.");
  if (text_at(*found, "state") == "DESTROYED" && state != "DESTROYED")
    return refuse(400, "FAILED_PRECONDITION", "failedPrecondition",
                  fmt::format("Secret Version [{}] is in DESTROYED state.", name));
  (*found)["state"] = state;
  (*found)["etag"] = "\"" + random_hex(random_, 14) + "\"";
  if (state == "DESTROYED") {
    (*found)["payload"] = "";
    (*found)["destroyTime"] = micros_text(call.now);
  }
  const auto number = to_int(std::string_view(name).substr(name.rfind('/') + 1)).value_or(0);
  store_.put("secret_version", version_key(secret_of(call), number), *found);
  return without_payload(*std::move(found));
}

std::vector<Route> Secrets::routes() {
  const auto to = [this](Reply (Secrets::*handler)(Call&)) -> Handler {
    return [this, handler](Call& call) { return store_.run([&] { return (this->*handler)(call); }); };
  };
  const auto become = [this](std::string_view state) -> Handler {
    return [this, state](Call& call) { return store_.run([&] { return change_state(call, state); }); };
  };
  return {
      {"POST", "/v1/projects/{}/secrets", to(&Secrets::create)},
      {"GET", "/v1/projects/{}/secrets", to(&Secrets::list)},
      {"GET", "/v1/projects/{}/secrets/{}", to(&Secrets::get)},
      {"PATCH", "/v1/projects/{}/secrets/{}", to(&Secrets::patch)},
      {"DELETE", "/v1/projects/{}/secrets/{}", to(&Secrets::remove)},
      {"POST", "/v1/projects/{}/secrets/{}:addVersion", to(&Secrets::add_version)},
      {"GET", "/v1/projects/{}/secrets/{}/versions", to(&Secrets::list_versions)},
      {"GET", "/v1/projects/{}/secrets/{}/versions/{}", to(&Secrets::get_version)},
      {"GET", "/v1/projects/{}/secrets/{}/versions/{}:access", to(&Secrets::access)},
      {"POST", "/v1/projects/{}/secrets/{}/versions/{}:enable", become("ENABLED")},
      {"POST", "/v1/projects/{}/secrets/{}/versions/{}:disable", become("DISABLED")},
      {"POST", "/v1/projects/{}/secrets/{}/versions/{}:destroy", become("DESTROYED")},
  };
}

}  // namespace serin::google_emulator
