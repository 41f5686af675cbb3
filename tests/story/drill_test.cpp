// Goal: each drill ends as it must, on the fleet as `serin up` starts it. Method: `serin drill`,
// whose own expectations are the test; what it saw stands in its output.
#include <gtest/gtest.h>

#include <algorithm>

#include "fleet_under_test.hpp"

namespace serin::story {
namespace {

class Drill : public testing::TestWithParam<std::string> {};

TEST_P(Drill, ends_as_it_must) {
  const Outcome outcome = run({bin() + "/serin", "--fleet", source() + "/fleet/fleet.yaml", "drill", GetParam()}, 180s);
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  EXPECT_EQ(outcome.out.find("BROKEN"), std::string::npos) << outcome.text();
}

INSTANTIATE_TEST_SUITE_P(Of, Drill,
                         testing::Values("warehouse-slow", "warehouse-down", "missing-column", "retry-storm",
                                         "empty-game-day", "staging-row-lost"),
                         [](const auto& each) {
                           std::string name = each.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST(NoDrill, that_does_not_exist_is_run) {
  const Outcome outcome = run({bin() + "/serin", "drill", "earthquake"}, 30s);
  EXPECT_EQ(outcome.code, 2) << outcome.text();
  EXPECT_NE(outcome.err.find("warehouse-slow"), std::string::npos) << "what there is: " << outcome.text();
}

}  // namespace
}  // namespace serin::story
