#include "serin/judge/kayenta.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "serin/judge/mann_whitney.hpp"

namespace serin::judge {
namespace {

// Written into that judge's code; its configuration names them, and is not read.
constexpr double tolerance = 0.25;
constexpr double confidence = 0.98;

/// Hyndman and Fan's type 7, as most programs have it. `sorted` is not empty.
double percentile(const std::vector<double>& sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

std::vector<double> cleaned(const KayentaMetric& metric, std::vector<double> values) {
  if (metric.nan == KayentaNan::remove)
    std::erase_if(values, [](double value) { return std::isnan(value); });
  else
    std::ranges::replace_if(
        values, [](double value) { return std::isnan(value); }, 0.0);
  if (metric.outliers == KayentaOutliers::keep || values.empty()) return values;
  std::vector<double> sorted = values;
  std::ranges::sort(sorted);
  const double q1 = percentile(sorted, 0.25);
  const double q3 = percentile(sorted, 0.75);
  const double fence = metric.outlier_factor * (q3 - q1);
  // With reduced sensitivity: never within the middle 98 %.
  const double low = std::min(q1 - fence, percentile(sorted, 0.01));
  const double high = std::max(q3 + fence, percentile(sorted, 0.99));
  std::erase_if(values, [&](double value) { return value < low || value > high; });
  return values;
}

bool same_values(std::vector<double> a, std::vector<double> b) {
  std::ranges::sort(a);
  std::ranges::sort(b);
  return a == b;
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

bool constant(const std::vector<double>& values) {
  const auto [least, most] = std::ranges::minmax(values);
  return least == most;
}

/// Two constants have no ranks to speak of: the original adds noise of 1e-5 of the value; here it is a fixed ripple of
/// that size, so that the same data get the same answer.
void ripple(std::vector<double>& values, double phase) {
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] += 1e-5 * values[i] * std::sin(phase + 2.4 * static_cast<double>(i));
}

KayentaClass compare(const KayentaMetric& metric, const std::vector<double>& experiment,
                     const std::vector<double>& control) {
  const Result<Shift> shift = mann_whitney_shift(experiment, control, confidence);
  if (!shift) return KayentaClass::pass;
  const double bound = tolerance * std::abs(shift->estimate);
  const double before = mean(control);
  const double after = mean(experiment);
  // A ratio with a zero in it is no number there, and then the gate does not close.
  const bool gated = before != 0 && after != 0;
  const double effect = gated ? after / before : 1;
  const bool up = metric.direction != KayentaDirection::decrease;
  const bool down = metric.direction != KayentaDirection::increase;
  if (up && shift->low > bound && (!gated || effect >= metric.allowed_increase)) return KayentaClass::high;
  if (down && shift->high < -bound && (!gated || effect <= metric.allowed_decrease)) return KayentaClass::low;
  return KayentaClass::pass;
}

double group_score(const std::vector<KayentaClass>& classes) {
  double passed = 0;
  double counted = 0;
  for (const KayentaClass one : classes) {
    if (one == KayentaClass::nodata) continue;
    counted += 1;
    passed += one == KayentaClass::pass ? 1 : 0;
  }
  return counted > 0 ? 100 * passed / counted : -1;  // below 0: a group of which nothing is known
}

}  // namespace

std::string_view kayenta_class_name(KayentaClass classification) noexcept {
  switch (classification) {
    case KayentaClass::pass: return "Pass";
    case KayentaClass::high: return "High";
    case KayentaClass::low: return "Low";
    case KayentaClass::nodata: return "Nodata";
    case KayentaClass::nodata_fail: return "NodataFailMetric";
  }
  return "Nodata";
}

KayentaResult kayenta_classify(const KayentaMetric& metric) {
  std::vector<double> experiment = cleaned(metric, metric.experiment);
  std::vector<double> control = cleaned(metric, metric.control);
  if (experiment.empty() || control.empty()) {
    if (metric.nan == KayentaNan::replace) return {metric.name, KayentaClass::pass, "no data counts as 0"};
    return {metric.name, metric.must_have_data ? KayentaClass::nodata_fail : KayentaClass::nodata,
            "no data on at least one side"};
  }
  if (same_values(experiment, control)) return {metric.name, KayentaClass::pass, "the same values"};
  if (constant(experiment) && constant(control)) {
    if (experiment.front() == control.front()) return {metric.name, KayentaClass::pass, "one value only"};
    ripple(experiment, 0);
    ripple(control, 1);
  }
  const KayentaClass found = compare(metric, experiment, control);
  return {metric.name, found,
          fmt::format("mean {:.4g} beside {:.4g}: {}", mean(experiment), mean(control), kayenta_class_name(found))};
}

KayentaScore kayenta_judge(const std::vector<KayentaMetric>& metrics,
                           const std::map<std::string, double>& group_weights) {
  KayentaScore out;
  std::map<std::string, std::vector<KayentaClass>> groups;
  bool critical = false;
  std::size_t without_data = 0;
  for (const KayentaMetric& metric : metrics) {
    out.results.push_back(kayenta_classify(metric));
    const KayentaClass found = out.results.back().classification;
    critical = critical || (metric.critical == KayentaCritical::yes && found != KayentaClass::pass);
    without_data += found == KayentaClass::nodata ? 1 : 0;
    for (const std::string& group : metric.groups) groups[group].push_back(found);
  }
  double given = 0;
  double without_weight = 0;
  for (const auto& [name, weight] : group_weights) given += weight;
  for (const auto& [name, classes] : groups) without_weight += group_weights.contains(name) ? 0 : 1;
  for (const auto& [name, classes] : groups) {
    const double score = group_score(classes);
    if (score < 0) continue;
    out.groups[name] = score;
    const auto weight = group_weights.find(name);
    out.score += score / 100 * (weight != group_weights.end() ? weight->second : (100 - given) / without_weight);
  }
  if (critical || metrics.empty() || 2 * without_data >= metrics.size()) out.score = 0;
  return out;
}

KayentaVerdict kayenta_verdict(double score, double pass, double marginal) noexcept {
  if (score >= pass) return KayentaVerdict::pass;
  return score >= marginal ? KayentaVerdict::marginal : KayentaVerdict::fail;
}

}  // namespace serin::judge
