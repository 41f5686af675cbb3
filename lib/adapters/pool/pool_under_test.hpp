#pragma once
#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "serin/pool/pool.hpp"
#include "serin/sim/world.hpp"

// A pool with a clock that stands still, things that cost what the test says, and no thread but the test's.
namespace serin::pool {

class StandingClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override { return Instant(Duration(at_.load())); }
  [[nodiscard]] WallTime wall() const override { return {}; }
  void advance(Duration by) { at_ += by.count(); }

 private:
  std::atomic<Duration::rep> at_ = Duration(1h).count();
};

class Lines final : public LogSink {
 public:
  [[nodiscard]] bool wants(LogLevel) const noexcept override { return true; }
  void write(LogLevel, std::string_view event, std::span<const LogField> fields) override {
    std::string line(event);
    for (const LogField& field : fields) {
      if (const auto* text = std::get_if<std::string>(&field.value)) line += " " + field.key + "=" + *text;
      if (const auto* number = std::get_if<std::int64_t>(&field.value))
        line += " " + field.key + "=" + std::to_string(*number);
    }
    const std::scoped_lock lock(mutex_);
    lines_.push_back(std::move(line));
  }
  [[nodiscard]] int count(std::string_view part) const {
    const std::scoped_lock lock(mutex_);
    int found = 0;
    for (const std::string& line : lines_) found += line.find(part) != std::string::npos ? 1 : 0;
    return found;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;  // guarded by mutex_
};

struct Thing {
  Thing(int number, std::atomic<int>& alive) : id(number), living(alive) { ++living; }
  ~Thing() { --living; }
  Thing(const Thing&) = delete;
  Thing& operator=(const Thing&) = delete;
  int id;
  bool dead = false;
  std::atomic<int>& living;
};

struct World {
  StandingClock clock;
  sim::SeededRandom random{7};
  Lines log;
  std::atomic<int> made = 0;
  std::atomic<int> living = 0;
  std::atomic<int> asked = 0;
  Duration creation{};                       ///< time that passes while one is made
  std::function<Status()> before_creation;   ///< may fail
  std::function<Status(Thing&)> when_asked;  ///< instead of Thing::dead

  [[nodiscard]] Factory<Thing> factory(bool validates = true) {
    Factory<Thing> out;
    out.create = [this](Deadline, const std::stop_token&) -> Result<std::unique_ptr<Thing>> {
      clock.advance(creation);
      if (before_creation) SERIN_CHECK(before_creation());
      return std::make_unique<Thing>(++made, living);
    };
    if (validates)
      out.validate = [this](Thing& thing, Duration, Deadline) -> Status {
        ++asked;
        if (when_asked) return when_asked(thing);
        if (thing.dead) return fail(Errc::unavailable, "dead");
        return {};
      };
    return out;
  }
  [[nodiscard]] Deadline in(Duration wait) const { return Deadline::after(clock.now(), wait); }
};

/// Waits for what another thread is about to do.
template <class Done>
void until(const Done& done) {
  while (!done()) std::this_thread::yield();
}

}  // namespace serin::pool
