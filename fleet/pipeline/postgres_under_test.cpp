#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "serin/postgres/local_postgres.hpp"
#include "serin/postgres/postgres_sql.hpp"
#include "serin/system/clock.hpp"
#include "warehouse_under_test.hpp"

namespace serin::fleet {
namespace {

/// One server for the whole program; a database of its own for each test.
class Server final : public testing::Environment {
 public:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "serin-pg-XXXXXX").string();
    folder = mkdtemp(pattern.data());
    auto started = LocalPostgres::start(folder, sleeper);
    ASSERT_TRUE(started) << started.error().text();
    server = *std::move(started);
  }
  void TearDown() override {
    server.reset();
    std::filesystem::remove_all(folder);
  }
  std::string folder;
  PatientSleeper sleeper;
  std::unique_ptr<LocalPostgres> server;
  int databases = 0;
};
Server* const shared = static_cast<Server*>(testing::AddGlobalTestEnvironment(std::make_unique<Server>().release()));

}  // namespace

std::unique_ptr<Sql> warehouse_under_test(Clock& clock) {
  const std::string name = "t" + std::to_string(shared->databases++);
  std::string url = shared->server->url();
  const auto admin = PostgresSql::open({.url = url, .connections = 1}, shared->sleeper).value();
  const auto made = admin->execute("CREATE DATABASE " + name, {}, Deadline::after(shared->sleeper.now(), 30s));
  EXPECT_TRUE(made) << made.error().text();
  url.replace(url.find("///postgres?"), 12, "///" + name + "?");
  return PostgresSql::open({.url = url}, clock).value();
}

}  // namespace serin::fleet
