#include "places.hpp"

#include <gtest/gtest.h>

#include "emulator_process.hpp"
#include "serin/google_data/data_services.hpp"
#include "serin/http/session.hpp"
#include "serin/sqlite/sqlite_bus.hpp"
#include "serin/sqlite/sqlite_documents.hpp"
#include "serin/sqlite/sqlite_sql.hpp"
#include "serin/system/clock.hpp"
#include "serin/system/random.hpp"

namespace serin::google_test {
namespace {

class Sqlite final : public Place {
 public:
  Bus& bus() override { return *bus_; }
  Documents& documents() override { return *documents_; }

 private:
  SystemRandom random_;
  std::unique_ptr<Sql> sql_ = SqliteSql::open({.path = ":memory:"}, real_time()).value();
  std::unique_ptr<Bus> bus_ = SqliteBus::open(*sql_, real_time(), random_).value();
  std::unique_ptr<Documents> documents_ = SqliteDocuments::open(*sql_, real_time()).value();
};

class Google final : public Place {
 public:
  Bus& bus() override { return *bus_; }
  Documents& documents() override { return *documents_; }

 private:
  EmulatorProcess emulator_;
  SystemRandom random_;
  http::Session http_{real_time()};
  google::DataServices services_{{.http = http_, .sleeper = real_time(), .random = random_}, Environment()};
  std::unique_ptr<Bus> bus_ = services_.open_bus("pubsub://p?endpoint=" + emulator_.origin()).value();
  std::unique_ptr<Documents> documents_ =
      services_.open_documents("firestore://p?endpoint=" + emulator_.origin()).value();
};

}  // namespace

std::unique_ptr<Place> make_place(const std::string& kind) {
  if (kind == "sqlite") return std::make_unique<Sqlite>();
  return std::make_unique<Google>();
}

Sleeper& real_time() {
  static PatientSleeper sleeper;
  return sleeper;
}

}  // namespace serin::google_test
