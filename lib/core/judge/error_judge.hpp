#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "serin/base/error.hpp"
#include "serin/judge/likelihood.hpp"
#include "serin/judge/options.hpp"
#include "serin/judge/ratio_interval.hpp"

namespace serin::judge {

/// What can be said of a canary. Undecided is an answer of its own and never a kind of healthy.
enum class Verdict : std::uint8_t { undecided, healthy, worse };
/// "undecided", "healthy", "worse": stable, JSON and scripts carry them.
[[nodiscard]] std::string_view verdict_name(Verdict verdict) noexcept;

/// "1:240" for evidence 240 times what chance would give; logs beyond what people read become powers of ten. Pure.
[[nodiscard]] std::string odds_text(double log);

/// "0.7x to 1.6x the baseline's rate". Pure.
[[nodiscard]] std::string ratio_text(const Interval& ratio);

/// What the judge knows after the buckets so far. Logs are natural; a bet that starts with 1 stands at exp(log) now.
struct Evidence {
  double worse = 0;           ///< log evidence against "the canary is within the tolerable margin"
  double healthy = 0;         ///< log evidence against "the canary is at or beyond the healthy margin"
  double worse_needed = 0;    ///< ln(1/alpha)
  double healthy_needed = 0;  ///< ln(1/beta)
  Bucket total;               ///< sums of all buckets
  Interval ratio;             ///< canary's error rate over the baseline's, at confidence 1 - alpha, at any time
};

/// Compares the error rates of a canary and its baseline, bucket by bucket, and may be asked after every one of them:
/// the chance that it *ever* calls a tolerable canary worse is at most alpha, that it ever calls one beyond the healthy
/// margin healthy at most beta; whatever the share, however often it changes, and whatever both arms suffer together.
/// Needs: requests are given to the arms without regard to their outcome.
///
/// Source: a likelihood ratio of the two arms' errors, weighted over 14 alternatives, which is a nonnegative
/// supermartingale under the null for any rates up to 1 (Ville's inequality); half of the weight restarts from time to
/// time, so that a late onset does not first have to pay back what went well before. Threads: one; pure.
class ErrorJudge {
 public:
  /// Errors: invalid_argument, naming the field, its value and its range.
  static Result<ErrorJudge> make(ErrorJudgeOptions options);

  /// Takes the next bucket. Errors beyond requests count as requests; negative counts as 0.
  void add(const Bucket& bucket);
  /// Worse stays worse and outranks healthy; healthy is what the evidence says now or said before.
  [[nodiscard]] Verdict verdict() const noexcept { return verdict_; }
  [[nodiscard]] Evidence evidence() const;
  [[nodiscard]] const ErrorJudgeOptions& options() const noexcept { return options_; }

 private:
  explicit ErrorJudge(ErrorJudgeOptions options);

  ErrorJudgeOptions options_;
  Mixture worse_;    // against tolerable
  Mixture healthy_;  // against healthy
  RatioInterval ratio_;
  Bucket total_;
  Verdict verdict_ = Verdict::undecided;
};

/// "worse: canary 31 of 480 (6.46 %), baseline 9 of 9120 (0.10 %); 18x to 190x the baseline's rate; evidence 1:2.4e5,
/// 1:100 needed". Pure.
[[nodiscard]] std::string explain(const ErrorJudge& judge);

}  // namespace serin::judge
