// Goal: the judge keeps its promises: it seldom calls a tolerable canary worse however often it is asked, seldom calls
// a bad one healthy, and finds bad ones soon. Method: single buckets by hand, then many seeded rollouts.
#include "serin/judge/error_judge.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "serin/sim/world.hpp"

namespace serin::judge {
namespace {

ErrorJudge judge(ErrorJudgeOptions options = {}) { return ErrorJudge::make(options).value(); }

/// SeededRandom as the standard's distributions want it.
struct Engine {
  using result_type = std::uint64_t;
  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return std::numeric_limits<result_type>::max(); }
  result_type operator()() { return random.next(); }
  sim::SeededRandom random;
};

std::int64_t failures(Engine& engine, std::int64_t requests, double rate) {
  return std::binomial_distribution<std::int64_t>(requests, rate)(engine);
}

struct Traffic {
  double canary_rate = 0.002;
  double baseline_rate = 0.002;
  std::int64_t requests = 500;  // a bucket of 5 s at 100 a second
};

/// Three stages of 60 buckets of 5 s at 5, 50 and 95 %; the bucket in which the verdict fell, or nothing.
std::optional<int> first(Verdict wanted, Engine& engine, const Traffic& traffic, ErrorJudgeOptions options = {}) {
  options.planned_buckets = 180;
  options.restart_every = 6;
  ErrorJudge judged = judge(options);
  for (int bucket = 0; bucket < 180; ++bucket) {
    const double share = bucket < 60 ? 0.05 : bucket < 120 ? 0.5 : 0.95;
    const auto canary = static_cast<std::int64_t>(share * static_cast<double>(traffic.requests));
    const std::int64_t baseline = traffic.requests - canary;
    judged.add({.canary_requests = canary,
                .canary_errors = failures(engine, canary, traffic.canary_rate),
                .baseline_requests = baseline,
                .baseline_errors = failures(engine, baseline, traffic.baseline_rate)});
    if (judged.verdict() == wanted) return bucket;
  }
  return std::nullopt;
}

int count(Verdict wanted, int runs, const Traffic& traffic, ErrorJudgeOptions options = {}) {
  int found = 0;
  for (int run = 0; run < runs; ++run) {
    Engine engine{sim::SeededRandom(static_cast<std::uint64_t>(run) + 1)};
    found += first(wanted, engine, traffic, options).has_value() ? 1 : 0;
  }
  return found;
}

TEST(ErrorJudge, evidence_of_one_bucket_is_as_computed_by_hand) {
  // Half of the traffic each, 10 of 100 against 0 of 100: every alternative bets e_c ln(r/r0) - e ln g - d n (r/(r0 g)
  // - 1).
  ErrorJudgeOptions options{.planned_buckets = 1, .restart_every = 1};
  ErrorJudge judged = judge(options);
  judged.add({.canary_requests = 100, .canary_errors = 10, .baseline_requests = 100});
  double sum = 0;
  for (int k = 0; k < 14; ++k) {
    const double ratio = 1.25 * 1.3 * std::pow(40 / 1.3, k / 13.0);
    const double g = (0.5 + 0.5 * ratio) / (0.5 + 0.5 * 1.25);
    sum += std::exp(10 * std::log(ratio / 1.25) - 10 * std::log(g) - 0.0005 * 100 * (ratio / (1.25 * g) - 1)) / 14;
  }
  EXPECT_NEAR(judged.evidence().worse, std::log(sum), 1e-9);
}

TEST(ErrorJudge, without_traffic_nothing_is_known) {
  ErrorJudge judged = judge();
  for (int i = 0; i < 1000; ++i) judged.add({});
  EXPECT_EQ(judged.verdict(), Verdict::undecided) << "no data is not health";
  EXPECT_NEAR(judged.evidence().worse, 0, 1e-9);
  EXPECT_NEAR(judged.evidence().healthy, 0, 1e-9);
  EXPECT_FALSE(judged.evidence().ratio.low || judged.evidence().ratio.high);
}

TEST(ErrorJudge, one_arm_alone_proves_nothing) {
  ErrorJudge judged = judge();
  for (int i = 0; i < 100; ++i) judged.add({.canary_requests = 1000, .canary_errors = 500});
  EXPECT_EQ(judged.verdict(), Verdict::undecided) << explain(judged);
  for (int i = 0; i < 100; ++i) judged.add({.baseline_requests = 1000, .baseline_errors = 0});
  EXPECT_EQ(judged.verdict(), Verdict::undecided) << "different times cannot be compared: " << explain(judged);
}

TEST(ErrorJudge, few_errors_are_not_enough_whatever_the_odds) {
  ErrorJudge judged = judge({.min_canary_errors = 5});
  judged.add({.canary_requests = 4, .canary_errors = 4, .baseline_requests = 1'000'000});
  EXPECT_GT(judged.evidence().worse, judged.evidence().worse_needed) << "the statistics alone would say worse";
  EXPECT_EQ(judged.verdict(), Verdict::undecided);
  judged.add({.canary_requests = 1, .canary_errors = 1, .baseline_requests = 1000});
  EXPECT_EQ(judged.verdict(), Verdict::worse) << explain(judged);
}

TEST(ErrorJudge, worse_stays_worse) {
  ErrorJudge judged = judge();
  judged.add({.canary_requests = 100, .canary_errors = 50, .baseline_requests = 1000});
  ASSERT_EQ(judged.verdict(), Verdict::worse);
  for (int i = 0; i < 200; ++i) judged.add({.canary_requests = 1000, .baseline_requests = 1000, .baseline_errors = 5});
  EXPECT_EQ(judged.verdict(), Verdict::worse);
}

TEST(ErrorJudge, seldom_calls_a_tolerable_canary_worse) {
  // alpha 0.01: of 200 runs at the very edge of what is tolerable at most 2 are expected; 9 would be a broken promise.
  EXPECT_LE(count(Verdict::worse, 200, {.canary_rate = 1.25 * 0.002 + 0.0005}), 8);
  EXPECT_LE(count(Verdict::worse, 100, {.canary_rate = 0.5, .baseline_rate = 0.4}), 6)
      << "also where errors are common";
}

TEST(ErrorJudge, seldom_calls_a_bad_canary_healthy) {
  // beta 0.05: 10 of 200 expected at most, at the very edge of the healthy margin; 22 is four standard errors more.
  EXPECT_LE(count(Verdict::healthy, 200, {.canary_rate = 2 * 0.002 + 0.001}), 22);
}

TEST(ErrorJudge, finds_five_times_the_errors) {
  const int found = count(Verdict::worse, 100, {.canary_rate = 0.01});
  EXPECT_GE(found, 98);
  EXPECT_GE(count(Verdict::healthy, 100, {}), 75) << "and proves most healthy ones healthy in a quarter of an hour";
}

TEST(ErrorJudge, an_incident_of_both_arms_is_nobodys_fault) {
  int wrong = 0;
  for (std::uint64_t run = 1; run <= 200; ++run) {
    Engine engine{sim::SeededRandom(run)};
    ErrorJudge judged = judge({.planned_buckets = 60, .restart_every = 6});
    for (int bucket = 0; bucket < 60; ++bucket) {
      const double rate = bucket >= 20 && bucket < 32 ? 0.06 : 0.002;
      judged.add({.canary_requests = 250,
                  .canary_errors = failures(engine, 250, rate),
                  .baseline_requests = 250,
                  .baseline_errors = failures(engine, 250, rate)});
    }
    wrong += judged.verdict() == Verdict::worse ? 1 : 0;
  }
  EXPECT_LE(wrong, 3);
}

TEST(ErrorJudge, a_late_onset_is_found) {
  int found = 0;
  for (std::uint64_t run = 1; run <= 100; ++run) {
    Engine engine{sim::SeededRandom(run)};
    ErrorJudge judged = judge({.planned_buckets = 180, .restart_every = 6});
    for (int bucket = 0; bucket < 120 && judged.verdict() != Verdict::worse; ++bucket)
      judged.add({.canary_requests = 250,
                  .canary_errors = failures(engine, 250, bucket < 84 ? 0.002 : 0.01),
                  .baseline_requests = 250,
                  .baseline_errors = failures(engine, 250, 0.002)});
    found += judged.verdict() == Verdict::worse ? 1 : 0;
  }
  EXPECT_GE(found, 95);
}

TEST(ErrorJudge, bounds_the_ratio_of_the_rates) {
  Engine engine{sim::SeededRandom(7)};
  ErrorJudge judged = judge();
  for (int bucket = 0; bucket < 100; ++bucket)
    judged.add({.canary_requests = 500,
                .canary_errors = failures(engine, 500, 0.04),
                .baseline_requests = 500,
                .baseline_errors = failures(engine, 500, 0.01)});
  const Interval ratio = judged.evidence().ratio;
  ASSERT_TRUE(ratio.low && ratio.high) << explain(judged);
  EXPECT_LT(*ratio.low, 4.0) << explain(judged);
  EXPECT_GT(*ratio.high, 4.0);
  EXPECT_GT(*ratio.low, 2.0) << "2000 errors say more than that";
  EXPECT_LT(*ratio.high, 8.0);
}

TEST(ErrorJudge, dispersion_makes_it_slower) {
  ErrorJudge plain = judge();
  ErrorJudge careful = judge({.dispersion = 3});
  for (ErrorJudge* judged : {&plain, &careful})
    judged->add({.canary_requests = 100, .canary_errors = 5, .baseline_requests = 1000, .baseline_errors = 1});
  EXPECT_GT(plain.evidence().worse, careful.evidence().worse);
}

TEST(ErrorJudge, nonsense_is_refused_by_name) {
  for (const auto& [options, word] : std::initializer_list<std::pair<ErrorJudgeOptions, std::string>>{
           {{.alpha = 0}, "alpha"},
           {{.beta = 1}, "beta"},
           {{.tolerable = {.ratio = 0.5}}, "tolerable ratio"},
           {{.tolerable = {.ratio = 3}}, "healthy ratio"},
           {{.dispersion = 0.5}, "dispersion"},
           {{.alpha = std::numeric_limits<double>::quiet_NaN()}, "alpha"},
           {{.planned_buckets = 0}, "planned_buckets"}}) {
    const Result<ErrorJudge> made = ErrorJudge::make(options);
    ASSERT_FALSE(made) << word;
    EXPECT_NE(made.error().detail().find(word), std::string::npos) << made.error().text();
  }
}

}  // namespace
}  // namespace serin::judge
