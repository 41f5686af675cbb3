#pragma once
#include <map>
#include <string>
#include <vector>

#include "real_context.hpp"
#include "serin/rollout/gate.hpp"
#include "serin/smoke/run.hpp"

namespace serin::tool {

/// Runs the smoke tests that ask a service against the candidate's own replicas, each of them; the other services that
/// such a test asks are those of the running fleet. A path is relative to the fleet's file. Threads: one.
class SmokeGate final : public rollout::Gate {
 public:
  /// \param context, session, http  outlive it  \param http  asks a replica at "http://" + its address
  SmokeGate(RealContext& context, Session& session, HttpClient& http)
      : context_(context), session_(session), http_(http) {}
  /// What a plan's file has for this service can be run. Errors: not_found, invalid_argument (a mistake in the file, or
  /// no test of it asks the service).
  Status check(const ServiceName& service, const std::string& file);
  rollout::GateAnswer ask(const rollout::GateQuestion& question, Deadline deadline) override;

 private:
  struct Tests {
    smoke::Suite suite;
    std::vector<smoke::Test> chosen;
  };
  Result<Tests> load(const ServiceName& service, const std::string& file);
  RealContext& context_;
  Session& session_;
  HttpClient& http_;
};

/// Those that can be read; one that cannot makes the tests that need it unknown.
std::map<std::string, std::string> secrets_of(RealContext& context, const smoke::Suite& suite);

}  // namespace serin::tool
