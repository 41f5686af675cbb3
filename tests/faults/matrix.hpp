#pragma once
#include <string>
#include <vector>

// What is released, and how it has to end. rollout.md's drills and the fleet's faults, on the local target.
namespace serin::faults {

enum class Must {
  stop,     ///< at 0 %: no user sees it
  go_back,  ///< the old split is put back
  go_on,    ///< promoted
  stay,     ///< promoted, or held where nothing can be known; never taken back
};

/// What happens to the fleet while the release is on its way.
enum class Meanwhile { nothing, outage, router_dies };

struct Kind {
  std::string name;
  Must must = Must::go_on;
  std::string fault = {};       ///< FLEET_FAULT of the release
  std::string command = {};     ///< instead of the service's program; %B is the programs' folder
  std::string base_fault = {};  ///< FLEET_FAULT of what runs before: both versions are alike in it
  int replicas = 2;
  double rps = 150;
  Meanwhile meanwhile = Meanwhile::nothing;
};

inline std::vector<Kind> kinds() {
  return {
      // Bad ones.
      {.name = "refuse-start", .must = Must::stop, .fault = "refuse_start"},
      {.name = "no-service", .must = Must::stop, .command = R"("/bin/sleep", "600")"},
      {.name = "other-service", .must = Must::stop, .command = R"("%B/analytics-processor")"},
      {.name = "stale-commit",
       .must = Must::stop,
       .command = R"("/usr/bin/env", "SERIN_LABEL_COMMIT=0000000", "%B/prediction-coordinator")"},
      {.name = "no-database",
       .must = Must::stop,
       .command = R"("/usr/bin/env", "SERIN_WAREHOUSE=sqlite:/nonexistent/x.db", "%B/prediction-coordinator")"},
      {.name = "never-ready", .must = Must::stop, .fault = "hang_ready"},
      {.name = "crash", .must = Must::go_back, .fault = "exit_after=4s"},
      {.name = "all-fail", .must = Must::go_back, .fault = "error=1"},
      {.name = "one-in-five", .must = Must::go_back, .fault = "error=0.2"},
      {.name = "one-in-twenty", .must = Must::go_back, .fault = "error=0.05"},
      {.name = "late", .must = Must::go_back, .fault = "errors_after=6s:0.3"},
      {.name = "worse-than-bad", .must = Must::go_back, .fault = "error=0.15", .base_fault = "error=0.01"},
      // Healthy ones.
      {.name = "plain", .must = Must::go_on},
      {.name = "as-bad-as-before", .must = Must::stay, .fault = "error=0.01,seed=5", .base_fault = "error=0.01"},
      {.name = "one-replica", .must = Must::go_on, .replicas = 1},
      {.name = "few-requests", .must = Must::stay, .rps = 2},
      {.name = "router-dies", .must = Must::stay, .meanwhile = Meanwhile::router_dies},
      {.name = "outage-of-both", .must = Must::stay, .meanwhile = Meanwhile::outage},
  };
}

inline bool is_bad(const Kind& kind) { return kind.must == Must::stop || kind.must == Must::go_back; }

}  // namespace serin::faults
