#include "serin/lease/lease.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

namespace serin {
namespace {

namespace json = boost::json;

Result<LeaseInfo> parse(const std::string& name, const std::string& text) {
  boost::system::error_code error;
  const json::value value = json::parse(text, error);
  const json::object* object = error ? nullptr : value.if_object();
  if (object == nullptr)
    return fail(Errc::data_loss, fmt::format("lease '{}' is no JSON object: {}", name, text.substr(0, 100)));
  const auto number = [&](std::string_view key) -> std::int64_t {
    const json::value* found = object->if_contains(key);
    return found != nullptr && found->is_int64() ? found->as_int64() : 0;
  };
  const json::value* holder = object->if_contains("holder");
  if (holder == nullptr || !holder->is_string() || number("token") < 1)
    return fail(Errc::data_loss, fmt::format("lease '{}' lacks holder or token: {}", name, text.substr(0, 100)));
  return LeaseInfo{.holder = std::string(holder->as_string()),
                   .token = number("token"),
                   .since = wall_of_unix_ms(number("since_ms")),
                   .until = wall_of_unix_ms(number("until_ms"))};
}

std::string as_json(const LeaseInfo& info) {
  return json::serialize(json::object{{"holder", info.holder},
                                      {"token", info.token},
                                      {"since_ms", unix_ms(info.since)},
                                      {"until_ms", unix_ms(info.until)}});
}

}  // namespace

Status Lease::write(std::int64_t expected, std::int64_t token, WallTime since, Deadline deadline) {
  // Measured before the write: our own idea of its end must never be later than the document's.
  const Instant began = clock_->now();
  const WallTime until = clock_->wall() + options_.ttl;
  SERIN_TRY(version_,
            documents_->put(options_.collection, options_.name,
                            as_json({.holder = options_.holder, .token = token, .since = since, .until = until}),
                            expected, deadline));
  token_ = token;
  since_ = since;
  safe_until_ = began + options_.ttl;
  return {};
}

Result<Lease> Lease::acquire(Documents& documents, const Clock& clock, LeaseOptions options, Deadline deadline) {
  if (options.ttl <= Duration::zero() || options.name.empty() || options.holder.empty())
    return fail(Errc::invalid_argument, "a lease needs a name, a holder and a ttl above 0");
  Lease lease(documents, clock, std::move(options));
  SERIN_TRY(const std::optional<Document> found,
            documents.get(lease.options_.collection, lease.options_.name, deadline));
  std::int64_t token = 1;
  if (found) {
    SERIN_TRY(const LeaseInfo info, parse(lease.options_.name, found->json));
    const auto is_gone = [&] { return lease.options_.is_gone && lease.options_.is_gone(info.holder); };
    if (!info.holder.empty() && clock.wall() < info.until && !is_gone())
      return fail(Errc::conflict, fmt::format("'{}' is held by {} since {}, at least until {}", lease.options_.name,
                                              info.holder, format_rfc3339(info.since), format_rfc3339(info.until)));
    token = info.token + 1;
  }
  const Status written = lease.write(found ? found->version : 0, token, clock.wall(), deadline);
  if (!written && written.error().code() == Errc::conflict)
    return fail(Errc::conflict, fmt::format("'{}' was taken by somebody else at this moment", lease.options_.name));
  if (!written) return pass(written.error());
  return lease;
}

Status Lease::renew(Deadline deadline) {
  const Status written = write(version_, token_, since_, deadline);
  if (!written && written.error().code() == Errc::conflict) {
    version_ = 0;
    return fail(Errc::conflict, fmt::format("'{}' ran out and is somebody else's now", options_.name));
  }
  return written;
}

Status Lease::release(Deadline deadline) {
  if (version_ == 0) return {};
  // The document stays, for its token: a later holder must get a larger one.
  const Result<std::int64_t> written = documents_->put(
      options_.collection, options_.name,
      as_json({.holder = {}, .token = token_, .since = since_, .until = clock_->wall()}), version_, deadline);
  version_ = 0;
  if (!written && written.error().code() != Errc::conflict) return pass(written.error());
  return {};
}

Result<std::optional<LeaseInfo>> inspect_lease(Documents& documents, const std::string& collection,
                                               const std::string& name, Deadline deadline) {
  SERIN_TRY(const std::optional<Document> found, documents.get(collection, name, deadline));
  if (!found) return std::nullopt;
  SERIN_TRY(LeaseInfo info, parse(name, found->json));
  return info;
}

}  // namespace serin
