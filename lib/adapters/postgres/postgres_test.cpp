// Goal: what is PostgreSQL's own behind the Sql port: addresses, types, a server that dies and comes back, statements
// that are cancelled there. Method: a real server in a temporary folder. What both databases promise alike is in
// tests/sql.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <set>
#include <thread>

#include "serin/postgres/local_postgres.hpp"
#include "serin/postgres/postgres_sql.hpp"
#include "serin/system/clock.hpp"

namespace serin {
namespace {

class Postgres : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    std::string pattern = (std::filesystem::temp_directory_path() / "serin-pg-XXXXXX").string();
    folder = mkdtemp(pattern.data());
    std::filesystem::permissions(folder, std::filesystem::perms::all);
    auto started = LocalPostgres::start(folder, sleeper());
    ASSERT_TRUE(started) << started.error().text();
    server = *std::move(started);
  }
  static void TearDownTestSuite() {
    server.reset();
    std::filesystem::remove_all(folder);
  }
  static Sleeper& sleeper() {
    static PatientSleeper real;
    return real;
  }
  std::unique_ptr<PostgresSql> open() { return PostgresSql::open({.url = server->url()}, sleeper()).value(); }
  Deadline soon() { return Deadline::after(sleeper().now(), 20s); }
  inline static std::string folder;
  inline static std::unique_ptr<LocalPostgres> server;
};

TEST_F(Postgres, an_address_that_cannot_be_right_is_told_at_once) {
  EXPECT_EQ(PostgresSql::open({.url = "mysql://x"}, sleeper()).error().code(), Errc::invalid_argument);
  EXPECT_EQ(PostgresSql::open({.url = server->url(), .connections = 0}, sleeper()).error().code(),
            Errc::invalid_argument);
  const auto nobody = PostgresSql::open({.url = "postgres:///x?host=" + folder + "/nowhere"}, sleeper());
  EXPECT_EQ(nobody.error().code(), Errc::unavailable) << nobody.error().text();
  const auto other = PostgresSql::open({.url = "postgres:///no_such?user=postgres&host=" + folder}, sleeper());
  EXPECT_EQ(other.error().code(), Errc::not_found) << other.error().text();
}

