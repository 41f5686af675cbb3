#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/fleet_pipeline/events.hpp"

namespace serin::fleet {

enum class BatchState : std::uint8_t {
  publishing,  ///< its requests are being written to the bus
  running,     ///< waiting for players
  closing,     ///< all in, or given up on the rest: one merge is to be done
  closed,      ///< merged
  failed,      ///< merged what was there, and that was not enough
  superseded,  ///< a forced start took its place; what still comes in is not counted
};
[[nodiscard]] std::string_view batch_state_name(BatchState state) noexcept;
[[nodiscard]] constexpr bool is_active(BatchState state) noexcept {
  return state == BatchState::publishing || state == BatchState::running || state == BatchState::closing;
}

/// The batch of one date, as its document holds it. A value: every change is a compare-and-set of the whole.
struct Batch {
  std::string batch_id;  ///< "<date>-<attempt>"
  std::string game_date;
  std::string cause;  ///< run_id of the event that started it; empty: a person did
  BatchState state = BatchState::publishing;
  WallTime started_at{};
  WallTime changed_at{};
  std::int64_t expected = 0;      ///< players asked for
  std::set<std::string> waiting;  ///< those not in yet: shrinks, so that counting twice is impossible
  std::int64_t predicted = 0;
  std::int64_t skipped = 0;
  std::int64_t dead = 0;
  std::map<std::string, std::int64_t> skip_reasons;
  std::int64_t recovered = 0;  ///< completions that were lost and found in the staging table
  std::int64_t merged = 0;     ///< rows that went to predictions
  std::string note;            ///< why it was closed before all were in

  [[nodiscard]] std::int64_t done() const noexcept { return expected - static_cast<std::int64_t>(waiting.size()); }
};

enum class Counted : std::uint8_t {
  counted,    ///< one more is in
  duplicate,  ///< was in already, or was never asked for
  last,       ///< one more is in, and nobody is missing now: state is `closing`
};
/// Takes one player off the waiting list. Pure. Errors: none; a batch that is not active counts nobody.
Counted count(Batch& batch, std::string_view player, Outcome outcome, std::string_view reason, WallTime now);

struct StallOptions {
  Duration min_age = 10min;  ///< of a batch before it may be closed with players missing; >= 0
  double enough = 0.9;       ///< share of players in, in [0, 1], to close it then
  Duration give_up = 30min;  ///< after this it is closed whatever is in, and called failed if that was not enough
  Duration stuck = 30s;      ///< without a change in publishing or closing: whoever did that has died
};
enum class StallVerdict : std::uint8_t { wait, close, give_up, resume_publishing, resume_closing };
/// What to do about a batch that may have stalled. Pure.
[[nodiscard]] StallVerdict judge_stall(const Batch& batch, const StallOptions& options, WallTime now) noexcept;

[[nodiscard]] std::string to_json(const Batch& batch);
/// What a person is shown: counts, and at most the first 20 of those still waiting.
[[nodiscard]] std::string to_status_json(const Batch& batch);
/// Errors: data_loss, naming the field.
Result<Batch> parse_batch(std::string_view text);

}  // namespace serin::fleet
