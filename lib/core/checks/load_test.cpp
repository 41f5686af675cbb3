// Goal: a good file is read whole; of a bad one every mistake is named with place and a way out. Method: small files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serin/checks/check.hpp"
#include "serin/checks/dialect.hpp"

namespace serin::checks {
namespace {

TEST(Load, reads_short_and_long_forms_and_names_checks_in_a_sentence) {
  const auto file = load_checks(
      "tables: {t: {key: [a, b], grows_by: n}}\n"
      "checks:\n"
      "  - {table: t, missing: x, fail: '> 1%', owner: data, tags: [daily]}\n"
      "  - {table: t, unique: [x, y], where: z > 1}\n"
      "  - {table: t, freshness: {column: at, warn_after: 6h, error_after: 1d}}\n",
      "dir/c.yaml", Engine::sqlite);
  ASSERT_TRUE(file) << file.error().detail();
  const Check& missing = file->checks.at(0);
  EXPECT_EQ(missing.name, "t.x is not missing");
  EXPECT_EQ(missing.id, "c.yaml/t/t.x is not missing") << "limits are no part of it";
  EXPECT_EQ(missing.samples.keys, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(missing.line, 3);
  EXPECT_TRUE(missing.zones.fail->percent);
  EXPECT_EQ(file->checks.at(1).name, "t.x, y is unique where z > 1");
  EXPECT_EQ(file->checks.at(2).on_no_data, OnNoData::fail) << "no row is never fresh";
  EXPECT_EQ(file->grows_by.at("t"), "n");
}

struct Bad {
  const char* text;
  const char* said;
};

TEST(Load, refuses_mistakes_with_place_and_a_way_out) {
  const Bad cases[] = {
      {"checks: [{table: t, missing: x, fai: '> 1'}]",
       "c.yaml:1:33: unknown key 'checks[0].fai'; did you mean 'fail'?"},
      {"checks: [{table: t, missing: x, table: u}]", "stands here twice"},
      {"checks: [{table: t, missing: x, fail: more}]", "c.yaml:1:39: 'more' is no comparison like"},
      {"checks: [{table: t, misssing: x}]", "a check needs one of row_count, missing"},
      {"checks: [{table: t, missing: x, unique: x}]", "a check is one thing: 'missing' or 'unique'"},
      {"checks: [{missing: x}]", "table is missing"},
      {"checks: [{table: t, range: {column: x}}]", "min, max or both are needed"},
      {"checks: [{table: t, range: {column: x, min: 3, max: 1}}]", "min is above max"},
      {"checks: [{table: t, range: {column: x, min: three}}]", "must be a number, not 'three'"},
      {"checks: [{table: t, range: x}]", "range must be a mapping"},
      {"checks: [{table: t, pattern: {column: x, regex: 'a('}}]", "pattern 'a('"},
      {"checks: [{table: t, pattern: {column: x, regex: '(?=a)b'}}]", "invalid perl operator"},
      {"checks: [{table: t, distribution: {column: x}}]", "distribution needs warn:, fail: or both"},
      {"checks: [{table: t, distribution: {column: x}, fail: '> 1%'}]", "has no share of rows"},
      {"checks: [{table: t, unique: {column: x, metric: extra_row}}]", "did you mean 'extra_rows'?"},
      {"checks: [{table: t, reference: {column: [a, b], table: p, key: a}}]", "key has 1 columns, 2 are needed"},
      {"checks: [{table: t, freshness: {column: x, warn_after: 2d, error_after: 1d}}]", "warn_after is longer"},
      {"checks: [{table: t, freshness: {column: x, warn_after: 2}}]", "is no duration"},
      {"checks: [{table: t, unique: x, group_by: y}]", "unique cannot be grouped"},
      {"checks: [{table: t, row_count: {}, calendar: game}]\ncalendars: {games: {table: g}}", "did you mean 'games'?"},
      {"checks: [{table: t, row_count: {}, samples: {limit: 5000}}]", "limit must be 0 to 1000"},
      {"checks: [{table: t, row_count: {}}, {table: t, row_count: {}}]", "two checks of t are named"},
      {"checks: [{table: t, schema: {types: {a: int}}}]", "'int' is none of integer"},
      {"checks: []", "there is no check in this file"},
      {"", "must be a YAML mapping"},
      {"version: 2\nchecks: [{table: t, row_count: {}}]", "version 2 is not known"},
  };
  for (const Bad& bad : cases) {
    const auto file = load_checks(bad.text, "c.yaml", Engine::sqlite);
    ASSERT_FALSE(file) << bad.text;
    EXPECT_EQ(file.error().code(), Errc::invalid_argument);
    EXPECT_THAT(file.error().detail(), testing::HasSubstr(bad.said));
    EXPECT_THAT(file.error().detail(), testing::StartsWith("c.yaml:"));
  }
}

TEST(Load, names_all_mistakes_at_once) {
  const auto file = load_checks(
      "checks:\n"
      "  - {table: t, missing: x, fail: more}\n"
      "  - {table: t, range: {column: x, min: three}}\n"
      "  - {table: t, row_count: {}, wher: x}\n",
      "c.yaml", Engine::sqlite);
  ASSERT_FALSE(file);
  for (const char* place : {"c.yaml:2:34:", "c.yaml:3:40:", "c.yaml:4:31:"})
    EXPECT_THAT(file.error().detail(), testing::HasSubstr(place));
}

TEST(Pattern, is_refused_where_the_engine_would_match_other_texts) {
  const Dialect postgres{Engine::postgres};
  EXPECT_EQ(postgres.pattern("^[A-Z]{3}\\d+$").value(), "^[A-Z]{3}[0-9]+$");
  EXPECT_EQ(postgres.pattern("a.b").value(), "(?p)a.b");
  for (const char* other : {"\\bword", "\\pL", "(?i)x", "(?P<n>x)", "[[:alpha:]]", "\\Qa\\E", ".[^x]", "a\\z"}) {
    EXPECT_TRUE(Dialect{Engine::sqlite}.pattern(other)) << other;
    const auto refused = postgres.pattern(other);
    ASSERT_FALSE(refused) << other;
    EXPECT_EQ(refused.error().code(), Errc::unsupported);
  }
}

TEST(Parameters, stand_for_values_and_leave_texts_alone) {
  const Dialect dialect{Engine::postgres};
  const std::map<std::string, std::string> values{{"today", "2026-04-09"}, {"who", "O'Hara"}};
  EXPECT_EQ(with_parameters("d = :today AND n = :who", values, dialect).value(), "d = '2026-04-09' AND n = 'O''Hara'");
  EXPECT_EQ(with_parameters("x = ':today' AND y::text = \"a:who\"", values, dialect).value(),
            "x = ':today' AND y::text = \"a:who\"");
  EXPECT_THAT(with_parameters("d = :toda", values, dialect).error().detail(),
              testing::HasSubstr("did you mean :today?"));
}

TEST(Dialects, write_what_differs) {
  const scan::Term outside{.kind = scan::Kind::outside, .low = 0, .high = 1.5};
  EXPECT_EQ(Dialect{Engine::sqlite}.condition(outside, "t.\"x\""), "(+t.\"x\" < 0 OR +t.\"x\" > 1.5)");
  EXPECT_EQ(Dialect{Engine::postgres}.condition(outside, "t.\"x\""), "(t.\"x\" < 0 OR t.\"x\" > 1.5)");
  EXPECT_EQ(Dialect{Engine::bigquery}.count_if("c"), "COUNTIF(c)");
  EXPECT_EQ(Dialect{Engine::bigquery}.name("set.table"), "`set`.`table`");
  EXPECT_EQ(Dialect{Engine::postgres}.name("a\"b"), "\"a\"\"b\"");
}

TEST(Engines, are_told_by_the_address_and_never_guessed) {
  EXPECT_EQ(engine_of_address("sqlite:/srv/w.db"), Engine::sqlite);
  EXPECT_EQ(engine_of_address("postgres://me@host/w"), Engine::postgres);
  EXPECT_EQ(engine_of_address("postgresql://me@host/w"), Engine::postgres);
  EXPECT_EQ(engine_of_address("bigquery://project/dataset"), Engine::bigquery);
  for (const char* other : {"", "/srv/w.db", "postgres", "mysql://host/w"})
    EXPECT_FALSE(engine_of_address(other)) << other;
}

}  // namespace
}  // namespace serin::checks
