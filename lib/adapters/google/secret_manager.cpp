#include "serin/google/secret_manager.hpp"

#include <fmt/format.h>

#include "detail_call.hpp"
#include "serin/base/text.hpp"
#include "serin/google/crc32c.hpp"

namespace serin::google {
namespace json = boost::json;
namespace {

constexpr std::size_t most_bytes = 64u << 10;  // of a version, by the service's limits

SecretState state_of(const json::object& version) {
  const std::string name = text_of(version, "state");
  const std::optional<std::int64_t> number = int_of(version, "state");  // enums come as numbers where asked for
  if (name == "ENABLED" || number == 1) return SecretState::enabled;
  if (name == "DISABLED" || number == 2) return SecretState::disabled;
  if (name == "DESTROYED" || number == 3) return SecretState::destroyed;
  return SecretState::unknown;
}

SecretVersion version_of(const json::object& object, std::string_view secret) {
  return {.secret = std::string(secret),
          .version = last_segment(text_of(object, "name")),
          .state = state_of(object),
          .created = time_of(object, "createTime"),
          .etag = text_of(object, "etag")};
}

/// The content of an answer, or what is wrong with it; never a piece of it.
Result<std::string> checked(const json::object& answer, const std::string& path) {
  const std::optional<std::string> data = base64_decode(text_of(answer, "payload.data"));
  if (!data) return fail(Errc::data_loss, fmt::format("{}: the content is no base64", path));
  const std::optional<std::int64_t> sum = int_of(answer, "payload.dataCrc32c");
  if (!sum) return fail(Errc::data_loss, fmt::format("{}: the content came without a checksum", path));
  if (*sum != static_cast<std::int64_t>(crc32c(*data)))
    return fail(Errc::data_loss, fmt::format("{}: the content does not match its checksum", path));
  return *data;
}

}  // namespace

ApiOptions SecretManager::defaults() {
  ApiOptions out{.service = std::string(service), .endpoint = "https://secretmanager.googleapis.com"};
  out.retry.backoff.first = 2s;
  return out;
}

std::string SecretManager::secrets_path() const {
  return fmt::format("/v1/projects/{}/secrets", escape(place_.project));
}

std::string SecretManager::path_of(std::string_view secret, std::string_view version) const {
  return fmt::format("{}/{}/versions/{}", secrets_path(), escape(secret), escape(version));
}

Result<SecretPayload> SecretManager::access(std::string_view secret, std::string_view version, const Within& within) {
  const std::string path = path_of(secret, version) + ":access";
  for (bool is_last = false;; is_last = true) {
    SERIN_TRY(const json::object answer, ask(*api_, get(path, {}, within)));
    Result<std::string> data = checked(answer, path);
    if (data) return SecretPayload{.version = last_segment(text_of(answer, "name")), .data = *std::move(data)};
    // Damaged on the way, once: the next answer takes another one.
    if (is_last) return pass(data.error());
  }
}

Result<SecretVersion> SecretManager::version(std::string_view secret, std::string_view version, const Within& within) {
  SERIN_TRY(const json::object answer, ask(*api_, get(path_of(secret, version), {}, within)));
  return version_of(answer, secret);
}

Result<SecretVersion> SecretManager::add_version(std::string_view secret, std::string_view data, const Within& within) {
  if (data.size() > most_bytes)
    return fail(Errc::invalid_argument, fmt::format("secret {}: {} bytes are more than 65536", secret, data.size()));
  const json::object body{
      {"payload", {{"data", base64_encode(data)}, {"dataCrc32c", fmt::format("{}", crc32c(data))}}}};
  const std::string path = fmt::format("{}/{}:addVersion", secrets_path(), escape(secret));
  SERIN_TRY(const json::object answer, ask(*api_, post(path, body, within)));
  return version_of(answer, secret);
}

Status SecretManager::create(std::string_view secret, const Within& within) {
  ApiCall call = post(secrets_path(), json::object{{"replication", {{"automatic", json::object()}}}}, within);
  call.query = {{"secretId", std::string(secret)}};
  SERIN_CHECK(api_->call(call));
  return {};
}

Result<std::vector<std::string>> SecretManager::secrets(const Within& within) {
  std::vector<std::string> out;
  SERIN_CHECK(read_list(*api_, secrets_path(), {}, "secrets", within, [&](const json::object& item) {
    out.push_back(last_segment(text_of(item, "name")));
    return true;
  }));
  return out;
}

Result<std::vector<SecretVersion>> SecretManager::versions(std::string_view secret, std::string_view filter,
                                                           const Within& within) {
  std::vector<SecretVersion> out;
  Query query;
  if (!filter.empty()) query.emplace_back("filter", filter);
  const std::string path = fmt::format("{}/{}/versions", secrets_path(), escape(secret));
  SERIN_CHECK(read_list(*api_, path, query, "versions", within, [&](const json::object& item) {
    out.push_back(version_of(item, secret));
    return true;
  }));
  return out;
}

Result<SecretVersion> SecretManager::change(std::string_view secret, std::string_view version, std::string_view verb,
                                            std::string_view etag, const Within& within) {
  json::object body;
  if (!etag.empty()) body["etag"] = etag;
  ApiCall call = post(fmt::format("{}:{}", path_of(secret, version), verb), body, within);
  // Without a precondition a second one finds what the first one did; with one it would see a conflict of its own.
  if (etag.empty() && verb != "destroy") call.idempotency = Idempotency::idempotent;
  SERIN_TRY(const json::object answer, ask(*api_, call));
  return version_of(answer, secret);
}

Result<SecretVersion> SecretManager::enable(std::string_view secret, std::string_view version, std::string_view etag,
                                            const Within& within) {
  return change(secret, version, "enable", etag, within);
}
Result<SecretVersion> SecretManager::disable(std::string_view secret, std::string_view version, std::string_view etag,
                                             const Within& within) {
  return change(secret, version, "disable", etag, within);
}
Result<SecretVersion> SecretManager::destroy(std::string_view secret, std::string_view version, std::string_view etag,
                                             const Within& within) {
  return change(secret, version, "destroy", etag, within);
}

}  // namespace serin::google
