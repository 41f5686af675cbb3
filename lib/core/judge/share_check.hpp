#pragma once
#include <cstdint>

namespace serin::judge {

/// Does the router give the canary the share that it was told to? Evidence against "each request goes to the canary
/// with a probability between two limits", looked at as often as one likes. Threads: one; pure.
///
/// Source: Lindon, Malek, "Anytime-valid inference for multinomial count data", NeurIPS 2022, for two arms: a Beta
/// mixture over the null's binomial likelihood, with the prior's weight k = 100 around the share that was asked for.
/// Against a range of shares the least evidence within it counts, which is at the range's point nearest to what was
/// seen. Requests have to be given to the arms one by one; where clients stick to an arm, count clients.
class ShareCheck {
 public:
  /// \param share  0 < share < 1  \param tolerance  how coarse the router's weights are, >= 0
  ShareCheck(double share, double tolerance);
  void add(std::int64_t canary, std::int64_t all) noexcept;
  /// Natural log of the evidence; ever above ln(1/alpha) with probability at most alpha when the share is as asked.
  [[nodiscard]] double log_evidence() const noexcept;
  /// The same for counts that are given whole.
  [[nodiscard]] double log_evidence(std::int64_t canary, std::int64_t all) const noexcept;

 private:
  double low_;
  double high_;
  double prior_canary_;
  double prior_other_;
  std::int64_t canary_ = 0;
  std::int64_t all_ = 0;
};

}  // namespace serin::judge
