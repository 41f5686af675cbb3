// Goal: table definitions in SQLite's words mean the same in PostgreSQL, and nothing else is touched. Method: texts.
#include "dialect.hpp"

#include <gtest/gtest.h>

namespace serin::postgres {
namespace {

TEST(Translated, types_of_tables_and_nothing_else) {
  EXPECT_EQ(
      translated("CREATE TABLE t(id INTEGER PRIMARY KEY, x REAL, b blob, note TEXT DEFAULT 'REAL life') WITHOUT ROWID"),
      "CREATE TABLE t(id BIGINT PRIMARY KEY, x DOUBLE PRECISION, b BYTEA, note TEXT DEFAULT 'REAL life') ");
  EXPECT_EQ(translated("\nCREATE TABLE t(integers TEXT, \"REAL\" INTEGER)"),
            "\nCREATE TABLE t(integers TEXT, \"REAL\" BIGINT)");
  EXPECT_EQ(translated("alter table t add column n integer"), "alter table t add column n BIGINT");
  EXPECT_EQ(translated("SELECT CAST(x AS REAL) FROM t"), "SELECT CAST(x AS REAL) FROM t");
  EXPECT_EQ(translated("CREATE TABLE t(a TEXT DEFAULT 'open"), "CREATE TABLE t(a TEXT DEFAULT 'open");
  EXPECT_EQ(translated(""), "");
}

}  // namespace
}  // namespace serin::postgres
