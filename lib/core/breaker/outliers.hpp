#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "serin/base/checked.hpp"
#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/outcome/outcome.hpp"

namespace serin::breaker {

/// When a replica among several is left out for a while.
struct OutlierOptions {
  int consecutive_failures = 5;   ///< in a row that eject; 0: this rule is off; to 1000
  Duration interval = 10s;        ///< success rates are compared that often; 1 s to 1 h
  int min_replicas = 5;           ///< that have min_calls, or no rates are compared; 2 to 1000
  int min_calls = 100;            ///< of a replica in an interval, or its rate says nothing; 1 to 1e6
  double deviations = 1.9;        ///< below the mean by so many standard deviations ejects; 0: off; to 10
  Duration eject_for = 30s;       ///< the first time; times the number of ejections after that; > 0
  Duration eject_most = 300s;     ///< ceiling of that; >= eject_for
  double most_ejected = 0.1;      ///< share of the replicas that may be out; one may always be; 0 to 1
  double fails_open_above = 0.5;  ///< more bad ones than this share, and all are used; above 0, at most 1
};
constexpr Wrongs wrongs(const OutlierOptions& options) {
  Wrongs out;
  out.unless(options.consecutive_failures >= 0 && options.consecutive_failures <= 1000, "consecutive_failures",
             "must be from 0 (off) to 1000", options.consecutive_failures);
  out.unless(options.interval >= Duration(1'000'000'000) && options.interval <= Duration(3'600'000'000'000), "interval",
             "must be from 1s to 1h", options.interval);
  out.unless(options.min_replicas >= 2 && options.min_replicas <= 1000, "min_replicas", "must be from 2 to 1000",
             options.min_replicas);
  out.unless(options.min_calls >= 1 && options.min_calls <= 1'000'000, "min_calls", "must be from 1 to 1000000",
             options.min_calls);
  out.unless(options.deviations >= 0 && options.deviations <= 10, "deviations", "must be from 0 (off) to 10",
             options.deviations);
  out.unless(options.eject_for > Duration::zero(), "eject_for", "must be above 0", options.eject_for);
  out.unless(options.eject_most >= options.eject_for, "eject_most", "must be eject_for or more", options.eject_most);
  out.unless(options.most_ejected >= 0 && options.most_ejected <= 1, "most_ejected", "must be from 0 to 1",
             options.most_ejected);
  out.unless(options.fails_open_above > 0 && options.fails_open_above <= 1, "fails_open_above",
             "must be above 0 and at most 1", options.fails_open_above);
  return out;
}

/// Watches the replicas of one service from where they are called, and says which of them may be used. A replica that
/// fails several times in a row, or clearly more than the others, is out for a while, longer each time. At most a share
/// of them is out at once, the earliest bad ones first; when too many are bad the fault is hardly theirs, and all are
/// used. Each interval in use without a new ejection forgives one. Sources: Envoy's outlier detection; gRFC A50.
/// Threads: any.
class Outliers {
 public:
  /// Errors: invalid_argument, naming the field.
  static Result<std::unique_ptr<Outliers>> make(OutlierOptions options);
  /// The replicas that there are from now on. What is known of those that stay is kept.
  void set_replicas(const std::vector<std::string>& names, Instant now);
  /// How a call to a replica ended; one that is not among them says nothing.
  void report(std::string_view name, OutcomeClass outcome, Instant now);
  /// Those that may be used, in the order of their names. Never empty while there is any.
  [[nodiscard]] std::vector<std::string> usable(Instant now);
  [[nodiscard]] bool may_use(std::string_view name, Instant now);

  struct Snapshot {
    int replicas = 0;
    int bad = 0;      ///< that the rules would leave out
    int ejected = 0;  ///< that are left out
    bool fails_open = false;
    std::int64_t ejections = 0;  ///< ever
  };
  [[nodiscard]] Snapshot snapshot(Instant now);

 private:
  struct Replica {
    int in_a_row = 0;
    std::int64_t calls = 0;  // of this interval
    std::int64_t good = 0;
    int times_bad = 0;  // not yet forgiven
    Instant bad_since = Instant::min();
    Instant bad_until = Instant::min();
  };
  explicit Outliers(OutlierOptions options) : options_(options) {}
  void sweep(Instant now);
  void compare_rates(Instant now);
  void eject(Replica& replica, Instant now);
  [[nodiscard]] std::vector<std::string_view> left_out(Instant now) const;
  [[nodiscard]] int bad(Instant now) const;

  OutlierOptions options_;
  std::mutex mutex_;
  std::map<std::string, Replica, std::less<>> replicas_;  // guarded by mutex_, like the rest
  Instant compared_ = Instant::min();
  std::int64_t ejections_ = 0;
};

}  // namespace serin::breaker
