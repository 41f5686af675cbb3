// Goal: a run fuses what it can, one broken check stops no other, samples are shown, the past is compared with, and
// parts and new rows come to what the whole table comes to. Method: one table with known defects in SQLite's memory;
// that every check type finds the same on every database is tests/sql/checks_test.cpp.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "serin/checks/run.hpp"
#include "serin/sim/world.hpp"
#include "serin/sqlite/sqlite_sql.hpp"

namespace serin::checks {
namespace {

// The clock of the tests stands at 2026-04-09T18:03:00Z.
constexpr std::int64_t now_s = 1'775'757'780;

void fill(Sql& sql) {
  const auto run = [&](const std::string& statement) {
    const auto done = sql.execute(statement, std::span<const SqlValue>(), Deadline::never());
    ASSERT_TRUE(done) << statement << ": " << done.error().text();
  };
  run("CREATE TABLE people(id INTEGER PRIMARY KEY, age INTEGER, team TEXT, email TEXT, score DOUBLE PRECISION, "
      "seen_ms BIGINT, seen TEXT)");
  // Ages 1,2,2,3,3,3,3,4,4,NULL: 5 extra rows, 3 repeated values, 8 rows concerned, 1 of 9 unique.
  run(
      fmt::format("INSERT INTO people VALUES"
                  "(1, 1, 'a', 'x@y.de', 10.0, {0}, '2026-04-09T18:00:00Z'), (2, 2, 'a', 'x@y', 20.0, {0}, "
                  "'2026-04-09T19:30:00+02:00'),"
                  "(3, 2, 'b', 'no', 30.0, {0}, '2026-04-09 10:00:00'), (4, 3, 'b', NULL, 40.0, {0}, NULL),"
                  "(5, 3, 'b', 'N/A', 50.0, {0}, NULL), (6, 3, 'c', '', 60.0, {0}, NULL), (7, 3, 'c', "
                  "'\xc3\xa4@\xc3\xb6.de', 70.0, {0}, NULL),"
                  "(8, 4, NULL, 'it''s@x.de', 80.0, {0}, NULL), (9, 4, 'z', 'q@q.de', 90.0, {0}, NULL),"
                  "(10, NULL, 'c', 'r@r.de', NULL, {0}, NULL)",
                  (now_s - 7200) * 1000));
  run("CREATE TABLE teams(team TEXT, open INTEGER)");
  run("INSERT INTO teams VALUES('a', 1), ('b', 1), ('c', 0), ('d', 1), (NULL, 1)");
}

class Run : public testing::Test {
 protected:
  Run() { fill(*sql); }
  CheckReport run(const std::string& text, const RunOptions& options = {}, ResultStore* store = nullptr) {
    const auto file = load_checks(text, "checks.yaml", Engine::sqlite);
    EXPECT_TRUE(file) << file.error().detail();
    const auto report = run_checks(*file, *sql, {Engine::sqlite}, world.sleeper(), store, options);
    EXPECT_TRUE(report) << report.error().text();
    return *report;
  }
  void execute(const std::string& statement) {
    ASSERT_TRUE(sql->execute(statement, std::span<const SqlValue>(), Deadline::never())) << statement;
  }
  sim::World world;
  std::unique_ptr<Sql> sql = SqliteSql::open({.path = ":memory:"}, world.sleeper()).value();
};

TEST_F(Run, fuses_all_scan_checks_of_the_same_rows_into_one_pass) {
  const CheckReport report =
      run("checks:\n"
          "  - {table: people, row_count: {}}\n"
          "  - {table: people, missing: email, fail: '> 5'}\n"
          "  - {table: people, range: {column: age, max: 9}}\n"
          "  - {table: people, distribution: {column: score}, fail: '> 99'}\n");
  EXPECT_EQ(report.queries, 1);
  EXPECT_EQ(report.scans, 1);
  EXPECT_EQ(report.rows_read, 10);
  EXPECT_EQ(report.worst(), Outcome::pass);
}

TEST_F(Run, says_which_column_is_missing_and_which_was_meant_and_goes_on) {
  const CheckReport report =
      run("checks:\n"
          "  - {table: people, range: {column: scores, max: 100}}\n"
          "  - {table: people, range: {column: score, max: 100}}\n"
          "  - {table: people, missing: id}\n");
  EXPECT_EQ(report.results[0].outcome, Outcome::error);
  EXPECT_EQ(report.results[0].reason, "people has no column scores; did you mean score?");
  EXPECT_EQ(report.results[1].outcome, Outcome::pass);
  EXPECT_EQ(report.results[2].outcome, Outcome::pass);
}

TEST_F(Run, shows_keys_of_bad_rows_and_how_many_there_are_in_truth) {
  const CheckReport report =
      run("tables: {people: {key: id}}\n"
          "checks:\n"
          "  - {table: people, range: {column: age, max: 2}, samples: {limit: 2, columns: [team]}}\n"
          "  - {table: people, unique: age}\n"
          "  - {table: people, reference: {column: team, table: teams, key: team}}\n"
          "  - {table: people, missing: id}\n");
  const SampleRows& samples = report.results[0].samples;
  EXPECT_EQ(samples.total, 6);
  EXPECT_EQ(samples.columns, (std::vector<std::string>{"id", "team"}));
  EXPECT_EQ(samples.rows, (std::vector<std::vector<std::string>>{{"4", "b"}, {"5", "b"}}));
  EXPECT_EQ(report.results[1].samples.rows.size(), 8u) << "all rows of a repeated key";
  EXPECT_EQ(report.results[2].samples.rows, (std::vector<std::vector<std::string>>{{"9"}}));
  EXPECT_TRUE(report.results[3].samples.rows.empty()) << "nothing to show of a check that passed";
}

TEST_F(Run, shows_nothing_that_a_terminal_or_a_document_could_not_take) {
  execute("INSERT INTO people(id, age, team) VALUES(20, 99, 'x' || char(27) || '[2J' || CAST(x'ff41' AS TEXT) || 'ä')");
  const CheckReport report =
      run("checks: [{table: people, range: {column: age, max: 9}, samples: {keys: [id, team]}}]");
  EXPECT_EQ(report.results[0].samples.rows, (std::vector<std::vector<std::string>>{{"20", "x?[2J?Aä"}}));
}

TEST_F(Run, compares_with_earlier_runs) {
  const auto store = ResultStore::open(*sql, Deadline::never()).value();
  const std::string text =
      "checks:\n"
      "  - {table: people, change: {metric: row_count}, fail: 'not between -20 and 20'}\n"
      "  - {table: people, anomaly: {metric: row_count}}\n";
  for (int day = 0; day < 5; ++day) {
    const CheckReport report = run(text, {.run_id = std::to_string(day)}, store.get());
    EXPECT_EQ(report.results[0].outcome, day == 0 ? Outcome::not_evaluated : Outcome::pass) << report.results[0].reason;
    EXPECT_EQ(report.results[1].outcome, day < 4 ? Outcome::not_evaluated : Outcome::pass) << report.results[1].reason;
    ASSERT_TRUE(store->save(report, 30 * 24h, Deadline::never()));
    world.advance(24h);
  }
  execute("DELETE FROM people WHERE id > 7");
  const CheckReport report = run(text, {.run_id = "x"}, store.get());
  EXPECT_EQ(report.results[0].outcome, Outcome::fail) << report.results[0].reason;
  EXPECT_NEAR(*report.results[0].value, -30, 1e-9);
  EXPECT_EQ(report.results[1].outcome, Outcome::fail) << report.results[1].reason;
  EXPECT_EQ(report.results[1].metric, 7);
  ASSERT_EQ(store->set_baseline({report.results[0].id}, world.sleeper().wall(), Deadline::never()), 1);
  EXPECT_EQ(run(text, {}, store.get()).results[0].outcome, Outcome::not_evaluated) << "a new normal begins";
}

TEST_F(Run, reads_only_new_rows_and_finds_what_a_full_run_finds) {
  const auto store = ResultStore::open(*sql, Deadline::never()).value();
  const std::string text =
      "tables: {people: {key: id, grows_by: id}}\n"
      "checks:\n"
      "  - {table: people, row_count: {}}\n"
      "  - {table: people, missing: email, fail: '> 5'}\n"
      "  - {table: people, range: {column: age, max: 3}}\n"
      "  - {table: people, distribution: {column: score, measure: stddev}, fail: '> 99'}\n"
      "  - {table: people, distribution: {column: score, measure: min}, fail: '< 0'}\n"
      "  - {table: people, distribution: {column: team, measure: max}, fail: '> 1'}\n";
  const RunOptions incremental{.incremental = true};
  EXPECT_EQ(run(text, incremental, store.get()).rows_read, 10);
  EXPECT_EQ(run(text, incremental, store.get()).rows_read, 0);
  execute("INSERT INTO people VALUES(11, 9, 'a', NULL, -5.5, 0, NULL), (12, NULL, 'zz', 'x', 1000.25, 0, NULL)");
  const CheckReport part = run(text, incremental, store.get());
  EXPECT_EQ(part.rows_read, 2);
  const CheckReport full = run(text);
  for (std::size_t i = 0; i < full.results.size(); ++i) {
    EXPECT_EQ(part.results[i].outcome, full.results[i].outcome) << full.results[i].name << part.results[i].reason;
    EXPECT_EQ(part.results[i].rows, full.results[i].rows);
    if (full.results[i].value) {
      EXPECT_NEAR(*part.results[i].value, *full.results[i].value, 1e-9 * std::abs(*full.results[i].value));
    }
  }
  // A check that is new counts everything; those that are known only go on.
  const CheckReport more =
      run(text + "  - {table: people, range: {column: score, min: 0}}\n", incremental, store.get());
  EXPECT_EQ(more.results.back().value, 1);
  // A table that was made anew is another table.
  execute("DELETE FROM people WHERE id > 3");
  EXPECT_EQ(run(text, incremental, store.get()).results[0].value, 3);
}

TEST_F(Run, finds_the_same_in_parts) {
  const std::string text =
      "tables: {people: {key: id, grows_by: id}}\n"
      "checks:\n"
      "  - {table: people, row_count: {}}\n"
      "  - {table: people, range: {column: age, max: 3}}\n"
      "  - {table: people, distribution: {column: score, measure: stddev}, fail: '> 99'}\n";
  const CheckReport one = run(text);
  for (const int threads : {2, 3, 16}) {
    const CheckReport many = run(text, {.threads = threads});
    for (std::size_t i = 0; i < one.results.size(); ++i)
      EXPECT_NEAR(*many.results[i].value, *one.results[i].value, 1e-9) << threads;
  }
}

TEST_F(Run, that_selects_nothing_is_a_mistake) {
  const auto file = load_checks("checks: [{table: people, row_count: {}}]", "checks.yaml", Engine::sqlite).value();
  const auto none = run_checks(file, *sql, {Engine::sqlite}, world.sleeper(), nullptr, {.tables = {"other"}});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code(), Errc::invalid_argument);
}

TEST_F(Run, explains_what_is_fused) {
  const auto file =
      load_checks(
          "checks:\n"
          "  - {table: people, missing: id}\n  - {table: people, row_count: {}}\n  - {table: people, unique: id}\n",
          "checks.yaml", Engine::sqlite)
          .value();
  const auto text = explain_checks(file, *sql, {Engine::sqlite}, world.sleeper().wall(), {});
  ASSERT_TRUE(text);
  EXPECT_NE(text->find("people: 2 checks in one pass"), std::string::npos) << *text;
  EXPECT_NE(text->find("t.\"id\" IS NULL"), std::string::npos) << *text;
  EXPECT_NE(text->find("3 checks, 1 passes over tables, 2 statements"), std::string::npos) << *text;
}

}  // namespace
}  // namespace serin::checks
