#include "engines.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "../google_ports/emulator_process.hpp"
#include "serin/google_data/data_services.hpp"
#include "serin/http/session.hpp"
#include "serin/postgres/local_postgres.hpp"
#include "serin/postgres/postgres_sql.hpp"
#include "serin/sqlite/sqlite_sql.hpp"
#include "serin/system/clock.hpp"
#include "serin/system/random.hpp"

namespace serin::sql_test {
namespace {

std::string temporary_folder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "serin-sql-XXXXXX").string();
  return mkdtemp(pattern.data());
}

class SqliteEngine final : public Engine {
 public:
  ~SqliteEngine() override { std::filesystem::remove_all(folder_); }
  std::unique_ptr<Sql> open() override { return SqliteSql::open({.path = folder_ + "/x.db"}, real_time()).value(); }
  std::string endless() const override {
    return "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n";
  }

 private:
  std::string folder_ = temporary_folder();
};

/// One server for a whole program; a database of its own for each test.
class Server final : public testing::Environment {
 public:
  void SetUp() override {
    folder = temporary_folder();
    auto started = LocalPostgres::start(folder, real_time());
    ASSERT_TRUE(started) << started.error().text();
    server = *std::move(started);
  }
  void TearDown() override {
    server.reset();
    std::filesystem::remove_all(folder);
  }
  std::string folder;
  std::unique_ptr<LocalPostgres> server;
  int databases = 0;
};
Server* const shared = static_cast<Server*>(testing::AddGlobalTestEnvironment(std::make_unique<Server>().release()));

class PostgresEngine final : public Engine {
 public:
  PostgresEngine() : name_(fmt::format("t{}", shared->databases++)) { admin(fmt::format("CREATE DATABASE {}", name_)); }
  ~PostgresEngine() override { admin(fmt::format("DROP DATABASE {} WITH (FORCE)", name_)); }
  std::unique_ptr<Sql> open() override {
    std::string url = shared->server->url();
    url.replace(url.find("///postgres?"), 12, "///" + name_ + "?");
    return PostgresSql::open({.url = url}, real_time()).value();
  }
  std::string endless() const override { return "SELECT pg_sleep(1000000)"; }

 private:
  static void admin(const std::string& statement) {
    const auto sql = PostgresSql::open({.url = shared->server->url(), .connections = 1}, real_time()).value();
    const auto done = sql->execute(statement, {}, Deadline::after(real_time().now(), 30s));
    EXPECT_TRUE(done) << done.error().text();
  }
  std::string name_;
};

/// One emulator of Google's services for a whole program; a dataset of its own for each test.
class Emulator final : public testing::Environment {
 public:
  void SetUp() override { process = std::make_unique<google_test::EmulatorProcess>(); }
  void TearDown() override { process.reset(); }
  std::unique_ptr<google_test::EmulatorProcess> process;
  int datasets = 0;
};
Emulator* const emulator =
    static_cast<Emulator*>(testing::AddGlobalTestEnvironment(std::make_unique<Emulator>().release()));

class BigQueryEngine final : public Engine {
 public:
  BigQueryEngine() : dataset_(fmt::format("t{}", emulator->datasets++)) {
    const auto made = open()->execute("CREATE SCHEMA " + dataset_, {}, Deadline::after(real_time().now(), 30s));
    EXPECT_TRUE(made) << made.error().text();
  }
  std::unique_ptr<Sql> open() override { return open_for(google::DataAccess::read_write); }
  std::unique_ptr<Sql> open_for(google::DataAccess access) {
    return services_.open_sql(fmt::format("bigquery://p/{}?endpoint={}", dataset_, emulator->process->origin()), access)
        .value();
  }
  std::unique_ptr<Sql> open_reader() override { return open_for(google::DataAccess::read_only); }
  /// Seconds: late, and over soon after the emulator is asked to end.
  std::string endless() const override {
    std::string digits =
        "WITH d AS (SELECT x FROM UNNEST([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]) AS x) SELECT COUNT(*) FROM d AS d0";
    for (int i = 1; i < 8; ++i) digits += fmt::format(" CROSS JOIN d AS d{}", i);
    return digits;
  }
  bool enforces_keys() const override { return false; }

 private:
  SystemRandom random_;
  http::Session http_{real_time()};
  google::DataServices services_{{.http = http_, .sleeper = real_time(), .random = random_}, Environment()};
  std::string dataset_;
};

}  // namespace

Sleeper& real_time() {
  static PatientSleeper sleeper;
  return sleeper;
}

std::unique_ptr<Engine> make_engine(const std::string& kind) {
  if (kind == "sqlite") return std::make_unique<SqliteEngine>();
  if (kind == "postgres") return std::make_unique<PostgresEngine>();
  if (kind == "bigquery") return std::make_unique<BigQueryEngine>();
  return nullptr;
}

}  // namespace serin::sql_test
