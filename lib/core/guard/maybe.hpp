#pragma once
#include <memory>
#include <optional>

#include "serin/guard/elements.hpp"

namespace serin::guard {

/// An element that is there or not, which is known only when the program runs: for policies that come from a file. Its
/// place in the order is checked as if it were there. \tparam Element  refers to a Part, or is made of its value
template <class Element, class Part>
struct Maybe {
  static constexpr Kind kind = Element::kind;
  Part* part;  ///< outlives the call; null: not there
  template <class Next, class Observer>
  auto run(Context& context, const Next& next, const Observer& observer) const -> decltype(next(context)) {
    if (part == nullptr) return next(context);
    return Element{*part}.run(context, next, observer);
  }
};
template <class Element, class Part>
[[nodiscard]] constexpr Maybe<Element, Part> if_there(const std::unique_ptr<Part>& part) noexcept {
  return {part.get()};
}
template <class Element, class Part>
[[nodiscard]] constexpr Maybe<Element, const Part> if_there(const std::optional<Part>& part) noexcept {
  return {part ? &*part : nullptr};
}

}  // namespace serin::guard
