// Goal: a further request beside a slow one: sent at the right time, never beyond the budget, the first answer taken,
// the losers ended. Method: threads that take turns on fake time; the percentile against exact ones.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "serin/guard/pipeline.hpp"
#include "serin/sim/crew.hpp"
#include "serin/sim/world.hpp"

namespace serin::guard {
namespace {

struct HedgedCall : testing::Test {
  Result<int> run(Idempotency idempotency = Idempotency::idempotent, bool with_tasks = true) {
    sent.clear();
    cancelled = 0;
    const auto guarded = pipeline(Hedging{*hedge, budget});
    const Instant began = crew.now();
    const auto work = [&](const Context& c) -> Result<int> {
      const auto number = static_cast<std::size_t>(c.hedge);
      sent.push_back(crew.now() - began);
      if (const Status slept = sleep_until(crew, crew.now() + takes.at(number), c.stop); !slept) {
        ++cancelled;
        return pass(slept.error());
      }
      return answers.at(number);
    };
    Result<int> result = guarded.run({.sleeper = crew,
                                      .random = random,
                                      .deadline = Deadline::never(),
                                      .idempotency = idempotency,
                                      .tasks = with_tasks ? &crew : nullptr},
                                     work);
    took = crew.now() - began;
    EXPECT_EQ(crew.running(), 0u) << "the losers have ended";
    EXPECT_EQ(budget.left(), 1) << "what hedges took is back";
    return result;
  }
  sim::Crew crew{4};
  sim::SeededRandom random{1};
  retry::InFlightBudget budget{{.ratio = 0.2, .min_retries = 2}};
  std::unique_ptr<Hedge> hedge = Hedge::make({.name = "db", .delay = 100ms, .max_extra = 2}).value();
  std::vector<Duration> takes{1h, 1h, 1h};
  std::vector<Result<int>> answers{0, 1, 2};
  std::vector<Duration> sent;
  Duration took{};
  int cancelled = 0;
};

TEST_F(HedgedCall, takes_the_first_answer_and_ends_the_losers) {
  takes = {1s, 50ms, 1h};
  EXPECT_EQ(run().value(), 1);
  EXPECT_EQ(took, 150ms);
  EXPECT_EQ(sent, (std::vector<Duration>{0ms, 100ms}));
  EXPECT_EQ(cancelled, 1);
  takes = {250ms, 1h, 1h};
  EXPECT_EQ(run().value(), 0) << "the first one may win in the end";
  EXPECT_EQ(sent, (std::vector<Duration>{0ms, 100ms, 200ms}));
  EXPECT_EQ(cancelled, 2);
  takes = {90ms, 1h, 1h};
  EXPECT_EQ(run().value(), 0);
  EXPECT_EQ(sent.size(), 1u) << "it was fast enough";
}

TEST_F(HedgedCall, a_failure_sends_the_next_at_once_a_final_one_ends_it_and_later_means_no_more) {
  takes = {10ms, 10ms, 10ms};
  answers = {fail(Errc::unavailable, "no"), fail(Errc::deadline_exceeded, "no"), 2};
  EXPECT_EQ(run().value(), 2);
  EXPECT_EQ(sent, (std::vector<Duration>{0ms, 10ms, 20ms}));
  answers[2] = fail(Errc::unavailable, "no, the third time");
  EXPECT_EQ(run().error().detail(), "no, the third time") << "what came last";
  answers[0] = fail(Errc::not_found, "there is none");
  EXPECT_EQ(run().error().code(), Errc::not_found);
  EXPECT_EQ(sent.size(), 1u);
  answers = {fail(Errc::exhausted, "later"), 1, 2};
  EXPECT_EQ(run().error().code(), Errc::exhausted);
  EXPECT_EQ(sent.size(), 1u);
}

TEST_F(HedgedCall, is_not_hedged_when_it_may_not_be_made_twice_or_nobody_lends_a_thread) {
  takes = {1s, 1ms, 1ms};
  EXPECT_EQ(run(Idempotency::not_idempotent).value(), 0);
  EXPECT_EQ(sent.size(), 1u);
  EXPECT_EQ(run(Idempotency::idempotent, false).value(), 0);
  EXPECT_EQ(sent.size(), 1u);
}

TEST_F(HedgedCall, shares_the_budget_with_retries) {
  retry::TokenBudget tokens{{.ratio = 0.1, .most = 2}};
  const auto guarded = pipeline(Hedging{*hedge, tokens});
  int made = 0;
  const auto work = [&](const Context& c) -> Result<int> {
    ++made;
    SERIN_CHECK(sleep_until(crew, crew.now() + 1s, c.stop));
    return 1;
  };
  for (int i = 0; i < 20; ++i)
    EXPECT_TRUE(guarded
                    .run({.sleeper = crew,
                          .random = random,
                          .deadline = Deadline::never(),
                          .idempotency = Idempotency::idempotent,
                          .tasks = &crew},
                         work)
                    .has_value());
  EXPECT_EQ(made, 20 + 2 + 1) << "two that were saved up, and a tenth of what was made since";
}

TEST_F(HedgedCall, sends_after_the_percentile_of_recent_successes) {
  hedge = Hedge::make({.name = "db", .delay = 500ms, .percentile = 0.9, .min_calls = 50, .max_extra = 1}).value();
  EXPECT_EQ(hedge->delay(), 500ms) << "too little is known";
  for (int i = 1; i <= 100; ++i) hedge->add(std::chrono::milliseconds(i));
  EXPECT_GE(hedge->delay(), 86ms);
  EXPECT_LE(hedge->delay(), 90ms * 9 / 8);
  for (int i = 0; i < 300; ++i) hedge->add(10us);
  EXPECT_EQ(hedge->delay(), 1ms) << "not below the floor";
}

TEST(RecentDurations, are_never_below_the_exact_percentile_and_at_most_an_eighth_above) {
  sim::SeededRandom random(7);
  for (const double share : {0.5, 0.9, 0.95, 0.99}) {
    RecentDurations recent;
    std::vector<Duration> all;
    for (int i = 0; i < 1000; ++i) {
      const Duration took(static_cast<Duration::rep>(1 + (random.next() >> (random.next() % 60 + 3))));
      recent.add(took);
      all.push_back(took);
    }
    std::vector<Duration> last(all.end() - 256, all.end());
    std::ranges::sort(last);
    const Duration exact = last[static_cast<std::size_t>(std::ceil(share * 256)) - 1];
    const Duration found = recent.percentile(share, 1).value();
    EXPECT_GE(found, exact);
    EXPECT_LE(seconds_of(found), seconds_of(exact) * 1.125 + 1e-9);
  }
  EXPECT_FALSE(RecentDurations().percentile(0.5, 1).has_value());
}

TEST(Hedge, that_makes_no_sense_is_refused_with_the_field) {
  EXPECT_EQ(Hedge::make({.name = "db", .delay = 0s}).error().detail(), "hedge 'db': delay must be above 0, not 0ns");
  EXPECT_FALSE(Hedge::make({.name = "db", .percentile = 1}).has_value());
  EXPECT_FALSE(Hedge::make({.name = "db", .max_extra = 11}).has_value());
}

}  // namespace
}  // namespace serin::guard
