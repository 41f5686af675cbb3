#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "serin/ports/health.hpp"

namespace serin::health {

/// One check, as configured.
struct CheckOptions {
  std::string name;      ///< [A-Za-z0-9._-], parts joined by '/'; unique
  bool critical = true;  ///< false: at worst it degrades
  /// none: readiness and deep when critical, else deep only.
  Kind kinds = Kind::none;
  std::vector<std::string> groups = {};  ///< that can be asked for and excluded by name
  std::vector<std::string> tags = {};    ///< words for people and dialects; they mean nothing here
  std::string component_type = {};
  Duration timeout = std::chrono::seconds(2);  ///< > 0; a run that takes longer is a failed one, with status unknown
  Duration every = std::chrono::seconds(10);   ///< 0: once at the start, then only when somebody asks
  Duration failing = std::chrono::seconds(2);  ///< > 0; pause while it fails, at most `every`
  Duration ttl = std::chrono::seconds(1);      ///< >= 0; on demand: how long an answer is good enough for ask()
  Duration initial_delay = {};                 ///< >= 0
  /// When an answer is so old that nothing is known. 0: periodic, three periods and the timeout; on demand, only when
  /// somebody asked for a new one and none came for a timeout: what nobody asks does not take a service out.
  Duration max_staleness = {};
  unsigned failure_threshold = 1;  ///< >= 1 failures in a row before it counts as failed
  unsigned success_threshold =
      1;  ///< >= 1 successes in a row before it counts as well; the first one ever does at once
  Duration max_time_in_error = {};  ///< 0: off; failing for longer counts whatever the threshold says
  bool external = false;            ///< asks something outside of the process: never part of liveness
  bool enabled = true;              ///< false: is not run and not reported
};

/// Everything that is wrong with the options, one sentence each; empty: nothing. Pure.
[[nodiscard]] std::vector<std::string> mistakes_of(const CheckOptions& options);

/// up, degraded and "nothing to ask" pass.
[[nodiscard]] bool passes(const CheckAnswer& answer) noexcept;

/// Whether the last answer of a check still counts, and if not, why.
enum class Verdict : std::uint8_t {
  answered,     ///< it counts
  not_run_yet,  ///< there is none
  timeout,      ///< a run is, or was, over its time
  pool_busy,    ///< no worker was free to run it for as long as its timeout
  stale,        ///< it is too old
};

/// What is known of a check at one time. Plain data that never changes, so that readers of it need no lock; what it
/// means is asked with the time.
struct CheckFacts {
  struct Run {
    Instant started;
    Instant deadline;
    /// From here on it counts as failed: the deadline, or later when a threshold forgives it for a while.
    Instant counts_at;
  };
  std::shared_ptr<const CheckOptions> options;  // shared by all versions of the facts
  std::shared_ptr<const CheckAnswer> counted;   // what counts, after thresholds; nullptr: it has not answered
  std::optional<Run> run = {};
  std::optional<Instant> waiting_since = {};  ///< for a worker
  std::optional<Instant> asked_at = {};       ///< on demand: first unanswered question
  std::optional<WallTime> checked_at = {};
  std::optional<WallTime> succeeded_at = {};
  Instant answered_at = {};
  Duration lasted = {};

  /// Pure.
  [[nodiscard]] Verdict judge(Instant now) const noexcept;
  /// What it says, whether critical or not. Allocates nothing. Pure.
  [[nodiscard]] HealthStatus status(Instant now) const noexcept;
  /// What it contributes: one that is not critical is at worst degraded; not evaluated is up. Pure.
  [[nodiscard]] HealthStatus contribution(Instant now) const noexcept;
  /// The first time after `now` at which time alone changes what judge() says; Instant::max(): never. Pure.
  [[nodiscard]] Instant changes_at(Instant now) const noexcept;
  [[nodiscard]] CheckReport report(Instant now) const;
  [[nodiscard]] bool on_demand() const noexcept { return options->every <= Duration::zero(); }

 private:
  [[nodiscard]] Instant stale_at() const noexcept;
};

/// A check's memory: facts, and what is counted for its thresholds. Pure: time comes in.
class CheckState {
 public:
  CheckState(CheckOptions options, Instant now);
  [[nodiscard]] const CheckOptions& options() const noexcept { return *facts_.options; }
  [[nodiscard]] const CheckFacts& facts() const noexcept { return facts_; }
  [[nodiscard]] bool running() const noexcept { return facts_.run.has_value(); }
  /// A run that did not end by its deadline and has not come back.
  [[nodiscard]] bool stuck() const noexcept { return facts_.run && expired_; }
  /// Its time has come, and it does not run.
  [[nodiscard]] bool due(Instant now) const noexcept { return !facts_.run && now >= due_; }
  /// On demand, and the last answer is older than the ttl, or there is none.
  [[nodiscard]] bool outdated(Instant now) const noexcept;
  /// Somebody wants a newer answer than there is.
  void asked(Instant now) noexcept;
  /// Nobody runs it: it is told.
  void never_due() noexcept { due_ = Instant::max(); }
  /// Begins a run: its generation.
  std::uint64_t start(Instant now);
  enum class Finished : std::uint8_t { counted, late, dropped };  ///< dropped: of an older run
  /// Its answer. `jitter` in [0, 1): lengthens the pause by up to a tenth.
  Finished finish(std::uint64_t generation, Instant now, WallTime wall, CheckAnswer answer, double jitter);
  /// Marks a run that is over its time: true when this call did.
  bool expire(Instant now) noexcept;
  /// The run of that generation could not begin: no worker is free. It waits, and is tried again soon.
  void cancel(std::uint64_t generation, Instant now) noexcept;
  /// When something has to be done about it, or changes by time alone; Instant::max(): never.
  [[nodiscard]] Instant next_event(Instant now) const noexcept;

 private:
  bool count(CheckAnswer answer, Instant now, unsigned samples);
  [[nodiscard]] Duration failing_pause() const noexcept;
  [[nodiscard]] bool counts_as_passed() const noexcept { return facts_.counted && passes(*facts_.counted); }

  CheckFacts facts_;
  std::uint64_t generation_ = 0;
  bool expired_ = false;  // the run is over its time
  unsigned failures_ = 0;
  unsigned successes_ = 0;
  Instant failing_since_{};
  bool succeeded_ = false;
  Instant due_;
};

/// What a check contributes: see CheckFacts::contribution. Pure.
[[nodiscard]] HealthStatus contribution(const CheckReport& check) noexcept;
/// The worst contribution; no checks: up. Pure.
[[nodiscard]] HealthStatus aggregate(const std::vector<CheckReport>& checks) noexcept;

}  // namespace serin::health
