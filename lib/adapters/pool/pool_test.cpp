// Goal: every rule of the pool that time, failure or a call decides. Method: a clock that stands still, and the pool's
// work done by the test itself (Upkeep::by_hand). The books are audited after each step that could break them. Who
// waits and in which order is in queue_test.cpp, real threads in threads_test.cpp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <optional>
#include <set>

#include "pool_under_test.hpp"

namespace serin::pool {
namespace {

using testing::HasSubstr;

class OfAPool : public testing::Test {
 protected:
  Options options() {
    return {
        .name = "thing", .max = 4, .min_idle = 0, .max_lifetime = 0s, .idle_timeout = 0s, .upkeep = Upkeep::by_hand};
  }
  std::unique_ptr<Pool<Thing>> pool(Options options, bool validates = true) {
    return Pool<Thing>::make(std::move(options), world.factory(validates), world.clock, world.random, &world.log)
        .value();
  }
  /// With `count` things idle, number 1 at the bottom.
  std::unique_ptr<Pool<Thing>> filled(Options options, int count, bool validates = true) {
    auto out = pool(std::move(options), validates);
    EXPECT_TRUE(out->warm_up(count, world.in(1s)));
    return out;
  }
  void pass(Pool<Thing>& pool, Duration by) {
    world.clock.advance(by);
    pool.sweep(world.clock.now());
    expect_good_books(pool);
  }
  void expect_good_books(const Pool<Thing>& pool) {
    const Status audit = pool.audit();
    EXPECT_TRUE(audit) << audit.error().text();
  }
  std::vector<int> lend_all(Pool<Thing>& pool) {
    std::vector<int> ids;
    std::vector<Lease<Thing>> leases;
    for (int left = pool.stats().idle; left > 0; --left) {
      leases.push_back(pool.borrow(world.in(1s)).value());
      ids.push_back(leases.back()->id);
    }
    return ids;
  }
  World world;
};

TEST_F(OfAPool, what_came_back_last_is_lent_first) {
  const auto things = filled(options(), 3);
  auto first = things->borrow(world.in(1s)).value();
  auto second = things->borrow(world.in(1s)).value();
  const int back_first = first->id, back_last = second->id;
  first.give_back();
  second.give_back();
  expect_good_books(*things);
  auto next = things->borrow(world.in(1s)).value();
  EXPECT_EQ(next->id, back_last);
  EXPECT_EQ(things->borrow(world.in(1s)).value()->id, back_first);
}

TEST_F(OfAPool, every_option_is_checked_and_the_error_names_it) {
  const auto refused = [&](auto change) {
    Options wrong = options();
    change(wrong);
    const auto made = Pool<Thing>::make(wrong, world.factory(), world.clock, world.random);
    EXPECT_FALSE(made);
    EXPECT_EQ(made.error().code(), Errc::invalid_argument);
    return made.error().detail();
  };
  EXPECT_THAT(refused([](Options& o) { o.name = ""; }), HasSubstr("pool.name must not be empty"));
  EXPECT_THAT(refused([](Options& o) { o.max = 0; }), HasSubstr("max must be from 1 to 4096"));
  EXPECT_THAT(refused([](Options& o) { o.min_idle = 5; }), HasSubstr("min_idle must be from 0 to max"));
  EXPECT_THAT(refused([](Options& o) { o.creators = 0; }), HasSubstr("creators"));
  EXPECT_THAT(refused([](Options& o) { o.borrow_timeout = 0s; }), HasSubstr("borrow_timeout"));
  EXPECT_THAT(refused([](Options& o) { o.wait_queue = -1; }), HasSubstr("wait_queue"));
  EXPECT_THAT(refused([](Options& o) { o.create_timeout = 0s; }), HasSubstr("create_timeout"));
  EXPECT_THAT(refused([](Options& o) { o.max_lifetime = 1ms; }), HasSubstr("max_lifetime"));
  EXPECT_THAT(refused([](Options& o) { o.idle_timeout = -1s; }), HasSubstr("idle_timeout"));
  EXPECT_THAT(refused([](Options& o) { o.validate_after = -1s; }), HasSubstr("validate_after"));
  EXPECT_THAT(refused([](Options& o) { o.validation_timeout = 0s; }), HasSubstr("validation_timeout"));
  EXPECT_THAT(refused([](Options& o) { o.keepalive = 29s; }), HasSubstr("keepalive must be 0 or at least 30s"));
  EXPECT_THAT(refused([](Options& o) { o.leak_after = 1s; }), HasSubstr("leak_after must be 0 or at least 2s"));
  EXPECT_THAT(refused([](Options& o) { o.sweep_every = 1ms; }), HasSubstr("sweep_every"));
  EXPECT_THAT(refused([](Options& o) { o.first_backoff = 0s; }), HasSubstr("first_backoff"));
  EXPECT_THAT(refused([](Options& o) { o.most_backoff = 1ms; }), HasSubstr("most_backoff"));
}

TEST_F(OfAPool, warming_up_makes_so_many_and_ends_at_the_first_failure) {
  Options four = options();
  four.min_idle = 3;
  const auto things = pool(four);
  EXPECT_TRUE(things->warm_up(0, world.in(1s)));
  EXPECT_EQ(things->stats().idle, 3);
  EXPECT_TRUE(things->warm_up(4, world.in(1s)));
  EXPECT_EQ(things->stats().idle, 4);
  EXPECT_EQ(things->warm_up(5, world.in(1s)).error().code(), Errc::invalid_argument);

  world.before_creation = [] { return Status(fail(Errc::permission_denied, "who are you")); };
  const auto others = pool(four);
  const Status failed = others->warm_up(2, world.in(1s));
  EXPECT_EQ(failed.error().code(), Errc::permission_denied);
  const Status late = pool(four)->warm_up(2, world.in(1s), OnFailure::try_again);
  EXPECT_EQ(late.error().code(), Errc::deadline_exceeded);
  EXPECT_THAT(late.error().detail(), HasSubstr("0 of 2 things were there in time; the last creation failed: "));
}

TEST_F(OfAPool, nothing_is_lent_once_it_is_old_and_ages_differ_by_up_to_a_tenth) {
  Options old = options();
  old.max = 64;
  old.max_lifetime = 100s;
  const auto things = filled(old, 64);
  pass(*things, 89s);
  EXPECT_EQ(things->stats().closed_lifetime, 0u);
  pass(*things, 6s);
  const auto at_95 = things->stats().closed_lifetime;
  EXPECT_GT(at_95, 15u);
  EXPECT_LT(at_95, 49u);
  {  // one that is too old for the borrower although no sweep has seen it
    world.clock.advance(5s);
    const int before = world.made;
    std::optional<Result<Lease<Thing>>> got;
    std::jthread borrower([&] { got = things->borrow(world.in(1h)); });
    until([&] { return things->stats().waiting == 1; });
    things->sweep(world.clock.now());
    borrower.join();
    EXPECT_GT((*got).value()->id, before);
  }
  expect_good_books(*things);
  EXPECT_EQ(things->stats().closed_lifetime, 64u);
}

TEST_F(OfAPool, what_is_lent_is_closed_for_its_age_when_it_comes_back) {
  Options old = options();
  old.max_lifetime = 100s;
  const auto things = filled(old, 1);
  auto lease = things->borrow(world.in(1s)).value();
  pass(*things, 200s);
  EXPECT_EQ(things->stats().in_use, 1);
  lease.give_back();
  things->sweep(world.clock.now());
  EXPECT_EQ(world.living, 0);
  EXPECT_EQ(things->stats().closed_lifetime, 1u);
}

TEST_F(OfAPool, what_nobody_needs_is_closed_from_the_one_unused_longest_down_to_min_idle) {
  Options some = options();
  some.idle_timeout = 100s;
  some.min_idle = 1;
  const auto things = filled(some, 4);
  world.clock.advance(80s);
  int kept = 0;
  {
    const auto lease = things->borrow(world.in(1s)).value();
    kept = lease->id;
  }
  pass(*things, 20s);
  EXPECT_EQ(things->stats().idle, 1);
  EXPECT_EQ(things->stats().closed_idle, 3u);
  pass(*things, 200s);
  EXPECT_EQ(lend_all(*things), std::vector{kept});
}

TEST_F(OfAPool, min_idle_is_made_up_for_by_the_sweep) {
  Options some = options();
  some.min_idle = 2;
  const auto things = filled(some, 2);
  const auto one = things->borrow(world.in(1s)).value();
  pass(*things, 10s);
  EXPECT_EQ(things->stats().idle, 2);
  EXPECT_EQ(things->stats().total, 3);
}

TEST_F(OfAPool, what_was_used_a_moment_ago_is_lent_without_a_question) {
  const auto things = filled(options(), 1);
  world.clock.advance(499ms);
  things->borrow(world.in(1s)).value().give_back();
  EXPECT_EQ(world.asked, 0);
  world.clock.advance(500ms);
  things->borrow(world.in(1s)).value().give_back();
  EXPECT_EQ(world.asked, 1);
  EXPECT_EQ(things->stats().validations, 1u);
}

TEST_F(OfAPool, a_question_has_the_validation_timeout_within_the_callers_deadline) {
  std::vector<Duration> given;
  Factory<Thing> factory = world.factory();
  factory.validate = [&](Thing&, Duration idle, Deadline deadline) -> Status {
    EXPECT_EQ(idle, 1s);
    given.push_back(deadline.left(world.clock.now()));
    return {};
  };
  const auto things = Pool<Thing>::make(options(), factory, world.clock, world.random).value();
  ASSERT_TRUE(things->warm_up(1, world.in(1s)));
  for (const Duration wait : {Duration(3s), Duration(60s)}) {
    world.clock.advance(1s);
    things->borrow(world.in(wait)).value().give_back();
  }
  EXPECT_THAT(given, testing::ElementsAre(3s, 5s));
}

TEST_F(OfAPool, one_that_is_found_dead_is_never_lent_and_the_others_are_asked_at_once) {
  const auto things = filled(options(), 4);
  std::vector<Lease<Thing>> all;
  for (int i = 0; i < 4; ++i) all.push_back(things->borrow(world.in(1s)).value());
  for (Lease<Thing>& lease : all) lease->dead = lease->id != 4;  // a server that went away, but for one connection
  all.clear();
  world.clock.advance(600ms);
  const auto lease = things->borrow(world.in(1s)).value();
  EXPECT_EQ(lease->id, 4);
  things->sweep(world.clock.now());
  expect_good_books(*things);
  EXPECT_EQ(things->stats().closed_dead, 3u);
  EXPECT_EQ(things->stats().total, 1);
  EXPECT_EQ(world.log.count("found dead pool=thing error=unavailable: dead"), 3);
}

TEST_F(OfAPool, the_idle_ones_are_asked_when_one_is_poisoned_although_they_were_used_a_moment_ago) {
  const auto things = filled(options(), 3);
  auto broken = things->borrow(world.in(1s)).value();
  auto silent = things->borrow(world.in(1s)).value();
  silent->dead = true;
  silent.give_back();
  world.clock.advance(1ms);
  broken.poison("connection reset");
  EXPECT_EQ(world.asked, 0);
  broken.give_back();
  things->sweep(world.clock.now());
  expect_good_books(*things);
  EXPECT_EQ(things->stats().closed_poisoned, 1u);
  EXPECT_EQ(things->stats().closed_dead, 1u);
  EXPECT_EQ(things->stats().idle, 1);
  EXPECT_EQ(world.asked, 2);  // each once
  EXPECT_EQ(world.log.count("poisoned pool=thing reason=connection reset"), 1);
}

TEST_F(OfAPool, keepalive_asks_the_idle_ones_and_does_not_make_them_look_used) {
  Options kept = options();
  kept.keepalive = 30s;
  kept.idle_timeout = 100s;
  const auto things = filled(kept, 2);
  pass(*things, 26s);
  EXPECT_EQ(world.asked, 0);
  pass(*things, 4s);
  EXPECT_EQ(world.asked, 2);
  EXPECT_EQ(things->stats().keepalives, 2u);
  pass(*things, 1s);
  EXPECT_EQ(world.asked, 2);
  pass(*things, 69s);
  EXPECT_EQ(things->stats().closed_idle, 2u);
}

TEST_F(OfAPool, a_lease_that_is_held_too_long_is_reported_once_and_its_return_once) {
  Options watched = options();
  watched.leak_after = 2s;
  const auto things = filled(watched, 2);
  auto held = things->borrow(world.in(1s)).value();
  const auto other = things->borrow(world.in(1s)).value();
  pass(*things, 1999ms);
  EXPECT_EQ(things->stats().leaks_reported, 0u);
  pass(*things, 1ms);
  pass(*things, 10s);
  EXPECT_EQ(things->stats().leaks_reported, 2u);
  EXPECT_EQ(world.log.count("held for long"), 2);
  EXPECT_EQ(world.log.count("pool_test.cpp:"), 2) << "the borrower's place in the code";
  EXPECT_EQ(world.log.count("thread=" + std::to_string(gettid())), 2) << "and thread";
  held.give_back();
  EXPECT_EQ(world.log.count("returned after all"), 1);
  pass(*things, 10s);
  EXPECT_EQ(things->stats().leaks_returned, 1u);
  EXPECT_EQ(things->stats().idle, 1) << "it is used again like any other";
  things->borrow(world.in(1s)).value().give_back();
  EXPECT_EQ(things->stats().leaks_returned, 1u);
}

TEST_F(OfAPool, made_smaller_closes_the_idle_at_once_and_the_lent_when_they_come_back) {
  const auto things = filled(options(), 4);
  auto a = things->borrow(world.in(1s)).value();
  auto b = things->borrow(world.in(1s)).value();
  ASSERT_TRUE(things->resize(0, 1));
  things->sweep(world.clock.now());
  expect_good_books(*things);
  EXPECT_EQ(things->stats().total, 2);
  a.give_back();
  things->sweep(world.clock.now());
  EXPECT_EQ(things->stats().total, 1);
  b.give_back();
  things->sweep(world.clock.now());
  EXPECT_EQ(things->stats().idle, 1);
  EXPECT_EQ(things->stats().closed_surplus, 3u);
  ASSERT_TRUE(things->resize(3, 3));
  things->sweep(world.clock.now());
  EXPECT_EQ(things->stats().idle, 3);
  EXPECT_THAT(things->resize(4, 3).error().detail(), HasSubstr("pool.min_idle"));
  expect_good_books(*things);
}

TEST_F(OfAPool, closing_closes_everything_and_names_who_still_holds_one) {
  const auto things = filled(options(), 3);
  std::optional<Lease<Thing>> held(things->borrow(world.in(1s)).value());
  const Status late = things->close(world.in(0s));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code(), Errc::deadline_exceeded);
  EXPECT_THAT(late.error().detail(), HasSubstr("lent to"));
  EXPECT_THAT(late.error().detail(), HasSubstr("pool_test.cpp:"));
  EXPECT_EQ(world.living, 1);
  EXPECT_EQ(things->borrow(world.in(1s)).error().code(), Errc::unavailable);
  held.reset();
  EXPECT_TRUE(things->close(world.in(0s)));
  EXPECT_EQ(world.living, 0);
  expect_good_books(*things);
}

TEST_F(OfAPool, a_deadline_that_has_passed_or_a_stop_gets_nothing_although_something_is_idle) {
  const auto things = filled(options(), 1);
  EXPECT_EQ(things->borrow(world.in(0s)).error().code(), Errc::deadline_exceeded);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(things->borrow(world.in(1s), stop.get_token()).error().code(), Errc::cancelled);
  EXPECT_EQ(things->stats().timeouts, 1u);
  EXPECT_EQ(things->stats().cancelled, 1u);
  EXPECT_EQ(things->stats().borrows, 0u);
}

TEST_F(OfAPool, a_creation_that_throws_is_a_creation_that_failed) {
  world.before_creation = []() -> Status { throw std::runtime_error("foreign"); };
  const auto things = pool(options());
  EXPECT_THAT(things->warm_up(1, world.in(1s)).error().text(), HasSubstr("internal: creating a thing threw: foreign"));
  EXPECT_EQ(things->stats().create_failures, 1u);
}

TEST_F(OfAPool, a_question_that_throws_is_answered_no) {
  const auto things = filled(options(), 2);
  world.when_asked = [](Thing& thing) -> Status {
    if (thing.id == 2) throw std::runtime_error("foreign");
    return {};
  };
  world.clock.advance(1s);
  EXPECT_EQ(things->borrow(world.in(1s)).value()->id, 1);
  EXPECT_EQ(world.log.count("asking a thing threw: foreign"), 1);
}

TEST_F(OfAPool, a_lease_moves_and_goes_back_once) {
  const auto things = filled(options(), 2);
  auto a = things->borrow(world.in(1s)).value();
  auto b = std::move(a);
  a = things->borrow(world.in(1s)).value();
  EXPECT_EQ(things->stats().in_use, 2);
  a = std::move(b);
  EXPECT_EQ(things->stats().in_use, 1);
  a.give_back();
  a.give_back();
  EXPECT_EQ(things->stats().idle, 2);
  expect_good_books(*things);
}

TEST_F(OfAPool, the_histograms_hold_every_use_and_creation) {
  world.creation = 150ms;
  const auto things = filled(options(), 2);
  auto lease = things->borrow(world.in(1s)).value();
  world.clock.advance(3ms);
  lease.give_back();
  const Stats stats = things->stats();
  EXPECT_EQ(stats.use.count(), 1u);
  EXPECT_EQ(stats.use.sum, 3ms);
  EXPECT_EQ(stats.use.counts[Histogram::bucket(3ms)], 1u);
  EXPECT_GE(Histogram::bound(Histogram::bucket(3ms)), 3ms);
  EXPECT_LT(Histogram::bound(Histogram::bucket(3ms) - 1), 3ms);
  EXPECT_EQ(stats.creation.sum, 300ms);
  EXPECT_EQ(Histogram::bucket(1024ns), 0u);
  EXPECT_EQ(Histogram::bucket(1025ns), 1u);
  EXPECT_EQ(Histogram::bucket(1h), Histogram::bounds);
}

}  // namespace
}  // namespace serin::pool
