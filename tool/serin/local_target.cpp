#include "local_target.hpp"

#include <fmt/format.h>

#include "releases.hpp"
#include "serin/process/process.hpp"

namespace serin::tool {
namespace {

constexpr int named_failures = 1000;

class LocalTarget final : public Target {
 public:
  LocalTarget(Session& session, const config::ServiceSpec& service, HttpClient& http)
      : session_(session), service_(service), http_(http) {}
  Router& router() override { return session_.router; }
  Platform& platform() override { return session_.platform; }
  Traffic& traffic() override { return session_.traffic; }
  HttpClient& probes() override { return http_; }

  /// The agent beats, and its process is there: one that was killed a moment ago still looks alive by its last beat.
  Status check_alive() override {
    SERIN_CHECK(session_.store.check_alive());
    SERIN_TRY(const std::optional<control::Heartbeat> beat, session_.store.heartbeat());
    if (beat && !identify(beat->pid)) return fail(Errc::unavailable, "the agent has ended: run `serin up`");
    return {};
  }

  Result<ReleaseSpec> complete(ReleaseSpec release) override { return with_digest(std::move(release)); }

  Result<ReleaseSpec> spec_of(const ReleaseName& name) override {
    SERIN_TRY(std::optional<control::DesiredRelease> known, session_.store.find(service_.name, name));
    if (known) return std::move(known->spec);
    return fail(Errc::not_found, fmt::format("nobody knows how to run {} of {} any more", name, service_.name));
  }

  std::vector<control::FailedRequest> failures(std::int64_t from_second, std::int64_t to_second) override {
    const Result<std::vector<control::FailedRequest>> failures =
        session_.store.failures(service_.name, from_second, to_second, named_failures);
    return failures ? *failures : std::vector<control::FailedRequest>();
  }

 private:
  Session& session_;
  const config::ServiceSpec& service_;
  HttpClient& http_;
};

}  // namespace

Result<std::unique_ptr<Target>> make_local_target(RealContext& context, Session& session,
                                                  const config::ServiceSpec& service) {
  SERIN_TRY(HttpClient* const http, context.guarded_http());
  return std::make_unique<LocalTarget>(session, service, *http);
}

}  // namespace serin::tool
