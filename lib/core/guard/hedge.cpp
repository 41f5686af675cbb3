#include "serin/guard/hedge.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace serin::guard {

Result<std::unique_ptr<Hedge>> Hedge::make(HedgeOptions options) {
  const auto wrong = [&](std::string text) {
    return fail(Errc::invalid_argument, fmt::format("hedge '{}': {}", options.name, text));
  };
  if (options.delay <= 0s) return wrong(fmt::format("delay must be above 0, not {}", format_duration(options.delay)));
  if (!(options.percentile >= 0 && options.percentile < 1))
    return wrong(fmt::format("percentile must be 0 (none) or below 1, not {}", options.percentile));
  if (options.min_calls < 1 || options.min_calls > 256)
    return wrong(fmt::format("min_calls must be from 1 to 256, not {}", options.min_calls));
  if (options.least <= 0s) return wrong(fmt::format("least must be above 0, not {}", format_duration(options.least)));
  if (options.max_extra < 1 || options.max_extra >= most_requests)
    return wrong(fmt::format("max_extra must be from 1 to {}, not {}", most_requests - 1, options.max_extra));
  return std::unique_ptr<Hedge>(new Hedge(std::move(options)));
}

Hedge::Hedge(HedgeOptions options) : options_(std::move(options)), delay_(options_.delay.count()) {}

void Hedge::add(Duration took) noexcept {
  if (options_.percentile <= 0) return;
  recent_.add(took);
  const std::uint32_t number = added_.fetch_add(1, std::memory_order_relaxed) + 1;
  if (number % 16 != 0 && number != static_cast<std::uint32_t>(options_.min_calls)) return;
  if (const auto known = recent_.percentile(options_.percentile, static_cast<std::size_t>(options_.min_calls)))
    delay_.store(std::max(*known, options_.least).count(), std::memory_order_relaxed);
}

HedgeCourse::HedgeCourse(Hedge& hedge, retry::Budget& budget, bool counted, Instant now)
    : hedge_(hedge), budget_(budget), counted_(counted), due_(Deadline::after(now, hedge.delay()).at()) {
  if (!counted_) budget_.on_call();
}

HedgeCourse::~HedgeCourse() {
  for (int missing = std::max(ended_, 1); missing < sent_; ++missing) budget_.on_retry_end(false);
  if (!counted_) budget_.on_call_end(succeeded_ && sent_ == 1);
}

HedgeCourse::Step HedgeCourse::next(Instant now) {
  if (is_decided_) return {.next = Next::over};
  const bool may_send = !no_more_ && sent_ <= hedge_.options().max_extra;
  if (may_send && (send_at_once_ || now >= due_)) {
    if (!budget_.try_retry(false)) {
      no_more_ = true;
      return {.next = Next::refused};
    }
    send_at_once_ = false;
    ++sent_;
    due_ = Deadline::after(now, hedge_.delay()).at();
    return {.next = Next::send};
  }
  if (all_ended()) return {.next = Next::over};
  return {.next = Next::wait, .until = may_send ? due_ : Instant::max()};
}

void HedgeCourse::not_sent() {
  --sent_;
  no_more_ = true;
  budget_.on_retry_end(false);
}

void HedgeCourse::ended(int number, OutcomeClass outcome, bool refused, Duration took) {
  ++ended_;
  const bool success = outcome == OutcomeClass::success;
  if (number > 0) budget_.on_retry_end(success);
  if (success) hedge_.add(took);
  if (is_decided_) return;
  winner_ = number;
  if (success || (!is_retryable(outcome) && !refused)) {
    is_decided_ = true;
    succeeded_ = success;
    return;
  }
  // "Later" from the peer or from a limit of ours is no reason to ask twice.
  if (outcome == OutcomeClass::throttled || refused)
    no_more_ = true;
  else
    send_at_once_ = true;
}

}  // namespace serin::guard
