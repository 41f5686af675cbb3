#include <gtest/gtest.h>

#include "../../fleet/pipeline/warehouse_under_test.hpp"
#include "emulator_process.hpp"
#include "serin/google_data/data_services.hpp"
#include "serin/http/session.hpp"
#include "serin/system/clock.hpp"
#include "serin/system/random.hpp"

namespace serin::fleet {
namespace {

/// One emulator for the whole program; a dataset of its own for each test.
class Emulator final : public testing::Environment {
 public:
  void SetUp() override { process = std::make_unique<google_test::EmulatorProcess>(); }
  void TearDown() override { process.reset(); }
  std::unique_ptr<google_test::EmulatorProcess> process;
  PatientSleeper sleeper;
  SystemRandom random;
  serin::http::Session session{sleeper};
  google::DataServices services{{.http = session, .sleeper = sleeper, .random = random}, serin::Environment()};
  int datasets = 0;
};
Emulator* const emulator =
    static_cast<Emulator*>(testing::AddGlobalTestEnvironment(std::make_unique<Emulator>().release()));

}  // namespace

std::unique_ptr<Sql> warehouse_under_test(Clock& /*clock*/) {
  const std::string dataset = "t" + std::to_string(emulator->datasets++);
  auto sql =
      emulator->services.open_sql("bigquery://p/" + dataset + "?endpoint=" + emulator->process->origin()).value();
  const auto made = sql->execute("CREATE SCHEMA " + dataset, {}, Deadline::after(emulator->sleeper.now(), 30s));
  EXPECT_TRUE(made) << made.error().text();
  return sql;
}

}  // namespace serin::fleet
