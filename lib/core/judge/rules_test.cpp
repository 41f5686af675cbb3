// Goal: the field's rules are theirs: Kayenta's ranks and scores, Flagger's and Argo's counting, the replaced script's
// threshold. Method: published examples, recomputation by brute force, and their known weaknesses.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "serin/judge/kayenta.hpp"
#include "serin/judge/mann_whitney.hpp"
#include "serin/judge/special.hpp"
#include "serin/judge/thresholds.hpp"
#include "serin/sim/world.hpp"

namespace serin::judge {
namespace {

// Hollander and Wolfe's permeability data, the example of R's wilcox.test: its estimate is 0.305.
const std::vector<double> at_term = {0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46};
const std::vector<double> earlier = {1.15, 0.88, 0.90, 0.74, 1.21};

TEST(MannWhitney, estimates_the_median_of_all_differences) {
  std::vector<double> differences;
  for (const double x : at_term)
    for (const double y : earlier) differences.push_back(x - y);
  std::ranges::sort(differences);
  const Shift shift = mann_whitney_shift(at_term, earlier, 0.95).value();
  EXPECT_GE(shift.estimate, differences[24] - 2e-4) << "between the two in the middle: 0.30 and 0.31";
  EXPECT_LE(shift.estimate, differences[25] + 2e-4);
  EXPECT_NEAR(shift.estimate, 0.305, 0.006);
  EXPECT_LT(shift.low, -0.1) << "the exact interval is -0.15 to 0.76";
  EXPECT_NEAR(shift.high, 0.76, 0.06);
}

TEST(MannWhitney, interval_is_where_the_test_stops_rejecting) {
  // By brute force: without ties the variance is n m (n + m + 1) / 12, and z counts pairs.
  sim::SeededRandom random(11);
  std::vector<double> x(20);
  std::vector<double> y(25);
  for (double& value : x) value = 3 + random.unit();
  for (double& value : y) value = 2.5 + random.unit();
  const Shift shift = mann_whitney_shift(x, y, 0.98).value();
  const auto z = [&](double mu) {
    double pairs = 0;
    for (const double a : x)
      for (const double b : y) pairs += a - mu > b ? 1 : 0;
    const double difference = pairs - 250;
    return (difference - (difference > 0 ? 0.5 : -0.5)) / std::sqrt(20 * 25 * 46 / 12.0);
  };
  EXPECT_GE(z(shift.low - 3e-4), normal_quantile(0.99));
  EXPECT_LE(z(shift.low + 3e-4), normal_quantile(0.99));
  EXPECT_GE(z(shift.high - 3e-4), -normal_quantile(0.99));
  EXPECT_LE(z(shift.high + 3e-4), -normal_quantile(0.99));
}

TEST(MannWhitney, needs_something_to_rank) {
  const std::vector<double> same(3, 1.0);
  EXPECT_FALSE(mann_whitney_shift({}, same, 0.98));
  EXPECT_FALSE(mann_whitney_shift(same, same, 0.98));
}

KayentaMetric metric(double experiment, double control, double scale = 1) {
  KayentaMetric out{.name = "errors", .groups = {"all"}, .experiment = {}, .control = {}};
  sim::SeededRandom random(5);
  for (int i = 0; i < 60; ++i) {
    out.experiment.push_back(scale * (experiment + random.unit()));
    out.control.push_back(scale * (control + random.unit()));
  }
  return out;
}

TEST(Kayenta, classifies_by_the_interval_of_the_shift) {
  EXPECT_EQ(kayenta_classify(metric(20, 10)).classification, KayentaClass::high);
  EXPECT_EQ(kayenta_classify(metric(10, 10)).classification, KayentaClass::pass);
  EXPECT_EQ(kayenta_classify(metric(5, 10)).classification, KayentaClass::pass) << "less is not bad here";
  KayentaMetric both = metric(5, 10);
  both.direction = KayentaDirection::either;
  EXPECT_EQ(kayenta_classify(both).classification, KayentaClass::low);
  KayentaMetric allowed = metric(12, 10);
  EXPECT_EQ(kayenta_classify(allowed).classification, KayentaClass::high);
  allowed.allowed_increase = 1.5;
  EXPECT_EQ(kayenta_classify(allowed).classification, KayentaClass::pass);
}

TEST(Kayenta, depends_on_the_unit_as_the_original_does) {
  EXPECT_EQ(kayenta_classify(metric(10.6, 10)).classification, KayentaClass::high);
  EXPECT_EQ(kayenta_classify(metric(10.6, 10, 1e-6)).classification, KayentaClass::pass)
      << "roots are sought to 1e-4, which is more than these values";
}

TEST(Kayenta, treats_what_is_missing_as_it_is_told) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  KayentaMetric none{.name = "x", .groups = {}, .experiment = {nan, nan}, .control = {1, 2}};
  EXPECT_EQ(kayenta_classify(none).classification, KayentaClass::nodata);
  none.must_have_data = true;
  EXPECT_EQ(kayenta_classify(none).classification, KayentaClass::nodata_fail);
  KayentaMetric outlier{
      .name = "x", .groups = {}, .outliers = KayentaOutliers::remove, .experiment = {}, .control = {}};
  for (int i = 0; i < 200; ++i) {
    outlier.experiment.push_back(1 + 0.01 * (i % 7));
    outlier.control.push_back(1 + 0.01 * ((i + 3) % 7));
  }
  outlier.experiment[0] = 1e9;
  EXPECT_EQ(kayenta_classify(outlier).classification, KayentaClass::pass);
  EXPECT_EQ(kayenta_classify({.name = "x", .groups = {}, .experiment = {2, 2, 2}, .control = {2, 2}}).classification,
            KayentaClass::pass);
  KayentaMetric constant{.name = "x", .groups = {}, .experiment = {}, .control = {}};
  constant.experiment.assign(30, 9.0);
  constant.control.assign(30, 3.0);
  EXPECT_EQ(kayenta_classify(constant).classification, KayentaClass::high);
}

TEST(Kayenta, scores_groups_by_their_weights) {
  KayentaMetric bad = metric(20, 10);
  KayentaMetric good = metric(10, 10);
  good.groups = {"latency"};
  EXPECT_DOUBLE_EQ(kayenta_judge({bad, good}, {}).score, 50) << "two groups without weights share equally";
  EXPECT_DOUBLE_EQ(kayenta_judge({bad, good}, {{"latency", 90}}).score, 90);
  bad.critical = KayentaCritical::yes;
  EXPECT_DOUBLE_EQ(kayenta_judge({bad, good}, {{"latency", 90}}).score, 0);
  const KayentaMetric none{.name = "none", .groups = {"latency"}, .experiment = {}, .control = {}};
  EXPECT_DOUBLE_EQ(kayenta_judge({good, none}, {}).score, 0) << "half of them say nothing";
  EXPECT_DOUBLE_EQ(kayenta_judge({good, good, none}, {}).score, 100);
  EXPECT_EQ(kayenta_verdict(95, 95, 75), KayentaVerdict::pass);
  EXPECT_EQ(kayenta_verdict(80, 95, 75), KayentaVerdict::marginal);
  EXPECT_EQ(kayenta_verdict(50, 95, 75), KayentaVerdict::fail);
}

TEST(Flagger, counts_every_miss_and_never_forgets_one) {
  FlaggerRule rule({.max_p99_ms = 500, .threshold = 3});
  EXPECT_FALSE(rule.check(98.0, 100.0));
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(rule.check(100.0, 100.0));
  EXPECT_FALSE(rule.check(100.0, 501.0)) << "too slow";
  EXPECT_TRUE(rule.check(std::nullopt, std::nullopt)) << "no value is a miss";
  EXPECT_EQ(rule.failed_checks(), 3);
}

TEST(Argo, goes_through_its_phases) {
  const ArgoCondition good{.is = ArgoCondition::Is::at_least, .bound = 0.99};
  const ArgoCondition bad{.is = ArgoCondition::Is::below, .bound = 0.9};
  ArgoMetric both({.success = good, .failure = bad, .failure_limit = 1});
  EXPECT_EQ(both.phase(), ArgoPhase::pending);
  EXPECT_EQ(both.measure(0.999), ArgoPhase::successful);
  EXPECT_EQ(both.measure(0.8), ArgoPhase::failed);
  EXPECT_EQ(both.phase(), ArgoPhase::running) << "one is within the limit";
  EXPECT_EQ(both.stopped(), ArgoPhase::successful);
  EXPECT_EQ(both.measure(0.95), ArgoPhase::inconclusive) << "neither condition holds";
  EXPECT_EQ(both.phase(), ArgoPhase::inconclusive);
  EXPECT_EQ(both.measure(0.8), ArgoPhase::failed);
  EXPECT_EQ(both.phase(), ArgoPhase::failed);

  ArgoMetric errors({.success = good});
  for (int i = 0; i < 4; ++i) EXPECT_EQ(errors.measure(std::nullopt), ArgoPhase::error);
  EXPECT_EQ(errors.phase(), ArgoPhase::running);
  EXPECT_EQ(errors.measure(std::nullopt), ArgoPhase::error);
  EXPECT_EQ(errors.phase(), ArgoPhase::error);
  ArgoMetric none({.count = 2});
  EXPECT_EQ(none.measure(5), ArgoPhase::successful) << "without a condition everything is";
  EXPECT_EQ(none.measure(5), ArgoPhase::successful);
  EXPECT_EQ(none.phase(), ArgoPhase::successful);
  ArgoMetric only_failure({.failure = bad, .consecutive_successes = 2});
  EXPECT_EQ(only_failure.measure(0.95), ArgoPhase::successful);
  EXPECT_EQ(only_failure.measure(0.95), ArgoPhase::successful);
  EXPECT_EQ(only_failure.phase(), ArgoPhase::successful);
  EXPECT_EQ(worst_phase(std::array{ArgoPhase::running, ArgoPhase::error, ArgoPhase::inconclusive}), ArgoPhase::error);
  EXPECT_EQ(worst_phase({}), ArgoPhase::successful);
}

TEST(Script, takes_a_query_that_failed_for_no_errors) {
  const ScriptRule rule;
  EXPECT_FALSE(rule.fails(5));
  EXPECT_TRUE(rule.fails(6));
  EXPECT_FALSE(rule.fails(std::nullopt)) << "that is what it did";
}

}  // namespace
}  // namespace serin::judge
