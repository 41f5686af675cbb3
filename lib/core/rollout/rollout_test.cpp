// Goal: the pure parts of a rollout: what a plan may say, what evidence means, what is decided on it. Method: tables.
#include <gtest/gtest.h>

#include "serin/rollout/evidence.hpp"
#include "serin/rollout/plan.hpp"
#include "serin/rollout/report.hpp"
#include "serin/rollout/split.hpp"
#include "serin/rollout/stage.hpp"

namespace serin::rollout {
namespace {

ReleaseName release(std::string_view name) { return ReleaseName::make(name).value(); }

TEST(Plan, that_makes_no_sense_is_refused_with_the_field_and_its_range) {
  const auto error_of = [](PlanOptions options) {
    const Result<Plan> plan = Plan::make(std::move(options));
    return plan ? std::string("accepted") : plan.error().detail();
  };
  EXPECT_EQ(error_of({}), "accepted");
  EXPECT_EQ(error_of({.stages = {}}), "stages must name at least one percentage, like 5,50,95");
  EXPECT_EQ(error_of({.stages = {50, 5}}), "stages must grow, but 5 does not come after 50 in 50,5");
  EXPECT_EQ(error_of({.stages = {100}}), "each of stages must be above 0 and below 100, not 100");
  EXPECT_EQ(error_of({.monitoring_duration = 10ms}), "monitoring_duration must be 1s or more, not 10ms");
  EXPECT_EQ(error_of({.monitoring_duration = 5s}), "min_stage must not exceed monitoring_duration (5s), not 10s");
  EXPECT_EQ(error_of({.judge = {.alpha = 2}}), "judge.alpha must be above 0 and below 1, not 2");
  EXPECT_EQ(error_of({.stages = {5, 95}, .approval = {.before = {95, 100, 50}}}),
            "approve.before names 50 %, which is none of the stages 5,95 and not 100");
  EXPECT_EQ(error_of({.approval = {.timeout = 10ms}}), "approve.timeout must be 1s or more, not 10ms");
  EXPECT_EQ(parse_stages("5, 50 %,95").value(), (std::vector<double>{5, 50, 95}));
  EXPECT_FALSE(parse_stages("5,,95").has_value());
  EXPECT_FALSE(parse_stages("nan").has_value());
}

TEST(Split, is_compared_as_coarsely_as_a_router_can_set_it_but_a_little_is_not_nothing) {
  const Split a{{release("v1"), 95}, {release("v2"), 5}};
  EXPECT_TRUE(same_split(a, {{release("v2"), 5.2}, {release("v1"), 94.8}}));
  EXPECT_FALSE(same_split(a, {{release("v1"), 94}, {release("v2"), 6}}));
  EXPECT_FALSE(same_split({{release("v1"), 99.9}, {release("v2"), 0.1}}, {{release("v1"), 100}}));
  EXPECT_TRUE(same_split({{release("v1"), 100}, {release("v2"), 0}}, {{release("v1"), 100}}));
  EXPECT_EQ(only_release(a), std::nullopt);
  EXPECT_EQ(only_release({{release("v1"), 0}, {release("v2"), 100}}), release("v2"));
  EXPECT_EQ(only_release({}), std::nullopt);
}

TrafficSecond second(std::int64_t at, std::int64_t canary, std::int64_t canary_errors, std::int64_t baseline,
                     std::int64_t baseline_errors = 0) {
  return {.second = at,
          .counts = {{.release = release("v2"), .requests = canary, .errors = canary_errors},
                     {.release = release("v1"), .requests = baseline, .errors = baseline_errors}}};
}

Findings after(double percent, std::int64_t seconds, const std::function<TrafficSecond(std::int64_t)>& make) {
  Evidence evidence({.judge = {.healthy = {2.0, 0.01}}});
  evidence.enter(percent, 0);
  for (std::int64_t at = 1; at <= seconds; ++at) {
    Bucket bucket = make_bucket(make(at), release("v2"), 0);
    evidence.add(bucket);
  }
  return evidence.findings();
}

TEST(Evidence, without_requests_is_undecided_however_long_it_lasts) {
  const Findings findings = after(5, 1000, [](std::int64_t at) { return second(at, 0, 0, 0); });
  EXPECT_EQ(findings.verdict, Finding::undecided);
  EXPECT_TRUE(findings.share_off.empty());
}

TEST(Evidence, tells_worse_from_healthy) {
  EXPECT_EQ(after(50, 100, [](std::int64_t at) { return second(at, 50, 0, 50); }).verdict, Finding::healthy);
  EXPECT_EQ(after(50, 100, [](std::int64_t at) { return second(at, 50, 5, 50); }).verdict, Finding::worse);
}

TEST(Evidence, holds_what_is_nobodys_and_what_was_not_counted_against_the_candidate) {
  const auto with = [](std::int64_t unattributed, std::int64_t lost) {
    return after(50, 100, [=](std::int64_t at) {
      TrafficSecond out = second(at, 50, 0, 50);
      out.unattributed = unattributed;
      out.lost = lost;
      return out;
    });
  };
  EXPECT_EQ(with(0, 0).verdict, Finding::healthy);
  EXPECT_EQ(with(3, 0).verdict, Finding::undecided) << with(3, 0).reason;
  EXPECT_EQ(with(0, 3).verdict, Finding::undecided) << with(0, 3).reason;
}

TEST(Evidence, sees_when_the_router_does_not_give_the_share_that_was_asked_for) {
  EXPECT_FALSE(after(50, 20, [](std::int64_t at) { return second(at, 5, 0, 95); }).share_off.empty());
  EXPECT_FALSE(after(5, 20, [](std::int64_t at) { return second(at, 50, 0, 50); }).share_off.empty());
  EXPECT_FALSE(after(5, 60, [](std::int64_t at) { return second(at, 0, 0, 100); }).share_off.empty());
  EXPECT_TRUE(after(5, 1000, [](std::int64_t at) { return second(at, 5, 0, 95); }).share_off.empty());
  EXPECT_TRUE(after(5, 3, [](std::int64_t at) { return second(at, 0, 0, 10); }).share_off.empty()) << "too few to say";
}

TEST(Evidence, that_all_fail_is_the_candidates_fault_only_if_the_old_one_answers) {
  const Findings candidate = after(5, 10, [](std::int64_t at) { return second(at, 5, 5, 95); });
  EXPECT_FALSE(candidate.all_failed.empty());
  EXPECT_TRUE(candidate.both_fail.empty());
  const Findings both = after(5, 10, [](std::int64_t at) { return second(at, 5, 5, 95, 95); });
  EXPECT_TRUE(both.all_failed.empty());
  EXPECT_FALSE(both.both_fail.empty());
}

Sight sight_at(Duration since) {
  return {.now = Instant(1h) + since,
          .entered = Instant(1h),
          .ends = Instant(1h) + 60s,
          .baseline_dead = {},
          .foreign_split = {},
          .candidate_fault = {},
          .blind = {},
          .findings = {}};
}

TEST(Decision, never_takes_undecided_for_healthy) {
  PlanOptions plan{.monitoring_duration = 60s, .max_extensions = 1};
  EXPECT_EQ(decide(plan, sight_at(59s)).move, Move::stay);
  EXPECT_EQ(decide(plan, sight_at(60s)).move, Move::extend);
  Sight extended = sight_at(60s);
  extended.extensions = 1;
  EXPECT_EQ(decide(plan, extended).move, Move::hold);
  Sight uncounted = sight_at(60s);
  uncounted.counted = false;
  EXPECT_EQ(decide(plan, uncounted).move, Move::stay) << "the last seconds are not in yet";
  plan.on_undecided_early = OnUndecided::advance;
  EXPECT_NE(decide(plan, sight_at(60s)).reason.find("without a proof of health"), std::string::npos);
}

TEST(Decision, takes_the_weightier_reason_first) {
  const PlanOptions plan{.monitoring_duration = 60s, .min_stage = 10s};
  Sight sight = sight_at(20s);
  sight.findings.verdict = Finding::healthy;
  EXPECT_EQ(decide(plan, sight).move, Move::advance);
  sight.blind = "blind";
  EXPECT_EQ(decide(plan, sight).move, Move::hold) << "unknown is never healthy";
  sight.findings.verdict = Finding::worse;
  EXPECT_EQ(decide(plan, sight).move, Move::roll_back);
  sight.foreign_split = "somebody else";
  EXPECT_EQ(decide(plan, sight).move, Move::hold);
  sight.foreign_split.clear();
  sight.candidate_fault = "crashed";
  EXPECT_EQ(decide(plan, sight).move, Move::roll_back);
  sight.baseline_dead = "v1-0 exited";
  EXPECT_EQ(decide(plan, sight).move, Move::hold) << "never back onto a dead version";
}

TEST(Condition, of_replicas_knows_a_crash_from_a_pause) {
  const auto replica = [](ReplicaState state, std::int64_t restarts) {
    return Replica{.name = "v2-0", .address = {}, .state = state, .restarts = restarts, .reason = "why", .log = {}};
  };
  EXPECT_TRUE(condition_of({replica(ReplicaState::ready, 0)}, 1, 0).all_ready);
  EXPECT_FALSE(condition_of({replica(ReplicaState::ready, 0)}, 2, 0).all_ready) << "one is missing";
  EXPECT_FALSE(condition_of({replica(ReplicaState::ready, 1)}, 1, 0).fault.empty()) << "ready again after a crash";
  EXPECT_TRUE(condition_of({replica(ReplicaState::ready, 1)}, 1, 1).fault.empty());
  EXPECT_FALSE(condition_of({replica(ReplicaState::not_ready, 0)}, 1, 0).not_ready.empty());
  EXPECT_FALSE(condition_of({}, 1, 0).all_ready);
}

TEST(Json, of_plan_release_and_split_reads_back_the_same) {
  PlanOptions plan{
      .stages = {1, 2.5}, .on_undecided = OnUndecided::rollback, .early_promotion = false, .judge = {.alpha = 0.02}};
  EXPECT_EQ(plan_json(parse_plan_json(plan_json(plan)).value()), plan_json(plan));
  EXPECT_EQ(plan_json(plan).find("checks"), std::string::npos) << "as journals of earlier versions have it";
  plan.gate = {.file = "checks.yaml", .between = false, .timeout = 7s};
  const PlanOptions read = parse_plan_json(plan_json(plan)).value();
  EXPECT_EQ(read.gate.file, "checks.yaml");
  EXPECT_FALSE(read.gate.between);
  EXPECT_EQ(read.gate.timeout, 7s);
  ReleaseSpec spec{
      .name = release("v2"), .command = {"/bin/x", "a b"}, .environment = {{"A", "\"1\""}}, .digest = "sha256:1"};
  EXPECT_EQ(release_json(parse_release_json(release_json(spec)).value()), release_json(spec));
  const Split split{{release("v1"), 95}, {release("v2"), 5}};
  EXPECT_EQ(parse_split_json(split_json(split)).value(), split);
  for (const char* broken : {"", "{", "[1]", "{}", "null"}) {
    EXPECT_FALSE(parse_plan_json(broken).has_value()) << broken;
    EXPECT_FALSE(parse_release_json(broken).has_value()) << broken;
    EXPECT_FALSE(parse_split_json(broken).has_value()) << broken;
  }
}

TEST(Report, is_told_by_the_journal_alone) {
  Record record{.id = 7,
                .service = ServiceName::make("worker").value(),
                .candidate = {.name = release("v2")},
                .plan = {.stages = {50}},
                .before = {{release("v1"), 100}},
                .baseline = release("v1"),
                .progress = {},
                .events = {},
                .buckets = {}};
  record.created_at = Instant(100s);
  const auto event = [&](EventKind kind, int stage, Duration at, std::optional<Duration> done, std::string text = {}) {
    record.events.push_back({.seq = static_cast<std::int64_t>(record.events.size()) + 1,
                             .kind = kind,
                             .stage = stage,
                             .split = {},
                             .seen = {},
                             .text = std::move(text),
                             .at = Instant(at),
                             .done = {}});
    if (done) record.events.back().done = Instant(*done);
  };
  event(EventKind::enter_stage, 0, 110s, 110s);
  event(EventKind::verdict, 0, 120s, 120s, "worse: it is");
  event(EventKind::restore, 0, 120s, 120500ms);
  event(EventKind::finish, 0, 121s, 121s);
  record.progress.state = State::rolled_back;
  record.buckets.push_back({.second = 115,
                            .stage = 0,
                            .canary_requests = 10,
                            .canary_errors = 4,
                            .canary_hidden = 1,
                            .baseline_requests = 10,
                            .baseline_errors = 1,
                            .unattributed = 2});
  const Report report = make_report(record);
  EXPECT_EQ(report.failed_user_requests, 4 - 1 + 1 + 2);
  EXPECT_EQ(report.canary_user_failures, 3);
  EXPECT_EQ(report.first_bad, Instant(115s));
  EXPECT_EQ(*report.restored_at - *report.verdict_at, 500ms);
  ASSERT_EQ(report.stages.size(), 1u);
  EXPECT_EQ(report.stages[0].lasted, 10s);
  EXPECT_EQ(report.stages[0].verdict, "worse: it is");
  const std::string text = report_json(report);
  EXPECT_NE(text.find(R"("outcome":"rolled_back")"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("verdict_to_restored_seconds":5E-1)"), std::string::npos) << text;
}

}  // namespace
}  // namespace serin::rollout
