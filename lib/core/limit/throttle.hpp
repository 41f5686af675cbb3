#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/outcome/outcome.hpp"

namespace serin::limit {

struct ThrottleOptions {
  std::string name;           ///< of the peer
  double factor = 2;          ///< K: so many times what the peer accepted may be asked for; > 1, at most 100
  Duration length = 2min;     ///< of what is remembered; >= 1 s
  double most_refused = 0.9;  ///< share of calls that is refused at most, so that recovery is noticed; 0 < share < 1
};

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
