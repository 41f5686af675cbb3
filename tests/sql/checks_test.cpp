// Goal: every check type finds the value that the data holds and judges it as its file says, on every database, fused,
// alone and in parts. Method: one set of tables with known defects; a list of checks with what each must find; the same
// list on every database, so that a new one is one line in engines().
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "engines.hpp"
#include "serin/checks/run.hpp"
#include "serin/sim/world.hpp"
#include "serin/sqlite/sqlite_sql.hpp"

namespace serin::checks {
namespace {

// The clock of the tests stands at 2026-04-09T18:03:00Z.
constexpr std::int64_t now_s = 1'775'757'780;

struct Database {
  std::string name;
  std::string kind;  ///< of tests/sql/engines.hpp
  Dialect dialect;
  std::function<std::unique_ptr<Sql>(sql_test::Engine&)> open;
};

std::vector<Database> engines() {
  const auto plain = [](sql_test::Engine&) -> std::unique_ptr<Sql> {
    return SqliteSql::open({.path = ":memory:", .native_scan = false}, sql_test::real_time()).value();
  };
  const auto usual = [](sql_test::Engine& engine) { return engine.open(); };
  return {
      {"sqlite_native", "sqlite", {Engine::sqlite}, usual},
      {"sqlite_plain", "sqlite", {Engine::sqlite}, plain},
      {"postgres", "postgres", {Engine::postgres}, usual},
      {"bigquery", "bigquery", {Engine::bigquery}, usual},
  };
}

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
  run("CREATE TABLE hundred(n INTEGER)");
  std::string hundred = "INSERT INTO hundred VALUES(1)";
  for (int i = 2; i <= 100; ++i) hundred += fmt::format(", ({})", i);
  run(hundred);
  run("CREATE TABLE times(id INTEGER, at TEXT)");
  run("INSERT INTO times VALUES(1, '2026-04-09 15:00:00'), (2, NULL), (3, 'yesterday evening')");
  run("CREATE TABLE nobody(id INTEGER, name TEXT, at_ms BIGINT)");
  run("CREATE TABLE late(id INTEGER, at_ms BIGINT)");
  run(fmt::format("INSERT INTO late VALUES(1, {}), (2, {})", (now_s + 3600) * 1000, now_s * 1000));
  run("CREATE TABLE outcomes(outcome TEXT, at_ms BIGINT)");
  run(fmt::format("INSERT INTO outcomes VALUES('fail', {0}), ('fail', {0}), ('pass', {0}), ('fail', {1}), (NULL, {0})",
                  (now_s - 3600) * 1000, (now_s - 90000) * 1000));
}

/// Where the columns of a database have types, a comparison of a text with a number is refused before a row is read.
enum class Types : std::uint8_t { any, refused_where_strict };
struct Expected {
  const char* check;  ///< YAML, one mapping in braces without them
  Outcome outcome;
  std::optional<double> value;
  Types types = Types::any;
};

const std::vector<Expected>& expectations() {
  static const std::vector<Expected> list{
      {"table: people, row_count: {}", Outcome::pass, 10},
      {"table: people, row_count: {}, where: \"team = 'b'\", fail: '!= 3'", Outcome::pass, 3},
      {"table: people, row_count: {}, warn: '< 100', fail: '< 5'", Outcome::warn, 10},
      {"table: nobody, row_count: {}", Outcome::fail, 0},
      {"table: people, missing: email", Outcome::fail, 1},
      {"table: people, missing: {column: email, values: ['', N/A]}, fail: '> 3'", Outcome::pass, 3},
      {"table: people, missing: age, warn: '> 5%', fail: '> 20%'", Outcome::warn, 1},
      {"table: nobody, missing: name", Outcome::not_evaluated, std::nullopt},
      {"table: nobody, missing: name, on_no_data: fail, name: strict", Outcome::fail, std::nullopt},
      {"table: people, unique: id", Outcome::pass, 0},
      {"table: people, unique: age", Outcome::fail, 5},
      {"table: people, unique: {column: age, metric: distinct_duplicates}, name: u2", Outcome::fail, 3},
      {"table: people, unique: {column: age, metric: affected_rows}, name: u3", Outcome::fail, 8},
      {"table: people, unique: {column: age, metric: uniqueness_ratio}, name: u4, fail: '< 0.1'", Outcome::pass,
       1.0 / 9},
      {"table: people, unique: [age, team], name: u5", Outcome::fail, 2},
      {"table: people, range: {column: age, min: 2, max: 3}", Outcome::fail, 3},
      {"table: people, range: {column: score, min: 15.5}, fail: '> 1'", Outcome::pass, 1},
      {"table: people, range: {column: team, min: 0}, name: texts are outside of numbers", Outcome::fail, 9,
       Types::refused_where_strict},
      {"table: people, accepted_values: {column: team, values: [a, b, c]}", Outcome::fail, 1},
      {"table: people, accepted_values: {column: age, values: [1, 2, 3, 4]}", Outcome::pass, 0},
      {"table: people, pattern: {column: email, regex: '@[^.]+\\.de$'}, fail: '!= 4'", Outcome::pass, 4},
      {"table: people, length: {column: email, min: 1, max: 7}", Outcome::fail, 2},
      {"table: people, condition: age <= score", Outcome::pass, 0},
      {"table: people, condition: \"score <= 10 * id AND id < 9\"", Outcome::fail, 2},
      {"table: people, reference: {column: team, table: teams, key: team}", Outcome::fail, 1},
      {"table: people, reference: {column: team, table: teams, key: team, where: open = 1}, name: open ones",
       Outcome::fail, 4},
      {"table: people, schema: {required: [id, age], forbidden: [secret], types: {age: integer, email: text}}",
       Outcome::pass, 0},
      {"table: people, schema: {required: [gone], forbidden: [age], types: {score: text}}, name: drift", Outcome::fail,
       3},
      {"table: people, distribution: {column: score, measure: mean}, fail: 'not between 49 and 51'", Outcome::pass, 50},
      {"table: people, distribution: {column: score, measure: stddev}, warn: '> 20'", Outcome::warn,
       27.386127875258307},
      {"table: people, distribution: {column: score, measure: max}, fail: '> 90'", Outcome::pass, 90},
      {"table: people, distribution: {column: score, measure: percentile, percentile: 0.9}, fail: '> 80'",
       Outcome::fail, 90},
      {"table: people, distribution: {column: score, measure: percentile}, name: median, fail: '!= 50'", Outcome::pass,
       50},
      {"table: hundred, distribution: {column: n, measure: percentile, percentile: 0.07}, fail: '!= 7'", Outcome::pass,
       7},
      {"table: hundred, distribution: {column: n, measure: mean}, fail: '!= 50.5'", Outcome::pass, 50.5},
      {"table: people, accepted_values: {column: score, values: [0, 1]}, where: id < 3, name: numbers as texts",
       Outcome::fail, 2},
      {"table: times, freshness: {column: at, warn_after: 1h}, name: a text that is no time", Outcome::error,
       std::nullopt},
      {"table: times, freshness: {column: at, warn_after: 1h}, where: id < 3, name: without a zone it is UTC",
       Outcome::warn, 10980},
      {"table: people, row_count: {}, group_by: [team, age], fail: '> 2', name: sizes of two", Outcome::pass, 1},
      {"table: people, range: {column: score, max: 65}, group_by: team, samples: {keys: [id]}, name: by team",
       Outcome::fail, 1},
      {"table: people, coverage: {key: team, expected: {table: teams, where: team IS NOT NULL}}", Outcome::fail, 75},
      {"table: people, coverage: {key: team, expected: {table: nobody, key: name}}, name: nothing expected",
       Outcome::fail, std::nullopt},
      {"table: people, freshness: {column: seen_ms, unit: unix_ms, warn_after: 1h, error_after: 3h}", Outcome::warn,
       7200},
      {"table: people, freshness: {column: seen, warn_after: 1h}, name: mixed offsets", Outcome::pass, 180},
      {"table: nobody, freshness: {column: at_ms, unit: unix_ms, warn_after: 1h}", Outcome::fail, std::nullopt},
      {"table: late, freshness: {column: at_ms, unit: unix_ms, error_after: 1h}", Outcome::warn, 0},
      {"table: late, freshness: {column: at_ms, unit: unix_ms, error_after: 1h, skew: 2h}, name: skew", Outcome::pass,
       0},
      {"table: outcomes, failures: {column: outcome, time: at_ms, unit: unix_ms}, warn: '> 1'", Outcome::warn, 2},
      {"table: nobody, failures: {column: name, time: at_ms, unit: unix_ms}", Outcome::pass, 0},
      {"sql: 'SELECT COUNT(*) FROM teams WHERE open = 0', fail: '> 1'", Outcome::pass, 1},
      {"sql: \"SELECT 'word'\", name: no number", Outcome::error, std::nullopt},
      {"sql: SELECT nothing FROM nowhere, name: bad query", Outcome::error, std::nullopt},
      {"table: people, range: {column: agee, max: 3}", Outcome::error, std::nullopt},
      {"table: missing_table, row_count: {}", Outcome::error, std::nullopt},
      {"table: people, condition: 'SELEKT', name: broken SQL", Outcome::error, std::nullopt},
      {"table: people, where: 'team = :day', row_count: {}, name: no such parameter", Outcome::error, std::nullopt},
      {"table: people, missing: email, group_by: team, name: missing by team", Outcome::fail, 1},
      {"table: people, row_count: {}, group_by: team, fail: '> 3', name: sizes", Outcome::pass, 1},
      {"table: people, range: {column: score, max: 85}, calendar: never, name: not due", Outcome::not_evaluated,
       std::nullopt},
      {"table: people, range: {column: score, max: 95}, calendar: always, name: due", Outcome::pass, 0},
      {"table: people, change: {metric: row_count}, fail: '> 10', name: first run", Outcome::not_evaluated,
       std::nullopt},
  };
  return list;
}

std::string file_of(const std::vector<Expected>& list) {
  std::string text =
      "tables:\n  people: {key: id, grows_by: id}\ncalendars:\n  never: {table: nobody}\n  always: {table: "
      "teams}\nchecks:\n";
  for (const Expected& expected : list) {
    // Two checks of a table need two names; most of them get theirs from their place in the list.
    const bool named = std::string_view(expected.check).find("name:") != std::string_view::npos;
    text +=
        fmt::format("  - {{{}{}}}\n", expected.check, named ? "" : fmt::format(", name: c{}", &expected - list.data()));
  }
  return text;
}

void expect_same(const Database& database, const Expected& expected, const CheckResult& result) {
  SCOPED_TRACE(database.name + ": " + expected.check + "\n" + result.reason + "\n" + result.sql);
  EXPECT_FALSE(result.reason.empty());
  if (expected.types == Types::refused_where_strict && database.dialect.engine != Engine::sqlite) {
    EXPECT_EQ(outcome_name(result.outcome), "error");
    return;
  }
  EXPECT_EQ(outcome_name(result.outcome), outcome_name(expected.outcome));
  ASSERT_EQ(result.value.has_value(), expected.value.has_value());
  if (expected.value) {
    EXPECT_NEAR(*result.value, *expected.value, 1e-9 * std::abs(*expected.value));
  }
}

CheckReport run_on(const Database& database, Sql& sql, const std::vector<Expected>& list, RunOptions options = {}) {
  sim::World world;
  const auto file = load_checks(file_of(list), "checks.yaml", database.dialect.engine);
  EXPECT_TRUE(file) << file.error().detail();
  const auto report = run_checks(*file, sql, database.dialect, world.sleeper(), nullptr, options);
  EXPECT_TRUE(report) << report.error().text();
  return *report;
}

class EveryEngine : public testing::TestWithParam<int> {
 protected:
  EveryEngine() { fill(*sql); }
  Database database = engines().at(static_cast<std::size_t>(GetParam()));
  std::unique_ptr<sql_test::Engine> engine = sql_test::make_engine(database.kind);
  std::unique_ptr<Sql> sql = database.open(*engine);
  std::unique_ptr<Sql> reader = engine->open_reader();
  Sql& checked = reader ? *reader : *sql;
};
INSTANTIATE_TEST_SUITE_P(Checks, EveryEngine, testing::Range(0, static_cast<int>(engines().size())),
                         [](const auto& each) { return engines().at(static_cast<std::size_t>(each.param)).name; });

TEST_P(EveryEngine, finds_the_value_and_the_outcome_of_every_type) {
  const CheckReport report = run_on(database, checked, expectations());
  ASSERT_EQ(report.results.size(), expectations().size());
  for (std::size_t i = 0; i < expectations().size(); ++i) expect_same(database, expectations()[i], report.results[i]);
}

TEST_P(EveryEngine, finds_alone_what_it_finds_fused) {
  for (const Expected& expected : expectations())
    expect_same(database, expected, run_on(database, checked, {expected}).results.at(0));
}

TEST_P(EveryEngine, finds_in_parts_what_it_finds_whole) {
  const CheckReport report = run_on(database, checked, expectations(), {.threads = 3});
  for (std::size_t i = 0; i < expectations().size(); ++i) expect_same(database, expectations()[i], report.results[i]);
}

TEST_P(EveryEngine, reads_a_table_once_for_all_that_is_asked_of_it) {
  const CheckReport report = run_on(database, checked,
                                    {{"table: people, row_count: {}", {}, {}},
                                     {"table: people, missing: email, fail: '> 9'", {}, {}},
                                     {"table: people, pattern: {column: email, regex: '@'}, fail: '> 9'", {}, {}},
                                     {"table: people, distribution: {column: score}, fail: '> 99'", {}, {}}});
  EXPECT_EQ(report.queries, 1);
  EXPECT_EQ(report.rows_read, 10);
}

TEST_P(EveryEngine, names_the_column_that_was_meant) {
  const CheckReport report = run_on(database, checked, {{"table: people, range: {column: scores, max: 3}", {}, {}}});
  EXPECT_EQ(report.results.at(0).reason, "people has no column scores; did you mean score?");
  EXPECT_EQ(run_on(database, checked, {{"table: poeple, row_count: {}", {}, {}}}).results.at(0).reason,
            "there is no table poeple");
}

TEST_P(EveryEngine, counts_all_bad_rows_whatever_it_shows) {
  const auto total = [&](const char* check) {
    return run_on(database, checked, {{check, {}, {}}}).results.at(0).samples;
  };
  EXPECT_EQ(total("table: people, range: {column: age, max: 2}, samples: {limit: 2}").total, 6);
  EXPECT_EQ(total("table: people, range: {column: age, max: 2}, samples: {limit: 2}").rows.size(), 2u);
  EXPECT_EQ(total("table: people, unique: age").total, 8) << "all rows of a repeated key are shown";
  EXPECT_EQ(total("table: people, unique: {column: age, metric: uniqueness_ratio}").total, 8);
  EXPECT_EQ(total("table: people, range: {column: age, max: 2}, group_by: team").total, 6) << "of all groups";
}

TEST_P(EveryEngine, keeps_results_and_counts_of_earlier_runs) {
  const auto store = ResultStore::open(*sql, Deadline::never());
  ASSERT_TRUE(store) << store.error().text();
  sim::World world;
  const auto file = load_checks(
      "tables: {people: {key: id, grows_by: id}}\n"
      "checks:\n"
      "  - {table: people, row_count: {}}\n"
      "  - {table: people, distribution: {column: team, measure: max}, name: m, fail: '> 1'}\n"
      "  - {table: people, distribution: {column: score, measure: stddev}, fail: '> 99'}\n"
      "  - {table: people, change: {metric: row_count}, name: c, fail: '> 50'}\n",
      "checks.yaml", database.dialect.engine);
  ASSERT_TRUE(file) << file.error().detail();
  const auto run = [&](const char* id) {
    auto report = run_checks(*file, checked, database.dialect, world.sleeper(), store->get(),
                             {.run_id = id, .incremental = true});
    EXPECT_TRUE(report) << report.error().text();
    const Status saved = (*store)->save(*report, 24h, Deadline::never());
    EXPECT_TRUE(saved) << saved.error().text();
    return *std::move(report);
  };
  EXPECT_EQ(run("a").rows_read, 10);
  world.advance(1h);
  ASSERT_TRUE(sql->execute("INSERT INTO people VALUES(11, 5, 'a', 'x@y.de', 50, 0, NULL)", {}, Deadline::never()));
  const CheckReport second = run("b");
  EXPECT_EQ(second.rows_read, 1);
  EXPECT_EQ(second.results[0].value, 11);
  EXPECT_NEAR(second.results[3].value.value_or(0), 10, 1e-9) << second.results[3].reason;
  const auto results = (*store)->results("", world.sleeper().wall() - 24h, 100, Deadline::never());
  ASSERT_TRUE(results) << results.error().text();
  EXPECT_EQ(results->size(), 8u);
  ASSERT_TRUE(sql->execute("DELETE FROM people", {}, Deadline::never()));
  EXPECT_EQ(run("c").results[0].value, 0);
  ASSERT_TRUE(sql->execute("INSERT INTO people VALUES(99, 5, 'a', NULL, 50, 0, NULL)", {}, Deadline::never()));
  EXPECT_EQ(run("d").results[0].value, 1) << "an emptied table begins anew";
}

TEST_P(EveryEngine, counts_rows_without_a_key_too) {
  const auto file = load_checks("tables: {teams: {grows_by: open}}\nchecks: [{table: teams, row_count: {}}]", "c.yaml",
                                database.dialect.engine);
  ASSERT_TRUE(sql->execute("INSERT INTO teams VALUES('x', NULL)", {}, Deadline::never()));
  sim::World world;
  const auto report = run_checks(*file, checked, database.dialect, world.sleeper(), nullptr, {.threads = 2});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->results[0].value, 6);
}

}  // namespace
}  // namespace serin::checks
