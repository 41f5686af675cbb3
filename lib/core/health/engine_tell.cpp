// What others hear of the engine: followers, listeners and the log. Always without its lock.
#include <exception>

#include "engine.hpp"
#include "serin/base/redact.hpp"

namespace serin::health {
namespace {

constexpr int most_rounds = 16;  // of listeners that change something in every call, when they run on the caller

double milliseconds(Duration duration) { return 1000 * seconds_of(duration); }

}  // namespace

// ------------------------------------------------------------------------------------------------

void Health::Engine::answer(const std::shared_ptr<Door>& door, const Followers& ready) {
  for (const auto& follower : ready) contained(door, [&] { follower->done(std::move(follower->report)); });
}

/// A callback's exception is its owner's mistake: it is logged and hurts nobody.
void Health::Engine::contained(const std::shared_ptr<Door>& door, const std::function<void()>& callback) {
  std::string what;
  try {
    callback();
    return;
  } catch (const std::exception& error) {
    what = redact(error.what());
  } catch (...) {
    what = "no std::exception";
  }
  if (!door->gate.enter()) return;
  if (const Logger* logger = door->engine->parts_.log; logger != nullptr)
    logger->error("health callback threw", {{"error", what}});
  door->gate.leave();
}

void Health::Engine::tell() {
  {
    const std::scoped_lock lock(telling_mutex_);
    if (listeners_.empty()) return;
    news_ = true;
    if (telling_) return;  // whoever tells now tells again
    telling_ = true;
  }
  if (!parts_.scheduled) return tell_all(door_);
  if (threads_.submit(Lane::telling, [door = door_] { tell_all(door); })) return;
  const std::scoped_lock lock(telling_mutex_);
  telling_ = false;  // the end: nobody hears anything any more
}

void Health::Engine::tell_all(const std::shared_ptr<Door>& door) {
  for (int round = 0;; ++round) {
    std::vector<std::function<void()>> listeners;
    if (!door->gate.enter()) return;
    {
      Engine& engine = *door->engine;
      const std::scoped_lock lock(engine.telling_mutex_);
      const bool enough = !engine.parts_.scheduled && round == most_rounds;
      if (std::exchange(engine.news_, false) && !enough)
        listeners = engine.listeners_;
      else
        engine.telling_ = false;
    }
    door->gate.leave();
    if (listeners.empty()) return;
    for (const auto& listener : listeners) contained(door, listener);
  }
}

void Health::Engine::log_slow(const CheckOptions& options, Duration lasted) const {
  if (parts_.log == nullptr || lasted < options.timeout / 5 * 4) return;
  parts_.log->warn(
      "health check is slow",
      {{"check", options.name}, {"ms", milliseconds(lasted)}, {"timeout_ms", milliseconds(options.timeout)}});
}

void Health::Engine::log(std::span<const Change> changes) const {
  if (parts_.log == nullptr) return;
  const Logger& logger = *parts_.log;
  for (const Change& change : changes) {
    if (change.to <= HealthStatus::degraded && change.from == HealthStatus::unknown && change.error.empty()) {
      logger.info("health check changed", {{"check", change.name}, {"to", health_status_name(change.to)}});
      continue;
    }
    logger.warn("health check changed", {{"check", change.name},
                                         {"from", health_status_name(change.from)},
                                         {"to", health_status_name(change.to)},
                                         {"reason", change.reason},
                                         {"error", change.error}});
  }
}

}  // namespace serin::health
