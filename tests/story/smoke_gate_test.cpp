// Goal: a candidate whose health is well and whose real requests fail reaches no user, and a suite that cannot be run
// starts nothing. Method: `serin deploy` of the reference fleet, whose plan has smoke tests, with releases made bad.
#include <gtest/gtest.h>

#include "fleet_under_test.hpp"

namespace serin::story {
namespace {

struct SmokeGate : testing::Test {
  SmokeGate() {
    const Outcome up = fleet.serin({"up"});
    EXPECT_EQ(up.code, 0) << up.text();
  }
  Outcome deploy(const std::string& release) const {
    return fleet.serin({"deploy", "prediction-worker", "--release", release, "--blind", "--stages", "50",
                        "--monitoring-duration", "2s", "--min-stage", "1s", "--on-undecided", "advance",
                        "--on-undecided-early", "advance"});
  }
  Folder folder;
  Fleet fleet;
};

TEST_F(SmokeGate, of_a_candidate_whose_real_requests_fail_rolls_back_at_zero_percent) {
  const std::string bad = folder.write("v9.yaml",
                                       "name: v9\n"
                                       "labels: {version: 9.0.0, commit: 9a9b9c9}\n"
                                       "environment: {FLEET_FAULT: \"error=1,on=/predict\"}\n");  // of health it says nothing
  const Outcome outcome = deploy(bad);
  EXPECT_EQ(outcome.code, 1) << outcome.text();
  EXPECT_NE(outcome.out.find("the smoke tests failed: 'NBA worker refuses what is no request' at 127.0.0.1:"),
            std::string::npos)
      << outcome.text();
  EXPECT_EQ(outcome.err.find("at 50 %"), std::string::npos) << "it got no share\n" << outcome.text();
  EXPECT_NE(outcome.out.find("failed user requests: 0"), std::string::npos) << outcome.text();
  EXPECT_EQ(fleet.split("prediction-worker"), "v1=100");

  const Outcome good = deploy("v2");
  EXPECT_EQ(good.code, 0) << good.text();
  EXPECT_NE(good.err.find("the smoke tests passed: 4 tests at 2 replicas"), std::string::npos) << good.text();
  EXPECT_EQ(fleet.split("prediction-worker"), "v2=100");
}

struct Suite : testing::Test {
  Outcome deploy(const std::string& smoke) const {
    folder.write("smoke.yaml", smoke);
    const std::string fleet = folder.write("fleet.yaml",
                                           "fleet: smoked\n"
                                           "plan: {stages: [50], smoke: {file: smoke.yaml}}\n"
                                           "services:\n"
                                           "  page:\n"
                                           "    command: [\"${bin}/hello\"]\n"
                                           "    release: v1\n"
                                           "    releases:\n"
                                           "      v2: {environment: {GREETING: two}}\n");
    const auto serin = [&](std::vector<std::string> words) {
      words.insert(words.begin(), {bin() + "/serin", "--fleet", fleet, "--state", folder.path() + "/state"});
      return run(words, 60s);
    };
    const Outcome up = serin({"up"});
    EXPECT_EQ(up.code, 0) << up.text();
    const Outcome outcome = serin({"deploy", "page", "--release", "v2", "--blind"});
    const Outcome history = serin({"history"});
    EXPECT_EQ(history.out.find("v2"), std::string::npos) << "nothing was started\n" << history.text();
    serin({"down"});
    return outcome;
  }
  Folder folder;
};

TEST_F(Suite, that_asks_the_service_nothing_or_is_wrong_starts_nothing) {
  const Outcome nothing = deploy("version: 1\ntests:\n  - {name: another, service: other, get: /health}\n");
  EXPECT_EQ(nothing.code, 2) << nothing.text();
  EXPECT_NE(nothing.err.find("page"), std::string::npos) << nothing.text();
  const Outcome wrong = deploy("version: 1\ntests:\n  - {nam: one, service: page, get: /}\n");
  EXPECT_EQ(wrong.code, 2) << wrong.text();
  EXPECT_NE(wrong.err.find("smoke.yaml:3:"), std::string::npos) << wrong.text();
}

}  // namespace
}  // namespace serin::story
