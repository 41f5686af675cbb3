#include "data_gate.hpp"

#include <filesystem>

#include "databases.hpp"
#include "serin/checks/health_view.hpp"
#include "serin/checks/run.hpp"

namespace serin::tool {

rollout::GateAnswer DataGate::ask(const rollout::GateQuestion& question, Deadline deadline) {
  Result<rollout::GateAnswer> answer = judge(question.file, deadline);
  // A file that is wrong, a warehouse that is gone: that nothing was found is not that nothing is wrong.
  if (!answer) return {.reason = answer.error().detail()};
  return *std::move(answer);
}

Result<rollout::GateAnswer> DataGate::judge(const std::string& file, Deadline deadline) {
  StoppableClock clock(context_.sleeper());
  const std::string path = (std::filesystem::path(spec_.file).parent_path() / file).string();
  SERIN_TRY(const checks::Engine engine, engine_of(spec_.warehouse));
  SERIN_TRY(const std::string text, context_.read_file(path));
  SERIN_TRY(const checks::CheckFile checks, checks::load_checks(text, path, engine));
  SERIN_TRY(const OpenDatabase database, open_database(spec_.warehouse, engine, clock));
  SERIN_TRY(const checks::CheckReport report,
            checks::run_checks(checks, *database.sql, {engine}, clock, nullptr, {.deadline = deadline}));
  const checks::GateAnswer answer = checks::gate(report);
  switch (answer.verdict) {
    case checks::GateVerdict::pass: return rollout::GateAnswer{rollout::GateVerdict::pass, answer.reason};
    case checks::GateVerdict::fail: return rollout::GateAnswer{rollout::GateVerdict::fail, answer.reason};
    case checks::GateVerdict::unknown: break;
  }
  return rollout::GateAnswer{rollout::GateVerdict::unknown, answer.reason};
}

}  // namespace serin::tool
