// Goal: unknown is never healthy, and no check can delay or hide another. Method: fake time, an executor that runs its
// work when the test says so, poll() by hand. sNN: the statement of docs/guide/health.md that it is about.
#include <stdexcept>

#include "health_under_test.hpp"

namespace serin::health {
namespace {

TEST_F(AHealth, s01_liveness_stays_up_when_every_dependency_is_down) {
  for (const char* name : {"a", "b"}) add({.name = name}, [](Deadline) { return boom(); });
  turn();
  EXPECT_EQ(now(Kind::readiness).status, HealthStatus::down);
  EXPECT_EQ(now(Kind::liveness).status, HealthStatus::up);
}

TEST_F(AHealth, s02_a_check_that_is_not_critical_is_not_in_readiness_and_liveness_refuses_what_is_outside) {
  add({.name = "shared", .critical = false}, [](Deadline) { return boom(); });
  add({.name = "own"}, [](Deadline) { return CheckAnswer::pass(); });
  turn();
  EXPECT_EQ(now(Kind::readiness).status, HealthStatus::up);
  EXPECT_EQ(now(Kind::readiness).checks.size(), 1u);
  EXPECT_EQ(now(Kind::deep).status, HealthStatus::degraded);
  EXPECT_FALSE(health->add({.name = "db", .kinds = Kind::liveness, .external = true},
                           [](Deadline) { return CheckAnswer::pass(); }));
}

TEST_F(AHealth, s03_s04_a_thousand_askers_of_ten_checks_cost_ten_runs) {
  int runs = 0;
  for (int i = 0; i < 10; ++i)
    add({.name = "c" + std::to_string(i), .every = {}}, [&](Deadline) {
      ++runs;
      return CheckAnswer::pass();
    });
  int answers = 0;
  const auto ask = [&] {
    health->ask({}, Deadline::after(world.now(), 5s), [&](std::optional<HealthReport> report) {
      answers += report && report->status == HealthStatus::up && report->checks.size() == 10 ? 1 : 0;
    });
  };
  for (int i = 0; i < 1000; ++i) ask();
  EXPECT_EQ(answers, 0);
  executor.run();
  EXPECT_EQ(runs, 10);
  EXPECT_EQ(answers, 1000);
  ask();
  EXPECT_EQ(answers, 1001) << "from memory, within the ttl";
  EXPECT_EQ(runs, 10);
}

TEST_F(AHealth, s05_a_hung_check_is_not_started_again_for_hours_and_delays_nobody) {
  add({.name = "hangs"}, [](Deadline) { return CheckAnswer::pass(); });
  health->poll();
  executor.hang();
  add({.name = "fine"}, [](Deadline) { return CheckAnswer::pass(); });
  for (int i = 0; i < 3600; ++i) turn(2s);
  EXPECT_EQ(executor.hung, 1u);
  EXPECT_EQ(health->stuck(), 1u);
  EXPECT_EQ(now().checks[0].answer.reason, "timeout");
  EXPECT_EQ(now().checks[0].answer.status, HealthStatus::unknown);
  EXPECT_EQ(now().checks[1].answer.status, HealthStatus::up);
  executor.hanging.front()();  // comes back after hours: too late to count
  EXPECT_EQ(now().checks[0].answer.reason, "timeout");
  turn(3s);
  EXPECT_EQ(now().checks[0].answer.status, HealthStatus::up) << "asked again, and in time";
}

TEST_F(AHealth, s05_a_follower_leaves_at_its_own_deadline) {
  add({.name = "slow", .timeout = 10s, .every = {}}, [](Deadline) { return CheckAnswer::pass(); });
  std::string reason;
  health->ask({}, Deadline::after(world.now(), 1s),
              [&](std::optional<HealthReport> report) { reason = report->checks[0].answer.reason; });
  world.advance(999ms);
  health->poll();
  EXPECT_EQ(reason, "");
  world.advance(1ms);
  health->poll();
  EXPECT_EQ(reason, "not_run_yet");
}

TEST_F(AHealth, s06_all_checks_are_started_at_once_and_the_total_is_the_longest) {
  for (const char* name : {"a", "b", "c"}) add({.name = name}, [](Deadline) { return CheckAnswer::pass(); });
  health->poll();
  EXPECT_EQ(executor.work.size(), 3u);
  world.advance(50ms);
  executor.run();
  EXPECT_EQ(now().total, 50ms);
}

TEST_F(AHealth, s07_liveness_is_known_while_the_whole_pool_hangs) {
  executor.limit = 2;
  for (const char* name : {"a", "b", "c"}) add({.name = name}, [](Deadline) { return CheckAnswer::pass(); });
  ASSERT_TRUE(health->add_pushed({.name = "loop", .kinds = Kind::liveness, .ttl = 5s}));
  ASSERT_TRUE(health->beat("loop"));
  health->poll();
  executor.hang();
  world.advance(3s);
  health->poll();
  EXPECT_EQ(health->status(Kind::liveness), HealthStatus::up);
  EXPECT_EQ(now(Kind::readiness).checks[0].answer.reason, "timeout");
  EXPECT_EQ(now(Kind::readiness).checks[2].answer.reason, "pool_busy");
}

TEST_F(AHealth, s08_whatever_a_check_throws_is_one_failed_entry) {
  add({.name = "exception"}, [](Deadline) -> CheckAnswer { throw std::runtime_error("boom"); });
  add({.name = "number"}, [](Deadline) -> CheckAnswer { throw 7; });
  add({.name = "null"}, [](Deadline) -> CheckAnswer { throw nullptr; });
  add({.name = "fine"}, [](Deadline) { return CheckAnswer::pass(); });
  turn();
  const HealthReport report = now();
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(report.checks[i].answer.reason, "exception");
  EXPECT_EQ(report.checks[0].answer.error, "boom");
  EXPECT_EQ(report.checks[3].answer.status, HealthStatus::up);
}

TEST_F(AHealth, s08_a_check_that_lets_its_promise_go_has_failed_and_one_that_answers_twice_has_answered_once) {
  std::function<void(CheckAnswer)> kept;
  ASSERT_TRUE(health->add_async({.name = "forgets"}, [](const CheckContext&, const auto&) {}));
  ASSERT_TRUE(health->add_async({.name = "twice"}, [](const CheckContext&, const auto& done) {
    done(CheckAnswer::pass());
    done(boom());
  }));
  ASSERT_TRUE(health->add_async({.name = "throws"}, [](const CheckContext&, const auto&) { throw 7; }));
  ASSERT_TRUE(health->add_async({.name = "later"}, [&](const CheckContext&, auto done) { kept = std::move(done); }));
  EXPECT_FALSE(health->add({.name = "nothing"}, CheckFunction{}));
  turn();
  const HealthReport report = now();
  EXPECT_EQ(report.checks[0].answer.reason, "no_answer");
  EXPECT_EQ(report.checks[0].answer.status, HealthStatus::down);
  EXPECT_EQ(report.checks[1].answer.status, HealthStatus::up);
  EXPECT_EQ(report.checks[2].answer.reason, "exception");
  EXPECT_EQ(report.checks[3].answer.reason, "not_run_yet");
  kept(CheckAnswer::pass());
  EXPECT_EQ(now().checks[3].answer.status, HealthStatus::up);
}

TEST_F(AHealth, s10_a_secret_is_in_no_report_and_no_log_line_and_no_label) {
  add({.name = "db"}, [](Deadline) {
    return CheckAnswer::fail("refused", "cannot reach postgres://app:hunter2@db1/x?token=hunter2",
                             {{"url", "redis://:hunter2@cache"}, {"password", "hunter2"}});
  });
  add({.name = "thrown"}, [](Deadline) -> CheckAnswer { throw std::runtime_error("password=hunter2"); });
  turn();
  for (const CheckReport& check : now().checks) {
    EXPECT_FALSE(check.answer.error.contains("hunter2")) << check.answer.error;
    for (const LogField& field : check.answer.details)
      EXPECT_FALSE(std::get<std::string>(field.value).contains("hunter2")) << field.key;
  }
  EXPECT_TRUE(now().checks[0].answer.error.contains("@db1/x")) << "what is no secret stays";
  EXPECT_TRUE(logged("db1"));
  EXPECT_FALSE(logged("hunter2"));
  EXPECT_FALSE(registry.expose().contains("hunter2"));
}

TEST_F(AHealth, s11_is_neither_ready_nor_started_before_the_first_results_and_started_for_good_after) {
  bool good = true;
  add({.name = "c"}, [&](Deadline) { return good ? CheckAnswer::pass() : boom(); });
  EXPECT_EQ(now(Kind::readiness).status, HealthStatus::unknown);
  EXPECT_EQ(only().reason, "not_run_yet");
  turn();
  EXPECT_EQ(now(Kind::startup).status, HealthStatus::up);
  good = false;
  turn(11s);
  EXPECT_EQ(now(Kind::readiness).status, HealthStatus::down);
  EXPECT_EQ(now(Kind::startup).status, HealthStatus::up);
}

TEST_F(AHealth, s11_checks_that_are_added_one_by_one_do_not_start_it_before_it_accepts) {
  health->refuse("starting");
  add({.name = "a"}, [](Deadline) { return CheckAnswer::pass(); });
  turn();
  EXPECT_EQ(health->status(Kind::readiness), HealthStatus::out_of_service);
  add({.name = "b"}, [](Deadline) { return CheckAnswer::pass(); });
  health->accept();
  EXPECT_EQ(health->status(Kind::startup), HealthStatus::unknown);
  turn();
  EXPECT_EQ(health->status(Kind::startup), HealthStatus::up);
  EXPECT_EQ(health->status(Kind::readiness), HealthStatus::up);
}

TEST_F(AHealth, s11_a_startup_check_decides_alone) {
  bool warm = false;
  add({.name = "cache", .kinds = Kind::startup}, [&](Deadline) { return warm ? CheckAnswer::pass() : boom(); });
  add({.name = "db"}, [](Deadline) { return boom(); });
  turn();
  EXPECT_EQ(health->status(Kind::startup), HealthStatus::down);
  warm = true;
  turn(3s);
  EXPECT_EQ(health->status(Kind::startup), HealthStatus::up);
  EXPECT_EQ(health->status(Kind::readiness), HealthStatus::down);
}

TEST_F(AHealth, s12_draining_is_not_ready_but_alive_and_started) {
  add({.name = "c"}, [](Deadline) { return CheckAnswer::pass(); });
  turn();
  const std::uint64_t before = health->version();
  health->begin_drain();
  EXPECT_NE(health->version(), before);
  EXPECT_EQ(now(Kind::readiness).status, HealthStatus::out_of_service);
  EXPECT_EQ(now(Kind::deep).checks.back().name, "drain");
  EXPECT_EQ(now(Kind::liveness).status, HealthStatus::up);
  EXPECT_EQ(now(Kind::startup).status, HealthStatus::up);
  EXPECT_EQ(health->phase(), Phase::draining);
  EXPECT_TRUE(health->stop());
  EXPECT_EQ(health->phase(), Phase::stopped);
  EXPECT_EQ(now(Kind::readiness).status, HealthStatus::out_of_service);
  bool answered = false;
  health->ask({}, Deadline::never(), [&](const auto& report) { answered = report.has_value(); });
  EXPECT_TRUE(answered) << "nobody waits for what does not run any more";
}

TEST_F(AHealth, s13_thresholds_hold_on_both_edges) {
  bool good = true;
  add({.name = "c", .failure_threshold = 3, .success_threshold = 2},
      [&](Deadline) { return good ? CheckAnswer::pass() : boom(); });
  turn();
  EXPECT_EQ(only().status, HealthStatus::up) << "at the start one success is enough";
  good = false;
  turn(10s);
  turn(2s);
  EXPECT_EQ(only().status, HealthStatus::up);
  turn(2s);
  EXPECT_EQ(only().status, HealthStatus::down);
  good = true;
  turn(2s);
  EXPECT_EQ(only().status, HealthStatus::down);
  turn(10s);
  EXPECT_EQ(only().status, HealthStatus::up);
}

TEST_F(AHealth, s13_one_run_that_is_late_does_not_flap_when_the_threshold_forgives_it) {
  add({.name = "c", .timeout = 2s, .every = 10s, .failing = 2s, .failure_threshold = 3},
      [](Deadline) { return CheckAnswer::pass(); });
  turn();
  world.advance(10s);
  health->poll();
  executor.hang();
  world.advance(5s);
  health->poll();
  EXPECT_EQ(health->stuck(), 1u);
  EXPECT_EQ(only().status, HealthStatus::up) << "two samples are missed";
  world.advance(1s + 1ns);
  EXPECT_EQ(only().reason, "timeout") << "three are, and nobody had to poll for that to show";
  executor.hanging.front()();
  EXPECT_EQ(only().reason, "timeout");
  turn(3s);
  EXPECT_EQ(only().status, HealthStatus::up);
}

TEST_F(AHealth, s14_what_nobody_asks_does_not_get_stale_but_what_was_asked_in_vain_does) {
  add({.name = "c", .timeout = 2s, .every = {}, .ttl = 1s}, [](Deadline) { return CheckAnswer::pass(); });
  EXPECT_EQ(health->status(Kind::readiness), HealthStatus::unknown);
  turn();
  EXPECT_EQ(health->status(Kind::readiness), HealthStatus::up) << "asked once at the start";
  turn(24h);
  EXPECT_EQ(health->status(Kind::readiness), HealthStatus::up);
  EXPECT_EQ(now().checks[0].age, 24h);
  executor.limit = 0;
  health->ask({}, Deadline::after(world.now(), 1s), [](const auto&) {});
  EXPECT_EQ(health->status(Kind::readiness), HealthStatus::up);
  turn(2s + 1ns);
  EXPECT_EQ(health->status(Kind::readiness), HealthStatus::unknown);
}

TEST_F(AHealth, s14_an_old_answer_is_unknown_and_so_is_a_heartbeat_that_stopped) {
  add({.name = "polled"}, [](Deadline) { return CheckAnswer::pass(); });
  ASSERT_TRUE(health->add_pushed({.name = "loop", .kinds = Kind::liveness, .ttl = 5s}));
  turn();
  EXPECT_EQ(now(Kind::liveness).status, HealthStatus::unknown);
  ASSERT_TRUE(health->beat("loop"));
  EXPECT_EQ(now(Kind::liveness).status, HealthStatus::up);
  EXPECT_EQ(now(Kind::readiness).status, HealthStatus::up);
  world.advance(5s + 1ns);
  EXPECT_EQ(now(Kind::liveness).checks[0].answer.reason, "stale");
  EXPECT_EQ(now(Kind::readiness).status, HealthStatus::unknown) << "a process that is not alive is not ready";
  world.advance(28s);
  EXPECT_EQ(now().checks[0].answer.reason, "stale") << "nobody polled: three periods and the timeout are over";
}

TEST_F(AHealth, s15_listeners_may_call_back_and_hear_of_changes_only) {
  bool good = true;
  int changes = 0;
  health->on_change([&] {
    ++changes;
    static_cast<void>(health->report({}));
  });
  add({.name = "c"}, [&](Deadline) { return good ? CheckAnswer::pass() : boom(); });
  turn();
  const int first = changes;
  EXPECT_GE(first, 1);
  turn(10s);
  EXPECT_EQ(changes, first);
  good = false;
  turn(10s);
  EXPECT_EQ(changes, first + 1);
}

TEST_F(AHealth, s15_a_listener_may_change_a_status_and_callbacks_may_throw) {
  ASSERT_TRUE(health->add_pushed({.name = "echo", .ttl = 1h}));
  add({.name = "c"}, [](Deadline) { return CheckAnswer::pass(); });
  int changes = 0;
  health->on_change([] { throw std::runtime_error("password=hunter2"); });
  health->on_change([&] {
    if (++changes == 1) EXPECT_TRUE(health->push("echo", boom()));
  });
  turn();
  EXPECT_EQ(changes, 2) << "what it changed is told again";
  EXPECT_TRUE(logged("health callback threw"));
  EXPECT_FALSE(logged("hunter2"));
  EXPECT_NO_THROW(health->ask({}, Deadline::never(), [](const auto&) { throw 7; }));
}

TEST_F(AHealth, s16_a_scrape_runs_no_check_and_shows_what_is_known) {
  int runs = 0;
  bool good = true;
  add({.name = "db", .groups = {"data"}}, [&](Deadline) {
    ++runs;
    return good ? CheckAnswer::pass() : boom();
  });
  turn();
  world.advance(3s);
  std::string text = registry.expose();
  EXPECT_EQ(runs, 1);
  for (const char* line :
       {"health_check_status{check=\"db\",kind=\"readiness\",critical=\"true\"} 1", "health_draining 0",
        "health_check_state{check=\"db\",state=\"up\"} 1", "health_checks_total{check=\"db\",result=\"up\"} 1",
        "health_check_age_seconds{check=\"db\"} 3", "health_check_duration_seconds_count{check=\"db\"} 1"})
    EXPECT_TRUE(text.contains(line)) << line << "\n" << text;
  good = false;
  turn(8s);
  world.advance(2s);
  health->poll();
  executor.hang();
  world.advance(3s);
  health->poll();
  health->begin_drain();
  text = registry.expose();
  for (const char* line :
       {"health_check_status{check=\"db\",kind=\"deep\",critical=\"true\"} 0", "health_draining 1",
        "health_check_state{check=\"db\",state=\"unknown\"} 1", "health_checks_total{check=\"db\",result=\"down\"} 1",
        "health_check_stuck{check=\"db\"} 1", "health_check_timeouts_total{check=\"db\"} 1"})
    EXPECT_TRUE(text.contains(line)) << line << "\n" << text;
  ASSERT_TRUE(health->remove("db"));
  EXPECT_TRUE(registry.expose().contains("health_check_state{check=\"db\",state=\"unknown\"} 0"));
  health.reset();
  EXPECT_TRUE(registry.expose().contains("health_draining")) << "a registry may outlive the engine";
}

TEST_F(AHealth, s17_the_version_moves_when_something_changed_and_not_by_looking) {
  add({.name = "c"}, [](Deadline) { return CheckAnswer::pass(); });
  turn();
  const std::uint64_t before = health->version();
  static_cast<void>(now());
  static_cast<void>(health->status(Kind::readiness));
  world.advance(1s);
  health->poll();
  EXPECT_EQ(health->version(), before);
  health->refuse("maintenance");
  EXPECT_GT(health->version(), before);
  EXPECT_EQ(now(Kind::readiness).checks.back().answer.error, "maintenance");
  health->accept();
  EXPECT_EQ(now(Kind::readiness).status, HealthStatus::up);
}

TEST_F(AHealth, s17_time_alone_moves_the_version_when_somebody_polls) {
  ASSERT_TRUE(health->add_pushed({.name = "loop", .ttl = 5s}));
  ASSERT_TRUE(health->beat("loop"));
  const std::uint64_t before = health->version();
  EXPECT_EQ(health->poll(), world.now() + 5s + 1ns);
  world.advance(5s + 1ns);
  EXPECT_EQ(health->status(Kind::readiness), HealthStatus::unknown);
  health->poll();
  EXPECT_GT(health->version(), before);
}

TEST_F(AHealth, says_when_a_check_is_slow_and_when_it_changes) {
  add({.name = "c", .timeout = 1s}, [](Deadline) { return CheckAnswer::pass(); });
  health->poll();
  world.advance(799ms);
  executor.run();
  EXPECT_TRUE(logged("health check changed"));
  EXPECT_FALSE(logged("slow"));
  turn(10s);
  world.advance(10s);
  health->poll();
  world.advance(800ms);
  executor.run();
  EXPECT_TRUE(logged("health check is slow"));
}

TEST_F(AHealth, asks_within_the_ttl_cost_nothing_and_after_it_one_run) {
  int runs = 0;
  add({.name = "c", .every = {}, .ttl = 1s}, [&](Deadline) {
    ++runs;
    return CheckAnswer::pass();
  });
  turn();
  const auto ask = [&] {
    health->ask({}, Deadline::after(world.now(), 5s), [](const auto&) {});
    executor.run();
  };
  for (int i = 0; i < 10; ++i) ask();
  EXPECT_EQ(runs, 1);
  world.advance(1s);
  for (int i = 0; i < 10; ++i) ask();
  EXPECT_EQ(runs, 2);
}

TEST_F(AHealth, keeps_tags_and_the_status_is_that_of_the_report) {
  add({.name = "c", .tags = {"cache"}}, [](Deadline) { return boom(); });
  turn();
  EXPECT_EQ(health->tags("c"), std::vector<std::string>{"cache"});
  EXPECT_TRUE(health->tags("d").empty());
  for (const Kind kind : {Kind::liveness, Kind::readiness, Kind::startup, Kind::deep, Kind::readiness | Kind::deep})
    EXPECT_EQ(health->status(kind), now(kind).status);
}

TEST_F(AHealth, a_busy_pool_makes_those_who_wait_unknown_and_serves_them_later) {
  executor.limit = 1;
  add({.name = "hangs", .every = 1h, .failing = 1h}, [](Deadline) { return CheckAnswer::pass(); });
  add({.name = "waits"}, [](Deadline) { return CheckAnswer::pass(); });
  health->poll();
  EXPECT_EQ(now().checks[1].answer.reason, "pool_busy");
  executor.run();
  turn(50ms);
  EXPECT_EQ(now().checks[1].answer.status, HealthStatus::up);
}

TEST_F(AHealth, tells_all_mistakes_at_once_and_refuses_duplicates) {
  const auto pass = [](Deadline) { return CheckAnswer::pass(); };
  const Status bad = health->add({.name = "a:b", .kinds = Kind::liveness, .timeout = 0s, .external = true}, pass);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code(), Errc::invalid_argument);
  for (const char* part : {"a name has", "timeout", "liveness"})
    EXPECT_NE(bad.error().text().find(part), std::string::npos) << part;
  ASSERT_TRUE(health->add({.name = "a/b"}, pass));
  EXPECT_EQ(health->add({.name = "a/b"}, pass).error().code(), Errc::conflict);
  ASSERT_TRUE(health->remove("a/b"));
  EXPECT_TRUE(now().checks.empty());
}

TEST_F(AHealth, excludes_names_and_groups_and_knows_what_it_does_not_know) {
  add({.name = "bad", .groups = {"g"}}, [](Deadline) { return boom(); });
  add({.name = "minor", .critical = false}, [](Deadline) { return boom(); });
  turn();
  const HealthReport report = *health->report({.exclude = {"g", "nobody"}});
  EXPECT_EQ(report.status, HealthStatus::degraded);
  EXPECT_EQ(report.excluded.size(), 1u);
  EXPECT_EQ(report.unknown_excludes, std::vector<std::string>{"nobody"});
  EXPECT_FALSE(health->report({.group = "nobody"}));
  EXPECT_EQ(now(Kind::readiness).checks.size(), 1u) << "the critical ones";
}

}  // namespace
}  // namespace serin::health
