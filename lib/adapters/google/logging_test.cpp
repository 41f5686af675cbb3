// Goal: log entries reach Cloud Logging once, in requests that it takes, and come back readable.
// Method: requests compared with the REST reference; entries enough for several requests, by number and by size.
#include <gtest/gtest.h>

#include <set>

#include "client_under_test.hpp"
#include "serin/google/detail_json.hpp"
#include "serin/google/checks.hpp"
#include "serin/google/cloud_logging.hpp"

namespace serin::google {
namespace {

namespace json = boost::json;
using Logging = ClientUnderTest<CloudLogging>;

TEST_F(Logging, gets_entries_as_the_reference_shows_them) {
  http.then(200, "{}");
  const std::vector<LogEntry> entries{{.time = WallTime(std::chrono::seconds(1'775'757'780)),
                                       .severity = Severity::warning,
                                       .text = "hot",
                                       .insert_id = "i1"},
                                      {.severity = Severity::error,
                                       .text = "went wrong",
                                       .fields = {{"count", 3}, {"ratio", 0.5}, {"ok", false}, {"name", "x"}},
                                       .labels = {{"a", "b"}},
                                       .trace = "projects/p/traces/t",
                                       .insert_id = "i2"}};
  ASSERT_TRUE(client.write({.log = "audit/one", .labels = {{"service", "api"}}}, entries, soon()));
  EXPECT_EQ(asked(), "POST /v2/entries:write");
  EXPECT_EQ(http.last().body,
            R"({"logName":"projects/p/logs/audit%2Fone","resource":{"type":"global","labels":{}},)"
            R"("labels":{"service":"api"},"partialSuccess":true,"entries":[)"
            R"({"insertId":"i1","severity":"WARNING","timestamp":"2026-04-09T18:03:00.000Z","textPayload":"hot"},)"
            R"({"insertId":"i2","severity":"ERROR","jsonPayload":{"message":"went wrong","count":3,"ratio":5E-1,)"
            R"("ok":false,"name":"x"},"labels":{"a":"b"},"trace":"projects/p/traces/t"}]})");
}

TEST_F(Logging, gets_a_request_that_may_have_been_stored_again_with_the_same_ids) {
  http.then(503, "").then(Errc::unavailable, "reset").then(200, "{}");
  ASSERT_TRUE(client.write({.log = "l"}, std::vector<LogEntry>{{.text = "a"}, {.text = "b"}}, soon()));
  const auto asked = http.asked();
  ASSERT_EQ(asked.size(), 3u);
  EXPECT_EQ(asked[0].request.body, asked[2].request.body);
  std::set<std::string> ids;
  const json::object body = *parse_object(asked[0].request.body, "body");
  for (const json::value& entry : array_of(body, "entries")) ids.insert(text_of(entry.get_object(), "insertId"));
  EXPECT_EQ(ids.size(), 2u) << "each has one of its own";
}

TEST_F(Logging, gets_many_entries_in_requests_of_1000_or_9_megabytes) {
  http.then(200, "{}");
  ASSERT_TRUE(client.write({.log = "l"}, std::vector<LogEntry>(2'300, LogEntry{.text = "x"}), soon()));
  EXPECT_EQ(http.count(), 3u);
  http.clear();
  http.then(200, "{}");
  ASSERT_TRUE(
      client.write({.log = "l"}, std::vector<LogEntry>(100, LogEntry{.text = std::string(200'000, 'x')}), soon()));
  std::size_t entries = 0;
  for (const auto& asked : http.asked()) {
    EXPECT_LT(asked.request.body.size(), 9'000'100u);
    entries += array_of(*parse_object(asked.request.body, "body"), "entries").size();
  }
  EXPECT_EQ(http.count(), 3u);
  EXPECT_EQ(entries, 100u);
}

TEST_F(Logging, tells_how_many_entries_went_through) {
  http.then(200, "{}").then(403, R"({"error":{"status":"PERMISSION_DENIED","message":"no"}})").then(200, "{}");
  const Status written = client.write({.log = "l"}, std::vector<LogEntry>(2'500, LogEntry{.text = "x"}), soon());
  ASSERT_FALSE(written);
  EXPECT_TRUE(written.error().text().starts_with("permission_denied: 1500 of 2500 log entries were written: logging: "))
      << written.error().text();
}

TEST_F(Logging, is_not_sent_what_it_would_refuse) {
  EXPECT_FALSE(client.write({}, std::vector<LogEntry>{{.text = "x"}}, soon()));
  EXPECT_FALSE(client.write({.log = "l"}, std::vector<LogEntry>{{.text = std::string(300'000, 'x')}}, soon()));
  EXPECT_TRUE(client.write({.log = "l"}, {}, soon()));
  EXPECT_EQ(http.count(), 0u);
}

TEST_F(Logging, lists_entries_over_pages_up_to_a_bound) {
  http.then(200, R"({"entries":[{"logName":"projects/p/logs/audit%2Fone","timestamp":"2026-04-09T18:03:00Z",
      "severity":"ERROR","textPayload":"t","insertId":"i","labels":{"a":"b"}}],"nextPageToken":"n"})")
      .then(503, "")
      .then(200, R"({"entries":[{"severity":400,"jsonPayload":{"message":"m","n":1}},{"textPayload":"third"}]})");
  const auto entries =
      client.list({.filter = "severity>=ERROR", .newest_first = true, .page_size = 1, .most = 2}, soon());
  ASSERT_TRUE(entries) << entries.error().text();
  ASSERT_EQ(entries->size(), 2u);
  EXPECT_EQ(entries->at(0).log, "audit/one");
  EXPECT_EQ(entries->at(0).severity, Severity::error);
  EXPECT_EQ(entries->at(0).text + entries->at(0).insert_id + entries->at(0).labels.at("a"), "tib");
  EXPECT_EQ(entries->at(1).severity, Severity::warning);
  EXPECT_EQ(entries->at(1).text, "m");
  EXPECT_EQ(entries->at(1).json, R"({"message":"m","n":1})");
  EXPECT_EQ(http.asked()[0].request.body,
            R"({"resourceNames":["projects/p"],"orderBy":"timestamp desc","filter":"severity>=ERROR","pageSize":1})");
  EXPECT_NE(http.last().body.find(R"("pageToken":"n")"), std::string::npos);
}

TEST_F(Logging, is_checked_by_one_name) {
  http.then(200, "{}");
  EXPECT_EQ(health_status_name(logging_check(client)({soon(), {}}).status), "up");
  EXPECT_EQ(asked(), "GET /v2/projects/p/logs?pageSize=1");
}

}  // namespace
}  // namespace serin::google
