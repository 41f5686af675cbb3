#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serin/health/check_state.hpp"
#include "serin/metrics/metrics.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/health.hpp"
#include "serin/ports/log.hpp"
#include "serin/ports/random.hpp"

namespace serin::health {

struct HealthOptions {
  unsigned threads = 16;  ///< 1..256: blocking checks at the same time; started when needed
  /// >= 0; at the end: how long to wait for checks that run. One that hangs longer is left behind, see stop().
  Duration shutdown_grace = std::chrono::seconds(2);
  bool liveness_fails_readiness = true;  ///< a process that only a restart helps is not ready either
};

/// Where checks run. Threads: any.
class Executor {
 public:
  virtual ~Executor() = default;
  /// Takes the work, or answers false at once when nobody is free. The work does not throw.
  virtual bool submit(std::function<void()> work) = 0;
};

/// What it is made of, besides the clock. Whatever is named outlives it.
struct HealthParts {
  Random* random = nullptr;              ///< for the jitter; nullptr: none
  metrics::Registry* metrics = nullptr;  ///< counts every check, see docs/guide/health.md; nullptr: none
  const Logger* log = nullptr;           ///< changes, slow checks, callbacks that threw; nullptr: none
  Executor* executor = nullptr;          ///< nullptr: a pool of its own
  /// False, for tests on fake time: nobody but the owner calls poll(), and all callbacks are called on its thread.
  bool scheduled = true;
};

/// How far a process is on its way to the end.
enum class Phase : std::uint8_t {
  accepting,  ///< it works
  draining,   ///< not ready any more: what is in flight ends
  stopped,    ///< nothing is checked any more
};

/// Runs checks beside the requests and answers from what they said last, so that an answer takes microseconds whatever
/// a check does, a check that hangs delays nobody and is not started again, and a thousand probes cost a dependency one
/// call. Reading takes no lock. Texts of answers are redacted (redact.hpp) before anybody sees them. Threads: any.
class Health final : public HealthSource {
 public:
  /// \param clock  outlives it
  /// Errors: invalid_argument, with every mistake in the options.
  [[nodiscard]] static Result<std::unique_ptr<Health>> make(HealthOptions options, const Clock& clock,
                                                            HealthParts parts = {});
  /// stop(). Not from inside of one of its own callbacks.
  ~Health() override;
  Health(const Health&) = delete;
  Health& operator=(const Health&) = delete;

  /// Runs it from now on. Errors: invalid_argument with every mistake, conflict when the name is taken.
  Status add(CheckOptions options, CheckFunction check);
  /// A check that answers later. A run whose `done` is destroyed without having been called has failed ("no_answer").
  Status add_async(CheckOptions options, AsyncCheckFunction check);
  /// A check that nobody asks: it is told, and unknown when the last word is older than options.ttl (> 0).
  Status add_pushed(CheckOptions options);
  /// The answer of a pushed check. Errors: not_found.
  Status push(std::string_view name, CheckAnswer answer);
  /// A sign of life: push() of "up".
  Status beat(std::string_view name) { return push(name, CheckAnswer::pass()); }
  /// Errors: not_found. A run of it that is on its way is forgotten.
  Status remove(std::string_view name);

  /// Of an on-demand check this shows the last answer with its age, however old: it is "stale" only after somebody
  /// asked for a new one and none came.
  [[nodiscard]] std::optional<HealthReport> report(const Selection& selection) const override;
  /// As the port says; `done` is called on a thread of the engine, so it must not block. What it throws is logged.
  void ask(const Selection& selection, Deadline deadline,
           std::function<void(std::optional<HealthReport>)> done) override;
  /// Read it before report(): an answer that was written from that report belongs to this version or a later one.
  [[nodiscard]] std::uint64_t version() const noexcept override;
  [[nodiscard]] std::vector<std::string> groups() const override;
  /// Listeners are called on a thread of their own. What they throw is logged; what they change is told again.
  void on_change(std::function<void()> listener) override;
  /// report({.kind = kind}).status, from memory, without a lock and without an allocation.
  [[nodiscard]] HealthStatus status(Kind kind) const noexcept;
  /// What tags a check has; none when there is no such check.
  [[nodiscard]] std::vector<std::string> tags(std::string_view check) const;

  /// It has started, whatever its startup checks say. Without it, it has when all of them passed (the readiness checks,
  /// when there are none).
  void mark_started();
  /// Not ready from now on, because somebody says so, until accept(). Until then it does not become started either, so
  /// that a program that adds its checks one by one is not taken for started after the first one.
  void refuse(std::string reason);
  void accept();
  /// Not ready any more; alive and started as before. There is no way back.
  void begin_drain();
  [[nodiscard]] Phase phase() const noexcept;
  /// The end: no check runs any more. Waits for those that run, at most `shutdown_grace`; false: one hangs and was left
  /// behind, and what it captured must not be destroyed. End the process with std::_Exit then (decision 0008).
  bool stop();

  /// Does what is due, and says when to come back. The scheduler's thread calls it; a test does it by hand.
  Instant poll();
  /// Checks that hang right now.
  [[nodiscard]] std::size_t stuck() const noexcept;

 private:
  class Engine;
  explicit Health(std::unique_ptr<Engine> engine);
  std::unique_ptr<Engine> engine_;
};

}  // namespace serin::health
