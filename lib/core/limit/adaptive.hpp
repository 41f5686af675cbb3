#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/outcome/outcome.hpp"

namespace serin::limit {

/// How a limit finds itself.
enum class Algorithm : std::uint8_t {
  aimd,       ///< one more while it is used and works, a tenth less at a timeout or a throttled answer
  vegas,      ///< from how much longer calls take than the quickest one did: the queue that must be there
  gradient2,  ///< from how much longer calls take lately than over the long run
};
[[nodiscard]] std::string_view algorithm_name(Algorithm algorithm) noexcept;

struct AdaptiveOptions {
  std::string name;
  Algorithm algorithm = Algorithm::gradient2;
  double first = 20;       ///< calls at once before anything is known; least <= first <= most
  double least = 5;        ///< >= 1
  double most = 200;       ///< <= 100000
  double backoff = 0.9;    ///< aimd: what is left after a failure; 0.5 to 0.99
  double smoothing = 0.2;  ///< gradient2: weight of the newest finding; above 0, at most 1
  double queue = 4;        ///< gradient2: calls that may wait in the peer; >= 0
  double tolerance =
      1.5;  ///< gradient2: how many times the long-term time a call may take before the limit falls; >= 1
};

class AdaptiveLimit;

/// Leave for one call, reported once or given back with the object. Threads: one.
class AdaptivePermit {
 public:
  AdaptivePermit(AdaptivePermit&& other) noexcept;
  AdaptivePermit(const AdaptivePermit&) = delete;
  AdaptivePermit& operator=(const AdaptivePermit&) = delete;
  AdaptivePermit& operator=(AdaptivePermit&&) = delete;
  ~AdaptivePermit();
  void report(OutcomeClass outcome, Duration took);

 private:
  friend class AdaptiveLimit;
  explicit AdaptivePermit(AdaptiveLimit* owner) : owner_(owner) {}
  AdaptiveLimit* owner_;
};

/// A limit on calls at once that follows what the peer can take. It only grows while it is used: an idle client learns
/// nothing about a peer. It moves once for about as many calls as fit through at once. Sources: TCP Vegas; Netflix'
/// concurrency-limits for the three forms and their constants. Threads: any.
class AdaptiveLimit {
 public:
  /// Errors: invalid_argument, naming the field.
  static Result<std::unique_ptr<AdaptiveLimit>> make(AdaptiveOptions options);
  /// Errors: rejected.
  Result<AdaptivePermit> try_enter();
  struct Snapshot {
    double limit = 0;
    std::int64_t in_flight = 0;
    std::int64_t rejected = 0;  ///< ever
  };
  [[nodiscard]] Snapshot snapshot() const;

 private:
  friend class AdaptivePermit;
  explicit AdaptiveLimit(AdaptiveOptions options);
  void report(OutcomeClass outcome, Duration took);
  void release();
  void learn(bool dropped, double seconds, bool used);

  AdaptiveOptions options_;
  Error is_reached_;  // made once
  mutable std::mutex mutex_;
  double limit_;  // guarded by mutex_, like the rest
  std::int64_t in_flight_ = 0;
  std::int64_t rejected_ = 0;
  double quickest_ = 0;   // vegas: seconds; 0: not known
  double long_term_ = 0;  // gradient2: seconds, a slow mean
  std::int64_t samples_ = 0;
  // Of the round that is gathered: about as many calls as fit through at once, so that the limit moves once for each.
  std::int64_t round_calls_ = 0;
  double round_seconds_ = 0;
  std::int64_t round_most_ = 0;  // in flight
  bool round_dropped_ = false;
};

}  // namespace serin::limit
