// Goal: the Sql port's promises hold alike over every database: types, errors by code, all or nothing, one writer at a
// time, deadlines. Method: the same tests on real databases in temporary folders.
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>

#include "engines.hpp"

namespace serin::sql_test {
namespace {

class EverySql : public testing::TestWithParam<std::string> {
 protected:
  Deadline soon() { return Deadline::after(real_time().now(), 30s); }
  std::unique_ptr<Engine> engine = make_engine(GetParam());
  std::unique_ptr<Sql> sql = engine->open();
};

TEST_P(EverySql, gives_values_back_as_they_were) {
  ASSERT_TRUE(sql->execute("CREATE TABLE t(a INTEGER, b REAL, c TEXT, d TEXT, e BLOB)", {}, soon()));
  const std::string bytes("nul\0byte", 8);
  const std::string text = "żółw 'quoted' \\ \"$1\"";
  const auto inserted =
      sql->execute("INSERT INTO t VALUES($1, $2, $3, $4, $5)",
                   {std::int64_t{-9'007'199'254'740'993}, 0.1, text, std::monostate{}, bytes}, soon());
  ASSERT_TRUE(inserted) << inserted.error().text();
  EXPECT_EQ(*inserted, 1);
  const auto table = sql->query("SELECT a, b, c, d, e FROM t WHERE c = $1 AND b = $2", {text, 0.1}, soon());
  ASSERT_TRUE(table) << table.error().text();
  EXPECT_EQ(table->columns, (std::vector<std::string>{"a", "b", "c", "d", "e"}));
  ASSERT_EQ(table->rows.size(), 1u);
  EXPECT_EQ(table->rows[0], (SqlRow{std::int64_t{-9'007'199'254'740'993}, 0.1, text, std::monostate{}, bytes}));
}

TEST_P(EverySql, counts_and_sums_whole_numbers_as_whole_numbers) {
  ASSERT_TRUE(sql->execute("CREATE TABLE t(n INTEGER, x REAL)", {}, soon()));
  ASSERT_TRUE(sql->execute("INSERT INTO t VALUES(2, 0.5), (3, 1.5)", {}, soon()));
  const auto sums = sql->query("SELECT COUNT(*), SUM(n), SUM(x), AVG(x), MIN(n), MAX(x) FROM t", {}, soon());
  ASSERT_TRUE(sums) << sums.error().text();
  EXPECT_EQ(sums->rows.at(0), (SqlRow{std::int64_t{2}, std::int64_t{5}, 2.0, 1.0, std::int64_t{2}, 1.5}));
}

TEST_P(EverySql, names_mistakes_by_their_code_and_in_the_databases_words) {
  const auto syntax = sql->query("SELEKT 1", {}, soon());
  EXPECT_EQ(syntax.error().code(), Errc::invalid_argument);
  EXPECT_NE(syntax.error().detail().find("SELEKT"), std::string::npos) << syntax.error().text();
  EXPECT_EQ(sql->query("SELECT * FROM nothing", {}, soon()).error().code(), Errc::invalid_argument);
  EXPECT_EQ(sql->query("", {}, soon()).error().code(), Errc::invalid_argument);
  ASSERT_TRUE(sql->execute("CREATE TABLE t(a INTEGER PRIMARY KEY)", {}, soon()));
  ASSERT_TRUE(sql->execute("INSERT INTO t VALUES(1)", {}, soon()));
  const auto twice = sql->execute("INSERT INTO t VALUES(1)", {}, soon());
  EXPECT_EQ(twice.has_value(), !engine->enforces_keys());
  if (!twice) {
    EXPECT_EQ(twice.error().code(), Errc::conflict);
  }
  EXPECT_FALSE(sql->query("SELECT a FROM t WHERE a = $1", {}, soon())) << "a parameter that is not given is no NULL";
  EXPECT_TRUE(sql->query("SELECT a FROM t", {}, soon())) << "the connection is as good as before";
}

TEST_P(EverySql, does_a_transaction_whole_or_not_at_all) {
  ASSERT_TRUE(sql->execute("CREATE TABLE t(a INTEGER)", {}, soon()));
  const Status failed = sql->transaction(
      [](SqlSession& session) -> Status {
        SERIN_CHECK(session.execute("INSERT INTO t VALUES(1)", {}));
        return fail(Errc::internal, "changed my mind");
      },
      soon());
  EXPECT_EQ(failed.error().code(), Errc::internal);
  EXPECT_TRUE(sql->query("SELECT * FROM t", {}, soon())->rows.empty());
  const Status kept = sql->transaction(
      [](SqlSession& session) -> Status {
        SERIN_CHECK(session.execute("INSERT INTO t VALUES(1)", {}));
        SERIN_TRY(const SqlTable seen, session.query("SELECT a FROM t", {}));
        return seen.rows.size() == 1 ? Status() : fail(Errc::internal, "does not see its own row");
      },
      soon());
  EXPECT_TRUE(kept) << kept.error().text();
  EXPECT_EQ(engine->open()->query("SELECT * FROM t", {}, soon())->rows.size(), 1u);
}

TEST_P(EverySql, lets_one_write_transaction_at_a_time_see_and_change) {
  ASSERT_TRUE(sql->execute("CREATE TABLE t(n INTEGER)", {}, soon()));
  ASSERT_TRUE(sql->execute("INSERT INTO t VALUES(0)", {}, soon()));
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        const auto own = engine->open();
        for (int i = 0; i < 25; ++i) {
          const Status added = own->transaction(
              [](SqlSession& session) -> Status {
                SERIN_TRY(const SqlTable seen, session.query("SELECT n FROM t", {}));
                const std::vector<SqlValue> next{std::get<std::int64_t>(seen.rows.at(0).at(0)) + 1};
                SERIN_CHECK(session.execute("UPDATE t SET n = $1", next));
                return {};
              },
              soon());
          EXPECT_TRUE(added) << added.error().text();
        }
      });
  }
  EXPECT_EQ(sql->query("SELECT n FROM t", {}, soon())->rows.at(0).at(0), SqlValue(std::int64_t{100}));
}

TEST_P(EverySql, waits_for_somebody_elses_transaction_no_longer_than_its_deadline) {
  ASSERT_TRUE(sql->execute("CREATE TABLE t(a INTEGER)", {}, soon()));
  const auto other = engine->open();
  const Status held = sql->transaction(
      [&](SqlSession& session) -> Status {
        SERIN_CHECK(session.execute("INSERT INTO t VALUES(1)", {}));
        const Instant began = real_time().now();
        const Status refused =
            other->transaction([](SqlSession&) -> Status { return {}; }, Deadline::after(began, 200ms));
        EXPECT_FALSE(refused);
        EXPECT_EQ(refused.error().code(), Errc::deadline_exceeded) << refused.error().text();
        EXPECT_LT(real_time().now() - began, 5s);
        EXPECT_TRUE(other->query("SELECT * FROM t", {}, soon())) << "readers do not wait for a writer";
        return {};
      },
      soon());
  EXPECT_TRUE(held) << held.error().text();
  EXPECT_TRUE(other->execute("INSERT INTO t VALUES(2)", {}, soon()));
}

TEST_P(EverySql, ends_a_statement_at_its_deadline_and_goes_on) {
  const Instant began = real_time().now();
  const auto late = sql->query(engine->endless(), {}, Deadline::after(began, 200ms));
  EXPECT_EQ(late.error().code(), Errc::deadline_exceeded) << late.error().text();
  EXPECT_LT(real_time().now() - began, 5s);
  EXPECT_EQ(sql->query("SELECT 1", {}, Deadline::after(real_time().now(), 0s)).error().code(), Errc::deadline_exceeded);
  EXPECT_TRUE(sql->query("SELECT 1", {}, soon()));
}

TEST_P(EverySql, is_shared_by_more_threads_than_it_has_connections) {
  ASSERT_TRUE(sql->execute("CREATE TABLE t(n INTEGER)", {}, soon()));
  std::atomic<int> written = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 24; ++t)
      threads.emplace_back([&] {
        for (std::int64_t i = 0; i < 10; ++i)
          if (sql->execute("INSERT INTO t VALUES($1)", {i}, soon()) && sql->query("SELECT COUNT(*) FROM t", {}, soon()))
            ++written;
      });
  }
  EXPECT_EQ(written, 240);
  EXPECT_EQ(sql->query("SELECT COUNT(*) FROM t", {}, soon())->rows.at(0).at(0), SqlValue(std::int64_t{240}));
}

INSTANTIATE_TEST_SUITE_P(Over, EverySql, testing::Values("sqlite", "postgres", "bigquery"),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace serin::sql_test
