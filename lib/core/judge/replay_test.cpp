// Goal: a recording is judged as the rollout would have judged it, and a broken one is refused with its line.
#include "serin/judge/replay.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace serin::judge {
namespace {

constexpr std::string_view header = "second,canary_requests,canary_errors,baseline_requests,baseline_errors\n";

std::vector<RecordedSecond> steady(int seconds, Bucket bucket) {
  std::vector<RecordedSecond> recording;
  for (int i = 0; i < seconds; ++i) recording.push_back({.second = i, .bucket = bucket});
  return recording;
}

TEST(Replay, a_bad_release_is_worse_and_the_second_is_named) {
  std::string csv(header);
  for (int i = 1; i <= 60; ++i) csv += fmt::format("{},20,{},380,0\r\n", i, i > 30 ? 2 : 0);
  const auto recording = parse_recording(csv, "x.csv");
  ASSERT_TRUE(recording) << recording.error().text();
  const auto result = replay(*recording, {});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->verdict, Verdict::worse) << result->reason;
  ASSERT_TRUE(result->second);
  EXPECT_GT(*result->second, 30);
  EXPECT_LT(*result->second, 40) << result->reason;
  EXPECT_EQ(result->steps.back().second, *result->second) << "it ends where a rollout would have turned back";
}

TEST(Replay, a_healthy_release_is_proved_healthy) {
  const auto result = replay(steady(300, {.canary_requests = 100, .baseline_requests = 100, .baseline_errors = 1}), {});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->verdict, Verdict::healthy) << result->reason;
  EXPECT_TRUE(result->second);
}

TEST(Replay, little_traffic_stays_undecided) {
  const auto result = replay(steady(300, {.canary_requests = 1, .baseline_requests = 1}), {});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->verdict, Verdict::undecided) << result->reason;
  EXPECT_FALSE(result->second);
  EXPECT_EQ(replay({}, {})->verdict, Verdict::undecided) << "nothing is not healthy";
}

TEST(Replay, health_is_proved_in_each_stage_anew) {
  const auto recording = steady(300, {.canary_requests = 100, .baseline_requests = 100, .baseline_errors = 1});
  const auto whole = replay(recording, {});
  const auto staged = replay(recording, {.stage_seconds = {299, 1}});
  ASSERT_TRUE(whole && staged);
  EXPECT_EQ(whole->verdict, Verdict::healthy);
  EXPECT_EQ(staged->verdict, Verdict::undecided) << "one second is too little for the last stage: " << staged->reason;
  EXPECT_EQ(staged->steps.back().stage, 1);
}

TEST(Replay, broken_recordings_are_refused_with_file_and_line) {
  const auto refused = [](const std::string& csv, std::string_view expected) {
    const auto recording = parse_recording(csv, "x.csv");
    ASSERT_FALSE(recording) << csv;
    EXPECT_NE(recording.error().detail().find(expected), std::string::npos) << recording.error().detail();
  };
  refused("", "x.csv:1: empty");
  refused("second,canary_requests\n", "x.csv:1: no column 'canary_errors'");
  refused(std::string(header) + "1,2,3,4\n", "x.csv:2: no value for baseline_errors");
  refused(std::string(header) + "1,20,0,10,0\n2,x,0,10,0\n", "x.csv:3: canary_requests is 'x'");
  refused(std::string(header) + "1,2,3,4,0\n", "x.csv:2: more canary_errors");
  refused(std::string(header) + "1,-2,0,4,0\n", "x.csv:2: canary_requests is '-2'");
  refused(std::string(header) + "2,2,0,4,0\n2,2,0,4,0\n", "x.csv:3: second 2 after 2");
  refused(std::string(header) + "2,2.5,0,4,0\n", "x.csv:2: canary_requests is '2.5'");
}

}  // namespace
}  // namespace serin::judge
