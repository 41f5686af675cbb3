#include "serin/judge/mann_whitney.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "serin/judge/special.hpp"

namespace serin::judge {
namespace {

constexpr double tolerance = 1e-4;
constexpr int most_steps = 200;

/// z of the rank sum of x - mu among both samples, against its mean when there is no shift.
class Statistic {
 public:
  Statistic(std::span<const double> x, std::span<const double> y) : x_(x), y_(y) {}

  [[nodiscard]] double z(double mu) const {
    struct Value {
      double at;
      bool of_x;
    };
    std::vector<Value> all;
    all.reserve(x_.size() + y_.size());
    for (const double value : x_) all.push_back({value - mu, true});
    for (const double value : y_) all.push_back({value, false});
    std::ranges::sort(all, {}, &Value::at);
    double rank_sum = 0;
    double ties = 0;
    for (std::size_t from = 0; from < all.size();) {
      std::size_t to = from;
      double of_x = 0;
      while (to < all.size() && all[to].at == all[from].at) of_x += all[to++].of_x ? 1 : 0;
      const auto tied = static_cast<double>(to - from);
      rank_sum += of_x * (static_cast<double>(from + 1) + static_cast<double>(to)) / 2;  // the mean of their ranks
      ties += tied * tied * tied - tied;
      from = to;
    }
    const auto n = static_cast<double>(x_.size());
    const auto m = static_cast<double>(y_.size());
    const double difference = rank_sum - n * (n + 1) / 2 - n * m / 2;
    const double correction = difference > 0 ? 0.5 : difference < 0 ? -0.5 : 0;
    const double variance = n * m / 12 * (n + m + 1 - ties / ((n + m) * (n + m - 1)));
    return variance > 0 ? (difference - correction) / std::sqrt(variance) : 0;
  }

 private:
  std::span<const double> x_;
  std::span<const double> y_;
};

/// Where z, which never grows with mu, goes through `wanted`; an end where it does not.
double crossing(const Statistic& statistic, double wanted, double low, double high) {
  double at_low = statistic.z(low) - wanted;
  double at_high = statistic.z(high) - wanted;
  if (at_low <= 0) return low;
  if (at_high >= 0) return high;
  for (int step = 0; step < most_steps && (high - low) / 2 > tolerance; ++step) {
    const double middle = low + (high - low) / 2;
    const double at = statistic.z(middle) - wanted;
    if (at == 0) return middle;
    (at > 0 ? low : high) = middle;
    (at > 0 ? at_low : at_high) = at;
  }
  return std::abs(at_low) < std::abs(at_high) ? low : high;
}

}  // namespace

Result<Shift> mann_whitney_shift(std::span<const double> x, std::span<const double> y, double confidence) {
  if (x.empty() || y.empty()) return fail(Errc::invalid_argument, "a sample without values cannot be compared");
  const auto [x_least, x_most] = std::ranges::minmax(x);
  const auto [y_least, y_most] = std::ranges::minmax(y);
  if (x_least == x_most && y_least == y_most && x_least == y_least)
    return fail(Errc::invalid_argument, "all values are the same, so ranks say nothing");
  const Statistic statistic(x, y);
  const double low = x_least - y_most;
  const double high = x_most - y_least;
  const double z = normal_quantile(0.5 + confidence / 2);
  return Shift{.low = crossing(statistic, z, low, high),
               .high = crossing(statistic, -z, low, high),
               .estimate = crossing(statistic, 0, low, high)};
}

}  // namespace serin::judge
