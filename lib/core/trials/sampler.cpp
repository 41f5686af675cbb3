#include "serin/trials/sampler.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "serin/judge/special.hpp"

namespace serin::trials {
namespace {

/// ln k! minus Stirling's main term, the correction that the rejection needs.
double stirling_tail(double k) {
  constexpr std::array<double, 10> exact = {
      0.0810614667953272, 0.0413406959554093, 0.0276779256849983, 0.02079067210376509, 0.0166446911898211,
      0.0138761288230707, 0.0118967099458917, 0.0104112652619720, 0.00925546218271273, 0.00833056343336287};
  if (k <= 9) return exact[static_cast<std::size_t>(k)];
  const double square = (k + 1) * (k + 1);
  return (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1);
}

}  // namespace

std::int64_t Sampler::poisson(double mean) noexcept {
  if (!(mean > 0)) return 0;
  if (mean < 10) {
    const double limit = std::exp(-mean);
    double product = unit();
    std::int64_t count = 0;
    while (product > limit) {
      product *= unit();
      ++count;
    }
    return count;
  }
  const double root = std::sqrt(mean);
  const double b = 0.931 + 2.53 * root;
  const double a = -0.059 + 0.02483 * b;
  const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
  const double v_r = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const double u = unit() - 0.5;
    const double v = unit();
    const double us = 0.5 - std::abs(u);
    const double k = std::floor((2 * a / us + b) * u + mean + 0.43);
    if (us >= 0.07 && v <= v_r) return static_cast<std::int64_t>(k);
    if (k < 0 || (us < 0.013 && v > us)) continue;
    if (std::log(v) + std::log(inverse_alpha) - std::log(a / (us * us) + b) <=
        -mean + k * std::log(mean) - judge::log_factorial(k))
      return static_cast<std::int64_t>(k);
  }
}

std::int64_t Sampler::binomial(std::int64_t n, double p) noexcept {
  if (n <= 0 || !(p > 0)) return 0;
  if (p >= 1) return n;
  if (p > 0.5) return n - binomial(n, 1 - p);
  return static_cast<double>(n) * p < 10 ? small_binomial(n, p) : large_binomial(n, p);
}

std::int64_t Sampler::small_binomial(std::int64_t n, double p) noexcept {
  const double odds = p / (1 - p);
  double probability = std::exp(static_cast<double>(n) * std::log1p(-p));
  double u = unit();
  std::int64_t k = 0;
  while (u > probability && k < n) {
    u -= probability;
    ++k;
    probability *= odds * static_cast<double>(n - k + 1) / static_cast<double>(k);
    if (probability <= 0) break;
  }
  return k;
}

std::int64_t Sampler::large_binomial(std::int64_t count, double p) noexcept {
  const auto n = static_cast<double>(count);
  const double spq = std::sqrt(n * p * (1 - p));
  const double b = 1.15 + 2.53 * spq;
  const double a = -0.0873 + 0.0248 * b + 0.01 * p;
  const double c = n * p + 0.5;
  const double v_r = 0.92 - 4.2 / b;
  const double r = p / (1 - p);
  const double alpha = (2.83 + 5.1 / b) * spq;
  const double m = std::floor((n + 1) * p);
  for (;;) {
    const double u = unit() - 0.5;
    double v = unit();
    const double us = 0.5 - std::abs(u);
    const double k = std::floor((2 * a / us + b) * u + c);
    if (us >= 0.07 && v <= v_r) return static_cast<std::int64_t>(k);
    if (k < 0 || k > n) continue;
    v = std::log(v * alpha / (a / (us * us) + b));
    const double bound = (m + 0.5) * std::log((m + 1) / (r * (n - m + 1))) +
                         (n + 1) * std::log((n - m + 1) / (n - k + 1)) +
                         (k + 0.5) * std::log(r * (n - k + 1) / (k + 1)) + stirling_tail(m) + stirling_tail(n - m) -
                         stirling_tail(k) - stirling_tail(n - k);
    if (v <= bound) return static_cast<std::int64_t>(k);
  }
}

std::int64_t Sampler::geometric(double mean) noexcept {
  if (!(mean > 1)) return 1;
  return 1 + static_cast<std::int64_t>(std::floor(std::log1p(-unit()) / std::log1p(-1 / mean)));
}

}  // namespace serin::trials
