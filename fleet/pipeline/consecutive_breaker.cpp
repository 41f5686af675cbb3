#include "serin/fleet_pipeline/consecutive_breaker.hpp"

namespace serin::fleet {

bool ConsecutiveBreaker::allow(Instant now) {
  const std::scoped_lock lock(mutex_);
  if (in_a_row_ < options_.failures) return true;
  if (now < no_call_before_) return false;
  no_call_before_ = now + options_.open_for;  // this one is the probe; the next one only if it never reports
  return true;
}

void ConsecutiveBreaker::succeeded() {
  const std::scoped_lock lock(mutex_);
  in_a_row_ = 0;
}

void ConsecutiveBreaker::failed(Instant now) {
  const std::scoped_lock lock(mutex_);
  if (in_a_row_ < options_.failures) ++in_a_row_;
  if (in_a_row_ >= options_.failures) no_call_before_ = now + options_.open_for;
}

bool ConsecutiveBreaker::is_open(Instant now) const {
  const std::scoped_lock lock(mutex_);
  return in_a_row_ >= options_.failures && now < no_call_before_;
}

}  // namespace serin::fleet
