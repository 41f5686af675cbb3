// Goal: the Sql port's promises hold over SQLite: types, errors by code, all or nothing, deadlines, several processes,
// kill -9. Method: real files in a temporary folder, real processes.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <thread>

#include "serin/sqlite/sqlite_sql.hpp"
#include "serin/system/clock.hpp"

namespace serin {
namespace {

class Sqlite : public testing::Test {
 protected:
  Sqlite() {
    std::string pattern = (std::filesystem::temp_directory_path() / "serin-sqlite-XXXXXX").string();
    folder = mkdtemp(pattern.data());
  }
  ~Sqlite() override { std::filesystem::remove_all(folder); }
  std::unique_ptr<SqliteSql> open() { return SqliteSql::open({.path = folder + "/x.db"}, clock).value(); }
  Deadline soon() { return Deadline::after(clock.now(), 10s); }
  std::string folder;
  SystemClock clock;
};

TEST_F(Sqlite, values_come_back_as_they_were) {
  const auto sql = open();
  ASSERT_TRUE(sql->execute("CREATE TABLE t(a, b, c, d)", {}, soon()));
  const std::string bytes("nul\0byte", 8);
  ASSERT_TRUE(
      sql->execute("INSERT INTO t VALUES($1, $2, $3, $4)", {std::int64_t{-5}, 2.5, bytes, std::monostate{}}, soon()));
  const auto table = sql->query("SELECT a, b, c, d FROM t WHERE a = $1", {std::int64_t{-5}}, soon());
  ASSERT_TRUE(table) << table.error().text();
  EXPECT_EQ(table->columns, (std::vector<std::string>{"a", "b", "c", "d"}));
  EXPECT_EQ(table->rows.at(0), (SqlRow{std::int64_t{-5}, 2.5, bytes, std::monostate{}}));
}

TEST_F(Sqlite, mistakes_have_their_code_and_the_databases_words) {
  const auto sql = open();
  const auto syntax = sql->query("SELEKT 1", {}, soon());
  ASSERT_FALSE(syntax);
  EXPECT_EQ(syntax.error().code(), Errc::invalid_argument);
  EXPECT_NE(syntax.error().detail().find("SELEKT"), std::string::npos) << syntax.error().text();
  EXPECT_EQ(sql->query("SELECT * FROM nothing", {}, soon()).error().code(), Errc::invalid_argument);
  ASSERT_TRUE(sql->execute("CREATE TABLE t(a PRIMARY KEY)", {}, soon()));
  ASSERT_TRUE(sql->execute("INSERT INTO t VALUES(1)", {}, soon()));
  EXPECT_EQ(sql->execute("INSERT INTO t VALUES(1)", {}, soon()).error().code(), Errc::conflict);
  EXPECT_FALSE(sql->query("SELECT $1", {}, soon())) << "a parameter that is not given is no NULL";
  EXPECT_EQ(SqliteSql::open({.path = folder + "/none.db", .create = false}, clock).error().code(), Errc::not_found);
}

TEST_F(Sqlite, a_transaction_is_all_or_nothing) {
  const auto sql = open();
  ASSERT_TRUE(sql->execute("CREATE TABLE t(a)", {}, soon()));
  const Status failed = sql->transaction(
      [](SqlSession& session) -> Status {
        SERIN_CHECK(session.execute("INSERT INTO t VALUES(1)", {}));
        return fail(Errc::internal, "changed my mind");
      },
      soon());
  EXPECT_FALSE(failed);
  EXPECT_TRUE(sql->query("SELECT * FROM t", {}, soon())->rows.empty());
}

TEST_F(Sqlite, without_reuse_every_call_has_a_connection_of_its_own) {
  const auto sql = SqliteSql::open({.path = folder + "/x.db", .reuse = false}, clock).value();
  ASSERT_TRUE(sql->execute("CREATE TABLE t(n)", {}, soon()));
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(sql->execute("INSERT INTO t VALUES(1)", {}, soon()));
    ASSERT_EQ(sql->query("SELECT n FROM t", {}, soon())->rows.size(), static_cast<std::size_t>(i) + 1);
  }
  for (const pool::NamedStats& pool : sql->pools()) EXPECT_GE(pool.stats.closed_poisoned, 4u) << pool.name;
}

TEST_F(Sqlite, that_is_read_only_refuses_every_write) {
  ASSERT_TRUE(open()->execute("CREATE TABLE kept(a)", {}, soon()));
  const auto sql = SqliteSql::open({.path = folder + "/x.db", .create = false, .read_only = true}, clock).value();
  EXPECT_EQ(sql->execute("DROP TABLE kept", {}, soon()).error().code(), Errc::permission_denied);
  EXPECT_EQ(sql->query("INSERT INTO kept VALUES(1) RETURNING a", {}, soon()).error().code(), Errc::permission_denied);
  EXPECT_EQ(sql->transaction([](SqlSession&) -> Status { return {}; }, soon()).error().code(), Errc::permission_denied);
  EXPECT_TRUE(sql->query("SELECT a FROM kept", {}, soon()));
  EXPECT_FALSE(SqliteSql::open({.path = ":memory:", .read_only = true}, clock)) << "it would be empty for ever";
}

TEST_F(Sqlite, a_lock_of_somebody_else_ends_at_the_deadline) {
  const auto holder = open();
  const auto other = open();
  ASSERT_TRUE(holder->execute("CREATE TABLE t(a)", {}, soon()));
  const Status held = holder->transaction(
      [&](SqlSession& session) -> Status {
        SERIN_CHECK(session.execute("INSERT INTO t VALUES(1)", {}));
        const Instant began = clock.now();
        const auto refused = other->execute("INSERT INTO t VALUES(2)", {}, Deadline::after(began, 100ms));
        EXPECT_FALSE(refused);
        EXPECT_LT(clock.now() - began, 2s) << "the deadline bounds the wait";
        EXPECT_TRUE(other->query("SELECT * FROM t", {}, soon())) << "readers do not wait for a writer";
        return {};
      },
      soon());
  EXPECT_TRUE(held);
}

TEST_F(Sqlite, a_query_that_takes_for_ever_ends_at_the_deadline) {
  const auto sql = open();
  const Instant began = clock.now();
  const auto endless =
      sql->query("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n", {},
                 Deadline::after(began, 100ms));
  ASSERT_FALSE(endless);
  EXPECT_EQ(endless.error().code(), Errc::deadline_exceeded) << endless.error().text();
  EXPECT_LT(clock.now() - began, 5s);
}

TEST_F(Sqlite, threads_share_it) {
  const auto sql = open();
  ASSERT_TRUE(sql->execute("CREATE TABLE t(n INTEGER)", {}, soon()));
  ASSERT_TRUE(sql->execute("INSERT INTO t VALUES(0)", {}, soon()));
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 50; ++i)
          EXPECT_TRUE(sql->execute("UPDATE t SET n = n + 1", {}, Deadline::after(clock.now(), 30s)));
      });
  }
  EXPECT_EQ(sql->query("SELECT n FROM t", {}, soon())->rows.at(0).at(0), SqlValue(std::int64_t{200}));
}

