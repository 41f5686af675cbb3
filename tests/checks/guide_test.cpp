// Goal: what docs/guide/checks.md shows can be loaded, and finds what the guide says. Method: every block marked yaml
// is read; those that are whole files are run on the table of the guide's sql block.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "serin/checks/run.hpp"
#include "serin/sim/world.hpp"
#include "serin/sqlite/sqlite_sql.hpp"

namespace serin::checks {
namespace {

/// The blocks of the guide in one language.
std::vector<std::string> blocks(const std::string& language) {
  std::ifstream in(std::string(std::getenv("SERIN_SOURCE_DIR")) + "/docs/guide/checks.md");
  std::vector<std::string> out;
  std::string line;
  bool inside = false;
  while (std::getline(in, line)) {
    if (line == "```" + language) {
      out.emplace_back();
      inside = true;
    } else if (line == "```") {
      inside = false;
    } else if (inside) {
      out.back() += line + "\n";
    }
  }
  return out;
}

TEST(Guide, shows_files_that_load_and_find_what_it_says) {
  sim::World world;
  const auto sql = SqliteSql::open({.path = ":memory:"}, world.sleeper()).value();
  for (const std::string& block : blocks("sql")) {
    std::stringstream statements(block);
    std::string statement;
    while (std::getline(statements, statement, ';'))
      if (statement.find_first_not_of(" \n") != std::string::npos)
        ASSERT_TRUE(sql->execute(statement, std::span<const SqlValue>(), Deadline::never())) << statement;
  }
  const std::vector<std::string> files = blocks("yaml");
  ASSERT_GE(files.size(), 2u);
  for (const std::string& text : files) {
    const auto file = load_checks(text, "guide.yaml", Engine::sqlite);
    ASSERT_TRUE(file) << text << file.error().detail();
    const auto report = run_checks(*file, *sql, {Engine::sqlite}, world.sleeper(), nullptr, {});
    ASSERT_TRUE(report);
    // Each check's name says what it is to find: "... (warn)".
    for (const CheckResult& result : report->results)
      EXPECT_NE(result.name.find("(" + std::string(outcome_name(result.outcome)) + ")"), std::string::npos)
          << result.name << ": " << outcome_name(result.outcome) << ", " << result.reason;
  }
}

}  // namespace
}  // namespace serin::checks
