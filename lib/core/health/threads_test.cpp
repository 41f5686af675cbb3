// Goal: with real threads nobody waits for a check that hangs, and a thousand who ask at once cost one run. Method: the
// engine's own threads; time is set by hand, so that nothing depends on how fast this machine is; latches, no sleep.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <latch>
#include <thread>

#include "published.hpp"
#include "serin/health/health.hpp"

namespace serin::health {
namespace {

CheckAnswer boom() { return CheckAnswer::fail("broken", "it is broken"); }

struct HandClock final : Clock {
  Instant now() const override { return Instant(Duration(at.load())); }
  WallTime wall() const override { return WallTime(Duration(at.load())); }
  void advance(Duration by) { at += by.count(); }
  std::atomic<Duration::rep> at = Duration(1h).count();
};

/// Waits until it is so; the test's time limit bounds it.
template <class Condition>
void until(const Condition& condition) {
  while (!condition()) std::this_thread::yield();
}

std::ptrdiff_t threads_now() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"), std::filesystem::directory_iterator{});
}

struct Threaded : testing::Test {
  HandClock clock;
  std::latch let_go{1};
  std::unique_ptr<Health> health = *Health::make({.threads = 64}, clock);
  void TearDown() override { health.reset(); }
  HealthReport now() { return *health->report({}); }
};

TEST_F(Threaded, s04_a_thousand_threads_that_ask_at_once_cost_one_run_a_check_and_get_equal_answers) {
  std::atomic<int> runs = 0;
  for (int i = 0; i < 3; ++i)
    ASSERT_TRUE(health->add({.name = std::to_string(i), .every = {}, .initial_delay = 1h}, [&](Deadline) {
      ++runs;
      let_go.wait();
      return CheckAnswer::pass();
    }));
  std::atomic<int> good = 0;
  std::latch answered(1000);
  std::latch asked(1000);
  std::vector<std::jthread> askers;
  for (int i = 0; i < 20; ++i)
    askers.emplace_back([&] {
      for (int j = 0; j < 50; ++j) {
        health->ask({}, Deadline::never(), [&](const std::optional<HealthReport>& report) {
          good += report && report->status == HealthStatus::up && report->checks.size() == 3 ? 1 : 0;
          answered.count_down();
        });
        asked.count_down();
      }
    });
  asked.wait();
  let_go.count_down();
  answered.wait();
  EXPECT_EQ(runs, 3);
  EXPECT_EQ(good, 1000);
  EXPECT_TRUE(health->stop()) << "before what the checks use is gone";
}

TEST_F(Threaded, s05_threads_stay_as_many_as_they_are_while_a_check_hangs_for_hours) {
  std::atomic<int> hung = 0;
  std::atomic<int> runs = 0;
  ASSERT_TRUE(health->add({.name = "hangs"}, [&](Deadline) {
    ++hung;
    let_go.wait();
    return CheckAnswer::pass();
  }));
  ASSERT_TRUE(health->add({.name = "fine"}, [&](Deadline) {
    ++runs;
    return CheckAnswer::pass();
  }));
  until([&] { return hung == 1 && runs == 1; });
  const auto before = threads_now();
  until([&] {
    clock.advance(20s);
    health->poll();
    return runs >= 200;
  });
  EXPECT_EQ(hung, 1);
  until([&] { return health->stuck() == 1; });  // the fine one may be at it
  // A worker that has just answered is not free yet, so a few more may be started; 64 would be if it hung every time.
  EXPECT_LE(threads_now(), before + 8);
  EXPECT_EQ(now().checks[0].answer.reason, "timeout");
  let_go.count_down();
  EXPECT_TRUE(health->stop()) << "before what the checks use is gone";
}

TEST_F(Threaded, s07_a_start_that_blocks_stalls_neither_time_nor_blocking_checks) {
  std::latch inside(1);
  ASSERT_TRUE(health->add_async({.name = "blocks"}, [&](const CheckContext&, const auto& done) {
    inside.count_down();
    let_go.wait();
    done(CheckAnswer::pass());
  }));
  inside.wait();
  std::atomic<int> runs = 0;
  ASSERT_TRUE(health->add({.name = "fine"}, [&](Deadline) {
    ++runs;
    return CheckAnswer::pass();
  }));
  until([&] { return runs == 1 && now().checks[1].answer.status == HealthStatus::up; });
  clock.advance(3s);
  EXPECT_EQ(now().checks[0].answer.reason, "timeout");
  let_go.count_down();
  EXPECT_TRUE(health->stop()) << "before what the checks use is gone";
}

TEST_F(Threaded, s15_a_listener_that_hangs_delays_no_answer_and_no_check) {
  std::latch inside(1);
  std::atomic<bool> first = true;
  health->on_change([&] {
    if (!first.exchange(false)) return;
    inside.count_down();
    let_go.wait();
  });
  std::atomic<int> runs = 0;
  ASSERT_TRUE(health->add({.name = "c"}, [&](Deadline) { return ++runs == 1 ? CheckAnswer::pass() : boom(); }));
  inside.wait();
  clock.advance(20s);
  health->poll();
  until([&] { return now().status == HealthStatus::down; });
  let_go.count_down();
  EXPECT_TRUE(health->stop()) << "before what the checks use is gone";
}

TEST_F(Threaded, s11_mark_started_is_enough_to_have_started) {
  ASSERT_TRUE(health->add({.name = "c", .initial_delay = 1h}, [](Deadline) { return CheckAnswer::pass(); }));
  EXPECT_EQ(health->status(Kind::startup), HealthStatus::unknown);
  health->mark_started();
  EXPECT_EQ(health->status(Kind::startup), HealthStatus::up);
  EXPECT_EQ(health->status(Kind::readiness), HealthStatus::unknown);
  EXPECT_TRUE(health->stop()) << "before what the checks use is gone";
}

TEST_F(Threaded, the_stop_token_is_requested_at_the_deadline) {
  std::atomic<int> stopped = 0;
  std::latch inside(1);
  ASSERT_TRUE(health->add({.name = "waits"}, [&](const CheckContext& context) {
    inside.count_down();
    until([&] { return context.stop.stop_requested(); });
    ++stopped;
    return CheckAnswer::pass();
  }));
  inside.wait();
  clock.advance(2s + 1ns);
  health->poll();
  until([&] { return stopped == 1; });
  EXPECT_TRUE(health->stop()) << "before what the checks use is gone";
}

TEST(HealthThreads, the_end_is_bounded_although_a_check_hangs_and_its_late_answer_is_dropped) {
  HandClock clock;
  auto let_go = std::make_shared<std::latch>(1);
  auto inside = std::make_shared<std::latch>(1);
  auto left = std::make_shared<std::latch>(1);
  auto health = *Health::make({.shutdown_grace = 0s}, clock);
  ASSERT_TRUE(health->add({.name = "hangs"}, [let_go, inside, left](Deadline) {
    inside->count_down();
    let_go->wait();
    left->count_down();
    return CheckAnswer::pass();
  }));
  inside->wait();
  EXPECT_FALSE(health->stop()) << "somebody was left behind";
  health.reset();
  let_go->count_down();
  left->wait();
}

TEST(HealthThreads, many_read_while_one_writes_and_nobody_sees_half_of_a_change) {
  HandClock clock;
  auto health = *Health::make({.shutdown_grace = 1min}, clock);
  for (const char* name : {"a", "b"}) ASSERT_TRUE(health->add_pushed({.name = name, .ttl = 1h}));
  std::atomic<bool> ended = false;
  std::atomic<int> wrong = 0;
  {
    std::vector<std::jthread> readers;
    for (int i = 0; i < 4; ++i)
      readers.emplace_back([&] {
        std::uint64_t last = 0;
        while (!ended) {
          const std::uint64_t version = health->version();
          if (version < last) ++wrong;
          last = version;
          const HealthReport report = *health->report({});
          if (report.checks.size() != 2 || report.status != aggregate(report.checks)) ++wrong;
        }
      });
    for (int i = 0; i < 2000; ++i)
      ASSERT_TRUE(health->push(i % 2 == 0 ? "a" : "b", i % 3 == 0 ? boom() : CheckAnswer::pass()));
    ended = true;
  }
  EXPECT_EQ(wrong, 0);
}

TEST(APublishedValue, lives_while_somebody_reads_it_and_not_longer) {
  struct Counted {
    explicit Counted(int& counter) : alive(&counter) { ++*alive; }
    ~Counted() { --*alive; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    int* alive;
  };
  int alive = 0;
  {
    Published<Counted> published(std::make_unique<const Counted>(alive));
    published.read([&](const Counted&) {
      published.publish(std::make_unique<const Counted>(alive));
      published.publish(std::make_unique<const Counted>(alive));
      EXPECT_EQ(alive, 3) << "somebody reads the first one, and may have begun while the second one was there";
    });
    published.publish(std::make_unique<const Counted>(alive));
    EXPECT_EQ(alive, 1);
  }
  EXPECT_EQ(alive, 0);
}

}  // namespace
}  // namespace serin::health
