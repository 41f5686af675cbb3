#include "serin/base/checked.hpp"

#include <fmt/format.h>

namespace serin {

std::string Wrong::sentence() const {
  switch (shown) {
    case Shown::nothing: return rule;
    case Shown::number: return fmt::format("{}, not {}", rule, number);
    case Shown::duration: return fmt::format("{}, not {}", rule, format_duration(duration));
  }
  return rule;
}

std::string Wrong::text() const { return fmt::format("{} {}", field, sentence()); }

Status Wrongs::status(std::string_view where) const {
  if (empty()) return {};
  return fail(Errc::invalid_argument, fmt::format("{}{}", where, list_[0].text()));
}

void options_are_ill_formed() { SERIN_ASSERT(false); }

}  // namespace serin
