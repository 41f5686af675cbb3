// Goal: a severity is exactly what was written. Method: each form at its bounds and one step beyond.
#include "serin/checks/zones.hpp"

#include <gtest/gtest.h>

namespace serin::checks {
namespace {

struct Case {
  const char* text;
  double value;
  bool inside;
};

TEST(Zone, contains_what_its_text_says) {
  const Case cases[] = {
      {"> 5", 5, false},
      {"> 5", 5.01, true},
      {">= 5", 5, true},
      {"< 5", 5, false},
      {"<= 5", 5, true},
      {"= 0", 0, true},
      {"== 0", 0.5, false},
      {"!= 0", 0, false},
      {"<> 0", 1, true},
      {"between 1 and 5", 1, true},
      {"between 1 and 5", 5, true},
      {"between (1 and 5]", 1, false},
      {"between (1 and 5]", 5, true},
      {"between [1 and 5)", 5, false},
      {"not between 1 and 5", 5, false},
      {"not between 1 and 5", 5.1, true},
      {"not between -10% and 10%", -11, true},
      {">-1.5", 0, true},
  };
  for (const Case& one : cases) {
    const auto zone = parse_zone(one.text);
    ASSERT_TRUE(zone) << one.text;
    EXPECT_EQ(zone->contains(one.value), one.inside) << one.text << " and " << one.value;
  }
}

TEST(Zone, refuses_what_is_no_comparison) {
  for (const char* text : {"", "5", "> ", "> x", "between 5 and 1", "between 1 5", "between (1 and 5", "> 1e999",
                           "> nan", "between 1% and 5", "more than 5"})
    EXPECT_FALSE(parse_zone(text)) << text;
}

TEST(Zones, look_at_fail_first_and_know_percent_from_counts) {
  const Zones zones{.warn = parse_zone("> 1%").value(), .fail = parse_zone("> 100").value()};
  EXPECT_EQ(judge_value(zones, 50, 0.5), Outcome::pass);
  EXPECT_EQ(judge_value(zones, 50, 2.0), Outcome::warn);
  EXPECT_EQ(judge_value(zones, 101, 2.0), Outcome::fail);
  EXPECT_EQ(judge_value(zones, 50), Outcome::error) << "a share of an unknown number of rows is unknown";
  EXPECT_EQ(judge_value({}, 7), Outcome::pass);
}

}  // namespace
}  // namespace serin::checks
