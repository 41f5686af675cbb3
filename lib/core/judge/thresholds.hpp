#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace serin::judge {

// Rules that compare a canary with fixed numbers, as the field has them: for absolute limits that somebody promised,
// and to measure them beside the statistics. None of them compares with a baseline.

/// Flagger's: one look at each interval; every look at which something is missed counts, the count is never reset, and
/// at `threshold` the canary is taken back. No value counts as a miss. Threads: one; pure. Source: Flagger's
/// documentation ("How it works") and controller.
class FlaggerRule {
 public:
  struct Options {
    double min_success_percent = 99;   ///< of requests without 5xx
    std::optional<double> max_p99_ms;  ///< of their duration
    int threshold = 1;                 ///< its default; the documentation's examples have 5
  };
  explicit FlaggerRule(const Options& options) : options_(options) {}
  /// One interval's values; nothing: the query found none. True: take it back.
  bool check(std::optional<double> success_percent, std::optional<double> p99_ms);
  [[nodiscard]] int failed_checks() const noexcept { return failed_; }

 private:
  Options options_;
  int failed_ = 0;
};

/// The phases of a metric and of a whole analysis, from the least to the worst.
enum class ArgoPhase : std::uint8_t { successful, running, pending, inconclusive, error, failed };
[[nodiscard]] std::string_view argo_phase_name(ArgoPhase phase) noexcept;

/// A measurement is compared with a bound.
struct ArgoCondition {
  enum class Is : std::uint8_t { below, at_most, above, at_least };
  Is is = Is::at_least;
  double bound = 0;
  [[nodiscard]] bool holds(double value) const noexcept;
};

/// One metric of an Argo Rollouts analysis. Threads: one; pure. Source: Argo Rollouts' documentation ("Analysis") and
/// metric evaluation.
class ArgoMetric {
 public:
  struct Options {
    std::optional<ArgoCondition> success;
    std::optional<ArgoCondition> failure;
    int failure_limit = 0;          ///< below 0: none
    int inconclusive_limit = 0;     ///< below 0: none
    int consecutive_errors = 4;     ///< more: error
    int consecutive_successes = 0;  ///< that many in a row end it; 0: off
    int count = 0;                  ///< measurements; 0: until it is stopped
  };
  explicit ArgoMetric(const Options& options) : options_(options) {}
  /// One measurement; nothing: the query failed. What it was.
  ArgoPhase measure(std::optional<double> value);
  /// Where the metric stands.
  [[nodiscard]] ArgoPhase phase() const noexcept;
  /// Where it stands when the analysis ends now: what runs and violated nothing was successful.
  [[nodiscard]] ArgoPhase stopped() const noexcept;

 private:
  Options options_;
  int measured_ = 0;
  int failed_ = 0;
  int inconclusive_ = 0;
  int errors_in_a_row_ = 0;
  int successes_in_a_row_ = 0;
};

/// An analysis is as its worst metric; without metrics it is successful. Pure.
[[nodiscard]] ArgoPhase worst_phase(std::span<const ArgoPhase> phases) noexcept;

/// The rule of the deployment script that serin replaced, for comparison and for its `--error-threshold`: more than so
/// many errors of the whole service in the last minutes fail the stage. A query that failed counts as no errors, which
/// is why nobody should use it. Pure.
struct ScriptRule {
  std::int64_t error_threshold = 5;
  [[nodiscard]] bool fails(std::optional<std::int64_t> errors) const noexcept {
    return errors.value_or(0) > error_threshold;
  }
};

}  // namespace serin::judge
