#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include "serin/judge/bets.hpp"
#include "serin/judge/dispersion.hpp"
#include "serin/judge/likelihood.hpp"
#include "serin/judge/options.hpp"

namespace serin::judge {

/// Whose fault it is that the canary fails more often than the old version did before.
enum class Blame : std::uint8_t {
  unclear,  ///< the baseline had too few requests since then to say
  canary,   ///< the baseline is as it was
  both,     ///< the baseline fails more often too: an incident of both
};

/// Compares the canary with the past of the old version, for when hardly anybody is left to compare it with: evidence
/// against "its error rate is at most `limit`". What it finds has to be attributed before anything is done about it,
/// because the past says nothing about an incident of today. Threads: one; pure.
///
/// Source: likelihood ratio of binomial counts, (lambda p0)^e (1 - lambda p0)^(n - e) over p0^e (1 - p0)^(n - e), over
/// 12 lambda, which is a supermartingale for every rate up to p0 (Ville). Attribution: likelihood ratio on the baseline
/// since the canary's CUSUM (Page, 1954) was last at zero.
class AgainstPast {
 public:
  /// \param margin  limit = ratio * (rate before + 2 standard errors) + absolute
  AgainstPast(const History& history, const Margin& margin, const Stakes& stakes);

  void add(const Bucket& bucket) noexcept;
  /// Natural log of the evidence that the canary's rate is above the limit.
  [[nodiscard]] double log_evidence() const noexcept { return usable_ ? bets_.log_wealth() : 0; }
  [[nodiscard]] Blame blame() const noexcept;
  /// The canary fails no more often than it may, by now.
  [[nodiscard]] bool calm() const noexcept { return cusum_ <= 0; }
  /// Gives up what evidence there is, as after an incident that was nobody's fault. Money may always be thrown away:
  /// what is left is still a supermartingale. Only where there is evidence to give up.
  void forget() noexcept;
  /// The rate up to which the canary is as it may be.
  [[nodiscard]] double limit() const noexcept { return limit_; }
  /// The old version's rate before the rollout.
  [[nodiscard]] double rate_before() const noexcept { return before_; }
  /// False where the limit is so high that hardly anything would be above it: the test then finds nothing.
  [[nodiscard]] bool usable() const noexcept { return usable_; }

 private:
  static constexpr std::size_t count = 12;

  double before_;
  double limit_;
  double dispersion_;
  bool usable_ = false;
  std::array<double, count> per_error_{};    // ln lambda
  std::array<double, count> per_success_{};  // ln((1 - lambda p0) / (1 - p0))
  Stakes stakes_;
  Bets<count> bets_;
  double cusum_error_ = 0;
  double cusum_success_ = 0;
  double cusum_ = 0;
  Bucket since_;  // the CUSUM was at zero
};

}  // namespace serin::judge
