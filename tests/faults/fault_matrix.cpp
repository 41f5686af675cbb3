// Goal: bad releases are taken back or never begin, healthy ones are not touched, and nobody pays for moving traffic.
// Method: real fleets of real processes, several side by side, each release on one of its own with traffic beside it;
// what became of each is counted and printed. Exit 0 when the targets of the matrix are met, 1 when not.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <mutex>

#include "lane.hpp"
#include "lanes.hpp"

namespace serin::faults {
namespace {

struct Options {
  int lanes = 3;
  int times = 0;  ///< of each kind; 0: 9 of a bad kind, 17 of a healthy one
  std::string only;
  std::string page;
};

struct Tally {
  int played = 0;
  int well = 0;
  long long failed = 0;
  std::vector<double> to_restore;
  std::vector<double> from_bad;
  std::vector<double> seconds;
  long long sent = 0;
  long long missed = 0;
};

std::string middle_and_worst(std::vector<double> values) {
  if (values.empty()) return "-";
  std::ranges::sort(values);
  return fmt::format("{:.2f} / {:.2f}", values[values.size() / 2], values.back());
}

std::string page_of(const std::vector<Kind>& all, std::map<std::string, Tally>& tallies) {
  std::string out =
      "| release | must | played | as it must | rollout s, median / worst | failed requests a release | verdict to "
      "restored, s "
      "| first bad answer to restored, s |\n|---|---|---:|---:|---:|---:|---:|---:|\n";
  const auto must = [](Must what) {
    switch (what) {
      case Must::stop: return "stop at 0 %";
      case Must::go_back: return "go back";
      case Must::go_on: return "be promoted";
      case Must::stay: return "not go back";
    }
    return "";
  };
  for (const Kind& kind : all) {
    const Tally& tally = tallies[kind.name];
    if (tally.played == 0) continue;
    out += fmt::format("| {} | {} | {} | {} | {} | {:.1f} | {} | {} |\n", kind.name, must(kind.must), tally.played,
                       tally.well, middle_and_worst(tally.seconds), static_cast<double>(tally.failed) / tally.played,
                       middle_and_worst(tally.to_restore), middle_and_worst(tally.from_bad));
  }
  return out;
}

bool parse(int count, char** words, Options& options) {
  return story::parse_options(count, words, {{"--lanes", &options.lanes}, {"--times", &options.times}},
                              {{"--only", &options.only}, {"--page", &options.page}}) &&
         options.lanes >= 1;
}

int play(const Options& options) {
  std::vector<Kind> all = kinds();
  if (!options.only.empty())
    std::erase_if(all, [&](const Kind& kind) {
      return ("," + options.only + ",").find("," + kind.name + ",") == std::string::npos;
    });
  if (all.empty()) {
    fmt::print(stderr, "fault_matrix: --only names no kind of release\n");
    return 2;
  }
  std::vector<const Kind*> plan;
  const auto times = [&](const Kind& kind) { return options.times > 0 ? options.times : is_bad(kind) ? 9 : 17; };
  for (int round = 0; plan.size() < 10'000; ++round) {
    const std::size_t before = plan.size();
    for (const Kind& kind : all)
      if (round < times(kind)) plan.push_back(&kind);
    if (plan.size() == before) break;
  }
  std::mutex mutex;
  std::map<std::string, Tally> tallies;
  int number = 0;
  story::in_lanes(0, options.lanes, plan.size(), [&](int lane, std::size_t at) {
    const Kind& kind = *plan[at];
    End end{.kind = kind.name, .outcome = "none"};
    try {
      end = Lane(lane).play(kind, static_cast<int>(at) + 1);
    } catch (const std::exception& error) {
      end.reason = error.what();
    }
    const std::lock_guard lock(mutex);
    Tally& tally = tallies[kind.name];
    ++tally.played;
    tally.well += end.as_it_must ? 1 : 0;
    tally.failed += end.failed_requests;
    tally.sent += end.sent;
    tally.missed += end.missed;
    tally.seconds.push_back(end.seconds);
    if (end.to_restore) tally.to_restore.push_back(*end.to_restore);
    if (end.from_bad) tally.from_bad.push_back(*end.from_bad);
    fmt::print("{:3} of {}  {:16} {} {} in {:.1f} s, {} requests failed ({} of {} as users saw it){}\n", ++number,
               plan.size(), kind.name, end.as_it_must ? "ok  " : "WRONG", end.outcome, end.seconds, end.failed_requests,
               end.missed, end.sent, end.as_it_must ? "" : ": " + end.reason);
    std::fflush(stdout);
  });
  int bad = 0;
  int caught = 0;
  int healthy = 0;
  int left_alone = 0;
  long long paid = 0;
  std::vector<double> to_restore;
  for (const Kind& kind : all) {
    const Tally& tally = tallies[kind.name];
    (is_bad(kind) ? bad : healthy) += tally.played;
    (is_bad(kind) ? caught : left_alone) += tally.well;
    if (kind.must == Must::go_on) paid += tally.missed;
    to_restore.insert(to_restore.end(), tally.to_restore.begin(), tally.to_restore.end());
  }
  const double slowest = to_restore.empty() ? 0 : *std::ranges::max_element(to_restore);
  std::string page = page_of(all, tallies);
  page += fmt::format(
      "\n{} of {} bad releases ended as they must, {} of {} healthy ones. From the verdict to the restored split, "
      "worst: {:.2f} s. "
      "Requests of users that failed beside promoted releases without a fault: {}.\n",
      caught, bad, left_alone, healthy, slowest, paid);
  fmt::print("\n{}", page);
  if (!options.page.empty())
    std::ofstream(options.page) << "# Good and bad releases, on real processes\n\nMade by `./run test faults`; do not "
                                   "edit. Each release has a fleet of its own: HAProxy, agent, two replicas, "
                                   "150 requests a second.\n\n"
                                << page;
  const bool met = caught * 100 >= bad * 99 && left_alone * 100 >= healthy * 99 && slowest <= 2 && paid == 0;
  return met ? 0 : 1;
}

}  // namespace
}  // namespace serin::faults

int main(int count, char** words) {
  serin::faults::Options options;
  if (!serin::faults::parse(count, words, options)) {
    std::fputs("usage: fault_matrix [--lanes N] [--times N] [--only KIND,KIND] [--page FILE]\n", stderr);
    return 2;
  }
  return serin::faults::play(options);
}
