#include "serin/limit/bulkhead.hpp"

#include <fmt/format.h>

#include <utility>

namespace serin::limit {

Place::Place(Place&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)) {}
Place::~Place() {
  if (owner_ != nullptr) owner_->leave();
}

Result<std::unique_ptr<Bulkhead>> Bulkhead::make(BulkheadOptions options) {
  SERIN_CHECK(wrongs(options).status(fmt::format("bulkhead '{}': ", options.name)));
  return std::unique_ptr<Bulkhead>(new Bulkhead(std::move(options)));
}

Bulkhead::Bulkhead(BulkheadOptions options)
    : options_(std::move(options)),
      is_full_(
          fail(Errc::rejected, fmt::format("bulkhead '{}' is full: {} calls at once and {} that wait are its limit",
                                           options_.name, options_.most, options_.most_waiting))
              .error()) {}

std::unexpected<Error> Bulkhead::full() {
  ++rejected_;
  return pass(is_full_);
}

Result<Place> Bulkhead::try_enter() {
  const std::scoped_lock lock(mutex_);
  // Nobody overtakes those who wait: while somebody does, every place is taken, because a place that becomes free is
  // handed over.
  if (inside_ >= options_.most) return full();
  ++inside_;
  return Place(this);
}

std::optional<Place> Bulkhead::enter_at_once() {
  const std::scoped_lock lock(mutex_);
  if (inside_ >= options_.most) return std::nullopt;
  ++inside_;
  return Place(this);
}

Result<std::optional<Place>> Bulkhead::enter_or_wait(Waiter& waiter) {
  const std::scoped_lock lock(mutex_);
  if (inside_ < options_.most) {
    ++inside_;
    return std::optional<Place>(Place(this));
  }
  if (waiting_ >= options_.most_waiting) return full();
  waiter.before_ = last_;
  waiter.behind_ = nullptr;
  waiter.has_place_ = false;
  (last_ != nullptr ? last_->behind_ : first_) = &waiter;
  last_ = &waiter;
  ++waiting_;
  return std::optional<Place>();
}

void Bulkhead::take_out(Waiter& waiter) {
  (waiter.before_ != nullptr ? waiter.before_->behind_ : first_) = waiter.behind_;
  (waiter.behind_ != nullptr ? waiter.behind_->before_ : last_) = waiter.before_;
  --waiting_;
}

std::optional<Place> Bulkhead::stop_waiting(Waiter& waiter) {
  const std::scoped_lock lock(mutex_);
  if (waiter.has_place_) return Place(this);
  take_out(waiter);
  return std::nullopt;
}

std::unexpected<Error> Bulkhead::no_place_in_time() const {
  return fail(Errc::deadline_exceeded, fmt::format("no place in bulkhead '{}' in time", options_.name));
}

Result<Place> Bulkhead::enter(Sleeper& sleeper, Deadline deadline, const std::stop_token& stop) {
  struct Thread final : Waiter {
    void on_place() noexcept override { woken.set(); }
    Event woken;
  };
  {
    const std::scoped_lock lock(mutex_);
    if (inside_ < options_.most) {
      ++inside_;
      return Place(this);
    }
    if (waiting_ >= options_.most_waiting) return full();
  }
  Thread waiter;
  SERIN_TRY(std::optional<Place> at_once, enter_or_wait(waiter));
  if (at_once) return *std::move(at_once);
  Result<bool> woken = false;
  {
    const std::stop_callback on_stop(stop, [&waiter] { waiter.woken.set(); });
    woken = sleeper.wait(waiter.woken, deadline.at());
  }
  std::optional<Place> place = stop_waiting(waiter);
  if (!woken) return pass(woken.error());  // a place that came with it goes to the next one
  if (stop.stop_requested())
    return fail(Errc::cancelled, fmt::format("given up while waiting for bulkhead '{}'", options_.name));
  if (!place) return no_place_in_time();
  return *std::move(place);
}

void Bulkhead::leave() {
  const std::scoped_lock lock(mutex_);
  if (Waiter* const next = first_; next != nullptr) {
    take_out(*next);
    next->has_place_ = true;
    next->on_place();  // under the lock: the waiter cannot be gone before stop_waiting() has had it
    return;
  }
  --inside_;
}

Bulkhead::Snapshot Bulkhead::snapshot() const {
  const std::scoped_lock lock(mutex_);
  return {.inside = inside_, .waiting = waiting_, .rejected = rejected_};
}

}  // namespace serin::limit
