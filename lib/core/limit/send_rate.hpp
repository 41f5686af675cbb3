#pragma once
#include <concepts>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "serin/base/checked.hpp"
#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/outcome/outcome.hpp"

namespace serin::limit {

template <class Name>
struct BasicSendRateOptions {
  Name name;               ///< of the peer
  double keep = 0.7;       ///< of the rate, when the peer says "later" (beta); 0.1 to 0.95
  double steepness = 0.4;  ///< of the way back up (C), calls a second per s^3; above 0, at most 100
  double smoothing = 0.8;  ///< weight of the newest half second in the measured rate; above 0, at most 1
  double least = 0.5;      ///< calls a second, however often the peer says "later"; 0.01 to 1e6
  /// A constant becomes options of the running program.
  operator BasicSendRateOptions<std::string>() const requires std::same_as<Name, std::string_view> {
    return {.name = std::string(name), .keep = keep, .steepness = steepness, .smoothing = smoothing, .least = least};
  }
};
using SendRateOptions = BasicSendRateOptions<std::string>;
/// The same as a constant, for checked().
using SendRateConstant = BasicSendRateOptions<std::string_view>;
template <class Name>
constexpr Wrongs wrongs(const BasicSendRateOptions<Name>& options) {
  Wrongs out;
  out.unless(options.keep >= 0.1 && options.keep <= 0.95, "keep", "must be from 0.1 to 0.95", options.keep);
  out.unless(options.steepness > 0 && options.steepness <= 100, "steepness", "must be above 0 and at most 100",
             options.steepness);
  out.unless(options.smoothing > 0 && options.smoothing <= 1, "smoothing", "must be above 0 and at most 1",
             options.smoothing);
  out.unless(options.least >= 0.01 && options.least <= 1e6, "least", "must be from 0.01 to 1000000", options.least);
  return out;
}

/// Finds the rate at which a peer stops saying "later". Without any limit until it says so for the first time; then
/// down to 0.7 of what was really sent, and up again along a cube: quickly to where it was refused, slowly around
/// there, quickly beyond; never above twice what is really sent, so that a quiet client does not save up a storm.
/// Sources: CUBIC (Ha, Rhee, Xu, 2008) and the adaptive mode of the AWS SDKs, with three differences: a call that is
/// not let through takes nothing, so there is never a debt that later callers wait for; the wait that is named is above
/// 0 and enough for a token; answers "later" to calls that were sent before the last cut do not cut again. Threads:
/// any.
class SendRate {
 public:
  /// Errors: invalid_argument, naming the field.
  static Result<std::unique_ptr<SendRate>> make(SendRateOptions options);
  /// Nothing: the call may be made. Otherwise how long to wait before it is worth asking again, above 0.
  [[nodiscard]] std::optional<Duration> take(Instant now) noexcept;
  /// How a call that was let through ended. \param sent  when it was let through
  void report(OutcomeClass outcome, Instant sent, Instant now) noexcept;
  struct Snapshot {
    bool limited = false;  ///< whether the peer ever said "later"
    double rate = 0;       ///< calls a second that are let through; 0 while not limited
    double measured = 0;   ///< calls a second that are made
    double tokens = 0;     ///< calls that could be made at once; never below 0
  };
  [[nodiscard]] Snapshot snapshot(Instant now) const;
  [[nodiscard]] const SendRateOptions& options() const noexcept { return options_; }

 private:
  explicit SendRate(SendRateOptions options) : options_(std::move(options)) {}
  void refill(Instant now);
  void measure(Instant now);
  void set_rate(double rate, Instant now);

  SendRateOptions options_;
  mutable std::mutex mutex_;
  bool limited_ = false;  // guarded by mutex_, like the rest
  double rate_ = 0;
  double tokens_ = 0;
  Instant refilled_{};
  Instant cut_{};          // when the rate was last cut
  double before_cut_ = 0;  // the rate then
  double back_after_ = 0;  // seconds from the cut until that rate is reached again
  double measured_ = 0;
  std::int64_t half_second_ = INT64_MIN;  // of the clock; min: nothing was sent yet
  std::int64_t sent_ = 0;                 // in it
};

}  // namespace serin::limit
