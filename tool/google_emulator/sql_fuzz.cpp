// Goal: what the translator accepts SQLite can read: no text makes SQL that is refused as a syntax error or names what
// is not there. Method: libFuzzer; every step of an accepted statement is prepared against a table, not run.
#include <sqlite3.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "database.hpp"
#include "serin/google_sql/translate.hpp"

namespace {

using serin::google_emulator::Connection;

struct OneTable final : serin::google_sql::Catalog {
  serin::Result<serin::google_sql::Table> find(const serin::google_sql::TableName& name) const override {
    using serin::google_sql::Kind;
    return serin::google_sql::Table{.name = name,
                                    .storage = "t1",
                                    .columns = {{.name = "a", .type = {.kind = Kind::int64}},
                                                {.name = "b", .type = {.kind = Kind::string}},
                                                {.name = "c", .type = {.kind = Kind::timestamp}},
                                                {.name = "d", .type = {.kind = Kind::date}}}};
  }
};

/// One word a byte.
std::string text_of_words(const std::uint8_t* data, std::size_t size) {
  static constexpr std::array words{"SELECT ",
                                    "FROM ",
                                    "t ",
                                    "WHERE ",
                                    "a ",
                                    "b ",
                                    "c ",
                                    "d ",
                                    "t.a ",
                                    "x ",
                                    "1 ",
                                    "2.5 ",
                                    "'s' ",
                                    "NULL ",
                                    "TRUE ",
                                    "@p ",
                                    "@l ",
                                    "( ",
                                    ") ",
                                    ", ",
                                    "* ",
                                    "+ ",
                                    "- ",
                                    "/ ",
                                    "|| ",
                                    "= ",
                                    "< ",
                                    "<> ",
                                    "AND ",
                                    "OR ",
                                    "NOT ",
                                    "IS NULL ",
                                    "IN ",
                                    "LIKE ",
                                    "BETWEEN ",
                                    "CASE ",
                                    "WHEN ",
                                    "THEN ",
                                    "ELSE ",
                                    "END ",
                                    "GROUP BY ",
                                    "ORDER BY ",
                                    "HAVING ",
                                    "LIMIT ",
                                    "OFFSET ",
                                    "QUALIFY ",
                                    "DISTINCT ",
                                    "AS ",
                                    "JOIN ",
                                    "LEFT JOIN ",
                                    "CROSS JOIN ",
                                    "ON ",
                                    "USING ",
                                    "UNION ALL ",
                                    "UNION DISTINCT ",
                                    "WITH ",
                                    "EXISTS ",
                                    "COUNT( ",
                                    "COUNT(*) ",
                                    "SUM( ",
                                    "MAX( ",
                                    "AVG( ",
                                    "COUNTIF( ",
                                    "ARRAY_AGG( ",
                                    "STRING_AGG( ",
                                    "ROW_NUMBER() OVER ( ",
                                    "LAG( ",
                                    "OVER () ",
                                    "OVER ( ",
                                    "PARTITION BY ",
                                    "COALESCE( ",
                                    "IF( ",
                                    "SUBSTR( ",
                                    "LENGTH( ",
                                    "CONCAT( ",
                                    "GREATEST( ",
                                    "CAST( ",
                                    "SAFE_CAST( ",
                                    "AS STRING) ",
                                    "AS INT64) ",
                                    "AS DATE) ",
                                    "AS TIMESTAMP) ",
                                    "AS FLOAT64) ",
                                    "DATE '2026-01-01' ",
                                    "DATE_ADD( ",
                                    "INTERVAL 1 DAY ",
                                    "TIMESTAMP_TRUNC( ",
                                    "HOUR ",
                                    "EXTRACT(YEAR FROM ",
                                    "REGEXP_CONTAINS( ",
                                    "UNNEST( ",
                                    "[ ",
                                    "] ",
                                    "STRUCT( ",
                                    "WITH OFFSET ",
                                    "INSERT INTO t ",
                                    "VALUES ",
                                    "UPDATE t SET a = ",
                                    "DELETE FROM t ",
                                    "DEFAULT ",
                                    "DESC ",
                                    "NULLS LAST ",
                                    "EXCEPT ",
                                    "REPLACE ",
                                    "IN UNNEST( ",
                                    "VAR_POP( ",
                                    "PERCENTILE_DISC( ",
                                    "ROWS 3 PRECEDING ",
                                    "b'\\x00' "};
  std::string out;
  for (std::size_t i = 0; i < size; ++i) out += words[data[i] % words.size()];
  return out;
}

Connection& connection() {
  static const auto made = [] {
    auto opened = Connection::open(":memory:");
    if (!opened || !(*opened)->run("CREATE TABLE t1(a INTEGER, b TEXT, c INTEGER, d TEXT)")) std::abort();
    return *std::move(opened);
  }();
  return *made;
}

/// Complaints about sizes are fair: BigQuery has its own limits.
bool is_fair(const std::string& what) {
  for (const char* fair :
       {"too many", "too large", "too deep", "overflow", "string or blob too big", "Expression tree"})
    if (what.find(fair) != std::string::npos) return true;
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 200) return 0;
  const std::string text = text_of_words(data, size);
  serin::google_sql::TranslateOptions options{.project = "p", .dataset = "d"};
  options.parameters = {{"p", {.kind = serin::google_sql::Kind::int64}},
                        {"l", {.kind = serin::google_sql::Kind::string, .array = true}}};
  const OneTable catalog;
  const auto statement = serin::google_sql::translate(text, options, catalog);
  if (!statement || statement->kind == serin::google_sql::Statement::Kind::merge) return 0;
  for (const serin::google_sql::Step& step : statement->steps) {
    const auto read = connection().run("EXPLAIN " + step.sql);
    if (read || is_fair(read.error().detail())) continue;
    std::fprintf(stderr, "%s\n-> %s\n-> %s\n", text.c_str(), step.sql.c_str(), read.error().detail().c_str());
    std::abort();
  }
  return 0;
}
