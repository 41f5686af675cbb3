#pragma once
#include <atomic>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "serin/base/checked.hpp"
#include "serin/base/error.hpp"
#include "serin/base/time.hpp"

namespace serin::limit {

template <class Name>
struct BasicRateOptions {
  Name name;          ///< of what is limited
  double rate = 100;  ///< calls a second in the long run; > 0, at most 1e9
  double burst = 10;  ///< that may come at once after a pause; 1 to 1e6
  /// A constant becomes options of the running program.
  operator BasicRateOptions<std::string>() const requires std::same_as<Name, std::string_view> {
    return {.name = std::string(name), .rate = rate, .burst = burst};
  }
};
using RateOptions = BasicRateOptions<std::string>;
/// The same as a constant, for checked().
using RateConstant = BasicRateOptions<std::string_view>;
template <class Name>
constexpr Wrongs wrongs(const BasicRateOptions<Name>& options) {
  Wrongs out;
  out.unless(options.rate > 0 && options.rate <= 1e9, "rate", "must be above 0 and at most 1e9 a second", options.rate);
  out.unless(options.burst >= 1 && options.burst <= 1e6, "burst", "must be from 1 to 1000000", options.burst);
  return out;
}

/// So many calls a second, evenly, with a burst after a pause. One number in one atomic: the time at which the next
/// call would be due if all came evenly (GCRA, ITU-T I.371; the same as a token bucket that starts full). Threads: any;
/// exact.
class RateLimit {
 public:
  /// Errors: invalid_argument, naming the field.
  static Result<std::unique_ptr<RateLimit>> make(RateOptions options);
  /// Nothing: the call may be made, and is counted. Otherwise how long to wait before it is worth asking again.
  [[nodiscard]] std::optional<Duration> take(Instant now, double calls = 1) noexcept;
  /// How many could be made right now.
  [[nodiscard]] double left(Instant now) const noexcept;
  [[nodiscard]] const RateOptions& options() const noexcept { return options_; }

 private:
  explicit RateLimit(RateOptions options);
  RateOptions options_;
  double interval_;                               // nanoseconds between two calls
  std::int64_t tolerance_;                        // how far ahead of time the burst may run, ns
  std::atomic<std::int64_t> due_{INT64_MIN / 2};  // ns since the clock's beginning
};

}  // namespace serin::limit
