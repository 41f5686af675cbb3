#pragma once

namespace serin::judge {

/// ln Gamma(x) for x > 0, to about 1e-13 of its size; unlike the C library's it writes no global. Pure.
/// Source: Lanczos approximation with g = 7 and 9 terms.
[[nodiscard]] double log_gamma(double x) noexcept;
/// ln(n!) for n >= 0. Pure.
[[nodiscard]] double log_factorial(double n) noexcept;
/// Distribution function of the standard normal. Pure.
[[nodiscard]] double normal_cdf(double z) noexcept;
/// Its inverse for 0 < p < 1, to about 1e-12. Pure. Source: Acklam's rational approximation and one Halley step.
[[nodiscard]] double normal_quantile(double p) noexcept;

/// Wilson's interval for a proportion of `hits` in `of`. Pure. Source: Wilson, 1927.
struct Proportion {
  double low = 0;
  double high = 1;
};
[[nodiscard]] Proportion wilson(double hits, double of, double confidence) noexcept;

}  // namespace serin::judge
