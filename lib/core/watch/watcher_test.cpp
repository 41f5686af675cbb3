// Goal: what is due is looked at, once at a time, and what is found is remembered, told and survives a restart. Method:
// threads that take turns in simulated time; checks that answer as a function says.
#include "serin/watch/watchers.hpp"
#include "watcher_under_test.hpp"

namespace serin::watch {
namespace {

using std::chrono::seconds;

constexpr auto one = "watch:\n  - {name: ready, health: worker, every: 10s, trend: false}\n";

TEST_F(WatcherUnderTest, opens_an_incident_after_three_and_resolves_it_after_two) {
  // Runs at 0 s, 10 s, ...: the 3rd to the 7th fail, so it is open from 40 s and over at 80 s.
  ASSERT_TRUE(watch(one, 95s, [](const WatchItem&, int run) { return run >= 3 && run <= 7 ? bad() : ok(); }));
  EXPECT_EQ(runs["ready"], 10);
  const auto found = all_incidents();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(since(found[0].began), 20s);
  EXPECT_EQ(since(found[0].opened), 40s);
  EXPECT_EQ(since(found[0].resolved.value()), 80s);
  EXPECT_EQ(found[0].service, "worker");
  EXPECT_EQ(found[0].reason, "ready: 503");
  ASSERT_EQ(receiver.told.size(), 2u);
  EXPECT_EQ(receiver.told[0].status, notify::AlertStatus::firing);
  EXPECT_EQ(receiver.told[0].title, "ready is failing");
  EXPECT_EQ(receiver.told[0].key, receiver.told[1].key);
  EXPECT_EQ(receiver.told[1].status, notify::AlertStatus::resolved);
  EXPECT_EQ(since(receiver.told[1].resolved_at.value()), 80s);
  std::string told;
  const auto timeline = incidents->timeline(1, Deadline::never()).value();
  for (const auto& event : timeline) told += event.kind + " ";
  EXPECT_EQ(told, "opened notified resolved notified ");
  EXPECT_EQ(states["ready"].counts.condition, Finding::ok);
}

TEST_F(WatcherUnderTest, never_takes_unknown_for_health) {
  ASSERT_TRUE(watch(one, 75s, [](const WatchItem&, int run) { return run < 3 ? ok() : unknown(); }));
  ASSERT_EQ(all_incidents().size(), 1u);
  EXPECT_EQ(all_incidents()[0].finding, "unknown");
  EXPECT_FALSE(all_incidents()[0].resolved);
  EXPECT_EQ(receiver.told.at(0).title, "ready is unknown");
}

TEST_F(WatcherUnderTest, goes_on_where_the_one_before_was_killed) {
  const auto failing = [](const WatchItem&, int run) { return run >= 2 ? bad() : ok(); };
  ASSERT_TRUE(watch(one, 25s, failing));  // runs at 0, 10, 20: ok, bad, bad
  EXPECT_TRUE(all_incidents().empty());
  ASSERT_TRUE(watch(one, 8s, failing));  // at 30: the third
  ASSERT_EQ(all_incidents().size(), 1u) << "two of the three were seen by the watcher before";
  EXPECT_EQ(since(all_incidents()[0].opened), 30s);
  EXPECT_EQ(since(all_incidents()[0].began), 10s);
  ASSERT_TRUE(watch(one, 20s, [](const WatchItem&, int) { return ok(); }));
  EXPECT_TRUE(all_incidents()[0].resolved);
  EXPECT_EQ(receiver.told.size(), 2u) << "each is told once, whoever was there";
}

TEST_F(WatcherUnderTest, says_that_nobody_looked_for_a_while) {
  ASSERT_TRUE(watch(one, 5s, [](const WatchItem&, int) { return ok(); }));
  time.jump = 10min;  // nobody was there
  ASSERT_TRUE(watch(one, 1s, [](const WatchItem&, int) { return ok(); }));
  const auto results = store->newest("ready", 10, Deadline::never()).value();
  ASSERT_EQ(results.size(), 3u);
  EXPECT_FALSE(results[0].missed);
  EXPECT_TRUE(results[1].missed);
  EXPECT_EQ(results[1].finding, Finding::unknown);
  EXPECT_TRUE(results[1].said.starts_with("59 runs did not come: nobody looked")) << results[1].said;
  EXPECT_EQ(store->counts(CrewTime::start, WallTime::max() - 1h, Deadline::never())->at("ready").missed, 1);
}

TEST_F(WatcherUnderTest, never_starts_a_check_twice_at_once_and_says_what_was_missed) {
  int at_once = 0;
  int most = 0;
  const std::string slow = "watch:\n  - {name: slow, smoke: s.yaml, every: 10s, timeout: 60s, trend: false}\n";
  ASSERT_TRUE(watch(slow, 50s, [&](const WatchItem&, int) -> Result<RunAnswer> {
    most = std::max(most, ++at_once);
    (void)crew.sleep_until(crew.now() + 25s);
    --at_once;
    return ok();
  }));
  EXPECT_EQ(most, 1);
  const auto results = store->newest("slow", 10, Deadline::never()).value();
  const auto missed = std::ranges::count_if(results, &RunResult::missed);
  EXPECT_EQ(missed, 3) << "at 10 s, 20 s and 40 s it still ran";
  EXPECT_NE(results.back().said.find("still runs"), std::string::npos) << results.back().said;
}

TEST_F(WatcherUnderTest, counts_what_does_not_answer_by_its_deadline_as_unknown_once) {
  const std::string hung =
      "watch:\n  - {name: hung, health: x, every: 60s, timeout: 5s, unknown_after: 1, trend: false}\n";
  ASSERT_TRUE(watch(hung, 59s, [&](const WatchItem&, int) -> Result<RunAnswer> {
    (void)crew.sleep_until(crew.now() + 30s);
    return ok();
  }));
  const auto results = store->newest("hung", 10, Deadline::never()).value();
  ASSERT_EQ(results.size(), 1u) << "the late answer does not count";
  EXPECT_EQ(results[0].finding, Finding::unknown);
  EXPECT_EQ(since(results[0].at), 6s);
  EXPECT_EQ(all_incidents().at(0).reason, "hung: no answer within 5s");
}

TEST_F(WatcherUnderTest, runs_as_many_at_once_as_it_may) {
  std::string items = "watch:\n";
  for (int i = 0; i < 6; ++i) items += "  - {name: c" + std::to_string(i) + ", health: x, every: 60s, trend: false}\n";
  std::size_t most = 0;
  ASSERT_TRUE(watch(
      items, 50s,
      [&](const WatchItem&, int) -> Result<RunAnswer> {
        most = std::max(most, crew.running());
        (void)crew.sleep_until(crew.now() + 10s);
        return ok();
      },
      2));
  EXPECT_EQ(most, 2u);
  for (int i = 0; i < 6; ++i) EXPECT_EQ(runs["c" + std::to_string(i)], 1) << i;
  const auto counts = store->counts(CrewTime::start, CrewTime::start + 1h, Deadline::never()).value();
  for (const auto& [name, counted] : counts) EXPECT_EQ(counted.missed, 0) << name;
}

TEST_F(WatcherUnderTest, looks_by_the_calendar_of_a_place) {
  const std::string daily =
      "watch:\n  - {name: daily, checks: c.yaml, db: 'sqlite:x', cron: '0 12 * * *', zone: Europe/Berlin}\n";
  ASSERT_TRUE(watch(daily, 90min, [&](const WatchItem&, int) { return ok(); }));
  const auto results = store->newest("daily", 10, Deadline::never()).value();
  ASSERT_EQ(results.size(), 1u) << "not at the start, at noon of Berlin";
  EXPECT_EQ(since(results[0].at), 1h);
}

TEST_F(WatcherUnderTest, tells_again_what_could_not_be_told) {
  receiver.refuse = 2;
  ASSERT_TRUE(watch(one, 60s, [](const WatchItem&, int) { return bad(); }));
  ASSERT_EQ(receiver.told.size(), 1u);
  std::string told;
  const auto timeline = incidents->timeline(1, Deadline::never()).value();
  for (const auto& event : timeline) told += event.kind + " ";
  EXPECT_EQ(told, "opened not_notified notified ") << "the first failure is a line, the others are not";
}

TEST_F(WatcherUnderTest, looks_at_all_of_them_once_when_it_is_asked_to) {
  const std::string two = std::string(one) + "  - {name: smoke, smoke: s.yaml, cron: '0 6 * * *', zone: UTC}\n";
  ASSERT_TRUE(with_watcher(
      two, [](const WatchItem& item, int) { return item.name == "smoke" ? bad() : ok(); }, 1,
      [](Watcher& watcher) { return watcher.once(); }));
  EXPECT_EQ(runs["ready"], 1);
  EXPECT_EQ(runs["smoke"], 1);
  EXPECT_EQ(states["smoke"].last, Finding::failing);
  EXPECT_EQ(states["ready"].last, Finding::ok);
}

TEST_F(WatcherUnderTest, compares_runs_with_their_own_past) {
  const std::string trended = "watch:\n  - {name: ready, health: worker, every: 1m}\n";
  for (int day = 1; day <= 4; ++day)
    for (int minute = -20; minute < 20; ++minute) {
      CheckState state{.name = "ready"};
      ASSERT_TRUE(
          store->write({.state = state,
                        .result = {.check = "ready",
                                   .at = CrewTime::start - std::chrono::days(day) + std::chrono::minutes(minute),
                                   .finding = Finding::ok,
                                   .took = 20ms}},
                       Deadline::never()));
    }
  ASSERT_TRUE(watch(trended, 12min, [&](const WatchItem&, int) -> Result<RunAnswer> {
    (void)crew.sleep_until(crew.now() + 80ms);
    return ok();
  }));
  EXPECT_EQ(states["ready"].counts.condition, Finding::ok);
  ASSERT_TRUE(states.contains("ready: trend"));
  EXPECT_EQ(states["ready: trend"].counts.condition, Finding::failing);
  ASSERT_EQ(all_incidents().size(), 1u);
  EXPECT_EQ(all_incidents()[0].check, "ready: trend");
  EXPECT_EQ(all_incidents()[0].severity, notify::Severity::ticket);
  EXPECT_EQ(all_incidents()[0].service, "worker");
}

TEST_F(WatcherUnderTest, gives_signs_of_life_and_says_when_they_reach_nobody) {
  int beats = 0;
  beat = [&](const WatcherBeat&, Deadline) -> Status {
    return ++beats == 1 ? Status(fail(Errc::unavailable, "no such host")) : Status();
  };
  ASSERT_TRUE(
      watch(std::string("heartbeat: {file: x, every: 20s}\n") + one, 30s, [](const WatchItem&, int) { return ok(); }));
  EXPECT_EQ(beats, 2);
  const auto last = store->beat(Deadline::never()).value().value();
  EXPECT_TRUE(last.stopped);
  EXPECT_EQ(last.pid, 7);
  notifier = nullptr;
  ASSERT_TRUE(watch(one, 35s, [](const WatchItem&, int) { return bad(); }));
  EXPECT_NE(store->beat(Deadline::never())->value().trouble.find("reach nobody"), std::string::npos);
  EXPECT_EQ(incidents->timeline(1, Deadline::never())->at(1).kind, "not_notified");
}

TEST_F(WatcherUnderTest, ends_when_it_cannot_remember_any_more) {
  ASSERT_TRUE(sql->execute("CREATE TRIGGER full BEFORE INSERT ON watch_results BEGIN SELECT RAISE(ABORT, 'full'); END",
                           {}, Deadline::never()));
  ASSERT_TRUE(sql->execute("CREATE TRIGGER full2 BEFORE INSERT ON watch_beat BEGIN SELECT RAISE(ABORT, 'full'); END",
                           {}, Deadline::never()));
  int beats = 0;
  beat = [&](const WatcherBeat&, Deadline) -> Status {
    ++beats;
    return {};
  };
  const Status ended = watch(one, 10min, [](const WatchItem&, int) { return ok(); });
  ASSERT_FALSE(ended);
  EXPECT_NE(ended.error().detail().find("a watcher that forgets is none"), std::string::npos) << ended.error().text();
  EXPECT_EQ(beats, 0) << "it must not look alive";
}

TEST_F(WatcherUnderTest, forgets_what_is_watched_no_more_unless_an_incident_is_open) {
  const std::string two = std::string(one) + "  - {name: gone, health: y, every: 10s, trend: false}\n";
  ASSERT_TRUE(watch(two, 5s, [](const WatchItem&, int) { return ok(); }));
  ASSERT_TRUE(watch(one, 5s, [](const WatchItem&, int) { return ok(); }));
  EXPECT_EQ(store->states(Deadline::never())->size(), 1u);
  ASSERT_TRUE(watch(two, 25s, [](const WatchItem& item, int) { return item.name == "gone" ? bad() : ok(); }));
  ASSERT_TRUE(watch(one, 5s, [](const WatchItem&, int) { return ok(); }));
  EXPECT_EQ(store->states(Deadline::never())->size(), 2u) << "somebody has to look at its incident";
}

}  // namespace
}  // namespace serin::watch
