// Goal: what stands in a file is what calls get, and every mistake in it is named where it stands. Method: files as
// people write them, and the exact sentences.
#include "serin/policy/policies.hpp"

#include <gtest/gtest.h>

#include "serin/retry/presets.hpp"

namespace serin::policy {
namespace {

Policies parse(std::string_view text) {
  auto policies = parse_policies(text, "p.yaml");
  EXPECT_TRUE(policies.has_value()) << (policies ? "" : policies.error().detail());
  return policies.value_or(Policies{});
}
std::string mistakes(std::string_view text) {
  const auto policies = parse_policies(text, "p.yaml");
  return policies ? "" : policies.error().detail();
}

TEST(Policies, a_preset_is_enough_and_brings_a_budget) {
  const Policies policies = parse("resilience:\n  warehouse:\n    preset: database\n");
  const NamedPolicy* found = policies.find("warehouse");
  ASSERT_NE(found, nullptr);
  const guard::TargetPolicy* warehouse = &found->policy;
  EXPECT_EQ(warehouse->retry->max_attempts, retry::preset("database")->options().max_attempts);
  EXPECT_EQ(std::get<retry::TokenBudgetOptions>(warehouse->budget).ratio, 0.1);
  EXPECT_FALSE(warehouse->breaker || warehouse->bulkhead || warehouse->rate || warehouse->adaptive);
}

TEST(Policies, everything_can_be_said) {
  const Policies policies = parse(R"(resilience:
  bus:
    preset: patient
    retry: {max_attempts: 6, shape: sequence, sequence: [10ms, 1s], jitter: equal, retry_after_spread: 1}
    budget: {kind: quota, most: 100, cost: 7, cost_of_timeout: 14}
    breaker: {window: time, length: 30s, buckets: 6, min_calls: 50, failure_rate: 0.2, slow_rate: 0.9, slow_call: 2s,
              open_for: 3s, open_growth: 3, open_most: 2m, half_open_calls: 4, half_open_lease: 9s}
    bulkhead: {most: 8, most_waiting: 32}
    rate: {kind: bucket, rate: 50, burst: 5}
    adaptive: {algorithm: vegas, first: 10, least: 2, most: 40, backoff: 0.8, smoothing: 0.3, queue: 2, tolerance: 2}
    attempt_timeout: 800ms
    deadline: 3s
)");
  const guard::TargetPolicy& bus = policies.find("bus")->policy;
  EXPECT_EQ(bus.retry->max_attempts, 6);
  EXPECT_EQ(bus.retry->backoff.most, 30s) << "of the preset";
  EXPECT_EQ(bus.retry->backoff.sequence.list().size(), 2U);
  EXPECT_EQ(bus.retry->backoff.jitter, retry::Jitter::equal);
  EXPECT_EQ(bus.retry->attempt_timeout, 800ms);
  EXPECT_EQ(std::get<retry::QuotaOptions>(bus.budget).cost_of_timeout, 14);
  EXPECT_EQ(bus.breaker->name, "bus");
  EXPECT_EQ(bus.breaker->open_most, 2min);
  EXPECT_EQ(bus.bulkhead->most_waiting, 32);
  EXPECT_EQ(bus.rate->first, guard::RateKind::bucket);
  EXPECT_EQ(bus.adaptive->algorithm, limit::Algorithm::vegas);
  EXPECT_EQ(bus.deadline, 3s);
}

TEST(Policies, the_longest_star_that_fits_is_taken_and_a_name_before_any) {
  const Policies policies = parse(R"(resilience:
  "*": {preset: fast}
  "http:*": {preset: http_client}
  "http:orders*": {preset: interactive}
  http:orders-slow: {preset: background}
)");
  const auto attempts = [&](std::string_view target) { return policies.find(target)->policy.retry->max_attempts; };
  EXPECT_EQ(policies.find("http:orders-slow")->target, "http:orders-slow");
  EXPECT_EQ(policies.find("http:orders-1")->target, "http:orders*");
  EXPECT_EQ(policies.find("http:users")->target, "http:*");
  EXPECT_EQ(policies.find("bus")->target, "*");
  EXPECT_EQ(attempts("http:orders-slow"), 6);
  EXPECT_EQ(parse("resilience:\n  bus: {preset: fast}\n").find("warehouse"), nullptr);
}

TEST(Policies, every_mistake_is_named_where_it_stands_all_at_once) {
  EXPECT_EQ(
      mistakes(R"(resilience:
  warehouse:
    preset: databse
    retry:
      max_attempts: 0
      first: 2s
      most: 1s
      jiter: full
    breaker:
      calls: 10
      min_calls: 20
      failure_rate: 1.5
    budget: {kind: tokens, ratio: 2}
    attempt_timeout: 5s
    deadline: 3s
  bus:
    bulkhead: {most: many}
    rate: {kind: leaky}
    adaptive: {least: 10, first: 5}
    budget: {kind: in_flight}
resiliense: {}
)"),
      "p.yaml:3:13: resilience.warehouse.preset must be one of fast, standard, patient, aggressive, "
      "aws_standard_2026, grpc_default, http_client, database, interactive, background, not 'databse'; did you mean "
      "'database'?\n"
      "p.yaml:5:21: resilience.warehouse.retry.max_attempts must be from 1 (no retry) to 1000, not 0\n"
      "p.yaml:7:13: resilience.warehouse.retry.most must be first or more, not 1s\n"
      "p.yaml:8:7: unknown key 'resilience.warehouse.retry.jiter'; did you mean 'jitter'?\n"
      "p.yaml:11:18: resilience.warehouse.breaker.min_calls must be from 1 to calls, the window's size, not 20\n"
      "p.yaml:12:21: resilience.warehouse.breaker.failure_rate must be above 0 and at most 1, not 1.5\n"
      "p.yaml:13:35: resilience.warehouse.budget.ratio must be from 1e-06 to 1, not 2\n"
      "p.yaml:14:22: resilience.warehouse.attempt_timeout must be at most 3s (deadline), not 5s\n"
      "p.yaml:17:22: resilience.bus.bulkhead.most must be a whole number, not 'many'\n"
      "p.yaml:18:18: resilience.bus.rate.kind must be one of gcra, bucket, not 'leaky'\n"
      "p.yaml:19:34: resilience.bus.adaptive.first must be from least to most, not 5\n"
      "p.yaml:20:13: resilience.bus.budget has nothing to bound: there is no preset and no retry\n"
      "p.yaml:21:1: unknown key 'resiliense'; did you mean 'resilience'?");
}

TEST(Policies, what_is_no_policy_is_refused) {
  EXPECT_EQ(mistakes("{}"), "p.yaml:1:1: resilience is missing");
  EXPECT_TRUE(mistakes("resilience: [1]").starts_with("p.yaml:1:13: resilience must be a mapping"));
  EXPECT_TRUE(mistakes("resilience:\n  a: {deadline: 0s}\n").starts_with("p.yaml:2:17: resilience.a.deadline must be"));
  EXPECT_TRUE(mistakes("resilience:\n  a*b: {preset: fast}\n").starts_with("p.yaml:2:8: resilience: 'a*b' must be"));
  EXPECT_TRUE(mistakes("resilience:\n  a: {preset: fast}\n  a: {preset: fast}\n").contains("stands here twice"));
  EXPECT_TRUE(mistakes("resilience:\n  a: {retry: {shape: sequence}}\n").contains("sequence must name 1 to 16 waits"));
  EXPECT_TRUE(mistakes("resilience:\n  a: {retry: {shape: function}}\n").contains("shape must be one of exponential"));
  EXPECT_TRUE(mistakes("a: [").starts_with("p.yaml:1:"));
}

TEST(Policies, an_absent_field_that_no_longer_fits_is_named_at_its_mapping) {
  EXPECT_EQ(mistakes("resilience:\n  a:\n    breaker: {calls: 5}\n"),
            "p.yaml:3:14: resilience.a.breaker.min_calls must be from 1 to calls, the window's size, not 20");
}

}  // namespace
}  // namespace serin::policy
