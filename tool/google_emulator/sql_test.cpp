// Goal: the subset of GoogleSQL means what BigQuery means, and what is outside of it is refused by name.
// Method: tables of statements and their rows, over the handler. What BigQuery answers is taken from its reference.
#include "emulator_under_test.hpp"

namespace serin::google_emulator {
namespace {

struct Case {
  const char* sql;
  const char* rows;
};

struct Sql : Emulator {
  void SetUp() override {
    Emulator::SetUp();
    ASSERT_EQ(query("CREATE SCHEMA d").status, 200);
    change(
        "CREATE TABLE d.people(id INT64 NOT NULL, name STRING, born DATE, height FLOAT64, active BOOL, "
        "seen TIMESTAMP)");
    change(
        "INSERT INTO d.people VALUES (1, 'Ann', '2000-01-31', 1.7, TRUE, '2026-01-01 10:00:00+00'), "
        "(2, 'Bob', '1999-12-31', 1.8, FALSE, '2026-01-02 10:00:00.5 UTC'), (3, NULL, NULL, NULL, NULL, NULL)");
  }
  void expect(std::initializer_list<Case> cases) {
    for (const Case& one : cases) EXPECT_EQ(rows(one.sql), one.rows) << one.sql;
  }
};

TEST_F(Sql, expressions_have_the_values_of_bigquery) {
  expect({
      {"SELECT 1", "1"},
      {"SELECT 7 / 2", "3.5"},
      {"SELECT 4 / 2", "2.0"},
      {"SELECT DIV(7, 2), MOD(7, 2), DIV(-7, 2)", "3,1,-3"},
      {"SELECT 1 / 0", "division by zero: 1.0 / 0"},
      {"SELECT SAFE_DIVIDE(1, 0), SAFE_DIVIDE(1, 4)", "NULL,0.25"},
      {"SELECT 'a' || 'b', CONCAT('x', NULL)", "ab,NULL"},
      {"SELECT TRUE AND NULL, FALSE AND NULL, NOT TRUE", "NULL,false,false"},
      {"SELECT 'a' = 'A', 'abc' LIKE 'A%', 'abc' LIKE 'a_c'", "false,false,true"},
      {"SELECT IF(1 < 2, 'y', 'n'), IFNULL(NULL, 3), COALESCE(NULL, NULL, 'z'), NULLIF(1, 1)", "y,3,z,NULL"},
      {"SELECT CASE WHEN 1 = 2 THEN 'a' ELSE 'b' END, CASE 3 WHEN 3 THEN 1.5 ELSE 2 END", "b,1.5"},
      {"SELECT GREATEST(1, 3, 2), LEAST(2.5, 1)", "3,1.0"},
      {"SELECT ROUND(2.5), ROUND(-2.5), ROUND(2.345, 2), FLOOR(-1.5), CEIL(1.2)", "3.0,-3.0,2.35,-2.0,2.0"},
      {"SELECT CAST('12' AS INT64), CAST(2.5 AS INT64), CAST(1 AS STRING), CAST(TRUE AS STRING)", "12,3,1,true"},
      {"SELECT CAST('x' AS INT64)", "Bad int64 value: x"},
      {"SELECT SAFE_CAST('x' AS INT64), SAFE_CAST('2026-02-30' AS DATE)", "NULL,NULL"},
      {"SELECT CAST(1.0 AS STRING), CAST(0.1 AS STRING), 1e20, 0.1 + 0.2", "1,0.1,1e+20,0.30000000000000004"},
      {"SELECT LENGTH('héé'), UPPER('ab'), SUBSTR('hello', 2, 3), SUBSTR('hello', -3), STRPOS('abc', 'c')",
       "3,AB,ell,llo,3"},
      {"SELECT STARTS_WITH('abc', 'ab'), ENDS_WITH('abc', 'bc'), REPLACE('aXa', 'X', '-'), TRIM('  a ')",
       "true,true,a-a,a"},
      {"SELECT REGEXP_CONTAINS('abc123', r'\\d+$'), REGEXP_EXTRACT('k=v', r'=(.*)'), REGEXP_REPLACE('a1b2', r'\\d', "
       "'n')",
       "true,v,anbn"},
      {"SELECT 1 IN (1, 2), 3 NOT IN (1, 2), 5 BETWEEN 1 AND 5, NULL IS NULL, 1 IS DISTINCT FROM NULL",
       "true,true,true,true,true"},
      {"SELECT -9223372036854775808, 0xFF, 9223372036854775807", "-9223372036854775808,255,9223372036854775807"},
      {"SELECT \"two\\n\"", "two\n"},
      {"SELECT b'\\x00\\xff', NUMERIC '1.50', CAST('2' AS NUMERIC)", "AP8=,1.5,2"},
      {"SELECT (1, 'a') = (1, 'a')", "true"},
  });
}

TEST_F(Sql, dates_and_times_count_in_utc) {
  expect({
      {"SELECT DATE '2026-01-31', DATE_ADD(DATE '2026-01-31', INTERVAL 1 MONTH)", "2026-01-31,2026-02-28"},
      {"SELECT DATE_SUB('2026-03-01', INTERVAL 1 DAY), DATE '2026-03-01' - INTERVAL 1 YEAR",
       "2026-02-28,2025-03-01T00:00:00"},
      {"SELECT DATE_DIFF(DATE '2026-01-02', DATE '2025-12-31', DAY), DATE_DIFF('2026-01-01', '2025-12-31', YEAR)",
       "2,1"},
      {"SELECT DATE_TRUNC(DATE '2026-05-17', MONTH), DATE_TRUNC('2026-05-17', ISOWEEK)", "2026-05-01,2026-05-11"},
      {"SELECT EXTRACT(YEAR FROM DATE '2026-05-17'), EXTRACT(DAYOFWEEK FROM DATE '2026-05-17')", "2026,1"},
      {"SELECT TIMESTAMP '2026-01-01 00:00:00+01:00'", "1767222000000000"},
      {"SELECT TIMESTAMP_DIFF(TIMESTAMP '2026-01-02', TIMESTAMP '2026-01-01 12:00:00', HOUR)", "12"},
      {"SELECT TIMESTAMP_ADD(TIMESTAMP '2026-01-01', INTERVAL 90 SECOND)", "1767225690000000"},
      {"SELECT UNIX_SECONDS(TIMESTAMP '1969-12-31 23:59:59.5'), TIMESTAMP_MILLIS(1500), UNIX_DATE('1970-01-02')",
       "-1,1500000,1"},
      {"SELECT FORMAT_DATE('%d/%m/%Y', DATE '2026-01-31'), PARSE_DATE('%Y%m%d', '20260131')", "31/01/2026,2026-01-31"},
      {"SELECT FORMAT_TIMESTAMP('%FT%T%z', TIMESTAMP '2026-01-31 10:00:00')", "2026-01-31T10:00:00+0000"},
      {"SELECT DATE(TIMESTAMP '2026-01-31 23:00:00'), DATE(2026, 2, 1), DATETIME(TIMESTAMP '2026-01-31 23:00:00')",
       "2026-01-31,2026-02-01,2026-01-31T23:00:00"},
      {"SELECT CAST(TIMESTAMP '2026-01-31 23:00:00.25' AS STRING), CAST(DATE '2026-01-31' AS STRING)",
       "2026-01-31 23:00:00.25+00,2026-01-31"},
      {"SELECT DATE '2026-02-30'", "Invalid date string \"2026-02-30\""},
      {"SELECT TIMESTAMP('2026-01-01', 'Europe/Berlin')",
       "A time zone other than 'UTC' is not supported by this emulator, at [1:32]"},
  });
}

TEST_F(Sql, tables_are_read_joined_and_grouped) {
  expect({
      {"SELECT * FROM d.people WHERE id = 1", "1,Ann,2000-01-31,1.7,true,1767261600000000"},
      {"SELECT * EXCEPT (born, height, active, seen) FROM `p.d.people` ORDER BY id DESC LIMIT 1", "3,NULL"},
      {"SELECT name n FROM people WHERE n = 'x'", "Unrecognized name: n at [1:33]"},
      {"SELECT COUNT(*), COUNT(name), COUNTIF(active), SUM(height), AVG(height), MIN(born), MAX(name) FROM people",
       "3,2,1,3.5,1.75,1999-12-31,Bob"},
      {"SELECT active, COUNT(*) FROM people GROUP BY active ORDER BY active", "NULL,1|false,1|true,1"},
      {"SELECT active AS a, COUNT(*) c FROM people GROUP BY 1 HAVING c > 0 AND a IS NOT NULL ORDER BY a DESC",
       "true,1|false,1"},
      {"SELECT a.name, b.name FROM people a JOIN people b ON a.id + 1 = b.id ORDER BY a.id",
       "Duplicate column names in the result are not supported. Found duplicate(s): name"},
      {"SELECT a.id, b.id AS other FROM people a LEFT JOIN people b ON a.id + 1 = b.id ORDER BY a.id",
       "1,2|2,3|3,NULL"},
      {"SELECT id, x FROM people JOIN (SELECT 1 AS id, 'k' AS x) USING (id)", "1,k"},
      {"SELECT name, COUNT(*) FROM people",
       "SELECT list expression references column name which is neither grouped nor aggregated at [1:8]"},
      {"SELECT COUNT(*), 2 AS two FROM people GROUP BY two ORDER BY TRUE", "3,2"},
      {"WITH a AS (SELECT id FROM people), b AS (SELECT MAX(id) AS m FROM a) SELECT m FROM b", "3"},
      {"SELECT id FROM people WHERE id IN (SELECT MAX(id) FROM people)", "3"},
      {"SELECT id FROM people p WHERE EXISTS (SELECT 1 FROM people q WHERE q.id = p.id + 2)", "1"},
      {"SELECT 1 AS x UNION ALL SELECT 2 UNION ALL SELECT 3 ORDER BY x DESC", "3|2|1"},
      {"SELECT id FROM people UNION DISTINCT SELECT 1 ORDER BY id", "1|2|3"},
      {"SELECT id, ROW_NUMBER() OVER (ORDER BY id DESC) AS n FROM people QUALIFY n = 1", "3,1"},
      {"SELECT id, LAG(id) OVER (ORDER BY id) AS before FROM people ORDER BY id", "1,NULL|2,1|3,2"},
      {"SELECT APPROX_COUNT_DISTINCT(active), ROUND(VAR_POP(height) * COUNT(height), 6) FROM people", "2,0.005"},
      {"SELECT COUNT(*) OVER (), PERCENTILE_DISC(height, 0.5) OVER () FROM people LIMIT 1", "3,1.7"},
      {"SELECT STRING_AGG(name, '+'), ARRAY_LENGTH(ARRAY_AGG(id)) FROM people", "Ann+Bob,3"},
      {"SELECT DISTINCT active FROM people ORDER BY active NULLS LAST", "false|true|NULL"},
      {"SELECT column_name, data_type, is_nullable FROM `d`.INFORMATION_SCHEMA.COLUMNS WHERE table_name = 'people' "
       "ORDER BY ordinal_position LIMIT 2",
       "id,INT64,NO|name,STRING,YES"},
      {"SELECT x FROM UNNEST([3, 1, 2]) AS x ORDER BY x", "1|2|3"},
      {"SELECT k, v, o FROM UNNEST([STRUCT(1 AS k, 'a' AS v), (2, 'b')]) WITH OFFSET AS o ORDER BY k", "1,a,0|2,b,1"},
      {"SELECT NULL WHERE 1 = 1", "Query without FROM clause cannot have a WHERE clause at [1:1]"},
  });
}

TEST_F(Sql, parameters_have_their_types) {
  const std::string named =
      R"("parameterMode":"NAMED","queryParameters":[
        {"name":"i","parameterType":{"type":"INT64"},"parameterValue":{"value":"7"}},
        {"name":"s","parameterType":{"type":"STRING"},"parameterValue":{"value":"2000-01-31"}},
        {"name":"n","parameterType":{"type":"STRING"},"parameterValue":{}},
        {"name":"f","parameterType":{"type":"FLOAT64"},"parameterValue":{"value":2}},
        {"name":"b","parameterType":{"type":"BOOL"},"parameterValue":{"value":true}},
        {"name":"y","parameterType":{"type":"BYTES"},"parameterValue":{"value":"AP8="}},
        {"name":"t","parameterType":{"type":"TIMESTAMP"},"parameterValue":{"value":"2026-01-01T10:00:00Z"}},
        {"name":"l","parameterType":{"type":"ARRAY","arrayType":{"type":"INT64"}},
         "parameterValue":{"arrayValues":[{"value":"1"},{"value":"3"}]}},
        {"name":"r","parameterType":{"type":"ARRAY","arrayType":{"type":"STRUCT","structTypes":[
           {"name":"k","type":{"type":"INT64"}},{"name":"v","type":{"type":"FLOAT64"}}]}},
         "parameterValue":{"arrayValues":[{"structValues":{"k":{"value":"5"},"v":{"value":"1"}}}]}}])";
  EXPECT_EQ(rows("SELECT @i, @n, @f, @b, @y", named), "7,NULL,2.0,true,AP8=");
  EXPECT_EQ(rows("SELECT id FROM people WHERE born = @s", named), "1") << "a text parameter becomes a date";
  EXPECT_EQ(rows("SELECT id FROM people WHERE seen = @t", named), "1");
  EXPECT_EQ(rows("SELECT id FROM people WHERE id IN UNNEST(@l) ORDER BY id", named), "1|3");
  EXPECT_EQ(rows("SELECT k, v, k + v AS s FROM UNNEST(@r)", named), "5,1.0,6.0");
  EXPECT_EQ(rows("SELECT id FROM people WHERE id = @s", named),
            "No matching signature for operator = for argument types: INT64, STRING at [1:29]");
  EXPECT_EQ(rows("SELECT @missing", named), "Query parameter 'missing' not found at [1:8]");
  EXPECT_EQ(rows("SELECT ? + ?", R"("parameterMode":"POSITIONAL","queryParameters":[
      {"parameterType":{"type":"INT64"},"parameterValue":{"value":"1"}},
      {"parameterType":{"type":"INT64"},"parameterValue":{"value":2}}])"),
            "3");
}

