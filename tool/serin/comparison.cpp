#include "comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace serin::tool {
namespace {

using trials::Characteristics;

// What ours promises: see docs/guide/judge.md.
constexpr double most_wrong = 0.01;
constexpr double fewer_failures = 5;
constexpr double times_promised = 5;

std::string share(double value) {
  if (value <= 0) return "0";
  if (value >= 0.9995) return "1";
  return value < 0.1 ? fmt::format("{:.4f}", value) : fmt::format("{:.3f}", value);
}

double part(std::int64_t count, const Characteristics& found) {
  return static_cast<double>(count) / static_cast<double>(std::max<std::int64_t>(1, found.runs));
}

std::string healthy_cell(const Characteristics& found) {
  std::string cell = share(part(found.rolled_back, found));
  if (found.held > 0) cell += fmt::format(" (held {})", share(part(found.held, found)));
  return cell;
}

std::string worse_cell(const Characteristics& found) {
  std::string cell = share(part(found.rolled_back, found));
  if (found.median_second) cell += fmt::format(" @{:.0f}s", *found.median_second);
  if (found.held > 0) cell += fmt::format(" (held {})", share(part(found.held, found)));
  return cell + fmt::format(", {:.0f}", found.blamed);
}

std::string table(const Comparison& comparison, bool healthy, std::string (*cell)(const Characteristics&)) {
  std::string out = "| scenario |";
  std::string rule = "|---|";
  for (const ComparedJudge& judge : comparison.judges) {
    out += fmt::format(" {} |", judge.title);
    rule += "---|";
  }
  out += "\n" + rule + "\n";
  for (const ComparedScenario& row : comparison.scenarios) {
    if (row.scenario.healthy() != healthy) continue;
    out += fmt::format("| `{}` |", row.scenario.name);
    for (std::size_t i = 0; i < row.found.size(); ++i)
      out += fmt::format(" {}{}{} |", i == 0 ? "**" : "", cell(row.found[i]), i == 0 ? "**" : "");
    out += "\n";
  }
  return out;
}

std::string promises(const Comparison& comparison) {
  std::string out;
  for (const ComparedScenario& row : comparison.scenarios) {
    const Characteristics& ours = row.found.front();
    if (row.scenario.healthy()) {
      // Missed when even the lower end of the interval is above it; the point estimate is printed either way.
      const double wrong = part(ours.rolled_back, ours);
      const char* kept = wrong <= most_wrong                 ? "kept"
                         : ours.rolled_back_low > most_wrong ? "MISSED"
                                                             : "within chance of it";
      out += fmt::format("| `{}` | taken back in at most {} of the runs | {} ({} to {}) | {} |\n", row.scenario.name,
                         most_wrong, share(wrong), share(ours.rolled_back_low), share(ours.rolled_back_high), kept);
      continue;
    }
    if (row.scenario.times < times_promised || row.scenario.latency) continue;
    for (std::size_t i = 1; i < row.found.size(); ++i) {
      const std::string& title = comparison.judges[i].title;
      if (!title.starts_with("Flagger") && !title.starts_with("Kayenta")) continue;
      const double factor = row.found[i].blamed / std::max(0.1, ours.blamed);
      out += fmt::format("| `{}` | {:.0f} x fewer failed requests than {} | {:.1f} x ({:.0f} beside {:.0f}) | {} |\n",
                         row.scenario.name, fewer_failures, title, factor, ours.blamed, row.found[i].blamed,
                         factor >= fewer_failures ? "kept" : "MISSED");
    }
  }
  return "| scenario | promised | measured | |\n|---|---|---|---|\n" + out;
}

/// Why a promise is missed where it is; the numbers beside it are measured, these reasons are ours.
constexpr std::string_view reasons = R"(
## Where it is missed, and why
- **Flagger, threshold 1** takes a version back at the first minute above 1 %. That is as fast as one can be, and the
  table above says what it costs: most of the healthy versions that fail 0.9 %, 3 % or get one request a second go back
  too. No judge that is wrong at most once in a hundred can be as fast.
- **`five-times-from-12m`**: three minutes are left, and five requests a second still go to the old version. The past
  finds the fault in about a minute, and its attribution waits another: without that wait it would be found at second
  792, and four of five healthy versions would go back in `outage-late`. With 80 % as the last stage it is found at 813.
- **`five-times-in-bursts`**: six errors at a time are one piece of news. What divides the evidence keeps healthy
  versions safe (`bursts`) and costs most of the power at five times the errors. Where clients are known, count them.
- **`ten-percent-1-a-second`**: nothing is called worse before five of the canary's requests failed, so at one request a
  second there is little to save.
- **`twice`** is hardly beyond what is tolerable (0.4 % beside 0.3 %); who wants to find it sets `tolerable` lower.
)";

}  // namespace

std::string comparison_page(const Comparison& comparison) {
  std::string out = fmt::format(
      "# The judge beside the rules of the field\n\n"
      "Written by `serin judge compare --runs {} --seed {} --page docs/perf/judge.md`; the scenarios are in\n"
      "`fleet/scenarios`, and `serin judge simulate` plays each of them by itself. Other tools are simulated from "
      "their\n"
      "documented rules on the same traffic; none of them was run.\n\n## What each does\n| judge | rule |\n|---|---|\n",
      comparison.runs, comparison.seed);
  for (const ComparedJudge& judge : comparison.judges) out += fmt::format("| {} | {} |\n", judge.title, judge.rule);
  out += "\n## Healthy versions: taken back wrongly\nShare of the runs; \"held\" stopped and asked a person.\n\n";
  out += table(comparison, true, healthy_cell);
  out +=
      "\n## Worse versions: found\nShare of the runs, second of the rollout (median), and how many of the canary's "
      "requests failed because of it until it ended\n(mean over all runs).\n\n";
  out += table(comparison, false, worse_cell);
  out += "\n## What was promised\nFailed requests are those that would not have failed with the old version.\n\n" +
         promises(comparison);
  out += reasons;
  const double rollouts = static_cast<double>(comparison.runs) * static_cast<double>(comparison.scenarios.size());
  out += fmt::format(
      "\n## What playing costs\n{:.0f} rollouts with our judge took {:.1f} s on {} thread{}: {:.2f} ms each, of 180 or "
      "900 buckets and an hour of\nhistory before. `./run bench judge` measures a bucket.\n",
      rollouts, comparison.seconds, comparison.threads, comparison.threads == 1 ? "" : "s",
      1000 * comparison.seconds / std::max(1.0, rollouts));
  out += "\n## The scenarios\n| | |\n|---|---|\n";
  for (const ComparedScenario& row : comparison.scenarios)
    out += fmt::format("| `{}` | {} |\n", row.scenario.name, row.scenario.says);
  return out;
}

}  // namespace serin::tool
