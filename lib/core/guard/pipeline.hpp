#pragma once
#include <array>
#include <cstddef>
#include <tuple>
#include <utility>

#include "serin/guard/elements.hpp"
#include "serin/guard/order.hpp"

namespace serin::guard {

/// Several elements around one call, the first one outermost. A value; no virtual call (but a budget's) and no
/// allocation on success. Threads: as its elements.
template <class... Elements>
class Pipeline {
 public:
  constexpr explicit Pipeline(Elements... elements) : elements_(std::move(elements)...) {}
  /// \param work  takes a const Context&, keeps its deadline, and returns a Result<T>; called once an attempt
  template <class Work>
  auto run(const Context& context, const Work& work) const -> decltype(work(context)) {
    return step<0>(context, work);
  }

 private:
  template <std::size_t at, class Work>
  auto step(const Context& context, const Work& work) const -> decltype(work(context)) {
    if constexpr (at == sizeof...(Elements)) {
      return work(context);
    } else {
      return std::get<at>(elements_).run(context, [&](const Context& inner) { return step<at + 1>(inner, work); });
    }
  }
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
  static_assert(count(kinds, Kind::retry) <= 1, "retries in retries multiply: one for a call");
  static_assert(is_innermost_or_absent(kinds, Kind::chaos),
                "chaos is innermost, so that every other element meets its faults");
  return Pipeline<Elements...>(std::move(elements)...);
}

}  // namespace serin::guard
