#pragma once
#include <array>
#include <cstddef>
#include <tuple>
#include <utility>

#include "serin/guard/chaos.hpp"
#include "serin/guard/elements.hpp"
#include "serin/guard/hedging.hpp"
#include "serin/guard/order.hpp"

namespace serin::guard {

/// Several elements around one call, the first one outermost. A value; no virtual call (but a budget's) and no
/// allocation on success. Threads: as its elements.
template <class Observer, class... Elements>
class Pipeline {
 public:
  constexpr explicit Pipeline(Observer observer, Elements... elements)
      : observer_(std::move(observer)), elements_(std::move(elements)...) {}
  /// \param context  given up by those who make it for the call: moving spares the stop token's counting
  /// \param work  takes a const Context&, keeps its deadline, ends soon when its `stop` is requested, and returns a
  /// Result<T>; called once an attempt
  /// Errors: of the work and of the elements; cancelled, without an attempt, when `stop` was requested before it.
  template <class Work>
  auto run(Context context, const Work& work) const -> decltype(work(std::as_const(context))) {
    return step<0>(context, work);
  }
  /// The same elements, and somebody who hears of what happens: observer.on_event(const Happening&), on the thread that
  /// makes the call (with hedging: any).
  template <class Other>
  [[nodiscard]] constexpr auto observed(Other observer) const {
    return std::apply(
        [&](const Elements&... each) { return Pipeline<Other, Elements...>(std::move(observer), each...); }, elements_);
  }
  // For other ways to run it.
  [[nodiscard]] constexpr const Observer& observer() const noexcept { return observer_; }
  template <std::size_t at>
  [[nodiscard]] constexpr const auto& element() const noexcept {
    return std::get<at>(elements_);
  }
  static constexpr std::size_t size = sizeof...(Elements);

 private:
  template <std::size_t at, class Work>
  auto step(Context& context, const Work& work) const -> decltype(work(std::as_const(context))) {
    if constexpr (at == sizeof...(Elements)) {
      if (context.stop.stop_requested()) return given_up();
      if constexpr (!is_watching<Observer>) {
        context.time_passed();
        return work(std::as_const(context));
      } else {
        const Instant began = context.now();
        context.time_passed();
        auto result = work(std::as_const(context));
        tell(observer_, context,
             {.what = What::attempt_ended, .outcome = classify(result), .time = context.now() - began});
        return result;
      }
    } else {
      return std::get<at>(elements_).run(
          context, [&](Context& inner) { return step<at + 1>(inner, work); }, observer_);
    }
  }
  [[no_unique_address]] Observer observer_;
  std::tuple<Elements...> elements_;
};

/// Puts elements together and refuses, when it is compiled, the orders that users of such libraries get wrong.
template <class... Elements>
constexpr auto pipeline(Elements... elements) {
  constexpr std::array<Kind, sizeof...(Elements)> kinds{Elements::kind...};
  static_assert(!has_before(kinds, Kind::attempt_timeout, Kind::retry),
                "an attempt timeout outside of retry bounds all attempts together: that is a total deadline");
  static_assert(!has_before(kinds, Kind::retry, Kind::deadline),
                "a total deadline inside of retry begins anew with each attempt: that is an attempt timeout");
  static_assert(!has_before(kinds, Kind::bulkhead, Kind::retry),
                "a bulkhead outside of retry holds its place while retry sleeps: put it inside");
  static_assert(!has_before(kinds, Kind::retry, Kind::fallback),
                "a fallback inside of retry hides the failures from it: put it outside");
  static_assert(!has_before(kinds, Kind::breaker, Kind::fallback),
                "a fallback inside of a breaker hides the failures from it: put it outside");
  static_assert(!has_before(kinds, Kind::hedge, Kind::retry),
                "hedging outside of retry multiplies: each hedge would make its own retries; put it inside");
  static_assert(!has_before(kinds, Kind::hedge, Kind::fallback),
                "a fallback inside of hedging answers before a hedge can: put it outside");
  static_assert(!has_before(kinds, Kind::bulkhead, Kind::hedge),
                "a bulkhead outside of hedging counts a call and its hedges as one: put it inside");
  static_assert(!has_before(kinds, Kind::hedge, Kind::deadline),
                "a total deadline inside of hedging begins anew with each hedge: that is an attempt timeout");
  static_assert(count(kinds, Kind::hedge) <= 1, "hedges of hedges multiply: one for a call");
  static_assert(count(kinds, Kind::retry) <= 1, "retries in retries multiply: one for a call");
  static_assert(is_innermost_or_absent(kinds, Kind::chaos),
                "chaos is innermost, so that every other element meets its faults");
  return Pipeline<NoObserver, Elements...>(NoObserver{}, std::move(elements)...);
}

}  // namespace serin::guard
