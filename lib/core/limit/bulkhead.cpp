#include "serin/limit/bulkhead.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace serin::limit {

Place::Place(Place&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)) {}
Place::~Place() {
  if (owner_ != nullptr) owner_->leave();
}

Result<std::unique_ptr<Bulkhead>> Bulkhead::make(BulkheadOptions options) {
  const auto wrong = [&](std::string_view field, std::int64_t least, std::int64_t value) {
    return fail(Errc::invalid_argument,
                fmt::format("bulkhead '{}': {} must be from {} to 100000, not {}", options.name, field, least, value));
  };
  if (options.most < 1 || options.most > 100'000) return wrong("most", 1, options.most);
  if (options.most_waiting < 0 || options.most_waiting > 100'000) return wrong("most_waiting", 0, options.most_waiting);
  if (options.look_every <= 0s)
    return fail(Errc::invalid_argument, fmt::format("bulkhead '{}': look_every must be above 0", options.name));
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
  // Nobody overtakes those who wait.
  if (inside_ >= options_.most || !queue_.empty()) return full();
  ++inside_;
  return Place(this);
}

Result<Place> Bulkhead::enter(Sleeper& sleeper, Deadline deadline) {
  std::uint64_t ticket = 0;
  {
    const std::scoped_lock lock(mutex_);
    if (inside_ < options_.most && queue_.empty()) {
      ++inside_;
      return Place(this);
    }
    if (static_cast<std::int64_t>(queue_.size()) >= options_.most_waiting) return full();
    ticket = next_ticket_++;
    queue_.push_back(ticket);
  }
  const auto give_up = [&](std::unexpected<Error> error) -> Result<Place> {
    const std::scoped_lock lock(mutex_);
    std::erase(queue_, ticket);
    return error;
  };
  for (;;) {
    if (deadline.passed(sleeper.now()))
      return give_up(fail(Errc::deadline_exceeded, fmt::format("no place in bulkhead '{}' in time", options_.name)));
    if (const Status slept = sleeper.sleep_for(std::min(options_.look_every, deadline.left(sleeper.now()))); !slept)
      return give_up(pass(slept.error()));
    const std::scoped_lock lock(mutex_);
    if (inside_ < options_.most && queue_.front() == ticket) {
      queue_.pop_front();
      ++inside_;
      return Place(this);
    }
  }
}

void Bulkhead::leave() {
  const std::scoped_lock lock(mutex_);
  --inside_;
}

Bulkhead::Snapshot Bulkhead::snapshot() const {
  const std::scoped_lock lock(mutex_);
  return {.inside = inside_, .waiting = static_cast<std::int64_t>(queue_.size()), .rejected = rejected_};
}

}  // namespace serin::limit
