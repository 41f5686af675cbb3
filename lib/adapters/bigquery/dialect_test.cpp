// Goal: every statement of the fleet, the checks and the migrations has a GoogleSQL form that means the same, and what
// has none is refused by name. Method: pairs of statements; what is refused, with the words that must be in the
// refusal.
#include "dialect.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace serin::bigquery {
namespace {

/// With a value 1 for each of as many parameters as the statement has.
Result<GoogleSql> google(std::string_view sql, std::vector<SqlValue> values = {}, TranslateOptions options = {}) {
  for (std::size_t n = values.size() + 1; sql.find("$" + std::to_string(n)) != std::string_view::npos; ++n)
    values.emplace_back(std::int64_t{1});
  options.parameters = values;
  return translated(sql, options);
}

struct Pair {
  const char* portable;
  const char* google;
};

void expect_pairs(const std::vector<Pair>& pairs) {
  for (const Pair& pair : pairs) {
    const auto made = google(pair.portable);
    ASSERT_TRUE(made) << pair.portable << ": " << made.error().text();
    EXPECT_EQ(made->text, pair.google) << pair.portable;
  }
}

TEST(Dialect, writes_queries_in_the_words_of_google) {
  expect_pairs({
      {"SELECT a FROM t WHERE b = $1 AND c < $2;", "SELECT a FROM t WHERE b = @p1 AND c < @p2"},
      {"SELECT 'it''s', '\\', \"a name\", '$x' FROM t -- why\n", "SELECT 'it\\'s', '\\\\', `a name`, '$x' FROM t"},
      {"SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM t)", "SELECT 0 FROM (SELECT 1) WHERE NOT EXISTS (SELECT 1 FROM t)"},
      {"SELECT EXISTS(SELECT 1 FROM t WHERE a = $1)", "SELECT EXISTS(SELECT 1 FROM t WHERE a = @p1)"},
      {"SELECT COUNT(*) FROM v WHERE at > $1 AND v.at <= $2",
       "SELECT COUNT(*) FROM v WHERE `at` > @p1 AND v.`at` <= @p2"},
      {"SELECT rows, x AT TIME ZONE 'UTC' FROM t", "SELECT `rows`, x AT TIME ZONE 'UTC' FROM t"},
      {"SELECT SUM(n) OVER (ORDER BY d ROWS BETWEEN 2 PRECEDING AND CURRENT ROW), hash FROM t",
       "SELECT SUM(n) OVER (ORDER BY d ROWS BETWEEN 2 PRECEDING AND CURRENT ROW), `hash` FROM t"},
      {"SELECT SUM(n) OVER (ORDER BY d ROWS 3 PRECEDING) FROM t",
       "SELECT SUM(n) OVER (ORDER BY d ROWS 3 PRECEDING) FROM t"},
      {"WITH x AS (SELECT 1) SELECT * FROM x", "WITH x AS (SELECT 1) SELECT * FROM x"},
  });
}

TEST(Dialect, writes_changes_of_whole_tables_with_a_condition) {
  expect_pairs({
      {"DELETE FROM t", "DELETE FROM t WHERE TRUE"},
      {"UPDATE t SET n = n + 1", "UPDATE t SET n = n + 1 WHERE TRUE"},
      {"UPDATE t SET n = (SELECT MAX(x) FROM u WHERE y = 1)",
       "UPDATE t SET n = (SELECT MAX(x) FROM u WHERE y = 1) WHERE TRUE"},
      {"DELETE FROM t WHERE a = $1", "DELETE FROM t WHERE a = @p1"},
      {"INSERT INTO t VALUES($1, 2), (3, 4)", "INSERT INTO t VALUES(@p1, 2), (3, 4)"},
      {"INSERT INTO t(a, rows) SELECT x, $1 FROM u WHERE y BETWEEN $2 AND $3",
       "INSERT INTO t(a, `rows`) SELECT x, @p1 FROM u WHERE y BETWEEN @p2 AND @p3"},
  });
}

TEST(Dialect, writes_tables_with_googles_types_and_without_keys) {
  expect_pairs({
      {"CREATE TABLE t(a INTEGER, b REAL, c TEXT, d BLOB, PRIMARY KEY(a, b)) WITHOUT ROWID",
       "CREATE TABLE t (`a` INT64, `b` FLOAT64, `c` STRING, `d` BYTES)"},
      {"CREATE TABLE IF NOT EXISTS s.t(id TEXT PRIMARY KEY, n BIGINT NOT NULL UNIQUE, x DOUBLE PRECISION DEFAULT -0.5 "
       "NOT "
       "NULL)",
       "CREATE TABLE IF NOT EXISTS s.t (`id` STRING, `n` INT64 NOT NULL, `x` FLOAT64 DEFAULT -0.5 NOT NULL)"},
      {"CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, UNIQUE(id))",
       "CREATE TABLE t (`id` INT64 OPTIONS(description = 'numbered by whoever inserts'))"},
      {"ALTER TABLE a ADD COLUMN y INTEGER", "ALTER TABLE a ADD COLUMN `y` INT64"},
      {"ALTER TABLE f RENAME COLUMN features TO gone", "ALTER TABLE f RENAME COLUMN features TO gone"},
      {"DROP TABLE t", "DROP TABLE t"},
      {"CREATE INDEX i ON t(a)", ""},
  });
  EXPECT_EQ(google("CREATE TABLE s.t(a TEXT)")->created, "s.t");
  EXPECT_EQ(google("CREATE INDEX IF NOT EXISTS i ON t(a)")->kind, StatementKind::nothing);
  EXPECT_EQ(google("CREATE TABLE t(a TEXT)", {}, {.if_needed = true})->text,
            "CREATE TABLE IF NOT EXISTS t (`a` STRING)");
  EXPECT_EQ(google("ALTER TABLE t ADD a TEXT", {}, {.if_needed = true})->text,
            "ALTER TABLE t ADD COLUMN IF NOT EXISTS `a` STRING");
}

TEST(Dialect, merges_what_conflicts_on_its_key) {
  expect_pairs({
      {"INSERT INTO fences(day, token) VALUES($1, $2) ON CONFLICT(day) DO UPDATE SET token = excluded.token "
       "WHERE fences.token <= excluded.token",
       "MERGE INTO fences AS `fences` USING (SELECT @p1 AS `day`, @p2 AS `token`) AS excluded "
       "ON `fences`.`day` = excluded.`day` WHEN MATCHED AND (fences.token <= excluded.token) "
       "THEN UPDATE SET token = excluded.token "
       "WHEN NOT MATCHED THEN INSERT (`day`, `token`) VALUES (excluded.`day`, excluded.`token`)"},
      {"INSERT INTO s.t(a, b) VALUES(1, 2) ON CONFLICT(a, b) DO NOTHING",
       "MERGE INTO s.t AS `t` USING (SELECT 1 AS `a`, 2 AS `b`) AS excluded ON `t`.`a` = excluded.`a` AND "
       "`t`.`b` = excluded.`b` WHEN NOT MATCHED THEN INSERT (`a`, `b`) VALUES (excluded.`a`, excluded.`b`)"},
  });
}

TEST(Dialect, takes_the_last_of_several_new_rows_with_one_key) {
  expect_pairs({
      {"INSERT INTO t(k, v) VALUES($1,$2),($3,$4) ON CONFLICT(k) DO UPDATE SET v = excluded.v",
       "MERGE INTO t AS `t` USING (SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY `k` ORDER BY serin_row "
       "DESC) "
       "AS serin_last FROM (SELECT @p1 AS `k`, @p2 AS `v`, 1 AS serin_row UNION ALL SELECT @p3 AS `k`, @p4 AS `v`, 2 "
       "AS "
       "serin_row)) WHERE serin_last = 1) AS excluded ON `t`.`k` = excluded.`k` WHEN MATCHED THEN UPDATE SET "
       "v = excluded.v WHEN NOT MATCHED THEN INSERT (`k`, `v`) VALUES (excluded.`k`, excluded.`v`)"},
      {"INSERT INTO t(k, v) SELECT p.k, ABS(p.x - s.y) FROM p JOIN s ON s.k = p.k WHERE p.d = $1 ORDER BY p.at, p.n\n"
       "ON CONFLICT(k) DO UPDATE SET v = excluded.v WHERE excluded.v >= t.v",
       "MERGE INTO t AS `t` USING (SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY `k` ORDER BY serin_row "
       "DESC) "
       "AS serin_last FROM (SELECT p.k AS `k`, ABS(p.x - s.y) AS `v`, ROW_NUMBER() OVER (ORDER BY p.`at`, p.n) AS "
       "serin_row FROM p JOIN s ON s.k = p.k WHERE p.d = @p1)) WHERE serin_last = 1) AS excluded ON `t`.`k` = "
       "excluded.`k` WHEN MATCHED AND (excluded.v >= t.v) THEN UPDATE SET v = excluded.v WHEN NOT MATCHED THEN INSERT "
       "(`k`, `v`) VALUES (excluded.`k`, excluded.`v`)"},
  });
}

TEST(Dialect, writes_nulls_where_they_take_any_type) {
  const SqlValue null = std::monostate();
  EXPECT_EQ(google("INSERT INTO t(a, b) VALUES($1, $2)", {null, std::int64_t{1}})->text,
            "INSERT INTO t(a, b) VALUES(NULL, @p2)");
  EXPECT_EQ(google("INSERT INTO t(k, v) VALUES($1, $2) ON CONFLICT(k) DO UPDATE SET v = COALESCE(excluded.v, t.v)",
                   {std::string("x"), null})
                ->text,
            "MERGE INTO t AS `t` USING (SELECT @p1 AS `k`) AS excluded ON `t`.`k` = excluded.`k` WHEN MATCHED THEN "
            "UPDATE SET v = COALESCE(NULL, t.v) WHEN NOT MATCHED THEN INSERT (`k`, `v`) VALUES (excluded.`k`, NULL)");
}

TEST(Dialect, fills_the_column_that_numbers_rows) {
  const TranslateOptions numbered{.parameters = {}, .numbered_column = "id"};
  const std::string now = "UNIX_MICROS(CURRENT_TIMESTAMP()) * 1000";
  EXPECT_EQ(google("INSERT INTO t(a) VALUES(1), (2)", {}, numbered)->text,
            "INSERT INTO t (`id`, `a`) VALUES (" + now + " + 0, 1), (" + now + " + 1, 2)");
  EXPECT_EQ(google("INSERT INTO t(a) SELECT x FROM u LIMIT 1", {}, numbered)->text,
            "INSERT INTO t (`id`, `a`) SELECT " + now +
                " + ROW_NUMBER() OVER (), serin_new.* FROM (SELECT x FROM u LIMIT 1) AS serin_new");
  EXPECT_EQ(google("INSERT INTO t(ID, a) VALUES(1, 2)", {}, numbered)->text, "INSERT INTO t(ID, a) VALUES(1, 2)");
  EXPECT_NE(google("INSERT INTO t(a) VALUES(1), (2) ON CONFLICT(a) DO NOTHING", {}, numbered)
                ->text.find("INSERT (`id`, `a`) VALUES (" + now + " + excluded.serin_row, excluded.`a`)"),
            std::string::npos);
  EXPECT_EQ(insert_target("INSERT INTO s.\"t\" (a) VALUES(1)"), "s.t");
  EXPECT_FALSE(insert_target("INSERT INTO t VALUES(1)"));
  EXPECT_FALSE(insert_target("SELECT 1"));
}

TEST(Dialect, refuses_by_name_what_has_no_counterpart) {
  struct Refusal {
    const char* sql;
    Errc code;
    const char* words;
  };
  for (const Refusal& refusal : std::vector<Refusal>{
           {"", Errc::invalid_argument, "empty"},
           {"  ; ", Errc::invalid_argument, "empty"},
           {"SELECT 'open", Errc::invalid_argument, "no end"},
           {"SELECT /* open", Errc::invalid_argument, "no end"},
           {"SELECT $x", Errc::invalid_argument, "no parameter"},
           {"SELECT $0", Errc::invalid_argument, "no parameter"},
           {"INSERT INTO t(a) VALUES(1) RETURNING a", Errc::unsupported, "RETURNING"},
           {"INSERT OR IGNORE INTO t(a) VALUES(1)", Errc::unsupported, "ON CONFLICT(key)"},
           {"INSERT INTO t(a) VALUES(1) ON CONFLICT DO NOTHING", Errc::unsupported, "key"},
           {"INSERT INTO t(a) VALUES(1) ON CONFLICT(b) DO NOTHING", Errc::invalid_argument, "key b"},
           {"INSERT INTO t(a, b) VALUES(1)", Errc::invalid_argument, "2 columns, but 1"},
           {"INSERT INTO t(a) SELECT DISTINCT x FROM u ON CONFLICT(a) DO NOTHING", Errc::unsupported, "DISTINCT"},
           {"CREATE TABLE t(a)", Errc::unsupported, "no type"},
           {"CREATE TABLE t(a MONEY)", Errc::unsupported, "MONEY"},
           {"CREATE TABLE t(a TEXT CHECK (a <> ''))", Errc::unsupported, "CHECK"},
           {"CREATE TABLE t(a TEXT REFERENCES u(a))", Errc::unsupported, "REFERENCES"},
           {"CREATE UNIQUE INDEX i ON t(a)", Errc::unsupported, "unique"},
           {"CREATE TABLE t(a TEXT", Errc::invalid_argument, "no end"},
       }) {
    const auto made = google(refusal.sql);
    ASSERT_FALSE(made) << refusal.sql << ": " << made->text;
    EXPECT_EQ(made.error().code(), refusal.code) << refusal.sql;
    EXPECT_NE(made.error().detail().find(refusal.words), std::string::npos) << refusal.sql << made.error().text();
  }
}

TEST(Dialect, counts_parameters) {
  const std::vector<SqlValue> one{std::int64_t{1}};
  EXPECT_EQ(translated("SELECT $1 + $2", {.parameters = one}).error().code(), Errc::invalid_argument);
  EXPECT_EQ(translated("SELECT 1", {.parameters = one}).error().code(), Errc::invalid_argument);
  EXPECT_EQ(translated("SELECT $1 + $1", {.parameters = one})->text, "SELECT @p1 + @p1");
}

TEST(Dialect, leaves_googles_own_words_alone_but_for_parameters) {
  const std::vector<SqlValue> two{std::int64_t{1}, std::monostate()};
  const auto made = with_named_parameters(
      "-- $9\nSELECT 'it\\'s $3', \"\"\"a \" $4\"\"\", `$5`, $1 /* $6 */ FROM t WHERE x = $2", two);
  ASSERT_TRUE(made) << made.error().text();
  EXPECT_EQ(made->text, "-- $9\nSELECT 'it\\'s $3', \"\"\"a \" $4\"\"\", `$5`, @p1 /* $6 */ FROM t WHERE x = NULL");
  EXPECT_EQ(made->kind, StatementKind::read);
  EXPECT_EQ(with_named_parameters("(SELECT 1)", {})->kind, StatementKind::read);
  EXPECT_EQ(with_named_parameters("merge t using u on true when matched then delete", {})->kind, StatementKind::write);
  EXPECT_EQ(with_named_parameters(" ", {}).error().code(), Errc::invalid_argument);
}

}  // namespace
}  // namespace serin::bigquery
