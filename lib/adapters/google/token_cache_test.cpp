// Goal: a token is renewed before it ends, by one, while everybody else goes on; and what fails then fails late.
// Method: threads that take turns on fake time (sim::Crew), so that each order is the same each time; and one test with
// threads that really run at once, for the thread sanitizer.
#include "serin/google/token_cache.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "serin/sim/crew.hpp"
#include "serin/sim/world.hpp"

namespace serin::google {
namespace {

class Tokens : public testing::Test {
 protected:
  /// Tokens t1, t2, ...; each takes `takes`, lives `lives`, or fails with `broken`.
  Result<FetchedToken> fetch(Deadline deadline, const std::stop_token& stop) {
    const int number = ++fetches;
    fetched_at.push_back(crew.now());
    if (takes > 0s) {
      const Instant until = Deadline::after(crew.now(), takes).sooner(deadline).at();
      SERIN_CHECK(sleep_until(crew, until, stop));
      if (deadline.passed(crew.now())) return fail(Errc::deadline_exceeded, "the fetch took too long");
    }
    if (broken) return fail(*broken, "the token endpoint is broken");
    return FetchedToken{"t" + std::to_string(number), lives};
  }
  FetchToken fetching() {
    return [this](Deadline deadline, const std::stop_token& stop) { return fetch(deadline, stop); };
  }
  Deadline in(Duration time) { return Deadline::after(crew.now(), time); }
  std::string ask(Duration within = 30s) {
    const auto token = cache.token(in(within), {});
    return token ? *token : token.error().text();
  }
  void pass_time(Duration time) { ASSERT_TRUE(crew.sleep_until(crew.now() + time)); }
  /// Runs `work` on `count` further threads and waits for their end.
  void at_once(int count, const std::function<void(int)>& work) {
    std::vector<std::unique_ptr<Event>> ended;
    for (int i = 0; i < count; ++i) {
      Event& end = *ended.emplace_back(std::make_unique<Event>());
      ASSERT_TRUE(crew.start([&work, &end, i] {
        work(i);
        end.set();
      }));
    }
    for (const auto& end : ended) crew.join(*end);
  }

