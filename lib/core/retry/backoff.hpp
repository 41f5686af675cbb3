#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

#include "serin/base/checked.hpp"
#include "serin/base/error.hpp"
#include "serin/base/time.hpp"

namespace serin::retry {

/// How waits are spread, so that those who failed together do not come back together.
enum class Jitter : std::uint8_t {
  full,                   ///< uniform in (0, ceiling]: the fewest calls under contention
  none,                   ///< the ceiling itself: for tests; a crowd stays in step
  equal,                  ///< uniform in [ceiling/2, ceiling]
  decorrelated,           ///< uniform in [first, min(most, 3 x the wait before)]
  decorrelated_aws_blog,  ///< min(most, uniform in [first, 3 x the wait before]): a third of all waits are exactly
                          ///< `most`
  plus_minus,             ///< uniform in [ceiling x (1 - f), min(most, ceiling x (1 + f))]
};
[[nodiscard]] std::string_view jitter_name(Jitter jitter) noexcept;

enum class Shape : std::uint8_t { exponential, constant, linear, sequence, function };

/// The ceilings of a sequence, held in place, so that options are a constant and a copy is cheap. A value.
class Waits {
 public:
  static constexpr std::size_t most = 16;
  constexpr Waits() = default;
  constexpr Waits(std::initializer_list<Duration> waits) : Waits(std::span(waits.begin(), waits.size())) {}
  /// \param waits  more than `most` of them are refused by the check of the options, not cut off in silence
  explicit constexpr Waits(std::span<const Duration> waits) : size_(waits.size()) {
    std::ranges::copy(waits.first(std::min(most, waits.size())), waits_.begin());
  }
  [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] constexpr bool fits() const noexcept { return size_ <= most; }
  [[nodiscard]] constexpr std::span<const Duration> list() const noexcept {
    return std::span(waits_).first(std::min(most, size_));
  }

 private:
  std::array<Duration, most> waits_{};
  std::size_t size_ = 0;
};

/// How the ceiling of the waits grows. The defaults are safe for one service calling another.
struct BackoffOptions {
  Shape shape = Shape::exponential;
  Duration first = 100ms;  ///< ceiling of the wait after the first failure; > 0
  Duration most = 20s;     ///< ceiling of any wait; >= first
  double factor = 2;       ///< exponential: from one ceiling to the next; >= 1
  Jitter jitter = Jitter::full;
  double plus_minus = 0.2;  ///< Jitter::plus_minus; 0 < f < 1
  Waits sequence = {};      ///< Shape::sequence: the ceilings, 1 to 16; the last one repeats; each >= 0
  /// Shape::function: the ceiling after so many failures (>= 1). A plain function, so that options are a constant.
  Duration (*function)(int failures) = nullptr;
};
constexpr Wrongs wrongs(const BackoffOptions& options) {
  Wrongs out;
  out.unless(options.first > Duration::zero(), "backoff.first", "must be above 0", options.first);
  out.unless(options.most >= options.first, "backoff.most", "must be backoff.first or more", options.most);
  out.unless(options.factor >= 1 && options.factor <= 1e6, "backoff.factor", "must be from 1 to 1000000",
             options.factor);
  if (options.jitter == Jitter::plus_minus)
    out.unless(options.plus_minus > 0 && options.plus_minus < 1, "backoff.plus_minus", "must be above 0 and below 1",
               options.plus_minus);
  if (options.shape == Shape::sequence)
    out.unless(!options.sequence.empty() && options.sequence.fits(), "backoff.sequence", "must name 1 to 16 waits");
  for (const Duration wait : options.sequence.list())
    if (wait < Duration::zero()) {
      out.unless(false, "backoff.sequence", "must hold waits of 0 or more", wait);
      break;
    }
  if (options.shape == Shape::function)
    out.unless(options.function != nullptr, "backoff.function", "must not be empty");
  return out;
}

/// Options that passed their checks. Cheap to ask; a value. Threads: any.
class Backoff {
 public:
  /// Errors: invalid_argument, naming the field, its value and the range.
  static Result<Backoff> make(const BackoffOptions& options);
  /// The largest wait after so many failures (>= 1). Never overflows, never beyond `most`.
  [[nodiscard]] Duration ceiling(int failures) const;
  /// The wait. \param random  uniform over all 64 bits  \param previous  the wait before this one; 0 at first
  [[nodiscard]] Duration wait(int failures, std::uint64_t random, Duration previous) const;
  /// Its mean, the wait before being `previous`. For printing what a policy costs.
  [[nodiscard]] Duration mean_wait(int failures) const;
  [[nodiscard]] const BackoffOptions& options() const noexcept { return options_; }

 private:
  explicit Backoff(const BackoffOptions& options) : options_(options) {}
  BackoffOptions options_;
};

}  // namespace serin::retry