TEST_F(Sql, changes_are_counted_and_typed) {
  EXPECT_EQ(change("UPDATE people SET height = 2, name = UPPER(name) WHERE id < 3"), "2");
  EXPECT_EQ(rows("SELECT name, height FROM people ORDER BY id"), "ANN,2.0|BOB,2.0|NULL,NULL");
  EXPECT_EQ(change("UPDATE people p SET name = s.v FROM (SELECT 3 AS k, 'Cyd' AS v) s WHERE p.id = s.k"), "1");
  EXPECT_EQ(change("DELETE FROM people WHERE name = 'Cyd'"), "1");
  EXPECT_EQ(rows("DELETE FROM people"), "DELETE must have a WHERE clause at [1:1]");
  EXPECT_EQ(rows("INSERT people(id, name) VALUES (1.5, 'x')"),
            "Value has type FLOAT64 which cannot be inserted into column id, which has type INT64 at [1:33]");
  EXPECT_EQ(rows("INSERT INTO people(name) VALUES ('x')"), "Required field id cannot be null");
  EXPECT_EQ(change("INSERT INTO people(id, name) SELECT id + 10, name FROM people"), "2");
  EXPECT_EQ(rows("SELECT COUNT(*) FROM people"), "4");
  change("CREATE TABLE d.made AS SELECT id, name FROM people WHERE id > 10");
  EXPECT_EQ(rows("SELECT * FROM made ORDER BY id"), "11,ANN|12,BOB");
  change("ALTER TABLE made ADD COLUMN IF NOT EXISTS extra FLOAT64 DEFAULT 0.5");
  EXPECT_EQ(change("INSERT INTO made(id) VALUES (13)"), "1");
  EXPECT_EQ(rows("SELECT extra FROM made ORDER BY id"), "NULL|NULL|0.5");
  change("ALTER TABLE made RENAME COLUMN extra TO more");
  EXPECT_EQ(rows("SELECT more FROM made WHERE id = 13"), "0.5");
  EXPECT_EQ(rows("ALTER TABLE made RENAME COLUMN nope TO x"), "Column not found: nope");
  EXPECT_EQ(change("TRUNCATE TABLE made"), "3");
  EXPECT_EQ(rows("CREATE TABLE made(x INT64)"), "Already Exists: Table p:d.made");
  change("CREATE TABLE IF NOT EXISTS made(x INT64)");
  change("DROP TABLE made");
  EXPECT_EQ(rows("SELECT * FROM made"), "Not found: Table p:d.made was not found in location US");
}

