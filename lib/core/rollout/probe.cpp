#include "serin/rollout/probe.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "serin/conformance/conformance.hpp"

namespace serin::rollout {
namespace {

namespace json = boost::json;

constexpr std::size_t shown = 200;
constexpr Duration answer_within = 2s;  // of a program that has just started, on a machine that may be busy

std::unexpected<Error> wrong(const Replica& replica, std::string_view path, std::string_view what) {
  return fail(Errc::rejected, fmt::format("{}: GET {} {}", replica.name, path, what));
}

Status check_claim(const Replica& replica, const json::object& answer, const char* field, const std::string& expected) {
  const json::value* said = answer.if_contains(field);
  if (expected.empty() || said == nullptr || !said->is_string() || said->as_string() == json::string_view(expected))
    return {};
  return wrong(replica, "/health",
               fmt::format("says {} '{}', but it has to be '{}'", field, said->as_string().c_str(), expected));
}

std::string label(const ReleaseSpec& release, const char* name) {
  const auto found = release.labels.find(name);
  return found == release.labels.end() ? std::string() : found->second;
}

/// Who it is. Returns whether it claims the whole contract.
Result<bool> check_identity(HttpClient& http, const ServiceName& service, const ReleaseSpec& release,
                            const Replica& replica, Deadline deadline) {
  const Result<HttpResponse> answer = http.send("http://" + replica.address, {.target = "/health"}, deadline);
  if (!answer) return wrong(replica, "/health", fmt::format("failed: {}", answer.error().text()));
  if (answer->status == 404) return false;
  if (answer->status != 200)
    return wrong(replica, "/health", fmt::format("answered {}: {}", answer->status, answer->body.substr(0, shown)));
  boost::system::error_code error;
  const json::value value = json::parse(answer->body, error);
  if (error || !value.is_object()) return false;  // not the contract of ours: it claims nothing
  const json::object& object = value.as_object();
  SERIN_CHECK(check_claim(replica, object, "service", service.str()));
  SERIN_CHECK(check_claim(replica, object, "revision", release.name.str()));
  SERIN_CHECK(check_claim(replica, object, "version", label(release, "version")));
  SERIN_CHECK(check_claim(replica, object, "commit", label(release, "commit")));
  return conformance::claims_contract(answer->body);
}

/// Everything that the contract promises: a program that breaks it would mislead whoever asks it afterwards.
Status check_contract(HttpClient& http, const Clock& clock, const ServiceName& service, const Replica& replica,
                      Deadline deadline) {
  const std::vector<conformance::Finding> findings = conformance::check_contract(
      http, clock, "http://" + replica.address, {.service = service.str(), .answer_within = answer_within}, deadline);
  const std::string broken = conformance::broken(findings);
  if (broken.empty()) return {};
  return fail(Errc::rejected, fmt::format("{} breaks the health contract: {}", replica.name, broken));
}

/// All of its own checks. 404: it has none.
Status check_deep(HttpClient& http, const Replica& replica, Deadline deadline) {
  const Result<HttpResponse> deep = http.send("http://" + replica.address, {.target = "/health/deep"}, deadline);
  if (!deep) return wrong(replica, "/health/deep", fmt::format("failed: {}", deep.error().text()));
  if (deep->status < 500) return {};
  return wrong(replica, "/health/deep", fmt::format("answered {}: {}", deep->status, deep->body.substr(0, shown)));
}

}  // namespace

Status probe(HttpClient& http, const Clock& clock, const ServiceName& service, const ReleaseSpec& release,
             const std::vector<Replica>& replicas, Deadline deadline) {
  for (const Replica& replica : replicas) {
    SERIN_TRY(const bool claims_contract, check_identity(http, service, release, replica, deadline));
    SERIN_CHECK(check_deep(http, replica, deadline));
    const Result<HttpResponse> ready = http.send("http://" + replica.address, {.target = release.ready_path}, deadline);
    if (!ready) return wrong(replica, release.ready_path, fmt::format("failed: {}", ready.error().text()));
    if (ready->status != 200)
      return wrong(replica, release.ready_path,
                   fmt::format("answered {}: {}", ready->status, ready->body.substr(0, shown)));
    if (claims_contract) SERIN_CHECK(check_contract(http, clock, service, replica, deadline));
  }
  return {};
}

}  // namespace serin::rollout
