#include "serin/sim/world.hpp"

#include <fmt/format.h>

#include "serin/base/split_mix.hpp"

namespace serin::sim {

std::uint64_t SeededRandom::next() { return split_mix(state_); }

World::World(WorldOptions options) : options_(options), now_(options.start), random_(options.seed) {}

void World::run_next() {
  auto node = events_.extract(events_.begin());
  now_ = std::max(now_, node.key());
  node.mapped()();  // may schedule more, also for this very instant
}

void World::run_until(Instant until) {
  while (!events_.empty() && events_.begin()->first <= until) run_next();
  now_ = std::max(now_, until);
}

void World::advance(Duration by) { run_until(now_ + by); }

void World::at(Instant when, std::function<void()> event) { events_.emplace(when, std::move(event)); }

void World::every(Duration period, std::function<void()> event) {
  at(now_ + period, [this, period, event = std::move(event)]() mutable {
    event();
    every(period, std::move(event));
  });
}

WallTime World::WorldSleeper::wall() const {
  return world.options_.wall_start + (world.now_ - world.options_.start) + world.wall_offset_;
}

template <class Done>
Status World::WorldSleeper::run_while_not(const Done& done, Instant until) {
  if (world.stopped_) return fail(Errc::cancelled, "stop was requested");
  // One event at a time, so that a stop requested by one ends the wait there.
  while (!world.events_.empty() && world.events_.begin()->first <= until) {
    world.run_next();
    if (world.stopped_) return fail(Errc::cancelled, "stop was requested");
    if (done()) return {};
  }
  world.run_until(until);
  return {};
}

Status World::WorldSleeper::sleep_until(Instant until) {
  return run_while_not([] { return false; }, until);
}

Result<bool> World::WorldSleeper::wait(Event& event, Instant until) {
  if (event.is_set()) return true;
  SERIN_CHECK(run_while_not([&] { return event.is_set(); }, until));
  return event.is_set();
}

void World::WorldLog::write(LogLevel level, std::string_view event, std::span<const LogField> fields) {
  std::string line = fmt::format("{} {}", log_level_name(level), event);
  for (const LogField& field : fields)
    line += std::visit([&](const auto& value) { return fmt::format(" {}={}", field.key, value); }, field.value);
  world.lines_.push_back(std::move(line));
}

}  // namespace serin::sim
