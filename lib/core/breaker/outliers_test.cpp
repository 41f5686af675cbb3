// Goal: a bad replica is left out and comes back, and never so many that the rest cannot carry the load. Method: fake
// time; every rule at its edge.
#include "serin/breaker/outliers.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "serin/base/split_mix.hpp"

namespace serin::breaker {
namespace {

struct Group : testing::Test {
  void replicas(int count, OutlierOptions options = {}) {
    outliers = Outliers::make(options).value();
    names.clear();
    for (int i = 0; i < count; ++i) names.push_back("r" + std::to_string(i));
    outliers->set_replicas(names, now);
  }
  void fail(const std::string& name, int times) {
    for (int i = 0; i < times; ++i) outliers->report(name, OutcomeClass::transient, now);
  }
  void calls(const std::string& name, int good, int bad) {
    // Never several failures in a row, so that only the rate speaks.
    for (int i = 0; i < good + bad; ++i) {
      const bool failed = bad > 0 && i % ((good + bad) / bad) == 0 && i / ((good + bad) / bad) < bad;
      outliers->report(name, failed ? OutcomeClass::timeout : OutcomeClass::success, now);
    }
  }
  std::unique_ptr<Outliers> outliers;
  std::vector<std::string> names;
  Instant now = Instant(1h);
};

TEST_F(Group, five_failures_in_a_row_leave_one_out_for_longer_each_time) {
  replicas(10);
  fail("r3", 4);
  outliers->report("r3", OutcomeClass::success, now);
  fail("r3", 4);
  EXPECT_TRUE(outliers->may_use("r3", now)) << "a success in between";
  fail("r3", 1);
  EXPECT_FALSE(outliers->may_use("r3", now));
  EXPECT_EQ(outliers->usable(now).size(), 9U);
  EXPECT_FALSE(outliers->may_use("r3", now + 30s - 1ns));
  now += 30s;
  EXPECT_TRUE(outliers->may_use("r3", now));
  fail("r3", 5);
  EXPECT_FALSE(outliers->may_use("r3", now + 60s - 1ns)) << "twice as long";
  now += 60s;
  for (int i = 3; i <= 30; ++i) {
    fail("r3", 5);
    const Duration out = std::min<Duration>(300s, i * 30s);
    EXPECT_FALSE(outliers->may_use("r3", now + out - 1ns)) << i;
    now += out;
    EXPECT_TRUE(outliers->may_use("r3", now)) << i;
  }
}

TEST_F(Group, health_is_forgiven_an_interval_at_a_time) {
  replicas(10);
  fail("r3", 5);
  now += 30s;
  fail("r3", 5);
  now += 60s;
  (void)outliers->usable(now);
  for (int i = 0; i < 3; ++i) {
    now += 10s;
    outliers->report("r3", OutcomeClass::success, now);
  }
  fail("r3", 5);
  EXPECT_FALSE(outliers->may_use("r3", now + 30s - 1ns));
  EXPECT_TRUE(outliers->may_use("r3", now + 30s)) << "as if it were the first time";
}

TEST_F(Group, at_most_a_tenth_is_left_out_but_one_always_may_be) {
  replicas(20);
  for (int i = 0; i < 4; ++i, now += 1s) fail("r" + std::to_string(i), 5);
  EXPECT_EQ(outliers->snapshot(now).bad, 4);
  EXPECT_EQ(outliers->snapshot(now).ejected, 2);
  EXPECT_FALSE(outliers->may_use("r0", now)) << "the earliest";
  EXPECT_TRUE(outliers->may_use("r3", now));
  replicas(3);
  fail("r1", 5);
  EXPECT_EQ(outliers->usable(now), (std::vector<std::string>{"r0", "r2"}));
  replicas(1);
  fail("r0", 50);
  EXPECT_EQ(outliers->usable(now), names) << "the only one is better than none";
}

TEST_F(Group, fails_open_when_too_many_are_bad) {
  replicas(4, {.most_ejected = 1});
  fail("r0", 5);
  fail("r1", 5);
  EXPECT_EQ(outliers->usable(now).size(), 2U);
  fail("r2", 5);
  EXPECT_EQ(outliers->usable(now).size(), 4U) << "three of four: the fault is hardly theirs";
  EXPECT_TRUE(outliers->snapshot(now).fails_open);
}

TEST_F(Group, a_rate_far_below_the_others_is_found_and_an_equal_one_is_not) {
  for (const int count : {5, 10}) {
    replicas(count);
    for (const std::string& name : names) calls(name, 100, 0);
    now += 10s;
    EXPECT_EQ(outliers->usable(now).size(), static_cast<std::size_t>(count)) << "all the same";
    for (const std::string& name : names) calls(name, name == "r2" ? 60 : 100, name == "r2" ? 40 : 0);
    now += 10s;
    EXPECT_FALSE(outliers->may_use("r2", now)) << count;
  }
}

TEST_F(Group, rates_of_too_few_replicas_or_calls_say_nothing) {
  replicas(4);
  for (const std::string& name : names) calls(name, name == "r2" ? 60 : 100, name == "r2" ? 40 : 0);
  now += 10s;
  EXPECT_TRUE(outliers->may_use("r2", now)) << "four are compared";
  replicas(10);
  for (const std::string& name : names) calls(name, name == "r2" ? 60 : 100, name == "r2" ? 39 : 0);
  now += 10s;
  EXPECT_TRUE(outliers->may_use("r2", now)) << "99 calls";
}

TEST_F(Group, throttled_permanent_and_ignored_do_not_blame_a_replica) {
  replicas(10);
  for (int i = 0; i < 50; ++i)
    for (const OutcomeClass outcome : {OutcomeClass::throttled, OutcomeClass::permanent, OutcomeClass::ignored})
      outliers->report("r3", outcome, now);
  outliers->report("nobody", OutcomeClass::timeout, now);
  EXPECT_EQ(outliers->usable(now), names);
}

TEST_F(Group, remembers_a_replica_that_stays_and_forgets_one_that_leaves) {
  replicas(10);
  fail("r3", 5);
  names.push_back("r91");
  outliers->set_replicas(names, now);
  EXPECT_FALSE(outliers->may_use("r3", now));
  outliers->set_replicas({"r1", "r2"}, now);
  EXPECT_FALSE(outliers->may_use("r3", now)) << "there is none";
  outliers->set_replicas(names, now);
  EXPECT_TRUE(outliers->may_use("r3", now));
}

TEST_F(Group, whatever_happens_somebody_may_be_used_and_no_more_than_the_share_is_out) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    std::uint64_t state = seed;
    const int count = static_cast<int>(1 + split_mix(state) % 12);
    const double share = static_cast<double>(split_mix(state) % 11) / 10;
    replicas(count, {.min_calls = 5, .most_ejected = share});
    const auto most = static_cast<std::size_t>(std::max(1.0, std::floor(share * count + 1e-9)));
    for (int i = 0; i < 2000; ++i) {
      const std::string& name = names[split_mix(state) % names.size()];
      outliers->report(name, static_cast<OutcomeClass>(split_mix(state) % 6), now);
      now += Duration(split_mix(state) % 2'000'000'000);
      const auto usable = outliers->usable(now);
      ASSERT_FALSE(usable.empty()) << "seed " << seed;
      ASSERT_LE(names.size() - usable.size(), most) << "seed " << seed;
    }
    now += 10h;
    EXPECT_EQ(outliers->usable(now).size(), names.size()) << "nobody is out for good; seed " << seed;
  }
}

}  // namespace
}  // namespace serin::breaker