TEST_F(Sqlite, kill_9_loses_no_row_that_was_committed) {
  // Three children write numbered rows and tell each number on a pipe once it is committed; all are killed in the
  // middle.
  ASSERT_TRUE(open()->execute("CREATE TABLE t(who INTEGER, n INTEGER)", {}, soon()));
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  std::vector<int> children;
  for (int who = 0; who < 3; ++who) {
    const int child = fork();
    if (child == 0) {
      const auto sql = SqliteSql::open({.path = folder + "/x.db"}, clock);
      for (std::int64_t n = 1; sql; ++n) {
        if (!(*sql)->execute("INSERT INTO t VALUES($1, $2)", {std::int64_t{who}, n}, Deadline::after(clock.now(), 30s)))
          _exit(1);
        const std::array<std::int64_t, 2> told{who, n};
        if (write(ends[1], told.data(), sizeof told) < 0) _exit(1);
      }
      _exit(1);
    }
    children.push_back(child);
  }
  std::array<std::int64_t, 3> last{};
  for (int i = 0; i < 150; ++i) {
    std::array<std::int64_t, 2> told{};
    ASSERT_EQ(read(ends[0], told.data(), sizeof told), static_cast<ssize_t>(sizeof told));
    last.at(static_cast<std::size_t>(told[0])) = told[1];
  }
  for (const int child : children) {
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
  }
  close(ends[0]);
  close(ends[1]);
  const auto sql = open();
  for (std::int64_t who = 0; who < 3; ++who) {
    const auto rows = sql->query("SELECT COUNT(*), COALESCE(MAX(n), 0) FROM t WHERE who = $1", {who}, soon());
    ASSERT_TRUE(rows);
    const std::int64_t count = std::get<std::int64_t>(rows->rows.at(0).at(0));
    EXPECT_GE(count, last.at(static_cast<std::size_t>(who))) << "what was told was kept";
    EXPECT_EQ(SqlValue(count), rows->rows.at(0).at(1)) << "without gaps";
  }
  EXPECT_EQ(sql->query("PRAGMA integrity_check", {}, soon())->rows.at(0).at(0), SqlValue(std::string("ok")));
}

}  // namespace
}  // namespace serin
