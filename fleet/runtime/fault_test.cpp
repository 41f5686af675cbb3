#include "serin/fleet_runtime/fault.hpp"

#include <gtest/gtest.h>

namespace serin::fleet {
namespace {

// Goal: a drill does what its text says, again and again, and leaves the health routes alone unless told otherwise.
// Method: the pure parts, with counted requests and made-up uptimes.
TEST(Faults, read_every_entry_of_the_list) {
  const auto spec = parse_faults(
      "error=0.05, latency=+50ms,stall=0.02:500ms,exit_after=30s,hang_ready,refuse_start,leak=2MB/s,"
      "errors_after=20s:0.2,on=/health,seed=9");
  ASSERT_TRUE(spec) << spec.error().text();
  EXPECT_EQ(spec->error, 0.05);
  EXPECT_EQ(spec->latency, 50ms);
  EXPECT_EQ(spec->stall_share, 0.02);
  EXPECT_EQ(spec->stall, 500ms);
  EXPECT_EQ(spec->exit_after, Duration(30s));
  EXPECT_TRUE(spec->hang_ready);
  EXPECT_TRUE(spec->refuse_start);
  EXPECT_EQ(spec->leak_per_second, 2'000'000);
  EXPECT_EQ(spec->errors_after, Duration(20s));
  EXPECT_EQ(spec->errors_after_share, 0.2);
  EXPECT_EQ(spec->routes, std::vector<std::string>{"/health"});
  EXPECT_EQ(spec->seed, 9U);
  EXPECT_TRUE(spec->any());
}

TEST(Faults, are_none_in_an_empty_text_and_an_error_in_a_wrong_one) {
  ASSERT_TRUE(parse_faults(""));
  EXPECT_FALSE(parse_faults("  ")->any());
  for (const char* text : {"error", "error=5", "error=-1", "latency=50", "stall=0.1", "stall=0.1:", "leak=1",
                           "leak=0MB/s", "refuse_start=1", "eror=0.1", "on=health", ",", "errors_after=20s"}) {
    const auto spec = parse_faults(text);
    ASSERT_FALSE(spec) << text;
    EXPECT_NE(spec.error().detail().find("FLEET_FAULT"), std::string::npos) << spec.error().text();
  }
}

TEST(Faults, hit_their_share_of_requests_and_the_same_ones_each_time) {
  const auto spec = *parse_faults("error=0.05,stall=0.02:500ms");
  int failed = 0;
  int stalled = 0;
  for (std::uint64_t number = 0; number < 20'000; ++number) {
    const FaultDecision decision = decide(spec, number, 0s);
    failed += decision.fail ? 1 : 0;
    stalled += decision.wait > 0s ? 1 : 0;
    EXPECT_EQ(decision.fail, decide(spec, number, 1h).fail);
  }
  EXPECT_NEAR(failed, 1000, 150);
  EXPECT_NEAR(stalled, 400, 100);
}

TEST(Faults, that_come_later_come_later) {
  const auto spec = *parse_faults("errors_after=20s:1");
  EXPECT_FALSE(decide(spec, 1, 19s).fail);
  EXPECT_TRUE(decide(spec, 1, 20s).fail);
}

TEST(Faults, leave_the_health_routes_alone_unless_named) {
  const auto general = *parse_faults("error=1");
  for (const char* path : {"/health", "/ready", "/health/deep", "/metrics"})
    EXPECT_FALSE(is_affected(general, path)) << path;
  EXPECT_TRUE(is_affected(general, "/predict"));
  const auto named = *parse_faults("error=1,on=/health");
  EXPECT_TRUE(is_affected(named, "/health"));
  EXPECT_FALSE(is_affected(named, "/predict")) << "on= names all that is hit";
}

}  // namespace
}  // namespace serin::fleet
