#include "serin/health/health.hpp"

#include <algorithm>
#include <exception>

#include "waiting.hpp"

namespace serin::health {
namespace {

/// Whatever a check throws is its answer; it never takes the others along.
CheckAnswer ask(const CheckFunction& function, Deadline deadline) {
  try {
    return function({.deadline = deadline, .stop = {}});
  } catch (const std::exception& error) {
    return CheckAnswer::fail("exception", error.what());
  } catch (...) {
    return CheckAnswer::fail("exception", "it threw something that is no std::exception");
  }
}

}  // namespace

struct Health::Check {
  CheckState state;  // guarded by Health::mutex_
  CheckFunction function;
  Waker waker;
  std::jthread thread;  // last: it uses all of the above
};

Health::Health(std::string service, const Clock& clock) : service_(std::move(service)), clock_(clock) {}

Health::~Health() {
  for (const auto& check : checks_) {
    check->thread.request_stop();
    check->waker.wake();
  }
  for (const auto& check : checks_) check->thread.join();
}

void Health::add(CheckOptions options, CheckFunction function) {
  SERIN_ASSERT(!options.name.empty() && options.timeout > 0s && options.every > 0s && options.failing > 0s);
  auto check = std::make_unique<Check>();
  check->state.options = std::move(options);
  check->function = std::move(function);
  Check& added = *check;
  {
    const std::scoped_lock lock(mutex_);
    SERIN_ASSERT(std::ranges::none_of(
        checks_, [&](const auto& known) { return known->state.options.name == added.state.options.name; }));
    checks_.push_back(std::move(check));
  }
  added.thread = std::jthread([this, &added](const std::stop_token& stop) { run(added, stop); });
}

void Health::run(Check& check, const std::stop_token& stop) const {
  const CheckOptions options = check.state.options;
  while (!stop.stop_requested()) {
    const Instant began = clock_.now();
    {
      const std::scoped_lock lock(mutex_);
      check.state.running_since = began;
    }
    CheckAnswer answer = ask(check.function, Deadline::after(began, options.timeout));
    const bool passed = answer.status == HealthStatus::up;
    {
      const Instant now = clock_.now();
      const std::scoped_lock lock(mutex_);
      check.state.running_since.reset();
      check.state.lasted = now - began;
      check.state.answered_at = now;
      // An answer that came too late was reported as a failure already, and stays one until a run is in time.
      check.state.answer = now - began > options.timeout
                               ? CheckAnswer::fail("timeout", "answered after " + format_duration(now - began))
                               : std::move(answer);
    }
    if (check.waker.wait(passed ? options.every : std::min(options.failing, options.every))) return;
  }
}

HealthReport Health::report(Which which) const {
  HealthReport report{.overall = Overall::unhealthy, .service = service_, .checks = {}};
  const Instant now = clock_.now();
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& check : checks_)
      if (which == Which::all || check->state.options.critical) report.checks.push_back(evaluate(check->state, now));
  }
  report.overall = aggregate(report.checks);
  return report;
}

}  // namespace serin::health
