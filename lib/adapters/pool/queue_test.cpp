// Goal: who waits, in which order it is served, how it can stop waiting, and when something is made for it. Method: the
// engine's own steps (join, leave, next_job, run) with waiters that no thread waits in; a clock that stands still.
// Where a whole borrow() is needed, one thread waits in it and the test does all the rest.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <optional>

#include "queue_under_test.hpp"

namespace serin::pool {
namespace {

using testing::HasSubstr;

TEST_F(TheQueue, hands_what_comes_back_to_who_has_waited_longest_before_anybody_sees_it) {
  make(options());
  warm(2);
  const auto lent = lend(2);
  Waiter& first = join();
  Waiter& second = join();
  engine->give_back(*lent[0]);
  EXPECT_EQ(first.slot, lent[0]);
  EXPECT_TRUE(first.parker.is_done());
  EXPECT_FALSE(second.parker.is_done());
  Waiter& third = join();
  EXPECT_EQ(third.slot, nullptr) << "a newcomer never overtakes";
  engine->give_back(*lent[1]);
  EXPECT_EQ(second.slot, lent[1]);
  engine->give_back(*first.slot);
  EXPECT_EQ(third.slot, first.slot);
  engine->give_back(*second.slot);
  engine->give_back(*third.slot);
  audit();
  const Stats stats = engine->stats();
  EXPECT_EQ(stats.idle, 2);
  EXPECT_EQ(stats.waited, 3u);
  EXPECT_EQ(stats.borrows, 5u);
  EXPECT_EQ(stats.wait.count(), 3u);
}

TEST_F(TheQueue, is_left_from_any_place_without_disturbing_the_others) {
  make(options());
  warm(2);
  const auto lent = lend(2);
  std::vector<Waiter*> line;
  for (int i = 0; i < 5; ++i) line.push_back(&join());
  engine->leave(*line[2], Waiter::End::cancelled);
  engine->leave(*line[0], Waiter::End::cancelled);
  engine->leave(*line[4], Waiter::End::cancelled);
  EXPECT_EQ(engine->stats().waiting, 2);
  engine->give_back(*lent[0]);
  engine->give_back(*lent[1]);
  EXPECT_EQ(line[1]->slot, lent[0]);
  EXPECT_EQ(line[3]->slot, lent[1]);
  engine->leave(*line[1], Waiter::End::cancelled);  // too late: it was served, and keeps it
  EXPECT_EQ(line[1]->end, Waiter::End::granted);
  EXPECT_EQ(engine->stats().cancelled, 3u);
  engine->give_back(*line[1]->slot);
  engine->give_back(*line[3]->slot);
  audit();
}

TEST_F(TheQueue, has_a_bound_and_refuses_one_more_with_the_counts) {
  Options small = options();
  small.wait_queue = 1;
  make(small);
  warm(2);
  const auto lent = lend(2);
  Waiter& waiting = join();
  const auto refused = engine->borrow(world.in(1h), {}, std::source_location::current());
  EXPECT_EQ(refused.error().code(), Errc::rejected);
  EXPECT_THAT(refused.error().detail(), HasSubstr("2 of at most 2 there, 2 in use, 0 idle, 0 being made, 1 waiting"));
  EXPECT_EQ(engine->stats().refused, 1u);
  engine->give_back(*lent[0]);
  engine->give_back(*lent[1]);
  engine->give_back(*waiting.slot);
}

TEST_F(TheQueue, serves_at_once_who_joins_while_something_is_idle) {
  make(options());
  warm(1);
  Waiter& waiter = join();
  EXPECT_EQ(waiter.end, Waiter::End::granted);
  EXPECT_EQ(engine->stats().waited, 0u);
  engine->give_back(*waiter.slot);
  audit();
}

TEST_F(TheQueue, tells_who_waited_too_long_what_was_there_and_why_nothing_was_made) {
  Options patient = options();
  patient.borrow_timeout = 30s;
  make(patient);
  world.before_creation = [] { return Status(fail(Errc::unavailable, "connection refused")); };
  std::optional<Result<Slot*>> got;
  std::jthread borrower([&] { got = engine->borrow(world.in(1h), {}, std::source_location::current()); });
  until([&] { return engine->stats().waiting == 1; });
  engine->sweep(now());  // makes one, in vain
  world.clock.advance(30s);
  {
    const auto next = engine->next_job(now());  // and this one does not end before the borrower's time does
    ASSERT_TRUE(next);
    until([&] { return engine->stats().waiting == 0; });
    borrower.join();
    engine->run(*next);
  }
  const Error error = got->error();
  EXPECT_EQ(error.code(), Errc::deadline_exceeded);
  EXPECT_EQ(
      error.detail(),
      "no thing was free in time (30s): 1 of at most 2 there, 0 in use, 0 idle, 1 being made, 0 waiting; the last "
      "creation failed 30s ago: unavailable: connection refused");
  EXPECT_EQ(engine->stats().timeouts, 1u);
  audit();
}

TEST_F(TheQueue, is_swept_of_those_whose_time_is_over) {
  make(options());
  warm(2);
  const auto lent = lend(2);
  Waiter& hasty = join(1s);
  Waiter& patient = join(1h);
  world.clock.advance(1s);
  engine->sweep(now());
  EXPECT_EQ(hasty.end, Waiter::End::timed_out);
  EXPECT_EQ(patient.end, Waiter::End::none);
  engine->give_back(*lent[0]);
  EXPECT_EQ(patient.slot, lent[0]);
  engine->give_back(*lent[1]);
  engine->give_back(*patient.slot);
  audit();
}

TEST_F(TheQueue, is_left_by_who_is_told_to_stop) {
  make(options());
  warm(2);
  const auto lent = lend(2);
  std::stop_source stop;
  std::optional<Result<Slot*>> got;
  std::jthread borrower([&] { got = engine->borrow(world.in(1h), stop.get_token(), std::source_location::current()); });
  until([&] { return engine->stats().waiting == 1; });
  stop.request_stop();
  borrower.join();
  EXPECT_EQ(got->error().code(), Errc::cancelled);
  engine->give_back(*lent[0]);
  engine->give_back(*lent[1]);
  EXPECT_EQ(engine->stats().idle, 2);
  audit();
}

TEST_F(TheQueue, gets_what_is_made_or_what_comes_back_whichever_is_first) {
  make(options());
  warm(1);
  const auto lent = lend(1);
  Waiter& waiter = join();
  const auto making = job();
  ASSERT_TRUE(making);
  engine->give_back(*lent[0]);
  EXPECT_EQ(waiter.slot, lent[0]);
  engine->run(*making);
  EXPECT_EQ(engine->stats().idle, 1);
  engine->give_back(*waiter.slot);
  audit();
}

TEST_F(TheQueue, has_at_most_so_many_made_at_once_and_one_for_each_who_waits) {
  Options many = options();
  many.max = 10;
  many.creators = 3;
  make(many);
  EXPECT_FALSE(job());
  Waiter& only = join();
  std::vector<Job> jobs{*job()};
  EXPECT_FALSE(job()) << "one waits, one is being made";
  for (int i = 0; i < 5; ++i) join();
  jobs.push_back(*job());
  jobs.push_back(*job());
  EXPECT_FALSE(job()) << "three at once";
  EXPECT_EQ(engine->stats().creating, 3);
  for (const Job& each : jobs) engine->run(each);
  EXPECT_EQ(only.end, Waiter::End::granted);
  while (const auto next = job()) engine->run(*next);
  EXPECT_EQ(engine->stats().total, 6);
  for (Waiter& waiter : waiters) engine->give_back(*waiter.slot);
  audit();
}

TEST_F(TheQueue, has_nothing_made_while_returns_serve_it_sooner) {
  Options many = options();
  many.max = 10;
  make(many);
  world.creation = 150ms;
  warm(2);
  auto lent = lend(2);
  Waiter& taught = join();
  EXPECT_FALSE(job()) << "how long they are used is not known: a moment to see";
  world.clock.advance(2ms);
  engine->give_back(*lent[0]);  // used for 2 ms
  lent[0] = taught.slot;
  std::vector<Waiter*> line;
  for (int i = 0; i < 100; ++i) line.push_back(&join());
  EXPECT_FALSE(job()) << "100 waiters on 2 things of 2 ms are served in 100 ms; making one takes 150 ms";
  for (int i = 0; i < 60; ++i) line.push_back(&join());
  const auto making = job();
  EXPECT_TRUE(making) << "160 ms is later than 150 ms";
  engine->run(*making);
  for (Slot* slot : lent) engine->give_back(*slot);
  while (engine->stats().waiting > 0)
    for (Waiter* waiter : line)
      if (waiter->slot != nullptr) engine->give_back(*std::exchange(waiter->slot, nullptr));
  for (Waiter* waiter : line)
    if (waiter->slot != nullptr) engine->give_back(*waiter->slot);
  audit();
}

TEST_F(TheQueue, that_has_stood_as_long_as_a_creation_takes_gets_one_whatever_was_expected) {
  Options many = options();
  many.max = 10;
  make(many);
  world.creation = 150ms;
  warm(2);
  auto lent = lend(2);
  Waiter& taught = join();
  world.clock.advance(2ms);
  engine->give_back(*lent[0]);
  Waiter& stuck = join();
  world.clock.advance(149ms);
  EXPECT_FALSE(job());
  world.clock.advance(1ms);
  const auto making = job();
  ASSERT_TRUE(making);
  engine->run(*making);
  EXPECT_EQ(stuck.end, Waiter::End::granted);
  engine->give_back(*taught.slot);
  engine->give_back(*stuck.slot);
  engine->give_back(*lent[1]);
  audit();
}

TEST_F(TheQueue, has_one_made_at_once_when_nobody_could_bring_anything_back) {
  make(options());
  world.creation = 150ms;
  warm(1);
  auto lent = lend(1);
  engine->poison(*lent[0], "gone");
  engine->give_back(*lent[0]);
  Waiter& waiter = join();
  const auto making = job();
  ASSERT_TRUE(making);
  EXPECT_EQ(making->kind, Job::Kind::create);
  engine->run(*making);
  EXPECT_EQ(waiter.end, Waiter::End::granted);
  engine->give_back(*waiter.slot);
  while (const auto next = job()) engine->run(*next);
  audit();
}

TEST_F(TheQueue, is_sent_away_when_the_pool_closes) {
  make(options());
  warm(2);
  const auto lent = lend(2);
  std::optional<Result<Slot*>> got;
  std::jthread borrower([&] { got = engine->borrow(world.in(1h), {}, std::source_location::current()); });
  until([&] { return engine->stats().waiting == 1; });
  EXPECT_FALSE(engine->close(world.in(0s)));
  borrower.join();
  EXPECT_EQ(got->error().code(), Errc::unavailable);
  for (Slot* slot : lent) engine->give_back(*slot);
  EXPECT_TRUE(engine->close(world.in(0s)));
}

TEST_F(TheQueue, stands_while_the_pool_is_paused) {
  make(options());
  warm(2);
  const auto lent = lend(1);
  engine->pause();
  Waiter& first = join();
  Waiter& second = join();
  Waiter& third = join();
  engine->give_back(*lent[0]);
  EXPECT_FALSE(job());
  EXPECT_EQ(engine->stats().waiting, 3);
  audit();
  engine->resume();
  EXPECT_EQ(first.end, Waiter::End::granted);
  EXPECT_EQ(second.end, Waiter::End::granted);
  engine->give_back(*first.slot);
  EXPECT_EQ(third.slot, first.slot);
  engine->give_back(*second.slot);
  engine->give_back(*third.slot);
  audit();
}

TEST_F(TheQueue, gives_its_first_place_back_to_who_was_handed_something_dead) {
  int questions = 0;
  hooks.validate = [&](void*, Duration, Deadline) -> Status {
    ++questions;
    if (questions == 1) return fail(Errc::unavailable, "dead");
    return {};
  };
  Options asking = options();
  asking.max = 1;
  asking.validate_after = 0s;  // also what just came back
  make(asking);
  warm(1);
  std::optional<Result<Slot*>> got;
  ASSERT_TRUE(engine->stats().idle == 1);
  questions = 1;
  const auto lent = lend(1);
  std::jthread borrower([&] { got = engine->borrow(world.in(1h), {}, std::source_location::current()); });
  until([&] { return engine->stats().waiting == 1; });
  Waiter& behind = join();
  questions = 0;
  engine->give_back(*lent[0]);  // dead, as the borrower finds out
  until([&] { return engine->stats().closing == 1 && engine->stats().waiting == 2; });
  engine->sweep(now());  // closed, and a new one made
  borrower.join();
  ASSERT_TRUE(*got);
  EXPECT_EQ(behind.end, Waiter::End::none) << "it stood behind";
  engine->give_back(***got);
  EXPECT_EQ(behind.end, Waiter::End::granted);
  engine->give_back(*behind.slot);
  audit();
}

TEST_F(TheQueue, does_not_exist_in_a_forked_child) {
  make(options());
  warm(2);
  auto lent = lend(1);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    engine->give_back(*lent[0]);
    const auto refused = engine->borrow(world.in(1h), {}, std::source_location::current());
    const bool good = !refused && refused.error().code() == Errc::unsupported && world.living == 2 &&
                      engine->stats().total == 0 && engine->close(world.in(1h));
    engine.reset();
    _exit(good && world.living == 2 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(engine->stats().in_use, 1) << "the parent has what it had";
  engine->give_back(*lent[0]);
  audit();
}

}  // namespace
}  // namespace serin::pool
