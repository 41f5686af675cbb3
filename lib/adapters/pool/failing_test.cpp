// Goal: what a pool does while nothing can be made. Method: as in queue_test.cpp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "queue_under_test.hpp"

namespace serin::pool {
namespace {

class Failing : public TheQueue {
 protected:
  void fail_once() {
    const auto next = job();
    ASSERT_TRUE(next);
    EXPECT_EQ(next->kind, Job::Kind::create);
    engine->run(*next);
  }
  /// How long nothing may be made from now on.
  Duration rest() {
    const Instant began = now();
    std::optional<Job> next;
    while (!(next = job())) world.clock.advance(1ms);
    taken = next;
    return now() - began;
  }
  std::optional<Job> taken;
};

TEST_F(Failing, creations_are_tried_again_after_10_ms_doubling_to_5_s) {
  Options many = options();
  many.creators = 1;
  make(many);
  world.before_creation = [] { return Status(fail(Errc::unavailable, "down")); };
  Waiter& waiter = join();
  fail_once();
  std::vector<std::int64_t> rests;
  for (int i = 0; i < 11; ++i) {
    rests.push_back(rest() / 1ms);
    engine->run(*taken);
  }
  EXPECT_THAT(rests, testing::ElementsAre(10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5000, 5000));
  world.before_creation = nullptr;
  rest();
  engine->run(*taken);
  EXPECT_EQ(waiter.end, Waiter::End::granted);
  world.before_creation = [] { return Status(fail(Errc::unavailable, "down")); };
  Waiter& another = join();
  fail_once();
  EXPECT_EQ(rest(), 10ms) << "one success and all is forgotten";
  engine->run(*taken);
  engine->give_back(*waiter.slot);
  engine->give_back(*another.slot);
}

TEST_F(Failing, is_told_to_who_waits_when_nothing_is_left_that_could_come_back) {
  Options telling = options();
  telling.when_down = WhenDown::fail;
  make(telling);
  warm(1);
  const auto lent = lend(1);
  world.before_creation = [] { return Status(fail(Errc::permission_denied, "password")); };
  std::optional<Result<Slot*>> got;
  std::jthread borrower([&] { got = engine->borrow(Deadline::never(), {}, std::source_location::current()); });
  until([&] { return engine->stats().waiting == 1; });
  world.clock.advance(1s);  // whatever was expected of returns
  fail_once();
  EXPECT_EQ(engine->stats().waiting, 1) << "one is lent, and may come back";
  engine->poison(*lent[0], "gone");
  engine->give_back(*lent[0]);
  engine->run(*job());  // closed
  EXPECT_EQ(engine->stats().waiting, 1);
  world.before_creation = [] { return Status(fail(Errc::unavailable, "refused")); };
  while (const auto next = job()) engine->run(*next);
  if (engine->stats().waiting == 1) {
    rest();
    engine->run(*taken);
  }
  borrower.join();
  EXPECT_EQ(got->error().text(), "unavailable: there is no thing, and none can be made: refused");
  EXPECT_EQ(engine->stats().failed, 1u);
  audit();
}

TEST_F(Failing, twice_in_15_s_leaves_one_probe_at_a_time) {
  Options many = options();
  many.max = 10;
  many.creators = 4;
  make(many);
  world.before_creation = [] { return Status(fail(Errc::unavailable, "down")); };
  for (int i = 0; i < 8; ++i) join();
  const auto one = job(), two = job();
  ASSERT_TRUE(one && two);
  engine->run(*one);
  world.clock.advance(5s);
  EXPECT_TRUE(taken = job()) << "after one failure as many as ever";
  EXPECT_TRUE(two);
  engine->run(*two);
  engine->run(*taken);
  world.clock.advance(5s);
  const auto probe = job();
  ASSERT_TRUE(probe);
  EXPECT_FALSE(job()) << "one probe";
  world.before_creation = nullptr;
  engine->run(*probe);
  EXPECT_TRUE(taken = job()) << "it came up";
  const auto more = job();
  EXPECT_TRUE(more);
  engine->run(*taken);
  engine->run(*more);
  while (const auto next = job()) engine->run(*next);
  for (Waiter& waiter : waiters) {
    ASSERT_NE(waiter.slot, nullptr);
    engine->give_back(*waiter.slot);
  }
  audit();
}

}  // namespace
}  // namespace serin::pool
