// Goal: a date goes from raw rows to graded predictions, each player counted once, nothing lost, whoever dies or
// delivers twice. Method: the services' work called by hand over each kind of warehouse, with time of the test.
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "serin/fleet_data/simulated.hpp"
#include "serin/fleet_pipeline/analytics.hpp"
#include "serin/fleet_pipeline/coordinator.hpp"
#include "serin/fleet_pipeline/eligible.hpp"
#include "serin/fleet_pipeline/grading.hpp"
#include "serin/fleet_pipeline/load.hpp"
#include "serin/fleet_pipeline/merge.hpp"
#include "serin/fleet_pipeline/mlb_worker.hpp"
#include "serin/fleet_pipeline/precompute.hpp"
#include "serin/fleet_pipeline/schema.hpp"
#include "serin/fleet_pipeline/worker.hpp"
#include "serin/sim/memory_documents.hpp"
#include "serin/sim/world.hpp"
#include "serin/sqlite/sqlite_bus.hpp"
#include "serin/sqlite/sqlite_sql.hpp"
#include "warehouse_under_test.hpp"

namespace serin::fleet {
namespace {

const Deadline never = Deadline::never();

class Pipeline : public testing::Test {
 protected:
  explicit Pipeline(std::unique_ptr<Sql> (*open)(Clock&) = warehouse_under_test) {
    sql = open(world.sleeper());
    bus_sql = SqliteSql::open({.path = ":memory:"}, world.sleeper()).value();
    bus = SqliteBus::open(*bus_sql, world.sleeper(), world.random()).value();
    EXPECT_TRUE(prepare_warehouse(*sql, world.sleeper(), never));
    EXPECT_TRUE(prepare_warehouse(*sql, world.sleeper(), never)) << "twice is fine";
    for (const auto name :
         {topic::phase3_complete, topic::phase4_complete, topic::prediction_request, topic::prediction_ready}) {
      EXPECT_TRUE(bus->create_topic(name, never));
      EXPECT_TRUE(bus->create_subscription({.name = std::string(name), .topic = std::string(name)}, never));
    }
    const League league =
        simulate_league({.nba_teams = 6, .nba_games_a_team = 40, .mlb_teams = 6, .mlb_games_a_team = 40}).value();
    loaded = load_season(*sql, league, world.sleeper().wall(), never).value();
    date = busy_date(*sql, never).value();
    predictor = std::make_unique<Predictor>(*sql, world.sleeper(), models, Sport::nba);
  }
  /// The batch of the date; a test that cannot start one says why.
  Started start() {
    const Result<Started> started = coordinator().start({.game_date = date}, "run-1", never);
    if (started) return *started;
    ADD_FAILURE() << started.error().text();
    return {};
  }
  Coordinator coordinator(std::string name = "c-0") {
    return Coordinator({.sql = *sql,
                        .bus = *bus,
                        .documents = documents,
                        .sleeper = world.sleeper(),
                        .random = world.random(),
                        .logger = Logger(world.log()),
                        .holder = std::move(name)});
  }
  Worker worker() {
    return Worker(
        {.predictor = *predictor, .sql = *sql, .bus = *bus, .clock = world.sleeper(), .logger = Logger(world.log())});
  }
  ProcessReport analytics(std::string from) {
    Analytics work({.sql = *sql,
                    .bus = *bus,
                    .clock = world.sleeper(),
                    .random = world.random(),
                    .logger = Logger(world.log()),
                    .revision = "r1"});
    return work.process({.start_date = std::move(from), .end_date = date, .processors = {}}, never).value();
  }
  ProcessReport precompute(const std::string& day) {
    Precompute work({.sql = *sql,
                     .bus = *bus,
                     .clock = world.sleeper(),
                     .random = world.random(),
                     .logger = Logger(world.log()),
                     .revision = "r1"});
    return work.process({.game_date = day}, never).value();
  }
  void until_features() {
    ASSERT_EQ(analytics(loaded.first_date).status(), RunStatus::completed);
    ASSERT_EQ(precompute(date).status(), RunStatus::completed);
  }
  template <class Event>
  std::vector<Event> take(std::string_view topic, Result<Event> (*parse)(std::string_view)) {
    std::vector<Event> events;
    const std::vector<Delivery> deliveries = bus->pull(topic, 1000, never).value();
    for (const Delivery& delivery : deliveries) {
      const Result<Event> event = parse(delivery.message.data);
      if (event)
        events.push_back(*event);
      else
        ADD_FAILURE() << event.error().text() << ": " << delivery.message.data;
      EXPECT_TRUE(bus->ack(topic, delivery.ack_id, never));
    }
    return events;
  }
  std::vector<PredictionReady> work_on_requests() {
    for (const PredictionRequest& request : take(topic::prediction_request, parse_prediction_request)) {
      const Result<WorkDone> done = worker().handle(request, never);
      EXPECT_TRUE(done) << done.error().text();
    }
    return take(topic::prediction_ready, parse_prediction_ready);
  }
  /// All predictions of the date, from raw rows on.
  SqlTable predictions() {
    until_features();
    const Started started = start();
    for (const PredictionReady& ready : work_on_requests()) EXPECT_TRUE(coordinator().complete(ready, never));
    EXPECT_EQ(coordinator().status(started.batch_id, never)->state, BatchState::closed);
    return sql
        ->query(
            "SELECT system_id, player_id, game_id, predicted, confidence, recommendation, line, model_version "
            "FROM predictions ORDER BY system_id, player_id, game_id",
            {}, never)
        .value();
  }
  std::int64_t count(const std::string& text) {
    return std::get<std::int64_t>(sql->query(text, {}, never).value().rows.at(0).at(0));
  }

