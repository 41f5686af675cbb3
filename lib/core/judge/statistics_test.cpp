// Goal: each formula is the one of its source. Method: values that are published or have a closed form, and the same
// quantity computed another way; what is promised for all times, by seeded simulation at the null's edge.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "serin/judge/against_past.hpp"
#include "serin/judge/clients.hpp"
#include "serin/judge/dispersion.hpp"
#include "serin/judge/latency.hpp"
#include "serin/judge/likelihood.hpp"
#include "serin/judge/share_check.hpp"
#include "serin/judge/special.hpp"
#include "serin/sim/world.hpp"

namespace serin::judge {
namespace {

std::int64_t failures(Random& random, std::int64_t requests, double rate) {
  std::int64_t failed = 0;
  for (std::int64_t i = 0; i < requests; ++i) failed += random.unit() < rate ? 1 : 0;
  return failed;
}

TEST(Special, functions_have_their_known_values) {
  EXPECT_NEAR(log_gamma(0.5), std::log(std::sqrt(std::numbers::pi)), 1e-12);
  EXPECT_NEAR(log_factorial(10), std::log(3628800.0), 1e-11);
  EXPECT_NEAR(log_factorial(0), 0, 1e-12);
  EXPECT_NEAR(log_factorial(1e6) / 12815518.384658169, 1, 1e-12);
  EXPECT_NEAR(normal_cdf(1.959963984540054), 0.975, 1e-12);
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-10);
  EXPECT_NEAR(normal_quantile(0.99), 2.3263478740408408, 1e-10);
  EXPECT_NEAR(normal_quantile(0.001), -3.090232306167813, 1e-10);
  EXPECT_NEAR(normal_quantile(0.5), 0, 1e-12);
}

TEST(Special, wilsons_interval_is_the_published_one) {
  // 10 of 100 at 95 %: 0.0552 to 0.1744, as every table has it.
  const Proportion ten = wilson(10, 100, 0.95);
  EXPECT_NEAR(ten.low, 0.05522854, 1e-6);
  EXPECT_NEAR(ten.high, 0.17436566, 1e-6);
  EXPECT_EQ(wilson(0, 100, 0.95).low, 0);
  EXPECT_NEAR(wilson(0, 100, 0.95).high, 3.841459 / (100 + 3.841459), 1e-6) << "its closed form for none";
}

TEST(Bets, are_worth_the_sum_over_all_their_starts) {
  // The same by brute force: half on the first bucket, half in three equal parts at buckets 0, 2 and 4.
  const std::array<double, 2> up{0.3, -0.2};
  const std::array<double, 2> down{-0.5, 0.1};
  Bets<2> bets({.starts = 3, .every = 2});
  std::array<std::array<double, 2>, 5> gains{up, down, up, up, down};
  for (const auto& gain : gains) bets.add(gain);
  const auto from = [&](std::size_t start) {
    double sum = 0;
    for (std::size_t k = 0; k < 2; ++k) {
      double log = 0;
      for (std::size_t i = start; i < gains.size(); ++i) log += gains[i][k];
      sum += std::exp(log) / 2;
    }
    return sum;
  };
  EXPECT_NEAR(bets.log_wealth(), std::log(0.5 * from(0) + 0.5 * (from(0) + from(2) + from(4)) / 3), 1e-12);
  EXPECT_NEAR(Bets<3>({.starts = 30, .every = 30}).log_wealth(), 0, 1e-12) << "it starts with 1";
}

TEST(Combined, evidence_is_the_weighted_average) {
  EXPECT_NEAR(combined(std::array{Weighted{0.75, std::log(2.0)}, Weighted{0.25, std::log(10.0)}}), std::log(4.0),
              1e-12);
  EXPECT_NEAR(combined(std::array{Weighted{0.5, 2000.0}, Weighted{0.5, -2000.0}}), 2000 - std::log(2.0), 1e-9);
}

TEST(Mixture, equals_the_binomial_likelihood_ratio_given_the_sum_of_errors) {
  // Without an absolute margin the increment is that of Bin(e, theta), theta = s r / (1 - s + s r): Lindon, Malek.
  Mixture mixture({.null_ratio = 1.25});
  mixture.add({.canary_requests = 30, .canary_errors = 4, .baseline_requests = 270, .baseline_errors = 6});
  const double s = 0.1;
  const double null = s * 1.25 / (1 - s + s * 1.25);
  double sum = 0;
  for (int k = 0; k < 14; ++k) {
    const double r = 1.25 * 1.3 * std::pow(40 / 1.3, k / 13.0);
    const double theta = s * r / (1 - s + s * r);
    sum += std::pow(theta / null, 4) * std::pow((1 - theta) / (1 - null), 6) / 14;
  }
  EXPECT_NEAR(mixture.log_evidence(), std::log(sum), 1e-12);
}

TEST(HistoryLearner, finds_chi_squared_over_its_degrees_of_freedom) {
  HistoryLearner learner(10);  // each bucket is a group
  const std::array<std::int64_t, 4> errors{0, 12, 0, 0};
  double chi = 0;
  for (const std::int64_t e : errors) {
    learner.add(1000, e);
    chi += std::pow(static_cast<double>(e) - 3, 2) / (1000 * 0.003 * 0.997);
  }
  EXPECT_NEAR(learner.history().dispersion, 1 + (chi / 3 - 1) * (1 + 2 * std::sqrt(2.0 / 3)), 1e-9);
  EXPECT_EQ(learner.history().requests, 4000);
  EXPECT_EQ(learner.history().errors, 12);
}

TEST(HistoryLearner, takes_neither_nothing_nor_an_incident_for_clumping) {
  HistoryLearner none;
  EXPECT_EQ(none.history(), (History{}));
  sim::SeededRandom random(3);
  HistoryLearner incident;
  for (int second = 0; second < 3600; ++second)
    incident.add(100, failures(random, 100, second >= 1500 && second < 1800 ? 0.1 : 0.005));
  EXPECT_LT(incident.history().dispersion, 1.6) << "each error came by itself, also in the incident";
  HistoryLearner clumped;
  for (int second = 0; second < 3600; ++second) clumped.add(100, random.unit() < 0.1 ? failures(random, 12, 0.5) : 0);
  EXPECT_GT(clumped.history().dispersion, 5);
}

TEST(AgainstPast, is_the_binomial_likelihood_ratio_against_its_limit) {
  const History history{.requests = 100'000, .errors = 200};
  AgainstPast past(history, {2, 0.001}, {});
  const double limit = 2 * (0.002 + 2 * std::sqrt(200.0) / 100'000) + 0.001;
  EXPECT_NEAR(past.limit(), limit, 1e-12);
  past.add({.canary_requests = 100, .canary_errors = 5});
  double sum = 0;
  for (int k = 0; k < 12; ++k) {
    const double p = limit * 1.3 * std::pow(40 / 1.3, k / 11.0);
    sum += std::pow(p / limit, 5) * std::pow((1 - p) / (1 - limit), 95) / 12;
  }
  EXPECT_NEAR(past.log_evidence(), std::log(sum), 1e-9);
  EXPECT_FALSE(AgainstPast({.requests = 10, .errors = 9}, {2, 0.001}, {}).usable()) << "nothing can be above 1.8";
}

TEST(AgainstPast, seldom_accuses_what_is_at_its_limit_however_often_it_is_asked) {
  int accused = 0;
  for (std::uint64_t run = 1; run <= 300; ++run) {
    sim::SeededRandom random(run);
    AgainstPast past({.requests = 100'000, .errors = 1000}, {2, 0.001}, {.starts = 30, .every = 6});
    for (int bucket = 0; bucket < 180; ++bucket) {
      past.add({.canary_requests = 200, .canary_errors = failures(random, 200, past.limit())});
      if (past.log_evidence() >= std::log(1 / 0.05)) {
        ++accused;
        break;
      }
    }
  }
  EXPECT_LE(accused, 28) << "15 expected at most, 28 is 3.4 standard errors more";
}

TEST(AgainstPast, puts_it_down_to_whom_it_belongs) {
  const History history{.requests = 100'000, .errors = 200};
  const auto blame = [&](double canary, double baseline, std::int64_t baseline_requests) {
    sim::SeededRandom random(5);
    AgainstPast past(history, {2, 0.001}, {});
    for (int bucket = 0; bucket < 60; ++bucket)
      past.add({.canary_requests = 400,
                .canary_errors = failures(random, 400, canary),
                .baseline_requests = baseline_requests,
                .baseline_errors = failures(random, baseline_requests, baseline)});
    return past.blame();
  };
  EXPECT_EQ(blame(0.02, 0.002, 100), Blame::canary);
  EXPECT_EQ(blame(0.02, 0.02, 100), Blame::both);
  EXPECT_EQ(blame(0.02, 0.002, 0), Blame::unclear);
  EXPECT_EQ(blame(0.002, 0.002, 100), Blame::unclear) << "nothing to put down";
}

TEST(ShareCheck, equals_polyas_urn_over_the_null) {
  // Independent: the Beta mixture predicts each request from those before it.
  const ShareCheck check(0.05, 0);
  double canary = 5;
  double other = 95;
  double log = 0;
  std::int64_t seen = 0;
  for (int i = 0; i < 200; ++i) {
    const bool to_canary = i % 8 == 0;
    log += to_canary ? std::log(canary / (canary + other) / 0.05) : std::log(other / (canary + other) / 0.95);
    (to_canary ? canary : other) += 1;
    seen += to_canary ? 1 : 0;
  }
  EXPECT_NEAR(check.log_evidence(seen, 200), log, 1e-9);
  EXPECT_NEAR(check.log_evidence(0, 0), 0, 1e-12);
}

TEST(ShareCheck, allows_what_is_as_asked_and_finds_what_is_not) {
  int accused = 0;
  for (std::uint64_t run = 1; run <= 200; ++run) {
    sim::SeededRandom random(run);
    ShareCheck check(0.05, 0);
    for (int second = 0; second < 200; ++second) {
      check.add(failures(random, 50, 0.05), 50);
      if (check.log_evidence() >= std::log(1 / 0.05)) {
        ++accused;
        break;
      }
    }
  }
  EXPECT_LE(accused, 20) << "10 expected at most";
  ShareCheck coarse(0.05, 0.003);
  coarse.add(53, 1000);
  EXPECT_LT(coarse.log_evidence(), 0) << "within what a router's weights can do";
  ShareCheck ignored(0.05, 0.003);
  ignored.add(500, 1000);
  EXPECT_GT(ignored.log_evidence(), 100) << "weights that the router ignores";
}

TEST(Band, has_the_published_width) {
  for (const auto& [n, width] : {std::pair{100.0, 0.269}, {1e3, 0.0866}, {1e4, 0.0277}, {1e5, 0.0088}, {1e6, 0.0028}})
    EXPECT_NEAR(time_uniform_band(n, 0.05), width, width * 0.01) << n;
  EXPECT_EQ(time_uniform_band(0, 0.05), 1);
}

std::vector<double> fine_edges() {
  std::vector<double> edges;
  for (double edge = 1; edge < 30'000; edge *= 1.1) edges.push_back(edge);
  return edges;
}

/// Counts of `n` lognormal times with a median of 50 ms; a share of them stalls ten times as long.
LatencyCounts times(Random& random, int n, double slower, double stalled, double longer_ms = 0) {
  const std::vector<double> edges = fine_edges();
  LatencyCounts counts(edges.size() + 1);
  for (int i = 0; i < n; ++i) {
    const double u = std::max(random.unit(), 1e-12);
    double ms = 50 * slower * std::exp(0.5 * normal_quantile(u));
    if (random.unit() < stalled) ms *= 10;
    ms += longer_ms;
    ++counts[static_cast<std::size_t>(std::ranges::lower_bound(edges, ms) - edges.begin())];
  }
  return counts;
}

struct Slowness {
  std::optional<int> tails;  // second in which it was found
  std::optional<int> body;
};
Slowness watch(std::uint64_t seed, double slower, double stalled, double longer_ms = 0) {
  sim::SeededRandom random(seed);
  LatencyJudge judge = LatencyJudge::make({.edges_ms = fine_edges()}, {}).value();
  for (int second = 0; second < 60; ++second) judge.learn(times(random, 100, 1, 0));
  Slowness found;
  for (int second = 1; second <= 300; ++second) {
    judge.add(times(random, 50, slower, stalled, longer_ms), times(random, 50, 1, 0));
    if (!found.tails && judge.log_evidence() >= std::log(1 / 0.005)) found.tails = second;
    if (!found.body && judge.beyond_bands(0.005).value_or(0) > 0) found.body = second;
  }
  return found;
}

TEST(Latency, body_and_tails_are_each_found_by_their_own_test) {
  const Slowness slower = watch(1, 1.5, 0);
  EXPECT_TRUE(slower.body && *slower.body < 60) << slower.body.value_or(-1);
  EXPECT_TRUE(slower.tails) << "the tails move too";
  const Slowness stalled = watch(2, 1, 0.05);
  EXPECT_TRUE(stalled.tails && *stalled.tails < 120) << stalled.tails.value_or(-1);
  EXPECT_FALSE(stalled.body) << "five of a hundred do not move the body beyond both bands";
  for (std::uint64_t seed = 10; seed < 30; ++seed) {
    const Slowness same = watch(seed, 1, 0);
    EXPECT_FALSE(same.tails || same.body) << seed;
    const Slowness harmless = watch(seed, 1, 0, 5);
    EXPECT_FALSE(harmless.tails || harmless.body) << seed << ": 5 ms more are tolerable";
  }
}

TEST(Latency, a_baseline_that_is_fast_because_it_is_idle_accuses_nobody) {
  sim::SeededRandom random(3);
  LatencyLearner learner(fine_edges().size() + 1);
  for (int second = 0; second < 60; ++second) learner.add(times(random, 100, 1, 0.01));
  const auto end_of = [&](std::optional<LatencyPast> past) {
    LatencyJudge judge = LatencyJudge::make({.edges_ms = fine_edges(), .past = std::move(past)}, {}).value();
    // At 95 % the canary carries what the old version carried before, which is twice as fast without it.
    for (int second = 0; second < 300; ++second) judge.add(times(random, 95, 1, 0.01), times(random, 5, 0.5, 0));
    return std::pair(judge.log_evidence(), judge.beyond_bands(0.001).value());
  };
  const auto [tails, body] = end_of(learner.past());
  EXPECT_LT(tails, std::log(100));
  EXPECT_LT(body, 0);
  EXPECT_GT(end_of(std::nullopt).second, 0) << "without a past it would have been accused";
}

TEST(Latency, the_tails_say_what_they_counted) {
  sim::SeededRandom random(4);
  LatencyLearner learner(fine_edges().size() + 1);
  for (int second = 0; second < 60; ++second) learner.add(times(random, 100, 1, 0));
  LatencyJudge judge = LatencyJudge::make({.edges_ms = fine_edges(), .past = learner.past()}, {}).value();
  ASSERT_TRUE(judge.frozen()) << "from the first bucket on";
  for (int second = 0; second < 60; ++second) judge.add(times(random, 50, 1, 0.1), times(random, 50, 1, 0));
  const std::vector<LatencyJudge::Tail> tails = judge.tails();
  ASSERT_EQ(tails.size(), 4u);
  const LatencyJudge::Tail& slowest = tails.back();
  EXPECT_EQ(slowest.quantile, 0.99);
  EXPECT_EQ(slowest.canary_requests, 3000);
  EXPECT_GE(slowest.canary_ms, slowest.baseline_ms + 5);
  EXPECT_NEAR(static_cast<double>(slowest.canary_slower) / 3000, 0.1, 0.03);
  EXPECT_NEAR(static_cast<double>(slowest.baseline_slower) / 3000, 0.01, 0.01);
  EXPECT_GT(slowest.log_evidence, std::log(1000));
  EXPECT_NE(explain(slowest).find("its 99th percentile before"), std::string::npos) << explain(slowest);
}

TEST(Latency, without_quantiles_or_requests_nothing_is_known) {
  LatencyJudge judge = LatencyJudge::make({.edges_ms = {10, 100}}, {}).value();
  EXPECT_FALSE(judge.beyond_bands(0.01));
  judge.add({0, 0, 100}, {100, 0, 0});
  EXPECT_FALSE(judge.frozen()) << "nothing was learned";
  EXPECT_EQ(judge.log_evidence(), 0);
  judge.add({1}, {1});
  EXPECT_FALSE(LatencyJudge::make({.edges_ms = {}}, {}));
  EXPECT_FALSE(LatencyJudge::make({.edges_ms = {5, 5}}, {}));
}

TEST(Clients, that_try_again_are_one_trouble) {
  ClientCounter counter({.memory = 2});
  for (int i = 0; i < 6; ++i) counter.add(7, Arm::canary, true);
  counter.add(8, Arm::canary, false);
  counter.add(7, Arm::baseline, false);
  EXPECT_EQ(counter.close(), (Bucket{2, 1, 1, 0}));
  counter.add(7, Arm::canary, true);
  counter.add(8, Arm::canary, false);
  EXPECT_EQ(counter.close(), (Bucket{1, 0, 0, 0})) << "it failed already, so it is not asked again for a while";
  counter.add(7, Arm::canary, false);
  counter.add(7, Arm::canary, true);
  EXPECT_EQ(counter.close(), (Bucket{1, 1, 0, 0}));
  EXPECT_EQ(counter.failed_clients(), 1);
}

TEST(Clients, beyond_the_limit_are_not_counted_and_that_is_said) {
  ClientCounter counter({.most_clients = 1});
  counter.add(1, Arm::canary, false);
  EXPECT_FALSE(counter.overflowed());
  counter.add(2, Arm::canary, true);
  EXPECT_TRUE(counter.overflowed());
  EXPECT_EQ(counter.close(), (Bucket{1, 0, 0, 0}));
}

}  // namespace
}  // namespace serin::judge
