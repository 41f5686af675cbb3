// Goal: what the past teaches is used, kept, and never made of what is unknown. Method: hand-made seconds of traffic.
#include "serin/rollout/evidence.hpp"

#include <gtest/gtest.h>

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
  const auto clumps = [](std::int64_t at) { return second(at, 50, at == 20 ? 12 : 0, 50, 0); };
  EXPECT_EQ(after(plan, 21, clumps).verdict, Finding::worse);
  plan.learned = judge::History{.requests = 0, .errors = 0, .dispersion = 12};
  EXPECT_NE(after(plan, 21, clumps).verdict, Finding::worse);
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
