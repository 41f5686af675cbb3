// Goal: three addresses in the fleet's file put it on Google Cloud, and it does the same work there. Method: the
// reference fleet as `serin up` starts it, on `serin emulate google`: a season is loaded, a date predicted and graded
// twice over, on Google and on SQLite; checks and health are asked as a person would.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <csignal>
#include <map>

#include "fleet_under_test.hpp"

namespace serin::story {
namespace {

namespace json = boost::json;

class OnGoogle : public testing::Test {
 protected:
  void SetUp() override {
    const std::string ready = folder.path() + "/ready";
    emulator = std::make_unique<Process>(std::vector<std::string>{bin() + "/serin", "emulate", "google", "--port", "0",
                                                                  "--data", "memory", "--ready-file", ready});
    ASSERT_TRUE(eventually(20s, [&] { return read_all(ready).ends_with('\n'); })) << emulator->err_so_far();
    place = "?endpoint=" + read_all(ready).substr(0, read_all(ready).find('\n'));
    const Outcome made = run({"curl", "-sf", "-X", "POST", "-H", "Content-Type: application/json", "-d",
                              R"({"datasetReference":{"projectId":"local","datasetId":"predictions"}})",
                              place.substr(place.find('=') + 1) + "/bigquery/v2/projects/local/datasets"});
    ASSERT_EQ(made.code, 0) << made.text();
  }
  /// The reference fleet's file with these lines instead of its own.
  std::string file(const std::map<std::string, std::string>& lines) const {
    std::istringstream text(read_all(source() + "/fleet/fleet.yaml"));
    std::string out;
    for (std::string line; std::getline(text, line); out += line + "\n") {
      const auto other = lines.find(line.substr(0, line.find(':')));
      if (other != lines.end()) line = other->first + ": \"" + other->second + "\"";
      for (std::size_t at; (at = line.find("${here}")) != std::string::npos;) line.replace(at, 7, source() + "/fleet");
    }
    return folder.write("fleet.yaml", out);
  }
  /// What a date of the season came to: everything that the program prints, the batch's name apart.
  static json::object worked(const Fleet& fleet, const std::string& warehouse) {
    EXPECT_EQ(fleet.serin({"up"}).code, 0);
    const Outcome loaded = run({bin() + "/serin-fleet", "load", "--warehouse", warehouse}, 120s);
    EXPECT_EQ(loaded.code, 0) << loaded.text();
    std::vector<std::string> words{bin() + "/serin-fleet", "pipeline", "--warehouse", warehouse, "--json"};
    for (const auto& [name, url] : urls(fleet)) words.insert(words.end(), {"--url", name + "=" + url});
    const Outcome done = run(words, 150s);
    EXPECT_EQ(done.code, 0) << done.text();
    boost::system::error_code error;
    json::value value = json::parse(done.out, error);
    return value.is_object() ? value.as_object() : json::object();
  }
  static std::map<std::string, std::string> urls(const Fleet& fleet) {
    std::map<std::string, std::string> out;
    for (const json::value& service : json::parse(fleet.serin({"status", "--json"}).out).at("services").as_array())
      out[text_of(service.at("name"))] = text_of(service.at("url"));
    return out;
  }
  Folder folder;
  std::unique_ptr<Process> emulator;
  std::string place;
};

TEST_F(OnGoogle, the_fleet_does_the_same_work) {
  const std::string warehouse = "bigquery://local/predictions" + place;
  const Fleet google(
      file({{"warehouse", warehouse}, {"bus", "pubsub://local" + place}, {"documents", "firestore://local" + place}}));
  const json::object there = worked(google, warehouse);
  const Fleet embedded;
  const json::object here = worked(embedded, "sqlite:" + embedded.state() + "/warehouse.db");
  ASSERT_EQ(there.at("predictions").to_number<int>(), 80) << json::serialize(there);
  EXPECT_EQ(json::serialize(there), json::serialize(here)) << "batch, coverage, grades and players, to the last digit";

  const Outcome checked = run({bin() + "/serin", "check", "run", source() + "/fleet/checks.yaml", "--db", warehouse});
  EXPECT_EQ(checked.code, 0) << checked.text();
  EXPECT_NE(checked.out.find(" 0 failed, 0 errors"), std::string::npos) << checked.text();
  for (const auto& [name, url] : urls(google)) {
    const Outcome deep = run({"curl", "-s", "-H", "Authorization: Bearer local-admin-key", url + "/health/deep"});
    EXPECT_NE(deep.out.find(R"("status":"healthy")"), std::string::npos) << name << deep.text();
  }
  EXPECT_EQ(google.serin({"down"}).code, 0);
}

TEST_F(OnGoogle, a_check_that_is_interrupted_ends_at_once_and_cancels_its_job) {
  const std::string google = place.substr(place.find('=') + 1);
  // A job that is never done, and polls that the service holds.
  for (const char* fault : {R"({"method":"POST","path":"*/queries","pending":1000})",
                            R"({"method":"GET","path":"*/queries/*","delay":"20s"})"}) {
    const Outcome set = run({"curl", "-sf", "-d", fault, google + "/emulator/faults"});
    ASSERT_EQ(set.code, 0) << set.text();
  }
  const auto requests = [&] { return run({"curl", "-sf", google + "/emulator/requests"}).out; };
  const std::string checks =
      folder.write("checks.yaml", "version: 1\nchecks:\n  - {sql: SELECT 1, warn: '> 5', name: one}\n");
  Process check({bin() + "/serin", "check", "run", checks, "--db", "bigquery://local/predictions" + place});
  ASSERT_TRUE(eventually(20s, [&] { return requests().find("\"GET\"") != std::string::npos; })) << check.err_so_far();
  check.signal(SIGINT);
  const Outcome ended = check.wait(10s);  // of the 20 s of a poll
  EXPECT_FALSE(ended.timed_out) << "it waits for the poll";
  EXPECT_NE(ended.code, 0) << ended.text();
  EXPECT_NE(requests().find("/cancel"), std::string::npos) << requests();
}

}  // namespace
}  // namespace serin::story