  sim::Crew crew;
  sim::SeededRandom random{7};
  sim::World world;  // for its log
  int fetches = 0;
  std::vector<Instant> fetched_at;
  Duration takes = 100ms;
  Duration lives = 1h;
  std::optional<Errc> broken;
  TokenCache cache{fetching(), {.sleeper = crew, .random = random, .tasks = &crew, .log = &world.log()}, "a@b"};
};

TEST_F(Tokens, are_asked_for_once_and_then_remembered) {
  for (int i = 0; i < 100; ++i) EXPECT_EQ(ask(), "t1");
  pass_time(50min);
  EXPECT_EQ(ask(), "t1");
  EXPECT_EQ(fetches, 1);
}

TEST_F(Tokens, with_little_time_left_are_renewed_beside_the_callers) {
  ASSERT_EQ(ask(), "t1");
  pass_time(55min);  // 300 s left
  const Instant before = crew.now();
  EXPECT_EQ(ask(), "t1");
  EXPECT_EQ(ask(), "t1");
  EXPECT_EQ(crew.now(), before) << "nobody waited";
  pass_time(200ms);
  EXPECT_EQ(ask(), "t2");
  EXPECT_EQ(fetches, 2) << "one renewal, however many asked";
}

TEST_F(Tokens, are_not_all_renewed_at_the_same_moment) {
  std::set<std::int64_t> seconds_left;
  for (int i = 0; i < 40; ++i) {
    TokenCache one(fetching(), {.sleeper = crew, .random = random, .tasks = &crew}, "one of many");
    ASSERT_TRUE(one.token(in(30s), {}));
    const Instant ends = fetched_at.back() + lives;
    pass_time(lives - 340s - takes);
    const int before = fetches;
    while (fetches == before) {
      ASSERT_TRUE(one.token(in(30s), {}));
      pass_time(1s);
    }
    const auto left = std::chrono::round<std::chrono::seconds>(ends - fetched_at.back()).count();
    EXPECT_GE(left, 299);
    EXPECT_LE(left, 331);
    seconds_left.insert(left);
  }
  EXPECT_GT(seconds_left.size(), 10u) << "spread over 30 s";
}

TEST_F(Tokens, that_cannot_be_renewed_are_used_as_long_as_they_live) {
  ASSERT_EQ(ask(), "t1");
  pass_time(55min);
  broken = Errc::unavailable;
  const Instant ends = fetched_at.front() + lives;
  while (crew.now() + 1s < ends) {
    ASSERT_EQ(ask(), "t1");
    pass_time(1s);
  }
  EXPECT_GE(fetches, 25) << "it was tried again and again";
  for (std::size_t i = 2; i < fetched_at.size(); ++i) EXPECT_GE(fetched_at[i] - fetched_at[i - 1], 10s);
  EXPECT_FALSE(world.log_lines().empty());
  EXPECT_NE(world.log_lines().front().find("token_not_renewed"), std::string::npos) << world.log_lines().front();
  pass_time(2s);
  EXPECT_EQ(ask(), "unavailable: the token endpoint is broken");
  broken.reset();
  EXPECT_EQ(ask().front(), 't') << "and it comes back";
}

TEST_F(Tokens, that_come_with_little_time_left_are_asked_for_again_every_10_seconds_at_most) {
  lives = 250s;  // as a metadata server that remembers its own does
  for (int i = 0; i < 60; ++i) {
    EXPECT_EQ(ask().front(), 't');
    pass_time(1s);
  }
  EXPECT_LE(fetches, 7);
  EXPECT_GE(fetches, 5);
}

TEST_F(Tokens, that_have_ended_are_asked_for_by_one_while_all_wait) {
  std::vector<std::string> got(12);
  at_once(12, [&](int i) { got[static_cast<std::size_t>(i)] = ask(); });
  EXPECT_EQ(fetches, 1);
  EXPECT_EQ(got, std::vector<std::string>(12, "t1"));
}

TEST_F(Tokens, that_cannot_be_had_fail_for_all_who_wait_with_one_request) {
  broken = Errc::permission_denied;
  std::vector<std::string> got(12);
  at_once(12, [&](int i) { got[static_cast<std::size_t>(i)] = ask(); });
  EXPECT_EQ(fetches, 1);
  EXPECT_EQ(got, std::vector<std::string>(12, "permission_denied: the token endpoint is broken"));
}

TEST_F(Tokens, are_asked_for_by_the_next_one_when_the_first_had_too_little_time) {
  takes = 5s;
  std::vector<std::string> got(3);
  at_once(3, [&](int i) { got[static_cast<std::size_t>(i)] = ask(i == 0 ? 1s : 30s); });
  EXPECT_EQ(got[0], "deadline_exceeded: the fetch took too long");
  EXPECT_EQ(got[1], "t2");
  EXPECT_EQ(got[2], "t2");
}

TEST_F(Tokens, are_waited_for_no_longer_than_the_deadline_or_the_callers_wish) {
  takes = 5s;
  std::vector<std::string> got(3);
  std::vector<Instant> at(3);
  std::stop_source stop;
  at_once(4, [&](int i) {
    const auto index = static_cast<std::size_t>(i);
    if (i == 3) {
      ASSERT_TRUE(crew.sleep_until(crew.now() + 500ms));
      stop.request_stop();
      return;
    }
    const auto token = cache.token(in(i == 1 ? 1s : 30s), i == 2 ? stop.get_token() : std::stop_token());
    got[index] = token ? *token : std::string(errc_name(token.error().code()));
    at[index] = crew.now();
  });
  EXPECT_EQ(got, (std::vector<std::string>{"t1", "deadline_exceeded", "cancelled"}));
  EXPECT_EQ(at[1], fetched_at[0] + 1s);
  EXPECT_EQ(at[2], fetched_at[0] + 500ms);
}

TEST_F(Tokens, that_a_service_refuses_are_forgotten_but_not_with_every_call) {
  ASSERT_EQ(ask(), "t1");
  cache.reject("something older");
  EXPECT_EQ(ask(), "t1");
  cache.reject("t1");
  cache.reject("t1");
  EXPECT_EQ(ask(), "t2");
  for (int i = 0; i < 50; ++i) {
    cache.reject(ask());
    pass_time(100ms);
  }
  EXPECT_EQ(fetches, 2) << "within 10 s a refused token is kept: the service refuses them all";
  pass_time(10s);
  cache.reject("t2");
  EXPECT_EQ(ask(), "t3");
}

TEST_F(Tokens, without_a_thread_are_renewed_in_a_callers_time_but_not_in_all_of_it) {
  TokenCache alone(fetching(), {.sleeper = crew, .random = random}, "alone");
  ASSERT_TRUE(alone.token(in(30s), {}));
  pass_time(56min);
  takes = 1min;
  const Instant before = crew.now();
  EXPECT_EQ(*alone.token(in(4s), {}), "t1") << "the renewal failed, the token lives";
  EXPECT_EQ(crew.now() - before, 2s) << "half of the caller's time";
  takes = 100ms;
  pass_time(10s);
  EXPECT_EQ(*alone.token(in(30s), {}), "t1");
  EXPECT_EQ(*alone.token(in(30s), {}), "t3");
}

TEST_F(Tokens, that_are_being_renewed_when_the_cache_ends_are_waited_for_and_stopped) {
  auto mortal = std::make_unique<TokenCache>(
      fetching(), TokenWorld{.sleeper = crew, .random = random, .tasks = &crew, .log = &world.log()}, "mortal");
  ASSERT_TRUE(mortal->token(in(30s), {}));
  pass_time(56min);
  takes = 50s;
  EXPECT_EQ(*mortal->token(in(30s), {}), "t1");
  const Instant before = crew.now();
  mortal.reset();
  EXPECT_EQ(crew.now(), before) << "stopped, not waited for to its end";
  EXPECT_EQ(crew.running(), 0u);
}

/// Time that a test sets, for threads that really run at once; waits end when their event is set.
class SetTime final : public Sleeper {
 public:
  Instant now() const override { return Instant(Duration(at_.load())); }
  WallTime wall() const override { return {}; }
  Status sleep_until(Instant) override { return {}; }
  Result<bool> wait(Event& event, Instant) override {
    const std::atomic<bool> never = false;
    return event.block_until(Instant::max(), never);
  }
  void pass(Duration time) { at_ += time.count(); }

