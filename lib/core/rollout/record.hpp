#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/name.hpp"
#include "serin/base/time.hpp"
#include "serin/ports/latency.hpp"
#include "serin/ports/platform.hpp"
#include "serin/ports/router.hpp"
#include "serin/rollout/orders.hpp"
#include "serin/rollout/plan.hpp"

namespace serin::rollout {

/// Where a rollout stands. The names (state_name) are stable: the journal, JSON and scripts carry them.
enum class State : std::uint8_t {
  starting,             ///< the candidate is being started and probed; no traffic was moved
  zero,                 ///< the candidate runs at 0 % and is watched
  stage,                ///< at, or on its way to, the percentage of a stage
  promoting,            ///< on its way to 100 %, or there with the old release still to be ended
  restoring,            ///< on its way back to the split before
  held,                 ///< stopped on purpose where it is; somebody has to look
  promoted,             ///< final: the candidate has everything, read back
  rolled_back,          ///< final: the split is the one before, read back
  failed_to_start,      ///< final: the candidate never was fit for traffic; nothing was moved
  rollback_incomplete,  ///< the router does not have the old split although it was told to; not final
};
[[nodiscard]] std::string_view state_name(State state) noexcept;
/// Errors: data_loss, for a word that is none.
[[nodiscard]] Result<State> parse_state(std::string_view name);
/// promoted, rolled_back, failed_to_start: nothing is left to do.
[[nodiscard]] bool is_final(State state) noexcept;

/// What the row of a rollout says now.
struct Progress {
  State state = State::starting;
  State held_in = State::starting;  ///< when held: the state it was held in
  int stage = -1;                   ///< index into the plan's stages; -1 before the first
  std::string reason;               ///< why it is in this state, a sentence
  friend bool operator==(const Progress&, const Progress&) = default;
};

enum class EventKind : std::uint8_t {
  start_release,
  probe,
  enter_zero,
  enter_stage,
  set_split,
  extend_stage,
  leave_stage,
  verdict,
  restore,
  stop_release,
  hold,
  resume,
  order,
  await,
  note,
  finish,
};
[[nodiscard]] std::string_view event_name(EventKind kind) noexcept;
[[nodiscard]] Result<EventKind> parse_event(std::string_view name);

/// One line of the journal. An action is written before it is taken, with `done` empty, and again when its effect was
/// read back: so a reader after a crash knows what may or may not have happened. Everything else is done at once.
struct Event {
  std::int64_t seq = 0;  ///< 1, 2, ... within the rollout
  EventKind kind = EventKind::note;
  int stage = -1;
  Split split;       ///< set_split, restore: what was intended
  Split seen;        ///< set_split, restore: what was read back
  std::string text;  ///< for people
  WallTime wall;     ///< when it began; may jump
  Instant at;        ///< the same, by the clock that measures
  std::optional<Instant> done;
  std::optional<Order> order = {};  ///< order: what a person told us, and the text is our answer
  bool obeyed = false;              ///< ... which was yes
};

/// One second of evidence, as the judge got it.
struct Bucket {
  std::int64_t second = 0;  ///< Instant in whole seconds
  int stage = -1;
  std::int64_t canary_requests = 0;  ///< attempts, the hidden ones included
  std::int64_t canary_errors = 0;
  std::int64_t canary_hidden = 0;  ///< errors that a retry elsewhere hid from the user
  std::int64_t baseline_requests = 0;
  std::int64_t baseline_errors = 0;
  std::int64_t baseline_hidden = 0;
  std::int64_t unattributed = 0;
  std::int64_t lost = 0;
  /// How long the answered ones took; nothing: not known, and then this second says nothing of anybody's latency.
  std::optional<LatencyHistogram> canary_latency = {};
  std::optional<LatencyHistogram> baseline_latency = {};
  double worse = 0;    ///< natural log of the evidence that the canary is worse, after this second
  double healthy = 0;  ///< natural log of the evidence that it is healthy, in this stage, after this second
  friend bool operator==(const Bucket&, const Bucket&) = default;
};

/// Everything that is known of one rollout.
struct Record {
  std::int64_t id = 0;
  ServiceName service;
  ReleaseSpec candidate;
  PlanOptions plan;
  Split before;          ///< the router's split before anything was done, exactly
  ReleaseName baseline;  ///< the release that had everything then
  WallTime created;
  Instant created_at;
  Progress progress;
  std::vector<Event> events;
  std::vector<Bucket> buckets;
};

/// The plan and the release as JSON objects, and back. Errors of parse_*: data_loss.
[[nodiscard]] std::string plan_json(const PlanOptions& plan);
[[nodiscard]] Result<PlanOptions> parse_plan_json(std::string_view text);
[[nodiscard]] std::string release_json(const ReleaseSpec& release);
[[nodiscard]] Result<ReleaseSpec> parse_release_json(std::string_view text);
[[nodiscard]] std::string split_json(const Split& split);
[[nodiscard]] Result<Split> parse_split_json(std::string_view text);

}  // namespace serin::rollout
