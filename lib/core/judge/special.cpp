#include "serin/judge/special.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>

namespace serin::judge {

double log_gamma(double x) noexcept {
  constexpr std::array<double, 9> terms = {0.99999999999980993,  676.5203681218851,     -1259.1392167224028,
                                           771.32342877765313,   -176.61502916214059,   12.507343278686905,
                                           -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7};
  if (x < 0.5) return std::log(std::numbers::pi / std::sin(std::numbers::pi * x)) - log_gamma(1 - x);
  const double y = x - 1;
  double sum = terms[0];
  for (std::size_t i = 1; i < terms.size(); ++i) sum += terms[i] / (y + static_cast<double>(i));
  const double t = y + 7.5;
  return 0.5 * std::log(2 * std::numbers::pi) + (y + 0.5) * std::log(t) - t + std::log(sum);
}

double log_factorial(double n) noexcept { return log_gamma(n + 1); }

double normal_cdf(double z) noexcept { return 0.5 * std::erfc(-z / std::numbers::sqrt2); }

double normal_quantile(double p) noexcept {
  constexpr std::array<double, 6> a = {-3.969683028665376e+01, 2.209460984245205e+02,  -2.759285104469687e+02,
                                       1.383577518672690e+02,  -3.066479806614716e+01, 2.506628277459239e+00};
  constexpr std::array<double, 5> b = {-5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02,
                                       6.680131188771972e+01, -1.328068155288572e+01};
  constexpr std::array<double, 6> c = {-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
                                       -2.549732539343734e+00, 4.374664141464968e+00,  2.938163982698783e+00};
  constexpr std::array<double, 4> d = {7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
                                       3.754408661907416e+00};
  if (!(p > 0)) return -std::numeric_limits<double>::infinity();
  if (!(p < 1)) return std::numeric_limits<double>::infinity();
  constexpr double tail = 0.02425;
  double x = 0;
  if (p < tail || p > 1 - tail) {
    const double q = std::sqrt(-2 * std::log(std::min(p, 1 - p)));
    x = (((((c[0] * q + c[1]) * q + c[2]) * q + c[3]) * q + c[4]) * q + c[5]) /
        ((((d[0] * q + d[1]) * q + d[2]) * q + d[3]) * q + 1);
    if (p > 0.5) x = -x;
  } else {
    const double q = p - 0.5;
    const double r = q * q;
    x = (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + a[5]) * q /
        (((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1);
  }
  const double error = normal_cdf(x) - p;
  const double step = error * std::sqrt(2 * std::numbers::pi) * std::exp(x * x / 2);
  return x - step / (1 + x * step / 2);
}

Proportion wilson(double hits, double of, double confidence) noexcept {
  if (of <= 0) return {};
  const double z = normal_quantile(0.5 + confidence / 2);
  const double p = hits / of;
  const double middle = (p + z * z / (2 * of)) / (1 + z * z / of);
  const double half = z / (1 + z * z / of) * std::sqrt(p * (1 - p) / of + z * z / (4 * of * of));
  // Exact at the ends, where rounding would leave something.
  return {.low = hits <= 0 ? 0 : std::max(0.0, middle - half), .high = hits >= of ? 1 : std::min(1.0, middle + half)};
}

}  // namespace serin::judge