 private:
  std::atomic<std::int64_t> at_{Duration(1h).count()};
};

class LockedRandom final : public Random {
 public:
  std::uint64_t next() override { return state_.fetch_add(0x9E3779B97F4A7C15ULL); }

 private:
  std::atomic<std::uint64_t> state_{1};
};

TEST(Token_cache, holds_with_threads_that_run_at_once) {
  SetTime time;
  LockedRandom random;
  std::atomic<int> inside = 0;
  std::atomic<int> fetches = 0;
  std::atomic<int> overlaps = 0;
  const auto fetch = [&](Deadline, const std::stop_token&) -> Result<FetchedToken> {
    if (inside.fetch_add(1) != 0) ++overlaps;
    const int number = ++fetches;
    --inside;
    if (number % 5 == 0) return fail(Errc::unavailable, "every fifth fails");
    return FetchedToken{"t" + std::to_string(number), 400s};
  };
  TokenCache cache(fetch, {.sleeper = time, .random = random}, "many");
  std::atomic<int> answers = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        for (int i = 0; i < 5000; ++i) {
          const auto token = cache.token(Deadline::never(), {});
          if (token) ++answers;
          if (token && i % 97 == 0) cache.reject(*token);
          if (t == 0) time.pass(1s);
        }
      });
  }
  EXPECT_EQ(overlaps, 0) << "one asks at a time";
  EXPECT_GT(answers, 15'000);
  EXPECT_GT(fetches, 20);
}

}  // namespace
}  // namespace serin::google
