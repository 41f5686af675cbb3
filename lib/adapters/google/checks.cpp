#include "serin/google/checks.hpp"

#include <fmt/format.h>

namespace serin::google {
namespace {

using health::CheckAnswer;
using health::CheckContext;

Within within_of(const CheckContext& context) { return {context.deadline, context.stop}; }

CheckAnswer judge(const SecretVersion& version) {
  std::vector<LogField> details{{"version", version.version}};
  switch (version.state) {
    case SecretState::enabled: return CheckAnswer::pass(std::move(details));
    case SecretState::disabled:
      return CheckAnswer::fail("disabled",
                               fmt::format("version {} of secret {} is disabled", version.version, version.secret),
                               std::move(details));
    case SecretState::destroyed:
      return CheckAnswer::fail("destroyed",
                               fmt::format("version {} of secret {} is destroyed", version.version, version.secret),
                               std::move(details));
    case SecretState::unknown: break;
  }
  return CheckAnswer::unknown("no_state", "the service does not say in which state the version is", std::move(details));
}

CheckAnswer judge(const RunService& service) {
  std::vector<LogField> details{{"revision", service.latest_ready_revision}, {"generation", service.generation}};
  const RunCondition& condition = service.condition;
  switch (condition.state) {
    case RunState::succeeded:
      if (service.reconciling || service.observed_generation < service.generation) break;
      return CheckAnswer::pass(std::move(details));
    case RunState::failed:
      return CheckAnswer::fail("failed", fmt::format("{}: {}", condition.reason, condition.message),
                               std::move(details));
    case RunState::pending:
    case RunState::reconciling: break;
    case RunState::unknown:
      return CheckAnswer::unknown("no_state", "the service does not say in which state it is", std::move(details));
  }
  return CheckAnswer::warn("reconciling", fmt::format("{} is changing: {}", service.name, condition.message),
                           std::move(details));
}

}  // namespace

CheckAnswer answer_of(const Error& error) {
  if (error.code() == Errc::cancelled || error.code() == Errc::rejected)
    return CheckAnswer::unknown(std::string(errc_name(error.code())), error.detail());
  return CheckAnswer::of(error);
}

health::CheckFunction secret_check(SecretManager& secrets, std::string secret, std::string version) {
  return [&secrets, secret = std::move(secret), version = std::move(version)](const CheckContext& context) {
    const auto found = secrets.version(secret, version, within_of(context));
    return found ? judge(*found) : answer_of(found.error());
  };
}

health::CheckFunction run_check(CloudRun& run, std::string service) {
  return [&run, service = std::move(service)](const CheckContext& context) {
    const auto found = run.get_service(service, within_of(context));
    return found ? judge(*found) : answer_of(found.error());
  };
}

health::CheckFunction api_check(Api& api, std::string path, Query query) {
  return [&api, path = std::move(path), query = std::move(query)](const CheckContext& context) {
    const auto answer = api.call({.path = path, .query = query, .deadline = context.deadline, .stop = context.stop});
    return answer ? CheckAnswer::pass({{"status", answer->status}}) : answer_of(answer.error());
  };
}

health::CheckFunction monitoring_check(CloudMonitoring& monitoring) {
  return api_check(monitoring.api(),
                   fmt::format("/v3/projects/{}/metricDescriptors", escape(monitoring.place().project)),
                   {{"pageSize", "1"}});
}

health::CheckFunction logging_check(CloudLogging& logging) {
  return api_check(logging.api(), fmt::format("/v2/projects/{}/logs", escape(logging.place().project)),
                   {{"pageSize", "1"}});
}

}  // namespace serin::google
