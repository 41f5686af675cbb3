#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "serin/base/time.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/log.hpp"
#include "serin/ports/random.hpp"

namespace serin::sim {

struct WorldOptions {
  std::uint64_t seed = 1;
  Instant start = Instant(std::chrono::hours(1));
  WallTime wall_start = WallTime(std::chrono::seconds(1'775'757'780));  ///< 2026-04-09T18:03:00Z
};

/// SplitMix64: small, fast, and the same everywhere. Not for secrets. Threads: one.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() override;

 private:
  std::uint64_t state_;
};

/// Time that moves only when somebody waits: sleeping runs, in order, everything that was scheduled until then.
/// A test that passes takes no real time, and the same seed gives the same run. Threads: one.
class World final {
 public:
  explicit World(WorldOptions options = {});
  [[nodiscard]] Sleeper& sleeper() noexcept { return sleeper_; }
  [[nodiscard]] Random& random() noexcept { return random_; }
  [[nodiscard]] LogSink& log() noexcept { return log_; }
  [[nodiscard]] Instant now() const noexcept { return now_; }
  /// Lets time pass, running what is due on the way.
  void advance(Duration by);
  /// Runs `event` when time reaches `at` (at once if it has passed, at the next wait). Same instant: in order of at().
  void at(Instant when, std::function<void()> event);
  void every(Duration period, std::function<void()> event);
  /// The next sleeps answer cancelled, as after Ctrl-C.
  void request_stop() noexcept { stopped_ = true; }
  void clear_stop() noexcept { stopped_ = false; }
  /// Moves the calendar without moving time, as an operator or NTP does.
  void jump_wall(Duration by) noexcept { wall_offset_ += by; }
  /// Every log line so far, "level event key=value ...".
  [[nodiscard]] const std::vector<std::string>& log_lines() const noexcept { return lines_; }

 private:
  struct WorldSleeper final : Sleeper {
    explicit WorldSleeper(World& owner) : world(owner) {}
    Instant now() const override { return world.now_; }
    WallTime wall() const override;
    Status sleep_until(Instant until) override;
    Result<bool> wait(Event& event, Instant until) override;
    /// Runs what is due until then, or until one of it makes `done` true.
    template <class Done>
    Status run_while_not(const Done& done, Instant until);
    World& world;
  };
  struct WorldLog final : LogSink {
    explicit WorldLog(World& owner) : world(owner) {}
    bool wants(LogLevel) const noexcept override { return true; }
    void write(LogLevel level, std::string_view event, std::span<const LogField> fields) override;
    World& world;
  };
  void run_next();  // the earliest event; there is one
  void run_until(Instant until);

  WorldOptions options_;
  Instant now_;
  Duration wall_offset_{};
  bool stopped_ = false;
  std::multimap<Instant, std::function<void()>> events_;
  std::vector<std::string> lines_;
  SeededRandom random_;
  WorldSleeper sleeper_{*this};
  WorldLog log_{*this};
};

}  // namespace serin::sim
