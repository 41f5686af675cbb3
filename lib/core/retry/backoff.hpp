#pragma once
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

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

/// How the ceiling of the waits grows. The defaults are safe for one service calling another.
struct BackoffOptions {
  Shape shape = Shape::exponential;
  Duration first = 100ms;  ///< ceiling of the wait after the first failure; > 0
  Duration most = 20s;     ///< ceiling of any wait; >= first
  double factor = 2;       ///< exponential: from one ceiling to the next; >= 1
  Jitter jitter = Jitter::full;
  double plus_minus = 0.2;              ///< Jitter::plus_minus; 0 < f < 1
  std::vector<Duration> sequence = {};  ///< Shape::sequence: the ceilings; the last one repeats; each >= 0
  std::function<Duration(int failures)> function = {};  ///< Shape::function: the ceiling after so many failures
};

/// Options that passed their checks. Cheap to ask; a value. Threads: any.
class Backoff {
 public:
  /// Errors: invalid_argument, naming the field, its value and the range.
  static Result<Backoff> make(BackoffOptions options);
  /// The largest wait after so many failures (>= 1). Never overflows, never beyond `most`.
  [[nodiscard]] Duration ceiling(int failures) const;
  /// The wait. \param random  uniform over all 64 bits  \param previous  the wait before this one; 0 at first
  [[nodiscard]] Duration wait(int failures, std::uint64_t random, Duration previous) const;
  /// Its mean, the wait before being `previous`. For printing what a policy costs.
  [[nodiscard]] Duration mean_wait(int failures) const;
  [[nodiscard]] const BackoffOptions& options() const noexcept { return options_; }

 private:
  explicit Backoff(BackoffOptions options) : options_(std::move(options)) {}
  BackoffOptions options_;
};

}  // namespace serin::retry
