// Goal: each receiver hears of each alert once, in order, in few messages, and of its end however long the receiver was
// away; what is dropped or given up is said. Method: a database in memory, receivers that answer as told, simulated
// time.
#include "outbox_under_test.hpp"

namespace serin::notify {
namespace {

TEST(Outbox, waits_for_others_of_the_service_and_tells_them_together) {
  Scene s;
  s.begin("a");
  s.pass(29s);
  EXPECT_EQ(s.chat.story(), "");
  s.begin("b");
  s.begin("x", Severity::ticket, "worker");
  s.pass(2s);
  EXPECT_EQ(s.chat.story(), "F a F b") << "another service has a message of its own";
  s.pass(29s);
  EXPECT_EQ(s.chat.story(), "F a F b | F x");
  EXPECT_EQ(s.chat.told[0].severity(), Severity::ticket);
  EXPECT_EQ(s.outcomes("a"), "told");
}

TEST(Outbox, keeps_an_interval_while_something_fires) {
  Scene s;
  s.begin("a");
  s.pass(31s);
  s.end("a");
  s.begin("b");
  s.pass(4min + 58s);
  EXPECT_EQ(s.chat.story(), "F a");
  s.pass(5s);
  EXPECT_EQ(s.chat.story(), "F a | R a F b");
  s.end("b");
  s.pass(6min);
  s.begin("a");
  s.pass(31s);
  EXPECT_EQ(s.chat.story(), "F a | R a F b | R b | F a") << "after the end of all it waits as for a new one";
}

TEST(Outbox, tells_the_same_thing_once) {
  Scene s;
  for (int i = 0; i < 3; ++i) s.begin("a");
  s.pass(31s);
  for (int i = 0; i < 3; ++i) s.begin("a");
  s.pass(10min);
  for (int i = 0; i < 3; ++i) s.end("a");
  s.end("never heard of");
  s.pass(10min);
  EXPECT_EQ(s.chat.story(), "F a | R a");
  EXPECT_EQ(s.waiting(), 0);
}

TEST(Outbox, tells_what_was_over_before_anybody_knew) {
  Scene s;
  s.begin("a");
  s.pass(10s);
  s.end("a");
  s.pass(30s);
  EXPECT_EQ(s.chat.story(), "F a R a");
  EXPECT_EQ(s.chat.told[0].latest().size(), 1u);
  EXPECT_EQ(s.chat.told[0].status(), AlertStatus::resolved);
}

TEST(Outbox, reminds_of_what_fires_for_long_but_not_of_events) {
  Scene s;
  Notification event = s.firing("e");
  event.is_event = true;
  ASSERT_TRUE(s.outbox->notify(event));
  ASSERT_TRUE(s.outbox->notify(event));
  s.begin("a");
  s.pass(3h);
  ASSERT_TRUE(s.outbox->notify(event)) << "told already";
  EXPECT_EQ(s.chat.story(), "F e F a");
  s.pass(2h);
  EXPECT_EQ(s.chat.story(), "F e F a | ! F a");
  s.pass(4h);
  s.end("a");
  s.pass(24h);
  EXPECT_EQ(s.chat.story(), "F e F a | ! F a | ! F a | R a");
}

TEST(Outbox, tells_the_end_after_an_outage_in_order) {
  Scene s;
  s.chat.answers = [](const Message&) { return refuses(Errc::unavailable); };
  s.begin("a");
  s.pass(10min);
  s.end("a");
  s.begin("b");
  s.pass(2h);
  EXPECT_EQ(s.chat.story(), "");
  EXPECT_EQ(s.outbox->waiting("chat")->error, "unavailable: no");
  s.chat.answers = {};
  s.pass(6min);
  EXPECT_EQ(s.chat.story(), "F a R a F b");
  EXPECT_EQ(s.waiting(), 0);
}

TEST(Outbox, grows_its_waits_and_shares_one_budget_between_failing_messages) {
  Scene s;
  s.chat.answers = [](const Message&) { return refuses(Errc::unavailable); };
  s.begin("a");
  s.pass(1h + 30s);
  EXPECT_GT(s.chat.attempts, 15) << "it is not given up";
  EXPECT_LT(s.chat.attempts, 30);
  const auto gap = [&](std::size_t i) { return s.chat.attempted_at[i + 1] - s.chat.attempted_at[i]; };
  EXPECT_LE(gap(0), Duration(1s));
  EXPECT_GT(gap(12), Duration(2min));
  s.chat.attempts = 0;
  for (int i = 0; i < 100; ++i) s.begin(fmt::format("k{}", i), Severity::ticket, fmt::format("service{}", i));
  s.pass(4min);
  EXPECT_LT(s.chat.attempts, 115) << "a hundred first attempts, and no more retries than the budget has";
  s.chat.answers = {};
  s.pass(6min);
  EXPECT_EQ(s.waiting(), 0) << "the first that arrives wakes the others";
}

TEST(Outbox, asks_no_sooner_than_the_receiver_wants) {
  Scene s;
  s.chat.answers = [](const Message&) { return refuses(Errc::unavailable, 90s); };
  s.begin("a");
  s.pass(30s);
  ASSERT_EQ(s.chat.attempts, 1);
  s.chat.answers = {};
  s.begin("b", Severity::ticket, "another");
  s.pass(89s);
  EXPECT_EQ(s.chat.attempts, 1) << "another group is held too: it is the same receiver";
  s.pass(15s);
  EXPECT_EQ(s.chat.story(), "F a | F b");
}

TEST(Outbox, goes_on_seldom_where_it_is_refused_for_good) {
  Scene s;
  s.chat.answers = [](const Message&) { return refuses(Errc::permission_denied); };
  s.begin("a");
  s.pass(1h);
  EXPECT_GE(s.chat.attempts, 11);
  EXPECT_LE(s.chat.attempts, 13);
  s.chat.answers = {};
  s.pass(5min);
  EXPECT_EQ(s.chat.story(), "F a");
}

TEST(Outbox, gives_up_after_the_stated_time_and_says_so) {
  Scene s;
  s.chat.answers = [](const Message&) { return refuses(Errc::unavailable); };
  s.begin("a");
  s.pass(23h);
  EXPECT_EQ(s.waiting(), 1);
  s.pass(2h);
  EXPECT_EQ(s.waiting(), 0);
  EXPECT_EQ(s.outcomes("a"), "given_up");
  s.chat.answers = {};
  s.end("a");
  s.pass(10min);
  EXPECT_EQ(s.chat.story(), "-1 R a") << "its end is told";
}

TEST(Outbox, after_days_without_a_process_tries_once_more_before_it_gives_up) {
  Scene s;
  s.begin("a");
  s.world.advance(72h);
  s.restart();
  s.pass(1s);
  EXPECT_EQ(s.chat.story(), "F a");
}

TEST(Outbox, gives_up_what_waits_for_a_receiver_that_is_in_no_file_any_more) {
  Scene s;
  s.begin("a");
  s.channels.receivers.erase(s.channels.receivers.begin());
  s.channels.severities = {{Severity::page, {"log"}}, {Severity::ticket, {"log"}}};
  s.channels.services.clear();
  s.restart();
  EXPECT_EQ(s.outcomes("a"), "") << "it may come back";
  s.world.advance(25h);
  s.restart();
  EXPECT_EQ(s.outcomes("a"), "given_up");
}

TEST(Outbox, that_is_full_drops_the_least_severe_and_oldest_but_never_an_end) {
  Scene s;
  s.channels.most_waiting = 10;
  s.restart();
  for (int i = 0; i < 5; ++i) s.begin(fmt::format("t{}", i), Severity::ticket);
  for (int i = 0; i < 5; ++i) s.begin(fmt::format("p{}", i), Severity::page);
  s.begin("p5", Severity::page);
  EXPECT_EQ(s.outcomes("t0"), "dropped");
  for (int i = 0; i < 5; ++i) s.end(fmt::format("t{}", i));
  EXPECT_EQ(s.waiting(), 10);
  EXPECT_EQ(s.outcomes("p0"), "dropped") << "all tickets are gone, then pages go";
  s.begin("t9", Severity::ticket);
  EXPECT_EQ(s.outcomes("t9"), "") << "less than what waits: it is dropped itself";
  s.pass(31s);
  EXPECT_EQ(s.chat.story(), "-7 F p1 F p2 F p3 F p4 F p5 R t0 R t1 R t2 R t3 R t4");
  EXPECT_NE(fmt::format("{}", fmt::join(s.world.log_lines(), "\n")).find("notify_dropped"), std::string::npos);
}

TEST(Outbox, that_is_full_of_ends_refuses_another_and_does_not_forget_it) {
  Scene s;
  s.channels.most_waiting = 10;
  s.restart();
  std::vector<std::string> refused;
  for (int i = 0; i < 25; ++i) {
    const std::string key = fmt::format("k{}", i);
    s.begin(key);
    const Status status = s.outbox->notify(s.over(s.firing(key)));
    if (!status) {
      EXPECT_EQ(status.error().code(), Errc::exhausted);
      refused.push_back(key);
    }
  }
  EXPECT_EQ(s.waiting(), 20);
  EXPECT_EQ(refused.size(), 5u);
  s.pass(1min);
  for (const std::string& key : refused) s.end(key);
  s.pass(6min);
  for (int i = 0; i < 25; ++i)
    EXPECT_NE(s.chat.story().find(fmt::format("R k{}", i)), std::string::npos) << i << ": " << s.chat.story();
}

TEST(Outbox, splits_what_is_too_much_for_one_message) {
  Scene s;
  for (int i = 0; i < 45; ++i) s.begin(fmt::format("k{:02}", i));
  s.pass(31s);
  ASSERT_EQ(s.chat.told.size(), 3u) << "at once, not an interval apart";
  EXPECT_EQ(s.chat.told[2].changes.size(), 5u);
  EXPECT_EQ(s.chat.told[2].changes.back().key, "k44");
}

TEST(Outbox, changes_the_message_that_told_the_beginning) {
  Scene s;
  s.chat.changes = true;
  s.begin("a");
  s.begin("b");
  s.pass(31s);
  s.end("a");
  s.begin("c");
  s.pass(6min);
  EXPECT_EQ(s.chat.story(), "F a F b | m1: R a F b | F c") << "and news goes into a new one";
  s.end("b");
  s.end("c");
  s.pass(6min);
  EXPECT_EQ(s.chat.story(), "F a F b | m1: R a F b | F c | m1: R a R b | m2: R c");
  const SqlTable left = s.file->query("SELECT key FROM notify_alerts", {}, Deadline::never()).value();
  EXPECT_TRUE(left.rows.empty()) << "nothing is kept of what is over";
}

TEST(Outbox, follows_a_message_that_had_to_be_written_anew) {
  Scene s;
  s.chat.changes = true;
  s.begin("a");
  s.begin("b");
  s.pass(31s);
  s.chat.answers = [](const Message&) { return Answer{.status = {}, .reference = "m9"}; };
  s.end("a");
  s.pass(6min);
  s.chat.answers = {};
  s.end("b");
  s.pass(6min);
  EXPECT_EQ(s.chat.story(), "F a F b | m1: R a F b | m9: R a R b");
}

TEST(Outbox, of_a_process_that_ends_waits_for_nobody) {
  Scene s;
  s.begin("a");
  s.pass(31s);
  s.begin("b");
  EXPECT_EQ(s.step(Haste::leaving).did, Did::told);
  EXPECT_EQ(s.step(Haste::leaving).did, Did::nothing);
  EXPECT_FALSE(s.step(Haste::leaving).next) << "a reminder is no reason to stay";
  EXPECT_EQ(s.chat.story(), "F a | F b");
}

TEST(Outbox, tells_the_end_to_whoever_heard_of_the_beginning) {
  Scene s;
  s.begin("a", Severity::page, "worker");
  s.pass(31s);
  EXPECT_EQ(s.log_book.story(), "F a");
  s.channels.services.clear();
  s.restart();
  s.end("a", Severity::info, "renamed");
  s.pass(6min);
  EXPECT_EQ(s.chat.story(), "F a | R a");
  EXPECT_EQ(s.log_book.story(), "F a | R a") << "the file does not name it for pages any more";
}

TEST(Outbox, tells_again_what_became_more_severe) {
  Scene s;
  s.begin("a", Severity::ticket, "worker");
  s.pass(31s);
  s.begin("a", Severity::page, "worker");
  s.begin("a", Severity::ticket, "worker");
  s.pass(6min);
  EXPECT_EQ(s.chat.story(), "F a | F a");
  EXPECT_EQ(s.chat.told[1].severity(), Severity::page);
  EXPECT_EQ(s.log_book.story(), "F a");
}

TEST(Outbox, is_not_delayed_by_a_calendar_that_is_set_back) {
  Scene s;
  s.begin("a");
  s.pass(31s);
  s.world.jump_wall(-24h * 365);
  s.begin("b");
  s.pass(6min);
  EXPECT_EQ(s.chat.story(), "F a | F b");
}

TEST(Outbox, of_two_processes_tells_each_message_once) {
  Scene s;
  const auto other =
      Outbox::open({.sql = s.sql, .clock = s.world.sleeper(), .random = s.world.random(), .log = s.log}, s.channels)
          .value();
  Receiver twin(s.world, s.outside);
  s.begin("a");
  s.world.advance(31s);
  s.chat.answers = [&](const Message&) {
    EXPECT_EQ(other->step("chat", twin, Haste::usual, {})->did, Did::nothing) << "the first one is at it";
    return Answer{};
  };
  EXPECT_EQ(s.step().did, Did::told);
  EXPECT_EQ(other->step("chat", twin, Haste::usual, {})->did, Did::nothing);
  EXPECT_EQ(twin.attempts, 0);
}

TEST(Outbox, that_is_stopped_in_the_middle_counts_no_failure) {
  Scene s;
  s.begin("a");
  s.world.advance(31s);
  s.chat.answers = [](const Message&) { return refuses(Errc::cancelled); };
  EXPECT_EQ(s.step().did, Did::failed);
  EXPECT_EQ(s.outbox->waiting("chat")->attempts, 0);
  s.chat.answers = {};
  EXPECT_EQ(s.step().did, Did::told) << "and nobody has to wait for its claim";
}

TEST(Outbox, takes_what_nobody_wants_to_know_and_refuses_what_cannot_be_told) {
  Scene s;
  s.channels.severities.erase(Severity::info);
  s.restart();
  s.begin("a", Severity::info);
  s.pass(10min);
  EXPECT_EQ(s.chat.attempts + s.log_book.attempts, 0);
  EXPECT_EQ(s.outbox->notify({}).error().code(), Errc::invalid_argument);
  EXPECT_EQ(s.outbox->step("nobody", s.chat, Haste::usual, {}).error().code(), Errc::not_found);
}

}  // namespace
}  // namespace serin::notify
