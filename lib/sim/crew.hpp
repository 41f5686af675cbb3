#pragma once
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "serin/ports/clock.hpp"
#include "serin/ports/tasks.hpp"

namespace serin::sim {

/// Threads that take turns, and time that moves only when all of them wait: what really runs on several threads, always
/// in the same order. Exactly one thread runs; when it waits or ends, the one whose wait is over takes over, by the
/// time it waited for and then by the order of waiting. The thread that makes it is the first one. Threads: its own.
class Crew final : public Sleeper, public Tasks {
 public:
  /// \param most  that may be started at the same time
  explicit Crew(std::size_t most = 16) : most_(most) {}
  /// Everything that was started has ended by now.
  ~Crew() override;
  [[nodiscard]] Instant now() const override;
  [[nodiscard]] WallTime wall() const override { return {}; }
  Status sleep_until(Instant until) override;
  Result<bool> wait(Event& event, Instant until) override;
  [[nodiscard]] bool start(std::function<void()> work) override;
  void join(Event& ended) override;
  /// Of what was started and has not ended.
  [[nodiscard]] std::size_t running() const;

 private:
  struct Turn {
    Instant until;
    Event* event = nullptr;
    bool mine = false;
  };
  void wait_for_turn(Turn& turn, std::unique_lock<std::mutex>& lock);
  void pass_on();

  const std::size_t most_;
  mutable std::mutex mutex_;
  std::condition_variable passed_;  // guarded by mutex_, like the rest
  Instant now_{std::chrono::hours(1)};
  std::vector<Turn*> waiting_;  // in the order in which they began
  std::size_t running_ = 0;
  std::vector<std::jthread> threads_;
};

}  // namespace serin::sim