TEST_F(Sql, merge_updates_inserts_and_deletes) {
  change("CREATE TABLE t(k INT64 NOT NULL, s STRING NOT NULL, n INT64, moment INT64, PRIMARY KEY (k, s) NOT ENFORCED)");
  change("INSERT INTO t VALUES (1, 'a', 10, 1), (2, 'b', 20, 5), (3, 'c', 30, 1)");
  const std::string merge =
      "MERGE INTO t T USING (SELECT 1 AS k, 'a' AS s, 11 AS n, 2 AS moment UNION ALL SELECT 2, 'b', 21, 4 "
      "UNION ALL SELECT 4, 'd', 40, 1) S ON T.k = S.k AND T.s = S.s "
      "WHEN MATCHED AND S.moment >= T.moment THEN UPDATE SET n = S.n, moment = S.moment "
      "WHEN NOT MATCHED THEN INSERT (k, s, n, moment) VALUES (k, s, n, moment)";
  const Answer done = query(merge);
  EXPECT_EQ(done.text("numDmlAffectedRows"), "2") << done.raw.body;
  EXPECT_EQ(done.text("dmlStats/insertedRowCount"), "1");
  EXPECT_EQ(rows("SELECT k, n FROM t ORDER BY k"), "1,11|2,20|3,30|4,40") << "the older row of 2 did not win";
  EXPECT_EQ(change("MERGE t USING UNNEST([STRUCT(1 AS k, 12 AS n), (9, 90)]) S ON t.k = S.k "
                   "WHEN MATCHED THEN UPDATE SET n = t.n + S.n "
                   "WHEN NOT MATCHED BY TARGET THEN INSERT VALUES (S.k, 'z', S.n, 0) "
                   "WHEN NOT MATCHED BY SOURCE AND t.k = 3 THEN DELETE"),
            "3");
  EXPECT_EQ(rows("SELECT k, n FROM t ORDER BY k"), "1,23|2,20|4,40|9,90");
  EXPECT_EQ(rows("MERGE t USING (SELECT 1 AS k UNION ALL SELECT 1) S ON t.k = S.k WHEN MATCHED THEN UPDATE SET n = 0"),
            "UPDATE/MERGE must match at most one source row for each target row");
  EXPECT_EQ(rows("SELECT n FROM t WHERE k = 1"), "23") << "nothing of it happened";
  EXPECT_EQ(
      change(
          "MERGE t USING (SELECT 5 AS k) S ON FALSE WHEN NOT MATCHED AND S.k > 4 THEN INSERT (k, s) VALUES (k, 'f')"),
      "1");
}

