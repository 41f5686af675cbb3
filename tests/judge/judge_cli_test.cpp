// Goal: `serin judge simulate`, `serin judge compare` and `serin plan` answer in the forms they promise, the same for a
// seed whatever the number of threads, and refuse what makes no sense with its place. Method: the program, from
// outside.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>
#include <sstream>

#include "shell.hpp"

namespace serin::story {
namespace {

namespace json = boost::json;

Outcome serin(std::vector<std::string> words) {
  words.insert(words.begin(), bin() + "/serin");
  return run(std::move(words));
}
std::string scenario(const std::string& name) { return source() + "/fleet/scenarios/" + name + ".yaml"; }

TEST(Simulate, is_the_same_for_a_seed_whatever_the_number_of_threads) {
  const auto with = [](const std::string& threads, const std::string& seed) {
    return serin({"judge", "simulate", scenario("five-times"), "--runs", "60", "--seed", seed, "--threads", threads,
                  "--output", "json"});
  };
  const Outcome one = with("1", "5");
  ASSERT_EQ(one.code, 0) << one.text();
  EXPECT_EQ(with("3", "5").out, one.out);
  EXPECT_NE(with("1", "6").out, one.out);
  const json::object found = json::parse(one.out).as_object();
  EXPECT_EQ(found.at("judge").as_string(), "serin");
  EXPECT_EQ(found.at("runs").as_int64(), 60);
  EXPECT_GE(found.at("rolled_back").as_int64(), 58) << one.out;
  EXPECT_FALSE(found.at("healthy").as_bool());
}

TEST(Simulate, prints_text_and_csv_and_plays_other_judges_and_plans) {
  const Outcome text = serin({"judge", "simulate", scenario("healthy"), "--runs", "30"});
  EXPECT_EQ(text.code, 0) << text.text();
  EXPECT_NE(text.out.find("wrongly back 0 % (95 %: 0 % to"), std::string::npos) << text.out;
  const Outcome csv = serin({"judge", "simulate", scenario("healthy"), "--runs", "30", "--judge", "kayenta", "--stages",
                             "50:2m", "--output", "csv"});
  EXPECT_EQ(csv.code, 0) << csv.text();
  EXPECT_TRUE(csv.out.starts_with("scenario,healthy,judge,runs,seed,")) << csv.out;
  EXPECT_NE(csv.out.find("\nhealthy,1,kayenta,30,1,0,"), std::string::npos) << csv.out;
}

TEST(Simulate, refuses_nonsense_by_file_and_line) {
  const Folder folder;
  const std::string file = folder.write("x.yaml", "scenario: x\nerors: 0.1\n");
  const Outcome wrong = serin({"judge", "simulate", file});
  EXPECT_EQ(wrong.code, 2) << wrong.text();
  EXPECT_NE(wrong.err.find("x.yaml:2:1"), std::string::npos) << wrong.err;
  EXPECT_NE(wrong.err.find("did you mean 'errors'?"), std::string::npos) << wrong.err;
  EXPECT_EQ(serin({"judge", "simulate", scenario("healthy"), "--judge", "nobody"}).code, 2);
  EXPECT_EQ(serin({"judge", "simulate", scenario("healthy"), "--stages", "5"}).code, 2);
  EXPECT_EQ(serin({"judge", "simulate", scenario("healthy"), "--runs", "0"}).code, 2);
  EXPECT_EQ(serin({"judge", "simulate", "/nowhere.yaml"}).code, 2);
}

TEST(Compare, writes_a_page_with_every_judge) {
  const Folder folder;
  folder.write("a.yaml", "scenario: a\nsays: bad\nerrors: 0.01\ncanary: {times: 10}\n");
  folder.write("b.yaml", "scenario: b\nsays: good\n");
  const std::string page = folder.path() + "/page.md";
  const Outcome outcome = serin({"judge", "compare", folder.path(), "--runs", "20", "--page", page});
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  std::ifstream in(page);
  std::ostringstream text;
  text << in.rdbuf();
  for (const char* words : {"| serin |", "Flagger, threshold 5", "Argo, failureLimit 0", "Kayenta", "replaced script",
                            "| `a` | **1 @", "| `b` | **0**"})
    EXPECT_NE(text.str().find(words), std::string::npos) << words << "\n" << text.str();
  EXPECT_EQ(serin({"judge", "compare", folder.path() + "/none"}).code, 2);
}

TEST(Plan, tells_what_each_stage_sees_and_ends_with_one_when_that_is_nothing) {
  const Outcome seen = serin({"plan", "--rate", "1000", "--errors", "0.01", "--runs", "40", "--json"});
  ASSERT_EQ(seen.code, 0) << seen.text();
  const json::object answer = json::parse(seen.out).as_object();
  ASSERT_EQ(answer.at("stages").as_array().size(), 3u);
  const json::object& first = answer.at("stages").as_array()[0].as_object();
  EXPECT_LT(first.at("smallest_ratio").to_number<double>(), 2.5) << seen.out;
  EXPECT_FALSE(answer.at("blind").as_bool());

  const Outcome blind = serin({"plan", "--rate", "0.02", "--runs", "40"});
  EXPECT_EQ(blind.code, 1) << blind.text();
  EXPECT_NE(blind.out.find("BLIND"), std::string::npos) << blind.out;
  EXPECT_NE(blind.err.find("sees nothing"), std::string::npos) << blind.err;
  EXPECT_EQ(serin({"plan", "--rate", "0.02", "--runs", "40", "--blind"}).code, 0);
  EXPECT_EQ(serin({"plan"}).code, 2) << "neither a service nor a rate";
  EXPECT_EQ(serin({"plan", "--rate", "-1"}).code, 2);
  EXPECT_EQ(serin({"plan", "--rate", "10", "--stages", "50,5"}).code, 2);
}

}  // namespace
}  // namespace serin::story
