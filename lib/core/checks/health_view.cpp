#include "serin/checks/health_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace serin::checks {
namespace {

constexpr int most_results = 10000;

}  // namespace

health::CheckAnswer judge_health(std::span<const StoredResult> results, std::optional<WallTime> last_run, WallTime now,
                                 const HealthViewOptions& options) {
  if (!last_run) return health::CheckAnswer::unknown("not_run_yet", "the data checks never ran");
  const Duration age = now - *last_run;
  const std::string age_text =
      age < Duration(1s) ? "0s" : format_duration(std::chrono::floor<std::chrono::seconds>(age));
  if (age > options.stale_after)
    return health::CheckAnswer::unknown("stale", fmt::format("the data checks ran last {} ago", age_text));
  Outcome worst = Outcome::pass;
  const StoredResult* shown = nullptr;
  std::set<std::string> seen;
  bool evaluated = false;
  // The newest come first, so that the first of a check is its latest.
  for (const StoredResult& result : results) {
    if (now - result.at > options.look_back) continue;
    if (!seen.insert(result.check_id).second && options.latest_only) continue;
    evaluated = evaluated || result.outcome != Outcome::not_evaluated;
    if (result.outcome > worst) {
      worst = result.outcome;
      shown = &result;
    }
  }
  std::vector<LogField> details{{"checks", static_cast<std::int64_t>(seen.size())}, {"last_run_age", age_text}};
  if (seen.empty())
    return health::CheckAnswer::unknown("no_results", "no data check has a result in the look-back", details);
  if (!evaluated) return health::CheckAnswer::skip("nothing_due");
  if (shown == nullptr || worst == Outcome::not_evaluated) return health::CheckAnswer::pass(std::move(details));
  const std::string sentence = fmt::format("{}: {}", shown->name, shown->reason);
  if (worst == Outcome::error) return health::CheckAnswer::unknown("data_check_error", sentence, std::move(details));
  if (worst == Outcome::fail && options.fail_is_down)
    return health::CheckAnswer::fail("data_check_failed", sentence, std::move(details));
  return health::CheckAnswer::warn(worst == Outcome::fail ? "data_check_failed" : "data_check_warned", sentence,
                                   std::move(details));
}

health::CheckFunction health_check(ResultStore& store, const Clock& clock, HealthViewOptions options) {
  return [&store, &clock, options = std::move(options)](const health::CheckContext& context) {
    const WallTime now = clock.wall();
    const auto last = store.last_run(options.file, context.deadline);
    if (!last) return health::CheckAnswer::unknown("store", last.error().detail());
    auto results = store.results("", now - options.look_back, most_results, context.deadline);
    if (!results) return health::CheckAnswer::unknown("store", results.error().detail());
    if (!options.file.empty()) {
      // Identities begin with the file's name without its folder.
      const std::string prefix = options.file.substr(options.file.rfind('/') + 1) + "/";
      std::erase_if(*results, [&](const StoredResult& result) { return !result.check_id.starts_with(prefix); });
    }
    return judge_health(*results, *last, now, options);
  };
}

std::string_view gate_name(GateVerdict verdict) noexcept {
  switch (verdict) {
    case GateVerdict::pass: return "pass";
    case GateVerdict::fail: return "fail";
    case GateVerdict::unknown: return "unknown";
  }
  return "unknown";
}

GateAnswer gate(const CheckReport& report) {
  const auto first = [&](Outcome outcome) -> std::string {
    const auto found = std::ranges::find(report.results, outcome, &CheckResult::outcome);
    return found == report.results.end() ? "" : fmt::format("{}: {}", found->name, found->reason);
  };
  const int judged = report.count(Outcome::pass) + report.count(Outcome::warn);
  if (const int failed = report.count(Outcome::fail); failed > 0)
    return {GateVerdict::fail,
            fmt::format("{} of {} checks failed; {}", failed, report.results.size(), first(Outcome::fail))};
  if (const int errors = report.count(Outcome::error); errors > 0)
    return {GateVerdict::unknown, fmt::format("{} checks could not be evaluated; {}", errors, first(Outcome::error))};
  if (judged == 0) return {GateVerdict::unknown, "no check was evaluated"};
  return {GateVerdict::pass, fmt::format("{} checks passed", judged)};
}

}  // namespace serin::checks
