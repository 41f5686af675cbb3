#pragma once
#include <atomic>
#include <mutex>
#include <span>
#include <stop_token>

#include "check_metrics.hpp"
#include "published.hpp"
#include "serin/health/health.hpp"
#include "snapshot.hpp"
#include "waiting.hpp"

namespace serin::health {

/// The side of Health that writes. Whoever changes something does so under one lock and publishes a new snapshot before
/// letting go of it; callbacks of others are called without the lock. Threads: any.
class Health::Engine {
 public:
  Engine(HealthOptions options, const Clock& clock, HealthParts parts);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  void begin();
  Status insert(CheckOptions options, CheckFunction sync, AsyncCheckFunction async, bool pushed);
  Status push(std::string_view name, CheckAnswer answer);
  Status remove(std::string_view name);
  void ask(const Selection& selection, Deadline deadline, std::function<void(std::optional<HealthReport>)> done);
  void on_change(std::function<void()> listener);
  enum class Event : std::uint8_t { started, refused, accepted, draining };
  void happened(Event event, std::string reason = {});
  bool stop();
  Instant poll();

  [[nodiscard]] std::uint64_t version() const noexcept { return version_.load(std::memory_order_acquire); }
  [[nodiscard]] Instant now() const { return clock_.now(); }
  template <class Use>
  decltype(auto) read(const Use& use) const {
    return published_.read(use);
  }

 private:
  struct Check;
  struct Launch;
  /// Somebody who asked and waits.
  struct Follower {
    Selection selection;
    Deadline deadline;
    std::function<void(std::optional<HealthReport>)> done;
    std::size_t pending = 0;
    bool left = false;
    std::optional<HealthReport> report = {};
  };
  /// A status that is not what it was.
  struct Change {
    std::string name;
    HealthStatus from;
    HealthStatus to;
    std::string reason;
    std::string error;
  };
  class Promise;
  /// The way in for those who may come when the engine is gone.
  struct Door {
    Gate gate;
    Engine* engine;
  };
  using Checks = std::vector<std::shared_ptr<Check>>;
  using Followers = std::vector<std::shared_ptr<Follower>>;

  void finished(const std::shared_ptr<Check>& check, std::uint64_t generation, CheckAnswer answer, Followers& ready,
                std::vector<Change>& changes);
  void launch(const std::vector<Launch>& launches);
  [[nodiscard]] bool submit(Lane lane, std::function<void()> work);
  void expose();
  void wake();
  void tell();
  void log_slow(const CheckOptions& options, Duration lasted) const;
  void log(std::span<const Change> changes) const;
  static void tell_all(const std::shared_ptr<Door>& door);
  static void answer(const std::shared_ptr<Door>& door, const Followers& ready);
  static void contained(const std::shared_ptr<Door>& door, const std::function<void()>& callback);

  // Under the lock:
  [[nodiscard]] Checks::iterator find(std::string_view name);
  void write_reports(const Followers& ready, Instant now) const;
  void settle(const std::shared_ptr<Check>& check, Followers& ready);
  [[nodiscard]] std::vector<Change> publish(Instant now);

  const HealthOptions options_;
  const Clock& clock_;
  const HealthParts parts_;
  Threads threads_;
  std::shared_ptr<Door> door_;  // shared with everybody who may come late
  Published<Snapshot> published_;
  std::atomic<std::uint64_t> version_ = 1;

  std::mutex mutex_;  // guards all below
  Checks checks_;
  Followers followers_;
  Phase phase_ = Phase::accepting;
  bool started_ = false;
  std::optional<std::string> refused_;
  bool left_behind_ = false;

  std::mutex telling_mutex_;  // guards all below
  std::vector<std::function<void()>> listeners_;
  bool telling_ = false;
  bool news_ = false;
};

}  // namespace serin::health
