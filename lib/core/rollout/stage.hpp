#pragma once
#include <optional>
#include <string>
#include <vector>

#include "serin/base/time.hpp"
#include "serin/ports/platform.hpp"
#include "serin/rollout/evidence.hpp"
#include "serin/rollout/gate.hpp"
#include "serin/rollout/plan.hpp"

namespace serin::rollout {

/// What was seen of a stage at one moment. Texts that are empty mean: nothing of that kind.
struct Sight {
  Instant now;
  Instant entered;              ///< when the stage's split was read back, and by as much later as it was paused
  Instant ends;                 ///< when its time is over, extensions included
  int extensions = 0;           ///< so far
  bool last = false;            ///< no stage comes after it
  bool traffic = true;          ///< false at 0 %: nothing can be proved there, and need not be
  std::string baseline_dead;    ///< no replica of the old release is ready
  std::string foreign_split;    ///< the router has another split than we set
  std::string candidate_fault;  ///< it crashed, or has not been ready for too long
  std::string blind;            ///< something was unreadable for too long
  bool counted = true;          ///< the counts reach up to `ends`, where that has passed
  bool orders_known = true;     ///< what people ordered could be read
  std::string paused = {};      ///< by whom and why
  std::string may_leave = {};   ///< why nothing but a person's yes is missing for leaving it
  std::string ordered = {};     ///< by whom and why the stage is to be left now
  Findings findings;
};

enum class Move : std::uint8_t { stay, advance, extend, hold, roll_back };
struct Decision {
  Move move = Move::stay;
  std::string reason;
};

/// What to do now. The order of the rules is the order of their weight: never back onto a dead version, never over
/// somebody else's change, then the candidate's faults, then statistics, then the clock. Undecided is never called
/// healthy, whatever the plan does about it. Pure.
[[nodiscard]] Decision decide(const PlanOptions& plan, const Sight& sight);

/// What becomes of a stage that `decide` would leave, by what a gate says: fail rolls back; unknown is undecided, and
/// the plan says what is done then. Pure. \param who  several: "data checks", "smoke tests"
[[nodiscard]] Decision decide_gate(const PlanOptions& plan, const Sight& sight, const GateAnswer& answer,
                                   std::string_view who);

/// How a candidate's replicas look, compared with when they became ready.
struct Condition {
  bool all_ready = false;
  std::string fault;      ///< one ended by itself: no grace for that
  std::string not_ready;  ///< one is there but not ready
};
/// \param restarts  of all its replicas together, when they were ready first  \param expected  number of replicas.
/// Pure.
[[nodiscard]] Condition condition_of(const std::vector<Replica>& replicas, int expected, std::int64_t restarts);
/// One line a replica: "v2-0 exited (exit code 3: ...), output in /x/y.log". Pure.
[[nodiscard]] std::string replicas_text(const std::vector<Replica>& replicas);

}  // namespace serin::rollout
