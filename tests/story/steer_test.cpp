// Goal: a rollout that one terminal runs is steered from another one, and a kill -9 loses no order. Method: `serin
// deploy` of a small fleet without users, whose stages last longer than the test, and the steering verbs beside it.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <csignal>

#include "shell.hpp"

namespace serin::story {
namespace {

namespace json = boost::json;

struct Steer : testing::Test {
  Steer() {
    const Outcome up = serin({"up"});
    EXPECT_EQ(up.code, 0) << up.text();
  }
  ~Steer() override { serin({"down"}); }
  std::vector<std::string> command(std::vector<std::string> words) const {
    words.insert(words.begin(), {bin() + "/serin", "--fleet", fleet, "--state", folder.path() + "/state"});
    return words;
  }
  Outcome serin(std::vector<std::string> words) const { return run(command(std::move(words)), 120s); }
  std::vector<std::string> deploy() const { return command({"deploy", "page", "--release", "v2", "--blind"}); }
  json::object status() const { return json::parse(serin({"status", "--json"}).out).at("services").at(0).as_object(); }
  double weight(const std::string& name) const {
    const json::object service = status();
    for (const json::value& release : service.at("releases").as_array())
      if (release.at("name").as_string() == name) return release.at("weight").to_number<double>();
    return 0;
  }
  std::string paused() const {
    const json::object service = status();
    return service.contains("rollout") ? std::string(service.at("rollout").at("paused").as_string()) : "no rollout";
  }
  Folder folder;
  std::string fleet = folder.write("fleet.yaml",
                                   "fleet: steered\n"
                                   "plan: {stages: [20, 50], monitoring_duration: 10m, min_stage: 1s}\n"
                                   "services:\n"
                                   "  page:\n"
                                   "    command: [\"${bin}/hello\"]\n"
                                   "    release: v1\n"
                                   "    releases:\n"
                                   "      v2: {environment: {GREETING: two}}\n");
};

TEST_F(Steer, pause_survives_kill_9_resume_ends_it_and_promote_goes_on) {
  Process first(deploy());
  ASSERT_TRUE(eventually(60s, [&] { return weight("v2") == 20; })) << first.err_so_far();
  const Outcome pause = serin({"pause", "page", "--reason", "the shop is being moved", "--json"});
  ASSERT_EQ(pause.code, 0) << pause.text();
  EXPECT_TRUE(json::parse(pause.out).at("accepted").as_bool());
  EXPECT_TRUE(paused().starts_with("paused by ") && paused().ends_with("(order 1): the shop is being moved"))
      << paused();
  EXPECT_NE(serin({"status"}).out.find("to v2: stage at 20 %, paused by "), std::string::npos);
  EXPECT_TRUE(eventually(10s, [&] { return first.err_so_far().find("the shop is being moved") != std::string::npos; }))
      << "the deploy's own terminal says so\n"
      << first.err_so_far();
  const Outcome twice = serin({"pause", "page"});
  EXPECT_EQ(twice.code, 3) << twice.text();
  EXPECT_NE(twice.err.find("paused already"), std::string::npos) << twice.text();

  first.signal(SIGKILL);
  first.wait(5s);
  const Outcome nobody = serin({"promote", "page"});
  EXPECT_EQ(nobody.code, 3) << nobody.text();
  EXPECT_NE(nobody.err.find("no process drives it"), std::string::npos) << nobody.text();
  Process second(command({"resume", "page", "--json"}));
  ASSERT_TRUE(eventually(30s, [&] { return second.err_so_far().find("still paused by ") != std::string::npos; }))
      << second.err_so_far();
  const Outcome resume = serin({"resume", "page"});
  EXPECT_EQ(resume.code, 0) << resume.text();
  EXPECT_EQ(paused(), "");

  EXPECT_EQ(serin({"promote", "page"}).code, 0);
  ASSERT_TRUE(eventually(30s, [&] { return weight("v2") == 50; })) << second.err_so_far();
  const Outcome promote = serin({"promote", "page", "--full", "--reason", "nobody uses it"});
  EXPECT_EQ(promote.code, 0) << promote.text();
  const Outcome ended = second.wait(60s);
  EXPECT_EQ(ended.code, 0) << ended.text();
  EXPECT_EQ(weight("v2"), 100);
  const Outcome late = serin({"abort", "page"});
  EXPECT_EQ(late.code, 3) << late.text();
  EXPECT_NE(late.err.find("is promoted, it is over"), std::string::npos) << late.text();
}

TEST_F(Steer, abort_restores_and_says_who_wanted_it) {
  EXPECT_EQ(serin({"abort", "page"}).code, 3) << "there never was a rollout";
  Process deployed(deploy());
  ASSERT_TRUE(eventually(60s, [&] { return weight("v2") == 20; })) << deployed.err_so_far();
  const Outcome abort = serin({"abort", "page", "--reason", "wrong branch"});
  EXPECT_EQ(abort.code, 0) << abort.text();
  const Outcome ended = deployed.wait(60s);
  EXPECT_EQ(ended.code, 1) << ended.text();
  EXPECT_NE(ended.out.find("aborted by "), std::string::npos) << ended.text();
  EXPECT_NE(ended.out.find("wrong branch"), std::string::npos) << ended.text();
  EXPECT_EQ(weight("v1"), 100);
}

TEST_F(Steer, retry_releases_the_same_once_more_and_only_what_was_taken_back) {
  EXPECT_EQ(serin({"retry", "page", "--blind"}).code, 2) << "there never was a rollout";
  Process deployed(deploy());
  ASSERT_TRUE(eventually(60s, [&] { return weight("v2") == 20; })) << deployed.err_so_far();
  EXPECT_EQ(serin({"retry", "page", "--blind"}).code, 3) << "it runs";
  EXPECT_EQ(serin({"abort", "page"}).code, 0);
  EXPECT_EQ(deployed.wait(60s).code, 1);
  Process again(command({"retry", "page", "--blind", "--json"}));
  ASSERT_TRUE(eventually(60s, [&] { return weight("v2") == 20; })) << again.err_so_far();
  EXPECT_EQ(serin({"promote", "page", "--full"}).code, 0);
  const Outcome ended = again.wait(60s);
  EXPECT_EQ(ended.code, 0) << ended.text();
  EXPECT_EQ(json::parse(ended.out).at("release").as_string(), "v2");
  const Outcome over = serin({"retry", "page", "--blind"});
  EXPECT_EQ(over.code, 3) << over.text();
  EXPECT_NE(over.err.find("is promoted: only one that was taken back"), std::string::npos) << over.text();
}

TEST_F(Steer, approve_is_what_a_plan_may_wait_for) {
  const std::string text = read_all(fleet);
  folder.write("fleet.yaml", text.substr(0, text.find("plan: {")) + "plan: {approve: {first: true}, " +
                                 text.substr(text.find("stages: [20")));
  Process deployed(deploy());
  const auto awaits = [&] {
    const json::object service = status();
    return service.contains("rollout") ? std::string(service.at("rollout").at("awaits").as_string()) : std::string();
  };
  ASSERT_TRUE(eventually(60s, [&] { return awaits() == "waits for an approval before 20 %"; }))
      << deployed.err_so_far();
  EXPECT_EQ(weight("v2"), 0);
  EXPECT_EQ(serin({"approve", "page", "--stage", "50"}).code, 3) << "another stage";
  EXPECT_EQ(weight("v2"), 0);
  const Outcome approve = serin({"approve", "page", "--stage", "20", "--reason", "looks good"});
  EXPECT_EQ(approve.code, 0) << approve.text();
  ASSERT_TRUE(eventually(30s, [&] { return weight("v2") == 20; })) << deployed.err_so_far();
  EXPECT_EQ(serin({"abort", "page"}).code, 0);
  EXPECT_EQ(deployed.wait(60s).code, 1);
}

}  // namespace
}  // namespace serin::story
