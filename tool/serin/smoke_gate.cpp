#include "smoke_gate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "serin/agent/agent.hpp"
#include "serin/system/files.hpp"

namespace serin::tool {
namespace {

/// So that it has answered by then, whatever hangs.
smoke::Test limited(smoke::Test test, Duration left) {
  const Duration a_step = left / static_cast<std::int64_t>(test.steps.size());
  test.patience.deadline = std::min(test.patience.deadline, a_step);
  test.patience.try_timeout = std::min(test.patience.try_timeout, a_step);
  return test;
}

/// "NAME at 127.0.0.1:4711: GET ...: status is 500, expected 200".
std::string what_it_said(const smoke::TestResult& result, const std::string& address) {
  std::string out = fmt::format("'{}' at {}", result.name, address);
  if (!result.steps.empty()) out += fmt::format(": {}: {}", result.steps.back().request, result.steps.back().said);
  return out;
}

}  // namespace

std::map<std::string, std::string> secrets_of(RealContext& context, const smoke::Suite& suite) {
  std::map<std::string, std::string> out;
  for (const auto& [name, source] : suite.secrets) {
    if (!source.environment.empty()) {
      if (const auto value = context.environment().value(source.environment); value && !value->empty())
        out[name] = *value;
      continue;
    }
    if (auto text = read_file(source.file); text && !text->empty()) {
      if (text->ends_with('\n')) text->pop_back();
      out[name] = *text;
    }
  }
  return out;
}

Result<SmokeGate::Tests> SmokeGate::load(const ServiceName& service, const std::string& file) {
  const std::string path = (std::filesystem::path(session_.spec.file).parent_path() / file).string();
  SERIN_TRY(const std::string text, context_.read_file(path));
  Tests tests;
  SERIN_TRY(tests.suite, smoke::parse_suite(text, path));
  SERIN_TRY(const std::vector<const smoke::Test*> chosen,
            smoke::choose(tests.suite, {.services = {service.str()}, .tags = {}, .names = {}}));
  for (const smoke::Test* test : chosen) tests.chosen.push_back(*test);
  return tests;
}

Status SmokeGate::check(const ServiceName& service, const std::string& file) {
  const Result<Tests> tests = load(service, file);
  if (!tests) return pass(tests.error().in(fmt::format("the smoke tests of {} in its plan", service)));
  return {};
}

rollout::GateAnswer SmokeGate::ask(const rollout::GateQuestion& question, Deadline deadline) {
  using rollout::GateVerdict;
  const Result<Tests> tests = load(question.service, question.file);
  if (!tests) return {.reason = tests.error().detail()};
  if (question.candidate.empty()) return {.reason = "it is not known where the new version is"};
  smoke::Surroundings with{.origins = {}, .variables = {}, .secrets = secrets_of(context_, tests->suite)};
  for (const config::ServiceSpec& service : session_.spec.services)
    if (const Result<std::string> address = agent::service_address(session_.store, service))
      with.origins[service.name.str()] = "http://" + *address;
  std::string unknown;
  Sleeper& sleeper = context_.sleeper();
  for (const std::string& address : question.candidate) {
    with.origins[question.service.str()] = "http://" + address;
    for (const smoke::Test& test : tests->chosen) {
      const Duration left = deadline.left(sleeper.now());
      if (left < 1ms) return {.reason = fmt::format("not all were run in time, '{}' was not", test.name)};
      const smoke::TestResult result = smoke::run_test(limited(test, left), with, http_, sleeper);
      if (result.outcome == smoke::Outcome::pass) continue;
      const std::string said = what_it_said(result, address);
      // Cut short by our own time, not by its own, it says nothing of the candidate.
      if (result.outcome == smoke::Outcome::fail && !deadline.passed(sleeper.now()))
        return {.verdict = GateVerdict::fail, .reason = said};
      if (unknown.empty()) unknown = said;
    }
  }
  if (!unknown.empty()) return {.reason = unknown};
  return {.verdict = GateVerdict::pass,
          .reason = fmt::format("{} tests at {} replicas", tests->chosen.size(), question.candidate.size())};
}

}  // namespace serin::tool
