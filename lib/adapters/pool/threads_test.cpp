// Goal: with real threads and the pool's own, nothing is lent twice, nothing is lost, who waited longest is served
// first, and whoever is told to stop at any moment leaves nothing behind. Method: counters that two users at once would
// break, stops and deadlines at seeded random moments, and the pool's books afterwards. Runs under ThreadSanitizer.
#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>

#include "pool_under_test.hpp"
#include "serin/system/clock.hpp"
#include "serin/system/random.hpp"

namespace serin::pool {
namespace {

struct Guarded {
  std::atomic<int> users = 0;
  std::uint64_t unguarded = 0;  // a race, if two have it at once
};

class Threads : public testing::Test {
 protected:
  std::unique_ptr<Pool<Guarded>> pool(Options options, Duration creation = 0s) {
    options.name = "thing";
    Factory<Guarded> factory;
    factory.create = [this, creation](Deadline, const std::stop_token&) -> Result<std::unique_ptr<Guarded>> {
      if (creation > 0s) SERIN_CHECK(clock.sleep_for(creation));
      if (fails.fetch_sub(1) > 0) return fail(Errc::unavailable, "down");
      ++made;
      return std::make_unique<Guarded>();
    };
    if (validates) factory.validate = [](Guarded&, Duration, Deadline) -> Status { return {}; };
    return Pool<Guarded>::make(std::move(options), std::move(factory), clock, random).value();
  }
  Deadline soon() { return Deadline::after(clock.now(), 30s); }
  static void use(Lease<Guarded>& lease) {
    EXPECT_EQ(lease->users.fetch_add(1), 0);
    ++lease->unguarded;
    lease->users.fetch_sub(1);
  }
  static void expect_good_books(const Pool<Guarded>& pool) {
    const Status audit = pool.audit();
    EXPECT_TRUE(audit) << audit.error().text();
    EXPECT_EQ(pool.stats().in_use, 0);
  }
  PatientSleeper clock;
  SystemRandom random;
  std::atomic<int> made = 0;
  std::atomic<int> fails = 0;
  bool validates = true;
};

void together(int threads, const std::function<void(int)>& work) {
  std::vector<std::jthread> all;
  for (int i = 0; i < threads; ++i) all.emplace_back([&, i] { work(i); });
}

TEST_F(Threads, many_borrowers_of_few_things_are_each_served_every_time) {
  for (const int size : {1, 3, 8}) {
    const auto things = pool({.max = size, .min_idle = size});
    constexpr int threads = 8, rounds = 3'000;
    std::atomic<int> served = 0;
    together(threads, [&](int) {
      for (int i = 0; i < rounds; ++i) {
        auto lease = things->borrow(soon());
        ASSERT_TRUE(lease) << lease.error().text();
        use(*lease);
        ++served;
      }
    });
    EXPECT_EQ(served, threads * rounds);
    expect_good_books(*things);
    EXPECT_EQ(things->stats().borrows, static_cast<std::uint64_t>(threads * rounds));
    EXPECT_LE(things->stats().total, size);
  }
}

TEST_F(Threads, are_served_in_the_order_in_which_they_came) {
  const auto things = pool({.max = 1});
  std::optional held(things->borrow(soon()).value());
  constexpr int threads = 8;
  std::vector<int> order;  // guarded by the one thing
  {
    std::vector<std::jthread> all;
    for (int i = 0; i < threads; ++i) {
      all.emplace_back([&, i] {
        auto lease = things->borrow(soon()).value();
        order.push_back(i);
      });
      until([&] { return things->stats().waiting == i + 1; });
    }
    held.reset();
  }
  EXPECT_EQ(order, (std::vector{0, 1, 2, 3, 4, 5, 6, 7}));
  expect_good_books(*things);
}

TEST_F(Threads, that_give_up_at_any_moment_leave_nothing_behind) {
  const auto things = pool({.max = 3, .min_idle = 3, .wait_queue = 4});
  constexpr int threads = 8, rounds = 1'500;
  std::atomic<std::uint64_t> got = 0, late = 0, cancelled = 0, refused = 0;
  together(threads, [&](int seed) {
    sim::SeededRandom dice(static_cast<std::uint64_t>(seed));
    for (int i = 0; i < rounds; ++i) {
      std::stop_source stop;
      std::jthread stopper;
      if (i % 16 == 0) stopper = std::jthread([&] { stop.request_stop(); });
      const Deadline deadline = Deadline::after(clock.now(), Duration(dice.below(60'000)));
      auto lease = things->borrow(deadline, stop.get_token());
      if (lease) {
        ++got;
        use(*lease);
        if (dice.below(50) == 0) lease->poison("as the dice say");
        continue;
      }
      switch (lease.error().code()) {
        case Errc::deadline_exceeded: ++late; break;
        case Errc::cancelled: ++cancelled; break;
        case Errc::rejected: ++refused; break;
        default: ADD_FAILURE() << lease.error().text();
      }
    }
  });
  EXPECT_EQ(got + late + cancelled + refused, static_cast<std::uint64_t>(threads * rounds));
  ASSERT_TRUE(things->warm_up(3, soon()));
  until([&] { return things->stats().idle == 3; });
  expect_good_books(*things);
  const Stats stats = things->stats();
  EXPECT_EQ(stats.borrows, got);
  EXPECT_EQ(stats.timeouts, late);
  EXPECT_EQ(stats.cancelled, cancelled);
  EXPECT_EQ(stats.refused, refused);
  EXPECT_TRUE(things->close(soon()));
}

TEST_F(Threads, age_resize_and_pause_a_pool_while_others_use_it) {
  const auto things = pool({.max = 4,
                            .min_idle = 1,
                            .max_lifetime = 20ms,
                            .idle_timeout = 10ms,
                            .validate_after = 0s,
                            .leak_after = 2s,
                            .sweep_every = 10ms});
  std::atomic<bool> done = false;
  std::atomic<std::uint64_t> served = 0;
  std::jthread owner([&] {
    for (int i = 0; i < 60; ++i) {
      EXPECT_TRUE(things->resize(i % 2, 1 + i % 5));
      things->pause();
      static_cast<void>(things->stats());
      things->resume();
      static_cast<void>(clock.sleep_for(5ms));
    }
    EXPECT_TRUE(things->resize(0, 4));
    done = true;
  });
  together(6, [&](int) {
    while (!done) {
      auto lease = things->borrow(soon());
      ASSERT_TRUE(lease) << lease.error().text();
      use(*lease);
      ++served;
    }
  });
  owner.join();
  EXPECT_GT(things->stats().closed_lifetime, 0u);
  EXPECT_TRUE(things->close(soon()));
  expect_good_books(*things);
  EXPECT_EQ(things->stats().total, 0);
}

TEST_F(Threads, wait_through_a_time_in_which_nothing_can_be_made) {
  fails = 4;
  const auto things = pool({.max = 2});
  auto lease = things->borrow(soon());
  ASSERT_TRUE(lease) << lease.error().text();
  EXPECT_EQ(things->stats().create_failures, 4u);
}

TEST_F(Threads, of_a_burst_are_served_without_making_more_than_there_is_use_for) {
  const auto things = pool({.max = 50, .min_idle = 5}, 150ms);
  ASSERT_TRUE(things->warm_up(5, soon()));
  together(50, [&](int) {
    auto lease = things->borrow(soon()).value();
    static_cast<void>(clock.sleep_for(2ms));
  });
  EXPECT_LE(things->stats().total, 7) << "five things of 2 ms serve 50 in 20 ms, one more takes 150 ms";
}

TEST_F(Threads, do_not_hold_up_the_end_of_a_pool_whose_creation_hangs) {
  std::atomic<bool> told = false;
  Factory<Guarded> factory;
  factory.create = [&](Deadline, const std::stop_token& stop) -> Result<std::unique_ptr<Guarded>> {
    while (!stop.stop_requested()) std::this_thread::yield();
    told = true;
    return fail(Errc::cancelled, "told to stop");
  };
  auto things = Pool<Guarded>::make({.name = "thing"}, factory, clock, random).value();
  const auto none = things->borrow(Deadline::after(clock.now(), 20ms));
  EXPECT_EQ(none.error().code(), Errc::deadline_exceeded);
  things.reset();
  EXPECT_TRUE(told);
}

}  // namespace
}  // namespace serin::pool
