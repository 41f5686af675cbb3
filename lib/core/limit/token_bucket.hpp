#pragma once
#include <memory>
#include <mutex>
#include <optional>

#include "serin/limit/rate.hpp"

namespace serin::limit {

/// A bucket of tokens, full at first: each call takes one, and the time that passed puts `rate` a second in whenever
/// somebody looks at the clock, so no timer runs. It lets through what RateLimit does; beside it, tokens of calls that
/// were not made can be given back, and its state can be read as people draw it. Rounding does not add up: the level is
/// counted from the last moment at which it was full. Threads: any; exact.
class TokenBucket {
 public:
  /// Errors: invalid_argument, naming the field.
  static Result<std::unique_ptr<TokenBucket>> make(RateOptions options);
  /// Nothing: the call may be made, and is counted. Otherwise how long to wait before it is worth asking again, above
  /// 0. \param calls  above 0, at most `burst`: more are never there at once
  [[nodiscard]] std::optional<Duration> take(Instant now, double calls = 1) noexcept;
  /// For calls that were taken and not made.
  void give_back(double calls) noexcept;
  /// How many could be made right now.
  [[nodiscard]] double left(Instant now) const noexcept;
  [[nodiscard]] const RateOptions& options() const noexcept { return options_; }

 private:
  explicit TokenBucket(RateOptions options) : options_(std::move(options)) {}
  double level(Instant now) const;
  RateOptions options_;
  mutable std::mutex mutex_;
  Instant full_at_ = Instant::min();  // guarded by mutex_, like the rest; min: nobody came yet
  double taken_ = 0;                  // since then
};

}  // namespace serin::limit
