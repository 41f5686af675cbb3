#pragma once
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <type_traits>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"

// One check for each set of options, for the compiler and for the running program alike. Who has options writes
// `constexpr Wrongs wrongs(const Options&)` beside them.
namespace serin {

/// A field that breaks its rule. The texts are literals: they outlive everything.
struct Wrong {
  const char* field = "";  ///< "max_attempts", "backoff.first"
  const char* rule = "";   ///< "must be from 1 to 1000"
  enum class Shown : std::uint8_t { nothing, number, duration } shown = Shown::nothing;
  double number = 0;
  Duration duration{};
  /// "max_attempts must be from 1 to 1000, not 0".
  [[nodiscard]] std::string text() const;
  /// "must be from 1 to 1000, not 0": for who names the field in another way.
  [[nodiscard]] std::string sentence() const;
};

/// Everything that is wrong with a set of options, in the order of the checks; sixteen at most are kept. A value.
class Wrongs {
 public:
  template <class Number>
  requires std::is_arithmetic_v<Number>
  constexpr void unless(bool good, const char* field, const char* rule, Number value) {
    if (!good) add({field, rule, Wrong::Shown::number, static_cast<double>(value), {}});
  }
  constexpr void unless(bool good, const char* field, const char* rule, Duration value) {
    if (!good) add({field, rule, Wrong::Shown::duration, 0, value});
  }
  constexpr void unless(bool good, const char* field, const char* rule) {
    if (!good) add({field, rule, Wrong::Shown::nothing, 0, {}});
  }
  constexpr void add(const Wrong& wrong) {
    if (size_ < list_.size()) list_[size_++] = wrong;
  }
  constexpr void add(const Wrongs& others) {
    for (const Wrong& wrong : others.list()) add(wrong);
  }
  [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] constexpr std::span<const Wrong> list() const noexcept { return std::span(list_).first(size_); }
  /// Errors: invalid_argument, `where` and the first of them: "retry.max_attempts must be ...".
  [[nodiscard]] Status status(std::string_view where) const;

 private:
  std::array<Wrong, 16> list_{};
  std::size_t size_ = 0;
};

/// Not constexpr, so that the compiler stops here and prints the field and its rule, which are the arguments.
[[noreturn]] void options_are_ill_formed();
constexpr void refuse(const char* field, const char* rule) {
  if (field != nullptr && rule != nullptr) options_are_ill_formed();
}

/// `constexpr RetryOptions options = checked(RetryOptions{...})` does not compile when they are ill-formed, and the
/// message names the field. Options with a name have a twin for constants (BreakerConstant for BreakerOptions), whose
/// name is a literal: a std::string cannot leave the compiler.
template <class Options>
requires requires(const Options& options) { wrongs(options); }
consteval Options checked(Options options) {
  const Wrongs found = wrongs(options);
  if (!found.empty()) refuse(found.list()[0].field, found.list()[0].rule);
  return options;
}

}  // namespace serin
