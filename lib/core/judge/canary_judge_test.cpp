// Goal: the whole judge finds what is the canary's fault, also when hardly anybody is left to compare with, and takes
// neither an incident of both nor a flaky client for it. Method: seeded rollouts of 5, 50 and 95 %.
#include "serin/judge/canary_judge.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <random>

#include "serin/sim/world.hpp"

namespace serin::judge {
namespace {

struct Engine {
  using result_type = std::uint64_t;
  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return std::numeric_limits<result_type>::max(); }
  result_type operator()() { return random.next(); }
  sim::SeededRandom random;
};

/// Error rates of both arms by bucket of 5 s, 180 of them in three stages.
struct Rates {
  std::function<double(int)> canary = [](int) { return 0.002; };
  std::function<double(int)> baseline = [](int) { return 0.002; };
};

struct Outcome {
  Guilt guilt = Guilt::unproved;
  Cause cause = Cause::nothing;
  int bucket = 180;
  std::string text;
};

CanaryJudgeOptions options() {
  return {.errors = {.planned_buckets = 180, .restart_every = 6},
          .history = History{.requests = 360'000, .errors = 720},
          .attribution_wait = 12};
}

Outcome play(std::uint64_t seed, const Rates& rates, const CanaryJudgeOptions& taken = options()) {
  Engine engine{sim::SeededRandom(seed)};
  CanaryJudge judge = CanaryJudge::make(taken).value();
  for (int bucket = 0; bucket < 180; ++bucket) {
    const double share = bucket < 60 ? 0.05 : bucket < 120 ? 0.5 : 0.95;
    const auto canary = static_cast<std::int64_t>(share * 500);
    const auto failed = [&](std::int64_t requests, double rate) {
      return std::binomial_distribution<std::int64_t>(requests, rate)(engine);
    };
    judge.add({.canary_requests = canary,
               .canary_errors = failed(canary, rates.canary(bucket)),
               .baseline_requests = 500 - canary,
               .baseline_errors = failed(500 - canary, rates.baseline(bucket))});
    if (judge.guilt() != Guilt::unproved) return {judge.guilt(), judge.cause(), bucket, explain(judge)};
  }
  return {.text = explain(judge)};
}

int count(Guilt guilt, int runs, const Rates& rates, const CanaryJudgeOptions& taken = options()) {
  int found = 0;
  for (int run = 1; run <= runs; ++run)
    found += play(static_cast<std::uint64_t>(run), rates, taken).guilt == guilt ? 1 : 0;
  return found;
}

TEST(CanaryJudge, finds_what_comes_when_hardly_anybody_uses_the_old_version) {
  const Rates late{.canary = [](int bucket) { return bucket < 144 ? 0.002 : 0.01; }};
  EXPECT_GE(count(Guilt::worse, 100, late), 75);
  CanaryJudgeOptions alone = options();
  alone.history.reset();
  EXPECT_LE(count(Guilt::worse, 100, late, alone), 20) << "the baseline of the same time alone cannot see it";
  const Outcome outcome = play(1, late);
  EXPECT_NE(outcome.text.find("against the past"), std::string::npos) << outcome.text;
}

TEST(CanaryJudge, seldom_accuses_the_healthy) {
  EXPECT_EQ(count(Guilt::worse, 200, {}), 0);
  const Rates drift{.canary = [](int bucket) { return 0.002 * (1 + bucket / 360.0); },
                    .baseline = [](int bucket) { return 0.002 * (1 + bucket / 360.0); }};
  EXPECT_LE(count(Guilt::worse, 200, drift), 2) << "half as many errors again in both arms";
  const Rates edge{.canary = [](int) { return 1.25 * 0.002 + 0.0005; }};
  EXPECT_LE(count(Guilt::worse, 200, edge), 6) << "at the very edge of what is tolerable, 2 are expected at most";
}

TEST(CanaryJudge, takes_an_incident_of_both_for_one) {
  const Rates incident{.canary = [](int bucket) { return bucket >= 80 && bucket < 92 ? 0.06 : 0.002; },
                       .baseline = [](int bucket) { return bucket >= 80 && bucket < 92 ? 0.06 : 0.002; }};
  EXPECT_LE(count(Guilt::worse, 200, incident), 1);
  EXPECT_GE(count(Guilt::incident, 200, incident), 190);
}

TEST(CanaryJudge, finds_five_times_the_errors_soon) {
  const Rates five{.canary = [](int) { return 0.01; }};
  EXPECT_GE(count(Guilt::worse, 100, five), 98);
  EXPECT_EQ(play(3, five).cause, Cause::beside_baseline) << play(3, five).text;
}

TEST(CanaryJudge, an_incident_that_ends_is_none_any_more) {
  CanaryJudge judge = CanaryJudge::make(options()).value();
  const auto feed = [&](int buckets, std::int64_t errors) {
    for (int i = 0; i < buckets; ++i)
      judge.add({.canary_requests = 250, .canary_errors = errors, .baseline_requests = 250, .baseline_errors = errors});
  };
  feed(6, 25);
  EXPECT_EQ(judge.guilt(), Guilt::incident) << explain(judge);
  feed(170, 0);
  EXPECT_EQ(judge.guilt(), Guilt::unproved) << explain(judge);
}

TEST(CanaryJudge, waits_before_it_blames_what_nobody_can_attribute) {
  CanaryJudgeOptions taken = options();
  taken.attribution_wait = 3;
  CanaryJudge judge = CanaryJudge::make(taken).value();
  int buckets = 0;
  while (judge.guilt() == Guilt::unproved && ++buckets < 100) judge.add({.canary_requests = 500, .canary_errors = 10});
  EXPECT_EQ(judge.guilt(), Guilt::worse);
  EXPECT_EQ(judge.cause(), Cause::unattributed);
  taken.attribution_wait = 0;
  CanaryJudge hasty = CanaryJudge::make(taken).value();
  int sooner = 0;
  while (hasty.guilt() == Guilt::unproved && ++sooner < 100) hasty.add({.canary_requests = 500, .canary_errors = 10});
  EXPECT_EQ(buckets, sooner + 3);
}

TEST(CanaryJudge, one_flaky_client_is_no_reason_where_clients_are_known) {
  CanaryJudge judge = CanaryJudge::make(options()).value();
  for (int i = 0; i < 20; ++i)
    judge.add({.canary_requests = 25, .canary_errors = 20, .baseline_requests = 475}, std::int64_t{1});
  EXPECT_EQ(judge.guilt(), Guilt::unproved) << explain(judge);
  judge.add({.canary_requests = 25, .canary_errors = 20, .baseline_requests = 475}, std::int64_t{2});
  EXPECT_EQ(judge.guilt(), Guilt::worse);
}

TEST(CanaryJudge, a_slow_canary_is_worse_although_nothing_fails) {
  CanaryJudgeOptions taken = options();
  taken.latency = LatencyOptions{.edges_ms = {10, 100, 1000}, .tolerable_ms = 0};
  CanaryJudge judge = CanaryJudge::make(taken).value();
  for (int i = 0; i < 60; ++i) judge.learn_latency({95, 4, 1, 0});
  for (int i = 0; i < 60 && judge.guilt() == Guilt::unproved; ++i) {
    judge.add({.canary_requests = 50, .baseline_requests = 50});
    judge.add_latency({40, 8, 2, 0}, {48, 2, 0, 0});
  }
  EXPECT_EQ(judge.guilt(), Guilt::worse) << explain(judge);
  EXPECT_EQ(judge.cause(), Cause::slower);
  EXPECT_NE(explain(judge).find("canary requests took longer than "), std::string::npos) << explain(judge);
}

TEST(CanaryJudge, without_data_nothing_is_proved) {
  CanaryJudge judge = CanaryJudge::make(options()).value();
  for (int i = 0; i < 500; ++i) judge.add({});
  EXPECT_EQ(judge.guilt(), Guilt::unproved);
  EXPECT_NEAR(judge.evidence().beside, 0, 1e-9);
  EXPECT_NEAR(judge.evidence().past, 0, 1e-9);
}

TEST(CanaryJudge, clumped_errors_are_not_taken_for_many) {
  // Errors come six at a time: as many as independent ones, but a sixth of the news.
  int raw = 0;
  int learned = 0;
  for (std::uint64_t run = 1; run <= 200; ++run) {
    Engine engine{sim::SeededRandom(run)};
    const auto clump = [&](std::int64_t requests) {
      std::poisson_distribution<std::int64_t> bursts(static_cast<double>(requests) * 0.002 / 6);
      std::geometric_distribution<std::int64_t> size(1.0 / 6);
      std::int64_t errors = 0;
      for (std::int64_t left = bursts(engine); left > 0; --left) errors += 1 + size(engine);
      return std::min(errors, requests);
    };
    HistoryLearner learner(5);
    for (int bucket = 0; bucket < 720; ++bucket) learner.add(500, clump(500));
    CanaryJudgeOptions taken = options();
    taken.history = learner.history();
    CanaryJudge careful = CanaryJudge::make(taken).value();
    taken.history->dispersion = 1;
    CanaryJudge credulous = CanaryJudge::make(taken).value();
    for (int bucket = 0; bucket < 120; ++bucket) {
      const std::int64_t canary = bucket < 60 ? 25 : 250;
      const Bucket counts{canary, clump(canary), 500 - canary, clump(500 - canary)};
      careful.add(counts);
      credulous.add(counts);
    }
    learned += careful.guilt() == Guilt::worse ? 1 : 0;
    raw += credulous.guilt() == Guilt::worse ? 1 : 0;
  }
  EXPECT_GE(raw, 20) << "otherwise there is nothing to be careful about";
  EXPECT_LE(learned, 4) << "alpha is 0.01";
}

}  // namespace
}  // namespace serin::judge