  sim::World world;
  sim::MemoryDocuments documents;
  ModelSet models = ModelSet::load(ModelSet::default_file()).value();
  std::unique_ptr<Sql> sql;
  std::unique_ptr<SqliteSql> bus_sql;
  std::unique_ptr<SqliteBus> bus;
  std::unique_ptr<Predictor> predictor;
  LoadReport loaded;
  std::string date;
};

/// The same work on SQLite, to compare with.
class OnSqlite final : public Pipeline {
 public:
  OnSqlite() : Pipeline(in_memory) {}
  void TestBody() override {}
  using Pipeline::predictions;

 private:
  static std::unique_ptr<Sql> in_memory(Clock& clock) { return SqliteSql::open({.path = ":memory:"}, clock).value(); }
};

TEST_F(Pipeline, predicts_on_every_warehouse_what_it_predicts_on_sqlite) {
  const SqlTable here = predictions();
  EXPECT_GT(here.rows.size(), 40u);
  EXPECT_EQ(here.rows, OnSqlite().predictions().rows) << "to the last digit";
}

TEST_F(Pipeline, misses_a_column_by_asking_for_it) {
  EXPECT_TRUE(check_columns(*sql, never));
  ASSERT_TRUE(sql->execute("ALTER TABLE ml_feature_store RENAME COLUMN features TO gone", {}, never));
  const Status missing = check_columns(*sql, never);
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().detail().find("table ml_feature_store"), std::string::npos) << missing.error().detail();
  EXPECT_NE(missing.error().detail().find("features"), std::string::npos) << missing.error().detail();
  ASSERT_TRUE(sql->execute("ALTER TABLE ml_feature_store RENAME COLUMN gone TO features", {}, never));
  EXPECT_TRUE(check_columns(*sql, never));
}

TEST_F(Pipeline, takes_a_date_from_raw_rows_to_graded_predictions) {
  const ProcessReport raw = analytics(loaded.first_date);
  EXPECT_TRUE(raw.published);
  EXPECT_EQ(take(topic::phase3_complete, parse_phase_complete).at(0).game_date, date);
  const ProcessReport features = precompute(date);
  EXPECT_TRUE(features.published);
  const Started started = start();
  EXPECT_GT(started.total_requests, 10);
  EXPECT_EQ(started.published, started.total_requests);
  EXPECT_EQ(coordinator().start({.game_date = date}, "", never).error().code(), Errc::conflict) << "it runs";
  EXPECT_EQ(coordinator().start({.game_date = date, .force = true}, "run-1", never).error().code(), Errc::conflict)
      << "the same event delivered again";
  for (const PredictionReady& ready : work_on_requests()) ASSERT_TRUE(coordinator().complete(ready, never));
  const Batch batch = coordinator().status(started.batch_id, never).value();
  EXPECT_EQ(batch.state, BatchState::closed) << to_status_json(batch);
  EXPECT_EQ(batch.predicted + batch.skipped, started.total_requests);
  EXPECT_EQ(count("SELECT COUNT(*) FROM predictions_staging"), 0);
  EXPECT_EQ(count("SELECT COUNT(*) FROM predictions"), 4 * batch.predicted);
  EXPECT_EQ(judge_coverage(coverage_facts(*sql, Sport::nba, date, never).value()).verdict, Verdict::pass);
  const GradeReport grades = grade(*sql, date, world.sleeper().wall(), never).value();
  EXPECT_EQ(grades.pending, 0);
  EXPECT_EQ(grades.graded + grades.voided, 4 * batch.predicted);
  EXPECT_EQ(grades.models.size(), 4u);
}

TEST_F(Pipeline, counts_right_when_completions_come_twice_or_the_last_two_at_once) {
  until_features();
  const Started started = start();
  std::vector<PredictionReady> ready = work_on_requests();
  const PredictionReady last = ready.back();
  ready.pop_back();
  for (const PredictionReady& event : ready) {
    ASSERT_TRUE(coordinator().complete(event, never));
    ASSERT_TRUE(coordinator().complete(event, never));
  }
  EXPECT_EQ(coordinator().status(started.batch_id, never)->state, BatchState::running);
  EXPECT_TRUE(coordinator("c-0").complete(last, never));
  EXPECT_TRUE(coordinator("c-1").complete(last, never));
  const Batch batch = coordinator().status(started.batch_id, never).value();
  EXPECT_EQ(batch.state, BatchState::closed);
  EXPECT_EQ(batch.predicted + batch.skipped, batch.expected);
  EXPECT_TRUE(coordinator().complete({.batch_id = "2000-01-01-1", .player_id = "x", .reason = {}}, never))
      << "unknown: seen in the log, not redelivered for ever";
}

TEST_F(Pipeline, finds_completions_that_were_lost_and_merges_rows_that_came_late) {
  until_features();
  const Started started = start();
  const std::vector<PredictionReady> ready = work_on_requests();
  ASSERT_GT(ready.size(), 4u);
  for (std::size_t i = 3; i < ready.size(); ++i) ASSERT_TRUE(coordinator().complete(ready[i], never));
  EXPECT_EQ(coordinator().check_stalled({}, never)->recovered, 0) << "too young: they may be on their way";
  world.advance(2min);
  const StallReport report = coordinator().check_stalled({}, never).value();
  EXPECT_EQ(report.recovered, 3);
  EXPECT_TRUE(report.errors.empty());
  EXPECT_EQ(coordinator().status(started.batch_id, never)->state, BatchState::closed);
  const std::int64_t before = count("SELECT COUNT(*) FROM predictions");
  // A row that arrives after the merge.
  ASSERT_TRUE(sql->execute(
      "INSERT INTO predictions_staging(prediction_id, batch_id, sport, system_id, player_id, game_id, game_date, "
      "predicted, confidence, recommendation, line, model_version, created_at) SELECT 'late', batch_id, sport, "
      "'late_model', player_id, game_id, game_date, predicted, confidence, recommendation, line, model_version, "
      "created_at FROM predictions LIMIT 1",
      {}, never));
  EXPECT_EQ(coordinator().check_stalled({}, never)->swept, std::vector<std::string>{date});
  EXPECT_EQ(count("SELECT COUNT(*) FROM predictions"), before + 1);
}

TEST_F(Pipeline, closes_an_old_batch_with_enough_in_and_calls_it_failed_with_too_few) {
  until_features();
  const Started started = start();
  const std::vector<PredictionRequest> requests = take(topic::prediction_request, parse_prediction_request);
  ASSERT_TRUE(worker().handle(requests.front(), never));
  for (const PredictionReady& ready : take(topic::prediction_ready, parse_prediction_ready))
    ASSERT_TRUE(coordinator().complete(ready, never));
  world.advance(11min);
  ASSERT_TRUE(coordinator().check_stalled({}, never));
  EXPECT_EQ(coordinator().status(started.batch_id, never)->state, BatchState::running) << "old, but not enough in";
  world.advance(20min);
  ASSERT_TRUE(coordinator().check_stalled({}, never));
  EXPECT_EQ(coordinator().status(started.batch_id, never)->state, BatchState::failed);
}

TEST_F(Pipeline, of_a_late_lock_holder_is_fenced_off) {
  ASSERT_TRUE(merge_staging_rows(*sql, date, 7, never));
  EXPECT_EQ(merge_staging_rows(*sql, date, 6, never).error().code(), Errc::conflict);
  EXPECT_TRUE(merge_staging_rows(*sql, date, 7, never)) << "the same holder again";
}

TEST_F(Pipeline, never_says_completed_of_work_that_failed) {
  const ProcessReport early = precompute(date);
  EXPECT_EQ(early.status(), RunStatus::failed) << "analytics has not run: " << to_json(early);
  EXPECT_FALSE(early.published);
  EXPECT_EQ(judge_upstream(*sql, date, never)->verdict, Verdict::fail);
  EXPECT_EQ(judge_upstream(*sql, "1999-01-01", never)->verdict, Verdict::not_evaluated);
  EXPECT_EQ(coordinator().start({.game_date = date}, "", never).error().code(), Errc::not_found);
  ASSERT_TRUE(sql->execute("DROP TABLE raw_pitcher_games", {}, never));
  const ProcessReport partial = analytics(loaded.first_date);
  EXPECT_EQ(partial.status(), RunStatus::partial_failure) << to_json(partial);
}

TEST_F(Pipeline, of_baseball_predicts_all_starters_of_a_date_at_once) {
  until_features();
  const SqlTable days = sql->query("SELECT MAX(game_date) FROM games WHERE sport = 'mlb'", {}, never).value();
  date = std::get<std::string>(days.rows.at(0).at(0));
  until_features();
  Predictor mlb(*sql, world.sleeper(), models, Sport::mlb);
  MlbWorker work({.predictor = mlb,
                  .sql = *sql,
                  .clock = world.sleeper(),
                  .random = world.random(),
                  .logger = Logger(world.log())});
  const MlbBatch batch = work.predict_batch({.game_date = date}, never).value();
  EXPECT_GT(batch.predicted, 0) << to_json(batch);
  EXPECT_EQ(batch.rows, 4 * batch.predicted);
  EXPECT_EQ(work.predict_batch({.game_date = "1999-01-01"}, never).error().code(), Errc::not_found);
}

}  // namespace
}  // namespace serin::fleet
