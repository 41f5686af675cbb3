// Goal: names are found, types are told and statements cut as BigQuery does, and what changes is made of the right
// steps. Method: a catalog of two tables; nothing is run. What the SQL means is tested with the emulator (sql_test.cpp
// there).
#include "translate.hpp"

#include <gtest/gtest.h>

#include "runtime.hpp"

namespace serin::google_sql {
namespace {

struct TwoTables final : Catalog {
  Result<Table> find(const TableName& name) const override {
    if (name.table != "t" && name.table != "u") return fail(Errc::not_found, "Not found: Table " + name.text());
    return Table{.name = name,
                 .storage = name.table,
                 .columns = {{.name = "id", .type = {.kind = Kind::int64}, .required = true},
                             {.name = "name", .type = {.kind = Kind::string}},
                             {.name = "seen", .type = {.kind = Kind::timestamp}}}};
  }
};

Result<Statement> of(std::string_view sql, std::vector<Parameter> parameters = {}) {
  const TwoTables catalog;
  const TranslateOptions options{.project = "p", .dataset = "d", .parameters = std::move(parameters)};
  return translate(sql, options, catalog);
}
/// "id INT64, f0_ FLOAT64", or the error.
std::string types(std::string_view sql, std::vector<Parameter> parameters = {}) {
  const auto statement = of(sql, std::move(parameters));
  if (!statement) return statement.error().detail();
  std::string out;
  for (const Column& column : statement->columns)
    out += (out.empty() ? "" : ", ") + column.name + " " + type_name(column.type);
  return out;
}

TEST(Translate, columns_have_the_names_and_types_of_bigquery) {
  EXPECT_EQ(types("SELECT id, name n, seen FROM t"), "id INT64, n STRING, seen TIMESTAMP");
  EXPECT_EQ(types("SELECT 1, 'a', id / 2, id + 1.5 FROM t"), "f0_ INT64, f1_ STRING, f2_ FLOAT64, f3_ FLOAT64");
  EXPECT_EQ(types("SELECT MAX(seen), COUNT(*), AVG(id) FROM t"), "f0_ TIMESTAMP, f1_ INT64, f2_ FLOAT64");
  EXPECT_EQ(types("SELECT IF(TRUE, 1, 2.5) x, COALESCE(NULL, DATE '2026-01-01') y, NULL z"),
            "x FLOAT64, y DATE, z INT64");
  EXPECT_EQ(types("SELECT * FROM t JOIN u USING (id)"),
            "Duplicate column names in the result are not supported. Found duplicate(s): name");
  EXPECT_EQ(types("SELECT @p AS p, ARRAY_AGG(id) AS l FROM t", {{"p", {.kind = Kind::numeric}}}),
            "p NUMERIC, l ARRAY<INT64>");
}

TEST(Translate, names_of_tables_have_one_to_three_parts) {
  const auto target = [](std::string_view sql) {
    const auto statement = of(sql);
    return statement ? statement->target.text() : statement.error().text();
  };
  EXPECT_EQ(target("DELETE FROM t WHERE TRUE"), "p:d.t");
  EXPECT_EQ(target("DELETE FROM x.t WHERE TRUE"), "p:x.t");
  EXPECT_EQ(target("DELETE FROM `my-project.x.t` WHERE TRUE"), "my-project:x.t");
  EXPECT_EQ(target("DELETE FROM my-project.x.t WHERE TRUE"), "my-project:x.t");
  EXPECT_EQ(target("DELETE FROM nothing WHERE TRUE"), "not_found: Not found: Table p:d.nothing");
}

TEST(Translate, only_the_columns_that_are_used_are_read) {
  const auto statement = of("SELECT name FROM t WHERE id = 1");
  ASSERT_TRUE(statement) << statement.error().text();
  ASSERT_EQ(statement->reads.size(), 1U);
  EXPECT_EQ(statement->reads[0].columns.size(), 2U);
}

TEST(Translate, a_merge_copies_matches_checks_and_then_changes) {
  const auto statement =
      of("MERGE t USING u ON t.id = u.id WHEN MATCHED THEN UPDATE SET name = u.name WHEN NOT MATCHED THEN INSERT ROW");
  ASSERT_TRUE(statement) << statement.error().text();
  std::string roles;
  for (const Step& step : statement->steps)
    roles += step.role == Step::Role::plain     ? '.'
             : step.role == Step::Role::guard   ? 'g'
             : step.role == Step::Role::updates ? 'u'
                                                : 'i';
  EXPECT_EQ(roles, ".....gui...");
}

TEST(Translate, types_that_do_not_fit_are_refused_where_they_stand) {
  EXPECT_EQ(types("SELECT id = 'a' FROM t WHERE name > 1"),
            "No matching signature for operator > for argument types: STRING, INT64 at [1:30]");
  EXPECT_EQ(types("SELECT UPPER(id) FROM t"),
            "No matching signature for function UPPER for argument types: INT64 at [1:8]");
  EXPECT_EQ(types("SELECT\n  nope FROM t"), "Unrecognized name: nope at [2:3]");
  EXPECT_EQ(types("SELECT id FROM t, u"), "Column name id is ambiguous at [1:8]");
  EXPECT_EQ(types("UPDATE t SET seen = 5 WHERE TRUE"),
            "Value has type INT64 which cannot be inserted into column seen, which has type TIMESTAMP at [1:21]");
}

TEST(Translate, deep_nesting_is_refused_and_long_chains_are_not) {
  std::string deep = "SELECT ";
  for (int i = 0; i < 5000; ++i) deep += '(';
  EXPECT_FALSE(of(deep));
  std::string doubling = "'x'";
  for (int i = 0; i < 40; ++i) doubling = "SUBSTR('x', LENGTH(" + doubling + "))";
  EXPECT_FALSE(of("SELECT " + doubling)) << "each level writes its argument twice";
  std::string chain = "SELECT 1";
  for (int i = 0; i < 2000; ++i) chain += " + 1";
  EXPECT_TRUE(of(chain));
  std::string rows = "SELECT 1 AS x";
  for (int i = 0; i < 2000; ++i) rows += " UNION ALL SELECT 2";
  EXPECT_TRUE(of(rows));
}

TEST(Split, cuts_at_semicolons_outside_of_texts_and_keeps_places) {
  const auto parts = split_statements("SELECT ';' ; -- x;\nSELECT nope;");
  ASSERT_TRUE(parts);
  ASSERT_EQ(parts->size(), 2U);
  EXPECT_EQ(types((*parts)[1]), "Unrecognized name: nope at [2:8]");
  EXPECT_FALSE(split_statements(" ; "));
  EXPECT_FALSE(split_statements("'open"));
}

TEST(Runtime, floats_print_as_bigquery_prints_them) {
  EXPECT_EQ(print_float(1), "1.0");
  EXPECT_EQ(print_float(0.1), "0.1");
  EXPECT_EQ(print_float(-1e300), "-1e+300");
  EXPECT_EQ(print_float(1.0 / 0.0), "Infinity");
  EXPECT_EQ(print_numeric(1.5), "1.5");
  EXPECT_EQ(print_numeric(-0.0), "0");
}

TEST(Runtime, casts_go_there_and_back) {
  const auto there = cast_value(Kind::string, Kind::timestamp, std::string("2026-01-31 10:00:00.5+02:00"));
  ASSERT_TRUE(there);
  EXPECT_EQ(std::get<std::string>(*cast_value(Kind::timestamp, Kind::string, *there)), "2026-01-31 08:00:00.5+00");
  EXPECT_EQ(std::get<std::string>(*cast_value(Kind::timestamp, Kind::date, std::int64_t{-1})), "1969-12-31");
  for (const char* wrong :
       {"", "2026", "2026-13-01", "2026-02-29", "2026-01-01T25:00", "2026-01-01 10:00:00+99:00", "x"})
    EXPECT_FALSE(cast_value(Kind::string, Kind::timestamp, std::string(wrong))) << wrong;
}

}  // namespace
}  // namespace serin::google_sql
