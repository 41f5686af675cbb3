#include "serin/fleet_pipeline/batch.hpp"

#include <gtest/gtest.h>

#include "serin/fleet_pipeline/consecutive_breaker.hpp"
#include "serin/fleet_pipeline/requests.hpp"

namespace serin::fleet {
namespace {

const WallTime start = WallTime(std::chrono::seconds(1'775'757'780));

Batch batch_of(std::set<std::string> players) {
  Batch batch{.batch_id = "2026-01-21-1", .game_date = "2026-01-21", .state = BatchState::running};
  batch.started_at = batch.changed_at = start;
  batch.expected = static_cast<std::int64_t>(players.size());
  batch.waiting = std::move(players);
  return batch;
}

// Goal: a batch counts every player once, whatever is delivered twice, and closes once.
// Method: completions in several orders on the value alone.
TEST(Batch, counts_a_duplicate_once_and_says_who_was_last) {
  Batch batch = batch_of({"a", "b", "c"});
  EXPECT_EQ(count(batch, "a", Outcome::predicted, "", start), Counted::counted);
  EXPECT_EQ(count(batch, "a", Outcome::predicted, "", start), Counted::duplicate);
  EXPECT_EQ(count(batch, "nobody", Outcome::predicted, "", start), Counted::duplicate);
  EXPECT_EQ(count(batch, "b", Outcome::skipped, "no_history", start), Counted::counted);
  EXPECT_EQ(batch.state, BatchState::running);
  EXPECT_EQ(count(batch, "c", Outcome::dead, "", start), Counted::last);
  EXPECT_EQ(batch.state, BatchState::closing);
  EXPECT_EQ(count(batch, "c", Outcome::dead, "", start), Counted::duplicate);
  EXPECT_EQ(batch.predicted, 1);
  EXPECT_EQ(batch.skipped, 1);
  EXPECT_EQ(batch.skip_reasons.at("no_history"), 1);
  EXPECT_EQ(batch.dead, 1);
  EXPECT_EQ(batch.done(), 3);
}

TEST(Batch, that_was_superseded_counts_nobody) {
  Batch batch = batch_of({"a"});
  batch.state = BatchState::superseded;
  EXPECT_EQ(count(batch, "a", Outcome::predicted, "", start), Counted::duplicate);
  EXPECT_EQ(batch.state, BatchState::superseded);
}

TEST(Batch, survives_its_document) {
  Batch batch = batch_of({"a", "b"});
  batch.cause = "run-7";
  batch.note = "because";
  count(batch, "a", Outcome::skipped, "player_inactive", start + 3s);
  const auto read = parse_batch(to_json(batch));
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(to_json(*read), to_json(batch));
  EXPECT_EQ(read->waiting, std::set<std::string>{"b"});
  EXPECT_EQ(read->changed_at, start + 3s);
}

TEST(Batch, that_is_damaged_is_data_loss_and_not_an_empty_batch) {
  for (const char* text : {"", "[]", "{}", R"({"batch_id":"x","game_date":"2026-13-01"})",
                           R"({"batch_id":"x","game_date":"2026-01-01","state":"resting"})"}) {
    const auto read = parse_batch(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code(), Errc::data_loss) << read.error().text();
  }
}

TEST(Stall, waits_until_the_batch_is_old_enough_and_enough_are_in) {
  const StallOptions options{.min_age = 10min, .enough = 0.5, .give_up = 30min, .stuck = 30s};
  Batch batch = batch_of({"a", "b"});
  EXPECT_EQ(judge_stall(batch, options, start + 20min), StallVerdict::wait) << "none of two is not enough";
  EXPECT_EQ(judge_stall(batch, options, start + 30min), StallVerdict::give_up);
  count(batch, "a", Outcome::predicted, "", start + 1s);
  EXPECT_EQ(judge_stall(batch, options, start + 9min), StallVerdict::wait) << "half is in, but it is young";
  EXPECT_EQ(judge_stall(batch, options, start + 10min), StallVerdict::close);
}

TEST(Stall, resumes_what_a_dead_coordinator_left_half_way) {
  const StallOptions options{.stuck = 30s};
  Batch batch = batch_of({"a"});
  batch.state = BatchState::publishing;
  EXPECT_EQ(judge_stall(batch, options, start + 29s), StallVerdict::wait);
  EXPECT_EQ(judge_stall(batch, options, start + 30s), StallVerdict::resume_publishing);
  batch.state = BatchState::closing;
  EXPECT_EQ(judge_stall(batch, options, start + 30s), StallVerdict::resume_closing);
  batch.state = BatchState::closed;
  EXPECT_EQ(judge_stall(batch, options, start + 300h), StallVerdict::wait);
}

// Goal: what stands in a message or a request is checked field by field, and the sentence names the field.
// Method: one mistake at a time.
TEST(PredictionRequestMessage, survives_the_bus_and_says_whose_it_is_outside_its_data) {
  const BusMessage message = to_message(
      PredictionRequest{.batch_id = "b", .player_id = "p", .game_id = "g", .game_date = "2026-01-21", .line = 20.5});
  EXPECT_EQ(message.attributes.at("player_id"), "p");
  EXPECT_EQ(message.attributes.at("batch_id"), "b");
  const auto read = parse_prediction_request(message.data);
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->game_id, "g");
  EXPECT_EQ(read->line, 20.5);
  EXPECT_FALSE(read->preview);
}

TEST(PredictionRequestMessage, refuses_what_is_wrong_and_names_the_field) {
  struct Case {
    const char* text;
    const char* word;
  };
  for (const Case& bad : {Case{"not json", "JSON"}, Case{"{}", "player_id"}, Case{R"({"player_id":7})", "player_id"},
                          Case{R"({"player_id":"p","game_date":"yesterday"})", "game_date"},
                          Case{R"({"player_id":"p","game_date":"2026-02-30"})", "game_date"},
                          Case{R"({"player_id":"p","game_date":"2026-02-03","line":"x"})", "line"},
                          Case{R"({"player_id":"p","game_date":"2026-02-03"})", "batch_id"}}) {
    const auto read = parse_prediction_request(bad.text);
    ASSERT_FALSE(read) << bad.text;
    EXPECT_EQ(read.error().code(), Errc::invalid_argument);
    EXPECT_NE(read.error().detail().find(bad.word), std::string::npos) << read.error().text();
  }
  EXPECT_TRUE(parse_prediction_request(R"({"player_id":"p","game_date":"2026-02-03","preview":true})"));
}

TEST(PredictionReadyMessage, refuses_an_outcome_that_nobody_knows) {
  const auto good = parse_prediction_ready(
      to_message(PredictionReady{.batch_id = "b", .player_id = "p", .outcome = Outcome::skipped, .reason = "why"})
          .data);
  ASSERT_TRUE(good);
  EXPECT_EQ(good->outcome, Outcome::skipped);
  EXPECT_EQ(good->reason, "why");
  EXPECT_FALSE(parse_prediction_ready(R"({"batch_id":"b","player_id":"p","outcome":"fine"})"));
}

TEST(DateRange, refuses_an_end_before_its_start) {
  EXPECT_TRUE(parse_date_range_request(R"({"start_date":"2026-01-01","end_date":"2026-01-01","processors":["a"]})"));
  EXPECT_FALSE(parse_date_range_request(R"({"start_date":"2026-01-02","end_date":"2026-01-01"})"));
  EXPECT_FALSE(parse_date_range_request(R"({"start_date":"2026-01-01","end_date":"2026-01-01","processors":[1]})"));
}

// Goal: a model that fails in a row is left alone, tried again with one call, and never forgotten.
// Method: a breaker with times made up here.
TEST(ConsecutiveBreaker, opens_after_failures_in_a_row_and_probes_with_one_call) {
  ConsecutiveBreaker breaker({.failures = 2, .open_for = 10s});
  const Instant at = Instant(1h);
  breaker.failed(at);
  breaker.succeeded();
  breaker.failed(at);
  EXPECT_TRUE(breaker.allow(at)) << "one failure in a row is not two";
  breaker.failed(at);
  EXPECT_FALSE(breaker.allow(at + 9s));
  EXPECT_TRUE(breaker.is_open(at + 9s));
  EXPECT_TRUE(breaker.allow(at + 10s)) << "the probe";
  EXPECT_FALSE(breaker.allow(at + 10s)) << "one probe at a time";
  EXPECT_TRUE(breaker.allow(at + 20s)) << "a probe that never reported does not block for ever";
  breaker.succeeded();
  EXPECT_TRUE(breaker.allow(at + 20s));
}

}  // namespace
}  // namespace serin::fleet