TEST_F(Postgres, types_become_those_of_the_port) {
  const auto row = open()->query(
      "SELECT true, 7::smallint, 9000000000::bigint, 1.5::real, 12.25::numeric, 'x'::text, '\\x00ff'::bytea, "
      "DATE '2026-01-21', NULL, 'NaN'::float8",
      {}, soon());
  ASSERT_TRUE(row) << row.error().text();
  const SqlRow& values = row->rows.at(0);
  EXPECT_EQ(values[0], SqlValue(std::int64_t{1}));
  EXPECT_EQ(values[1], SqlValue(std::int64_t{7}));
  EXPECT_EQ(values[2], SqlValue(std::int64_t{9'000'000'000}));
  EXPECT_EQ(values[3], SqlValue(1.5));
  EXPECT_EQ(values[4], SqlValue(12.25));
  EXPECT_EQ(values[5], SqlValue(std::string("x")));
  EXPECT_EQ(values[6], SqlValue(std::string("\0\xff", 2)));
  EXPECT_EQ(values[7], SqlValue(std::string("2026-01-21")));
  EXPECT_EQ(values[8], SqlValue(std::monostate()));
  EXPECT_TRUE(std::isnan(std::get<double>(values[9])));
}

TEST_F(Postgres, times_without_a_zone_are_utc_whatever_the_server_thinks) {
  ASSERT_TRUE(open()->execute("ALTER DATABASE postgres SET TimeZone = 'America/New_York'", {}, soon()));
  const auto table = open()->query(
      "SELECT CAST(EXTRACT(EPOCH FROM CAST('1970-01-01 00:01:00' AS TIMESTAMPTZ)) AS BIGINT)", {}, soon());
  ASSERT_TRUE(open()->execute("ALTER DATABASE postgres RESET TimeZone", {}, soon()));
  ASSERT_TRUE(table) << table.error().text();
  EXPECT_EQ(table->rows.at(0).at(0), SqlValue(std::int64_t{60}));
}

TEST_F(Postgres, that_is_read_only_refuses_every_write) {
  ASSERT_TRUE(open()->execute("CREATE TABLE unwritten(a INTEGER)", {}, soon()));
  const auto sql = PostgresSql::open({.url = server->url(), .read_only = true}, sleeper()).value();
  const auto hidden =
      sql->query("WITH w AS (INSERT INTO unwritten VALUES(1) RETURNING a) SELECT COUNT(*) FROM w", {}, soon());
  ASSERT_FALSE(hidden);
  EXPECT_EQ(hidden.error().code(), Errc::permission_denied) << hidden.error().text();
  EXPECT_FALSE(sql->execute("DROP TABLE unwritten", {}, soon()));
  EXPECT_TRUE(sql->query("SELECT a FROM unwritten", {}, soon()));
}

TEST_F(Postgres, a_late_statement_does_not_go_on_at_the_server) {
  const auto sql = open();
  const Instant began = sleeper().now();
  const auto late = sql->query("SELECT pg_sleep(600), 'late one'", {}, Deadline::after(began, 200ms));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code(), Errc::deadline_exceeded) << late.error().text();
  EXPECT_LT(sleeper().now() - began, 5s);
  const auto running = sql->query(
      "SELECT COUNT(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%late one%' AND pid <> "
      "pg_backend_pid()",
      {}, soon());
  EXPECT_EQ(running->rows.at(0).at(0), SqlValue(std::int64_t{0}));
}

TEST_F(Postgres, a_server_that_died_is_found_again_without_a_restart_of_ours) {
  const auto sql = open();
  ASSERT_TRUE(sql->execute("CREATE TABLE kept(n INTEGER)", {}, soon()));
  ASSERT_TRUE(sql->execute("INSERT INTO kept VALUES(1)", {}, soon()));
  server->kill();
  // The connection's own process at the server notices a moment after its parent has died.
  const Deadline patience = soon();
  auto gone = sql->query("SELECT 1", {}, soon());
  while (gone && !patience.passed(sleeper().now())) gone = sql->query("SELECT 1", {}, soon());
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code(), Errc::unavailable) << gone.error().text();
  server.reset();
  auto again = LocalPostgres::start(folder, sleeper());
  ASSERT_TRUE(again) << again.error().text();
  server = *std::move(again);
  const auto rows = sql->query("SELECT n FROM kept", {}, soon());
  ASSERT_TRUE(rows) << rows.error().text();
  EXPECT_EQ(rows->rows.size(), 1u);
}

TEST_F(Postgres, a_restart_under_the_pool_fails_nobody_who_comes_after_it) {
  const auto sql = open();
  const auto everybody = [&](const std::function<void()>& work) {
    std::vector<std::jthread> all;
    for (int i = 0; i < 8; ++i) all.emplace_back(work);
  };
  const auto crowd = [&] {
    // All at once, so that there are eight connections.
    EXPECT_TRUE(sql->query("SELECT pg_sleep(0.1)", {}, soon()));
  };
  everybody(crowd);
  ASSERT_EQ(sql->pools().at(0).stats.idle, 8);
  server->kill();
  server.reset();
  server = LocalPostgres::start(folder, sleeper()).value();
  everybody(crowd);  // not one of them meets one of the eight dead ones
  const pool::Stats after = sql->pools().at(0).stats;
  EXPECT_EQ(after.closed_dead, 8u);
  EXPECT_EQ(after.closed_poisoned, 0u);
  EXPECT_EQ(after.in_use, 0);
}

TEST_F(Postgres, that_is_down_is_told_soon_and_not_only_at_the_deadline) {
  const auto sql = open();
  server->kill();
  server.reset();
  const Instant began = sleeper().now();
  for (int i = 0; i < 5; ++i) {
    const auto gone = sql->query("SELECT 1", {}, Deadline::after(sleeper().now(), 60s));
    ASSERT_FALSE(gone);
    EXPECT_EQ(gone.error().code(), Errc::unavailable) << gone.error().text();
  }
  EXPECT_LT(sleeper().now() - began, 20s);
  EXPECT_GE(sql->pools().at(0).stats.failed, 4u);
  server = LocalPostgres::start(folder, sleeper()).value();
  EXPECT_TRUE(sql->query("SELECT 1", {}, soon()));
}

TEST_F(Postgres, a_session_that_the_server_ends_takes_its_transaction_along_and_nothing_runs_outside_of_it) {
  const auto sql = open();
  ASSERT_TRUE(sql->execute("CREATE TABLE torn(n INTEGER)", {}, soon()));
  const auto other = open();
  const Status torn = sql->transaction(
      [&](SqlSession& session) -> Status {
        SERIN_CHECK(session.execute("INSERT INTO torn VALUES(1)", {}));
        EXPECT_TRUE(
            other->query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                         "AND state = 'idle in transaction'",
                         {}, soon()));
        EXPECT_FALSE(session.execute("INSERT INTO torn VALUES(2)", {}));
        EXPECT_FALSE(session.execute("INSERT INTO torn VALUES(3)", {}));  // not on a connection made anew
        return {};
      },
      soon());
  EXPECT_EQ(torn.error().code(), Errc::unavailable);
  EXPECT_TRUE(sql->query("SELECT * FROM torn", {}, soon())->rows.empty());
  EXPECT_EQ(sql->pools().at(0).stats.closed_poisoned, 1u);
}

TEST_F(Postgres, without_reuse_every_call_has_a_connection_of_its_own) {
  const auto sql = PostgresSql::open({.url = server->url(), .reuse = false}, sleeper()).value();
  std::set<SqlValue> processes;
  for (int i = 0; i < 5; ++i) processes.insert(sql->query("SELECT pg_backend_pid()", {}, soon())->rows.at(0).at(0));
  EXPECT_EQ(processes.size(), 5u);
}

TEST_F(Postgres, a_transaction_that_a_statement_leaves_open_is_not_the_next_borrowers) {
  const auto sql = PostgresSql::open({.url = server->url(), .connections = 1}, sleeper()).value();
  ASSERT_TRUE(sql->execute("CREATE TABLE left_open(n INTEGER)", {}, soon()));
  ASSERT_TRUE(sql->execute("BEGIN", {}, soon()));
  ASSERT_TRUE(sql->execute("INSERT INTO left_open VALUES(1)", {}, soon()));
  EXPECT_EQ(open()->query("SELECT * FROM left_open", {}, soon())->rows.size(), 1u);
}

TEST_F(Postgres, a_failed_statement_in_a_transaction_takes_all_of_it_back) {
  const auto sql = open();
  ASSERT_TRUE(sql->execute("CREATE TABLE whole(n INTEGER PRIMARY KEY)", {}, soon()));
  const Status failed = sql->transaction(
      [](SqlSession& session) -> Status {
        SERIN_CHECK(session.execute("INSERT INTO whole VALUES(1)", {}));
        SERIN_CHECK(session.execute("INSERT INTO whole VALUES(1)", {}));
        return {};
      },
      soon());
  EXPECT_EQ(failed.error().code(), Errc::conflict) << failed.error().text();
  EXPECT_TRUE(sql->query("SELECT * FROM whole", {}, soon())->rows.empty());
}

}  // namespace
}  // namespace serin