TEST_F(Sql, what_our_own_client_writes_is_run) {
  change("CREATE TABLE t (`k` INT64 OPTIONS(description = 'numbered by whoever inserts'), `v` STRING, `rows` INT64)");
  EXPECT_EQ(get("/bigquery/v2/projects/p/datasets/d/tables/t").text("schema/fields/0/description"),
            "numbered by whoever inserts");
  EXPECT_EQ(change("MERGE INTO t AS `t` USING (SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY `k` ORDER BY "
                   "serin_row DESC) AS serin_last FROM (SELECT 1 AS `k`, 'a' AS `v`, 1 AS serin_row UNION ALL SELECT 1 "
                   "AS `k`, 'b' AS `v`, 2 AS serin_row)) WHERE serin_last = 1) AS excluded ON `t`.`k` = excluded.`k` "
                   "WHEN MATCHED AND (excluded.v >= t.v) THEN UPDATE SET v = excluded.v WHEN NOT MATCHED THEN INSERT "
                   "(`k`, `v`) VALUES (excluded.`k`, excluded.`v`)"),
            "1");
  EXPECT_EQ(rows("SELECT k, v, `rows` FROM t"), "1,b,NULL") << "the last of several new rows counts";
  EXPECT_EQ(change("INSERT INTO t (`k`, `v`) SELECT UNIX_MICROS(CURRENT_TIMESTAMP()) * 1000 + ROW_NUMBER() OVER (), "
                   "serin_new.* FROM (SELECT v FROM t LIMIT 1) AS serin_new"),
            "1");
  EXPECT_EQ(rows("SELECT 0 FROM (SELECT 1) WHERE NOT EXISTS (SELECT 1 FROM t WHERE k = 5)"), "0");
  EXPECT_EQ(
      change("MERGE INTO t AS `t` USING (SELECT 7 AS `k`) AS excluded ON `t`.`k` = excluded.`k` WHEN MATCHED THEN "
             "UPDATE SET v = COALESCE(NULL, t.v) WHEN NOT MATCHED THEN INSERT (`k`, `v`) VALUES (excluded.`k`, NULL)"),
      "1");
  EXPECT_EQ(
      rows("WITH dates AS (SELECT k, COUNT(*) AS games, ROW_NUMBER() OVER (ORDER BY k DESC) AS back, COUNT(*) OVER () "
           "AS total FROM t GROUP BY k) SELECT games FROM dates WHERE back <= (total + 9) / 10 ORDER BY games LIMIT 1"),
      "1");
  EXPECT_EQ(rows("SELECT k, (SELECT COUNT(*) FROM t AS o WHERE o.k = t.k) FROM t WHERE k = 7"), "7,1");
}

