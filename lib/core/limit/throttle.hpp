#pragma once
#include <concepts>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "serin/base/checked.hpp"
#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/outcome/outcome.hpp"

namespace serin::limit {

template <class Name>
struct BasicThrottleOptions {
  Name name;                  ///< of the peer
  double factor = 2;          ///< K: so many times what the peer accepted may be asked for; > 1, at most 100
  Duration length = 2min;     ///< of what is remembered; >= 1 s
  double most_refused = 0.9;  ///< share of calls that is refused at most, so that recovery is noticed; 0 < share < 1
  /// A constant becomes options of the running program.
  operator BasicThrottleOptions<std::string>() const requires std::same_as<Name, std::string_view> {
    return {.name = std::string(name), .factor = factor, .length = length, .most_refused = most_refused};
  }
};
using ThrottleOptions = BasicThrottleOptions<std::string>;
/// The same as a constant, for checked().
using ThrottleConstant = BasicThrottleOptions<std::string_view>;
template <class Name>
constexpr Wrongs wrongs(const BasicThrottleOptions<Name>& options) {
  Wrongs out;
  out.unless(options.factor > 1 && options.factor <= 100, "factor", "must be above 1 and at most 100", options.factor);
  out.unless(options.length >= Duration(1'000'000'000), "length", "must be 1s or more", options.length);
  out.unless(options.most_refused > 0 && options.most_refused < 1, "most_refused", "must be above 0 and below 1",
             options.most_refused);
  return out;
}

/// Refuses calls here that the peer would refuse there: with probability max(0, (calls - K x accepted) / (calls + 1))
/// over the last two minutes. For many small clients a budget does better; this one is for a peer that says "later"
/// itself. Source: Beyer et al., "Site Reliability Engineering", chapter 21, client-side throttling. Threads: any.
class Throttle {
 public:
  /// Errors: invalid_argument, naming the field.
  static Result<std::unique_ptr<Throttle>> make(ThrottleOptions options);
  /// Errors: rejected; costs no allocation. \param random  uniform over all 64 bits
  Status enter(Instant now, std::uint64_t random);
  /// How a call that was let through ended. Failures and throttled answers were not accepted.
  void report(OutcomeClass outcome, Instant now);
  /// The share of calls that is refused now.
  [[nodiscard]] double refused_share(Instant now);

 private:
  explicit Throttle(ThrottleOptions options);
  struct Bucket {
    double calls = 0;
    double accepted = 0;
  };
  void move_to(Instant now);
  [[nodiscard]] double share() const;

  ThrottleOptions options_;
  Error refusal_;  // made once
  std::mutex mutex_;
  std::vector<Bucket> buckets_;  // guarded by mutex_, like the rest
  std::int64_t newest_ = INT64_MIN;
  Bucket sum_;
};

}  // namespace serin::limit
