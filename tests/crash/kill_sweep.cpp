// Goal: kill -9 of `serin deploy` at any moment leaves a fleet that `serin resume` brings to the same end: a good
// release has everything, a bad one nothing and the old split is back, each action once, and no user pays for it.
// Method: real fleets with traffic; a release is played once to count its effects on the outside (what it waits for the
// disk with, what it tells HAProxy), then again for each of them, killed right before or right after it, and resumed.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <map>
#include <mutex>

#include "fleet_under_test.hpp"
#include "lanes.hpp"
#include "one_service.hpp"

namespace serin::crash {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using story::Outcome;
using story::Process;

struct Kind {
  const char* name;
  const char* fault;
  const char* end;    ///< the outcome that it must have
  const char* split;  ///< and the split
};
constexpr std::array kinds{Kind{.name = "good", .fault = "", .end = "promoted", .split = "x=100"},
                           Kind{.name = "bad", .fault = "error=0.5", .end = "rolled_back", .split = "r1=100"}};

struct Options {
  int lanes = 3;
  int points = 0;  ///< of each kind, spread evenly; 0: every one
  std::string page;
};

struct End {
  bool well = false;
  bool killed = false;
  long passed = 0;  ///< points, when it ended by itself
  std::string what;
  double missed = 0;
};

/// One release on a fleet of its own. \param at  the point where it is killed; 0: it is not
End play(const Kind& kind, int lane, long at) {
  const story::Folder folder;
  const story::Fleet fleet(folder.write("fleet.yaml", story::one_service_file(fmt::format("kill-{}", lane))));
  const auto wrong = [](const std::string& why, const Outcome& outcome) {
    return End{.what = why + ": " + outcome.text()};
  };
  if (const Outcome up = fleet.serin({"up"}, 60s); up.code != 0) return wrong("up", up);
  const std::string file = folder.write("release.yaml", story::release_file("x", 2, kind.fault));
  const std::string target = story::text_of(fleet.service(story::one_service).at("url")) + "/status";
  Process load({story::bin() + "/serin", "load", target, "--rps", "150", "--duration", "5m", "--json"});
  const auto command = [&] {
    return fleet.command({"deploy", story::one_service, "--release", file, "--json", "--blind", "--stages", "20,50",
                          "--monitoring-duration", "4s", "--min-stage", "1s", "--ready-timeout", "10s",
                          "--on-undecided", "advance", "--on-undecided-early", "advance"});
  };
  const std::string count = folder.path() + "/count";
  Process deploy(command(), {{"LD_PRELOAD", story::bin() + "/../tests/libkill_at.so"},
                             {"SERIN_KILL_AT", std::to_string(at)},
                             {"SERIN_KILL_COUNT", count}});
  Outcome told = deploy.wait(120s);
  End end{.killed = told.code == 128 + SIGKILL};
  const std::string counted = story::read_all(count);
  std::from_chars(counted.data(), counted.data() + counted.size(), end.passed);
  std::string way = "not killed";
  if (end.killed) {
    way = "resumed";
    told = fleet.serin({"resume", story::one_service, "--json"});
    if (told.err.find("no rollout") != std::string::npos) {
      // Before it had begun, when nothing may have moved; or after it had ended.
      const Outcome ended = fleet.serin({"history", "--id", "1", "--json"});
      way = ended.code == 0 ? "ended" : "began again";
      const std::string before = fleet.split(story::one_service);
      if (ended.code != 0 && before != "r1=100")
        return {.killed = true, .what = "not begun, but the split is " + before};
      told = ended.code == 0 ? ended : story::run(command(), 120s);
    }
  }
  load.signal(SIGINT);
  const json::object users = story::object_of(load.wait(30s).out);
  const std::string outcome = story::text_at(story::object_of(told.out), "outcome");
  const std::string split = fleet.split(story::one_service);
  end.missed = story::number_at(users, "failed").value_or(1e9);
  const bool free = std::string_view(kind.end) != "promoted" || end.missed == 0;
  end.well = outcome == kind.end && split == kind.split && free;
  end.what = fmt::format("{}, {}, split {}, {:.0f} requests failed", way, outcome.empty() ? told.text() : outcome,
                         split, end.missed);
  return end;
}

int sweep(const Options& options) {
  struct Round {
    const Kind* kind;
    long at;
  };
  std::vector<Round> plan;
  for (const Kind& kind : kinds) {
    const End whole = play(kind, 0, 0);
    if (!whole.well || whole.passed < 20) {
      fmt::print(stderr, "{}: played without a kill: {} ({} points)\n", kind.name, whole.what, whole.passed);
      return 1;
    }
    fmt::print("{:4} without a kill: {}; {} points\n", kind.name, whole.what, whole.passed);
    const long count = options.points > 0 ? std::min<long>(options.points, whole.passed) : whole.passed;
    for (long i = 0; i < count; ++i) plan.push_back({&kind, 1 + i * (whole.passed - 1) / std::max(1L, count - 1)});
  }
  std::mutex mutex;
  int well = 0;
  int killed = 0;
  std::map<std::string, std::pair<int, int>> by_kind;  // well, played
  story::in_lanes(1, options.lanes, plan.size(), [&](int lane, std::size_t i) {
    End end;
    try {
      end = play(*plan[i].kind, lane, plan[i].at);
    } catch (const std::exception& error) {
      end.what = error.what();
    }
    const std::lock_guard lock(mutex);
    well += end.well ? 1 : 0;
    killed += end.killed ? 1 : 0;
    auto& [good, played] = by_kind[plan[i].kind->name];
    good += end.well ? 1 : 0;
    ++played;
    fmt::print("{:4} point {:3} {}: {} {}\n", plan[i].kind->name, (plan[i].at + 1) / 2,
               plan[i].at % 2 == 1 ? "before" : "after ", end.well ? "ok   " : "WRONG", end.what);
    std::fflush(stdout);
  });
  const std::string sum =
      fmt::format("{} of {} releases ended as they must; {} were killed", well, plan.size(), killed);
  fmt::print("\n{}\n", sum);
  if (!options.page.empty()) {
    std::ofstream page(options.page);
    page << "# kill -9 at every effect\n\nMade by `./run test kills`; do not edit. `serin deploy` is killed before and "
            "after each sync of its journal and each command to HAProxy, with 150 requests a second beside it, and "
            "`serin resume` ends it. A good release must end promoted with no failed request, a bad one (half of its "
            "answers are 500) with the old split.\n\n| release | kills and plays | as it must |\n|---|---:|---:|\n";
    for (const auto& [name, counts] : by_kind)
      page << fmt::format("| {} | {} | {} |\n", name, counts.second, counts.first);
    page << fmt::format(
        "\n{}. A play in which the point never came (the number of looks at the traffic differs from "
        "run to run) is one that was not killed.\n",
        sum);
  }
  return well == static_cast<int>(plan.size()) && killed * 2 > well ? 0 : 1;
}

bool parse(int count, char** words, Options& options) {
  return story::parse_options(count, words, {{"--lanes", &options.lanes}, {"--points", &options.points}},
                              {{"--page", &options.page}}) &&
         options.lanes >= 1;
}

}  // namespace
}  // namespace serin::crash

int main(int count, char** words) {
  serin::crash::Options options;
  if (!serin::crash::parse(count, words, options)) {
    std::fputs("usage: kill_sweep [--lanes N] [--points N] [--page FILE]\n", stderr);
    return 2;
  }
  return serin::crash::sweep(options);
}