TEST_F(Sql, what_is_outside_of_the_subset_is_named) {
  expect({
      {"SELECT x FROM people FOR SYSTEM_TIME AS OF CURRENT_TIMESTAMP()",
       "FOR SYSTEM_TIME AS OF is not supported by this emulator, at [1:22]"},
      {"SELECT FARM_FINGERPRINT('a')", "The function FARM_FINGERPRINT is not supported by this emulator, at [1:8]"},
      {"SELECT TRUE HAVING NULL",
       "HAVING without GROUP BY or an aggregate in the SELECT list is not supported by this emulator, at [1:20]"},
      {"DECLARE x INT64", "The statement DECLARE is not supported by this emulator, at [1:1]"},
      {"WITH RECURSIVE a AS (SELECT 1) SELECT * FROM a", "WITH RECURSIVE is not supported by this emulator, at [1:6]"},
      {"SELECT [1, 2][0]", "Access to array elements is not supported by this emulator, at [1:14]"},
      {"SELECT 1 FROM people,", "Syntax error: Expected a table name but got end of statement at [1:22]"},
      {"INSERT INTO people(id) VALUES (1) ON CONFLICT(id) DO NOTHING",
       "Syntax error: Expected end of input but got keyword ON at [1:35]"},
      {"SELECT $1", "Syntax error: Illegal input character \"$\" at [1:8]"},
      {"CREATE TABLE x(a ARRAY<INT64>)", "A column of type ARRAY<INT64> is not supported by this emulator, at [1:1]"},
  });
}

TEST_F(Sql, a_script_is_one_transaction_when_it_says_so) {
  EXPECT_EQ(
      rows("BEGIN TRANSACTION; INSERT INTO people(id) VALUES (50); SELECT COUNT(*) FROM people; ROLLBACK TRANSACTION"),
      "4");
  EXPECT_EQ(rows("SELECT COUNT(*) FROM people"), "3");
  EXPECT_EQ(rows("BEGIN; INSERT INTO people(id) VALUES (50); SELECT nothing"), "Unrecognized name: nothing at [1:51]");
  EXPECT_EQ(rows("SELECT COUNT(*) FROM people"), "3") << "undone with the script";
}

}  // namespace
}  // namespace serin::google_emulator
