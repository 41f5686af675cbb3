#pragma once
#include <concepts>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "serin/base/checked.hpp"
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

template <class Name>
struct BasicAdaptiveOptions {
  Name name;
  Algorithm algorithm = Algorithm::gradient2;
  double first = 20;       ///< calls at once before anything is known; least <= first <= most
  double least = 5;        ///< >= 1
  double most = 200;       ///< <= 100000
  double backoff = 0.9;    ///< aimd: what is left after a failure; 0.5 to 0.99
  double smoothing = 0.2;  ///< gradient2: weight of the newest finding; above 0, at most 1
  double queue = 4;        ///< gradient2: calls that may wait in the peer; >= 0
  double tolerance =
      1.5;  ///< gradient2: how many times the long-term time a call may take before the limit falls; >= 1
  /// A constant becomes options of the running program.
  operator BasicAdaptiveOptions<std::string>() const requires std::same_as<Name, std::string_view> {
    return {.name = std::string(name),
            .algorithm = algorithm,
            .first = first,
            .least = least,
            .most = most,
            .backoff = backoff,
            .smoothing = smoothing,
            .queue = queue,
            .tolerance = tolerance};
  }
};
using AdaptiveOptions = BasicAdaptiveOptions<std::string>;
/// The same as a constant, for checked().
using AdaptiveConstant = BasicAdaptiveOptions<std::string_view>;
template <class Name>
constexpr Wrongs wrongs(const BasicAdaptiveOptions<Name>& options) {
  Wrongs out;
  out.unless(options.least >= 1 && options.least <= 100'000, "least", "must be from 1 to 100000", options.least);
  out.unless(options.most >= options.least && options.most <= 100'000, "most", "must be from least to 100000",
             options.most);
  out.unless(options.first >= options.least && options.first <= options.most, "first", "must be from least to most",
             options.first);
  out.unless(options.backoff >= 0.5 && options.backoff <= 0.99, "backoff", "must be from 0.5 to 0.99", options.backoff);
  out.unless(options.smoothing > 0 && options.smoothing <= 1, "smoothing", "must be above 0 and at most 1",
             options.smoothing);
  out.unless(options.queue >= 0 && options.queue <= 100'000, "queue", "must be from 0 to 100000", options.queue);
  out.unless(options.tolerance >= 1 && options.tolerance <= 100, "tolerance", "must be from 1 to 100",
             options.tolerance);
  return out;
}

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
/// nothing about a peer. It moves once for about as many calls as fit through at once. Vegas and Gradient2 compare with
/// a normal that they measure anew now and then, for two rounds with half the calls: otherwise a queue of their own
/// making slowly becomes the normal and the limit grows without end. Sources: TCP Vegas; Netflix' concurrency-limits
/// for the three forms and their constants; Envoy for measuring with fewer calls. Threads: any.
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
  void end_round();
  void learn(bool dropped, double seconds, bool used);
  void begin_probe();
  void end_probe(double seconds);

  AdaptiveOptions options_;
  Error is_reached_;  // made once
  mutable std::mutex mutex_;
  double limit_;  // guarded by mutex_, like the rest
  std::int64_t in_flight_ = 0;
  std::int64_t rejected_ = 0;
  double normal_ = 0;         // seconds: vegas the quickest round, gradient2 a slow mean; 0: not known
  std::int64_t samples_ = 0;  // rounds in normal_
  std::int64_t until_probe_;  // rounds
  enum class Probe : std::uint8_t { none, draining, measuring } probe_ = Probe::none;
  double before_probe_ = 0;  // the limit
  // Of the round that is gathered: about as many calls as fit through at once, so that the limit moves once for each.
  std::int64_t round_calls_ = 0;
  double round_seconds_ = 0;
  std::int64_t round_most_ = 0;  // in flight
  bool round_dropped_ = false;
};

}  // namespace serin::limit
