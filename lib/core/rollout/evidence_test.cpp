// Goal: what the past teaches is used, kept, and never made of what is unknown. Method: hand-made seconds of traffic.
#include "serin/rollout/evidence.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "serin/rollout/stage.hpp"

namespace serin::rollout {
namespace {

ReleaseName release(std::string_view name) { return ReleaseName::make(name).value(); }

TrafficSecond second(std::int64_t at, std::int64_t canary, std::int64_t canary_errors, std::int64_t baseline,
                     std::int64_t baseline_errors) {
  return {.second = at,
          .counts = {{.release = release("v2"), .requests = canary, .errors = canary_errors},
                     {.release = release("v1"), .requests = baseline, .errors = baseline_errors}}};
}

TrafficWindow past(std::int64_t seconds, std::int64_t errors_every = 10) {
  TrafficWindow window;
  for (std::int64_t at = 0; at < seconds; ++at)
    window.seconds.push_back(second(at, 0, 0, 100, at % errors_every == 0 ? 1 : 0));
  return window;
}

TEST(Learning, takes_only_seconds_in_which_the_old_version_was_alone_and_known) {
  const PastPlan plan;
  const judge::History plain = learn(plan, past(600), release("v1"));
  EXPECT_EQ(plain.requests, 60'000);
  EXPECT_EQ(plain.errors, 60);
  EXPECT_EQ(plain.dispersion, 1);
  TrafficWindow window = past(600);
  for (std::int64_t i = 0; i < 100; ++i) window.seconds.push_back(second(600 + i, 10, 10, 100, 50));
  window.seconds.push_back(second(700, 0, 0, 100, 50));
  window.seconds.back().lost = 1;
  window.seconds.push_back(second(701, 0, 0, 100, 50));
  window.seconds.back().unattributed = 1;
  EXPECT_EQ(learn(plan, window, release("v1")), plain);
}

TEST(Learning, of_too_little_is_no_witness) {
  const judge::History brief = learn({}, past(299), release("v1"));
  EXPECT_EQ(brief.requests, 0);
  EXPECT_EQ(brief.errors, 0);
  EXPECT_EQ(learn({}, {}, release("v1")), (judge::History{}));
  EXPECT_GT(learn({}, past(300), release("v1")).requests, 0);
}

TEST(Learning, finds_clumps_also_when_it_is_brief) {
  TrafficWindow window;
  for (std::int64_t at = 0; at < 200; ++at) window.seconds.push_back(second(at, 0, 0, 100, at % 50 == 25 ? 10 : 0));
  EXPECT_GT(learn({}, window, release("v1")).dispersion, 5);
}

/// After a stage of 95 % in which both fail as is given, in errors of 95 and of 5 requests a second.
Findings after(const PlanOptions& plan, int seconds, const std::function<TrafficSecond(std::int64_t)>& make) {
  Evidence evidence(plan);
  evidence.enter(95, 0);
  for (std::int64_t at = 1; at <= seconds; ++at) {
    Bucket bucket = make_bucket(make(at), release("v2"), 0);
    evidence.add(bucket);
  }
  return evidence.findings();
}

TEST(Evidence, sees_a_fault_beside_the_past_when_hardly_anybody_uses_the_old_version) {
  PlanOptions plan;
  const auto fault = [](std::int64_t at) { return second(at, 95, 1, 5, 0); };
  EXPECT_EQ(after(plan, 120, fault).verdict, Finding::undecided) << "five requests a second cannot say it in time";
  plan.learned = judge::History{.requests = 360'000, .errors = 72};
  const Findings found = after(plan, 120, fault);
  EXPECT_EQ(found.verdict, Finding::worse) << found.reason;
  EXPECT_NE(found.reason.find("against the past (0.02 % failed before)"), std::string::npos) << found.reason;
}

TEST(Evidence, takes_an_incident_of_both_for_one_and_the_decision_is_to_hold) {
  PlanOptions plan;
  plan.learned = judge::History{.requests = 360'000, .errors = 72};
  const Findings found = after(plan, 60, [](std::int64_t at) { return second(at, 95, 9, 5, at % 2); });
  EXPECT_NE(found.verdict, Finding::worse) << found.reason;
  ASSERT_FALSE(found.incident.empty()) << found.reason;
  Sight sight{.now = Instant(1h),
              .entered = Instant(1h),
              .ends = Instant(2h),
              .baseline_dead = {},
              .foreign_split = {},
              .candidate_fault = {},
              .blind = {},
              .findings = found};
  EXPECT_EQ(decide(plan, sight).move, Move::hold);
  EXPECT_NE(decide(plan, sight).reason.find("an incident of both versions"), std::string::npos);
  sight.candidate_fault = "crashed";
  EXPECT_EQ(decide(plan, sight).move, Move::roll_back) << "what crashes is taken back all the same";
}

TEST(Evidence, of_clumped_errors_counts_less) {
  PlanOptions plan;
  const auto clumps = [](std::int64_t at) { return second(at, 50, at == 20 ? 14 : 0, 50, 0); };
  EXPECT_EQ(after(plan, 21, clumps).verdict, Finding::worse);
  plan.learned = judge::History{.requests = 0, .errors = 0, .dispersion = 12};
  EXPECT_NE(after(plan, 21, clumps).verdict, Finding::worse);
}

/// `n` requests of which one in ten takes twice as long; nothing: unknown.
LatencyHistogram took(std::int64_t n, double milliseconds) {
  LatencyHistogram times;
  times.add(milliseconds, n - n / 10);
  times.add(2 * milliseconds, n / 10);
  return times;
}

TrafficSecond timed(std::int64_t at, std::int64_t canary, std::int64_t baseline, std::optional<double> canary_ms,
                    std::optional<double> baseline_ms) {
  TrafficSecond counted = second(at, canary, 0, baseline, 0);
  if (canary_ms) counted.counts[0].latency = took(canary, *canary_ms);
  if (baseline_ms) counted.counts[1].latency = took(baseline, *baseline_ms);
  return counted;
}

TrafficWindow timed_past() {
  TrafficWindow window;
  for (std::int64_t at = 0; at < 60; ++at) window.seconds.push_back(timed(at, 0, 100, {}, 20));
  return window;
}

TEST(Latency, of_the_past_is_learned_where_it_is_known_and_the_old_version_was_alone) {
  const auto learned = learn_latency(timed_past(), release("v1"));
  ASSERT_TRUE(learned);
  EXPECT_EQ(LatencyHistogram::of_counts(learned->counts)->requests(), 6000);
  TrafficWindow window = timed_past();
  window.seconds.push_back(timed(60, 0, 100, {}, {}));
  window.seconds.push_back(timed(61, 1, 100, 500, 500));
  window.seconds.push_back(timed(62, 0, 100, {}, 500));
  window.seconds.back().lost = 1;
  EXPECT_EQ(learn_latency(window, release("v1")), learned);
  EXPECT_EQ(learn_latency({.seconds = {timed(1, 0, 100, {}, {})}}, release("v1")), std::nullopt);
}

TEST(Latency, that_is_worse_is_a_verdict_in_figures_and_the_strongest_evidence) {
  PlanOptions plan{.latency = {.warm_up = 0s}};
  plan.learned_latency = learn_latency(timed_past(), release("v1"));
  Evidence evidence(plan);
  evidence.enter(50, 0);
  Bucket bucket;
  std::int64_t at = 1;
  for (; at <= 60 && evidence.findings().verdict != Finding::worse; ++at) {
    bucket = make_bucket(timed(at, 50, 50, 60, 20), release("v2"), 1);
    evidence.add(bucket);
  }
  const Findings found = evidence.findings();
  ASSERT_EQ(found.verdict, Finding::worse) << found.reason;
  EXPECT_LT(at, 10) << "each request takes three times as long";
  EXPECT_GE(bucket.worse, std::log(100)) << "on the scale of the other evidence";
  EXPECT_NE(found.reason.find("the new version is slower: "), std::string::npos) << found.reason;
  EXPECT_NE(found.reason.find(" ms"), std::string::npos) << found.reason;
}

TEST(Latency, that_is_as_before_or_slower_for_both_or_hardly_slower_accuses_nobody) {
  PlanOptions plan{.latency = {.warm_up = 0s}};
  plan.learned_latency = learn_latency(timed_past(), release("v1"));
  const auto as = [&](double canary, double baseline) {
    return after(plan, 300, [=](std::int64_t at) { return timed(at, 50, 50, canary, baseline); }).verdict;
  };
  EXPECT_NE(as(20, 20), Finding::worse);
  EXPECT_NE(as(200, 200), Finding::worse) << "both";
  EXPECT_NE(as(22, 20), Finding::worse) << "2 ms are tolerable";
  EXPECT_NE(as(5, 20), Finding::worse) << "faster";
  EXPECT_EQ(as(60, 20), Finding::worse) << "otherwise this test could not fail";
}

TEST(Latency, is_skipped_in_seconds_in_which_an_arm_is_unknown_and_errors_are_not) {
  const PlanOptions plan{.latency = {.warm_up = 0s}};
  const Bucket bucket = make_bucket(timed(1, 50, 50, 60, {}), release("v2"), 0);
  EXPECT_TRUE(bucket.canary_latency);
  EXPECT_FALSE(bucket.baseline_latency) << "unknown, not empty";
  EXPECT_TRUE(make_bucket(timed(1, 50, 0, 60, {}), release("v2"), 0).baseline_latency) << "of no request all is known";
  EXPECT_NE(after(plan, 300, [](std::int64_t at) { return timed(at, 50, 50, 60, {}); }).verdict, Finding::worse);
  EXPECT_NE(after(plan, 300, [](std::int64_t at) { return timed(at, 50, 50, {}, 20); }).verdict, Finding::worse);
  const auto failing = [](std::int64_t at) {
    TrafficSecond counted = timed(at, 50, 50, {}, {});
    counted.counts[0].errors = 10;
    return counted;
  };
  EXPECT_EQ(after(plan, 20, failing).verdict, Finding::worse);
}

TEST(Latency, is_not_judged_while_it_warms_up_nor_where_the_load_explains_it_nor_when_it_is_not_wanted) {
  const auto slow = [](std::int64_t at) { return timed(at, 50, 50, 60, 20); };
  EXPECT_NE(after({.latency = {.warm_up = 60s}}, 60, slow).verdict, Finding::worse);
  EXPECT_EQ(after({.stages = {50}, .latency = {.warm_up = 60s}}, 90, slow).verdict, Finding::worse);
  EXPECT_NE(after({.stages = {95}, .latency = {.warm_up = 0s}}, 90, slow).verdict, Finding::worse)
      << "at 95 % the new version carries more than the old one, and nobody knows how fast that was with it";
  EXPECT_NE(after({.stages = {50}, .latency = {.judged = false, .warm_up = 0s}}, 90, slow).verdict, Finding::worse);
}

TEST(Plan, keeps_how_long_requests_took_before_in_its_journal) {
  PlanOptions plan{.latency = {.tolerable = 7ms, .warm_up = 3s}};
  plan.learned_latency = learn_latency(timed_past(), release("v1"));
  plan.learned_latency->dispersion[2] = 3.25;
  const PlanOptions read = parse_plan_json(plan_json(plan)).value();
  EXPECT_EQ(read.learned_latency, plan.learned_latency);
  EXPECT_EQ(read.latency.tolerable, 7ms);
  EXPECT_EQ(plan_json(read), plan_json(plan));
  std::string later = plan_json(plan);
  later.replace(later.find("\"1:"), 3, "\"2:");
  EXPECT_FALSE(parse_plan_json(later)) << "cells of a later version are not taken for ours";
  std::string earlier = plan_json({});
  earlier.replace(earlier.find("\"latency\""), 9, "\"nothing\"");
  EXPECT_FALSE(parse_plan_json(earlier)->latency.judged) << "what began without it ends without it";
  EXPECT_EQ(Plan::make({.latency = {.tolerable = 2min}}).error().detail(),
            "judge.latency.tolerable must be 1m or less, not 2m");
}

TEST(Plan, keeps_what_was_learned_in_its_journal) {
  PlanOptions plan;
  plan.past = {.window = 30min, .least = 2min, .tolerable = {3, 0.002}, .attribution_wait = 10s};
  EXPECT_EQ(plan_json(plan).find("learned"), std::string::npos);
  plan.learned = judge::History{.requests = 7, .errors = 3, .dispersion = 1.5};
  const PlanOptions read = parse_plan_json(plan_json(plan)).value();
  EXPECT_EQ(read.learned, plan.learned);
  EXPECT_EQ(read.past.window, 30min);
  EXPECT_EQ(read.past.tolerable.ratio, 3);
  EXPECT_EQ(plan_json(read), plan_json(plan));
  const auto error_of = [](PastPlan past) { return Plan::make({.past = past}).error().detail(); };
  EXPECT_EQ(error_of({.window = 3h}), "judge.past.window must be 2h or less, not 3h: counts are not kept longer");
  EXPECT_EQ(error_of({.least = 1s}), "judge.past.least must be 1m or more, not 1s");
}

}  // namespace
}  // namespace serin::rollout
