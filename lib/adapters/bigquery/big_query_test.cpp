// Goal: statements go to BigQuery as its documents say, are done once whatever happens on the way, and end with the
// caller's time. Method: a scripted HTTP client that keeps what was asked; sim::World's time.
#include "serin/bigquery/big_query.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <set>

#include "../google/scripted_http.hpp"
#include "serin/sim/world.hpp"

namespace serin::google {
namespace {

namespace json = boost::json;

const std::string one_row =
    R"({"jobComplete":true,"jobReference":{"projectId":"p","jobId":"j","location":"EU"},"totalRows":"1",
        "schema":{"fields":[{"name":"a","type":"INTEGER"}]},"rows":[{"f":[{"v":"7"}]}],"totalBytesProcessed":"80"})";
const std::string done = R"({"jobComplete":true,"jobReference":{"projectId":"p","jobId":"j","location":"EU"},
                             "numDmlAffectedRows":"3"})";
const std::string running = R"({"jobComplete":false,"jobReference":{"projectId":"p","jobId":"j","location":"EU"}})";
std::string error(int code, const std::string& reason, const std::string& message) {
  return R"({"error":{"code":)" + std::to_string(code) + R"(,"message":")" + message + R"(","errors":[{"reason":")" +
         reason + R"("}]}})";
}

class BigQueryCalls : public testing::Test {
 protected:
  BigQuery& sql() {
    if (!made)
      made = BigQuery::open(options, Api::make(http, tokens, world.sleeper(), world.random(), api).value()).value();
    return *made;
  }
  Deadline in(Duration time) { return Deadline::after(world.now(), time); }
  json::object body(std::size_t n) { return json::parse(http.asked().at(n).request.body).as_object(); }
  std::string target(std::size_t n) {
    return http.asked().at(n).request.method + " " + http.asked().at(n).request.target;
  }
  std::string words(std::size_t n) { return std::string(body(n).at("query").as_string()); }
  sim::World world;
  ScriptedHttp http{world.sleeper()};
  FixedToken tokens{"owner"};
  BigQueryOptions options{.project = "p", .dataset = "d", .labels = {{"team", "core"}}};
  ApiOptions api = BigQuery::defaults();
  std::unique_ptr<BigQuery> made;
};

TEST_F(BigQueryCalls, a_query_is_one_request_that_may_be_sent_twice) {
  options.max_bytes_billed = 1000;
  http.then(503).then(200, one_row);
  const auto table =
      sql().query("SELECT a FROM t WHERE b = $1 AND c = $2", {std::int64_t{5}, std::monostate()}, in(60s));
  ASSERT_TRUE(table) << table.error().text();
  EXPECT_EQ(table->columns, std::vector<std::string>{"a"});
  EXPECT_EQ(table->rows.at(0).at(0), SqlValue(std::int64_t{7}));
  ASSERT_EQ(http.count(), 2u);
  EXPECT_EQ(target(0), "POST /bigquery/v2/projects/p/queries");
  json::object sent = body(0);
  EXPECT_EQ(sent, body(1)) << "the request id too";
  EXPECT_EQ(sent.at("requestId").as_string().size(), 32u);
  EXPECT_EQ(sent.at("query").as_string(), "SELECT a FROM t WHERE b = @p1 AND c = NULL");
  EXPECT_EQ(sent.at("useLegacySql"), false);
  EXPECT_EQ(sent.at("maximumBytesBilled"), "1000");
  EXPECT_EQ(sent.at("jobTimeoutMs"), "60000");
  EXPECT_EQ(sent.at("labels"), json::parse(R"({"team":"core"})"));
  EXPECT_EQ(sent.at("defaultDataset"), json::parse(R"({"projectId":"p","datasetId":"d"})"));
  EXPECT_EQ(sent.at("formatOptions"), json::parse(R"({"useInt64Timestamp":true})"));
  EXPECT_EQ(sent.at("queryParameters").as_array().size(), 1u) << "a NULL has no type";
}

TEST_F(BigQueryCalls, waits_for_the_job_and_reads_all_pages_where_it_runs) {
  const std::string first = R"({"jobComplete":true,"totalRows":"2","pageToken":"next page",
      "schema":{"fields":[{"name":"a","type":"INTEGER"}]},"rows":[{"f":[{"v":"1"}]}]})";
  const std::string second = R"({"jobComplete":true,"totalRows":"2","rows":[{"f":[{"v":"2"}]}]})";
  http.then(200, running).then(200, running).then(200, first).then(200, second);
  const auto table = sql().query("SELECT a FROM t", {}, in(60s));
  ASSERT_TRUE(table) << table.error().text();
  EXPECT_EQ(table->rows.size(), 2u);
  EXPECT_EQ(target(1),
            "GET /bigquery/v2/projects/p/queries/j?formatOptions.useInt64Timestamp=true&timeoutMs=10000&location=EU");
  EXPECT_NE(target(3).find("pageToken=next%20page"), std::string::npos) << target(3);
  EXPECT_NE(target(3).find("location=EU"), std::string::npos) << target(3);
}

TEST_F(BigQueryCalls, a_page_that_is_lost_is_not_the_end) {
  http.then(200, R"({"jobComplete":true,"jobReference":{"jobId":"j"},"totalRows":"2",
      "schema":{"fields":[{"name":"a","type":"INTEGER"}]},"rows":[{"f":[{"v":"1"}]}]})");
  EXPECT_EQ(sql().query("SELECT a FROM t", {}, in(60s)).error().code(), Errc::data_loss);
}

TEST_F(BigQueryCalls, cancels_what_is_not_done_in_time) {
  http.then([&](const HttpRequest& request) -> Result<HttpResponse> {
    if (request.target.find("/cancel") == std::string::npos) world.advance(2s);
    return HttpResponse{.body = running};
  });
  const auto late = sql().query("SELECT a FROM t", {}, in(5s));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code(), Errc::deadline_exceeded) << late.error().text();
  EXPECT_EQ(target(http.count() - 1), "POST /bigquery/v2/projects/p/jobs/j/cancel?location=EU");
  EXPECT_EQ(sql().query("SELECT 1", {}, in(0s)).error().code(), Errc::deadline_exceeded);
}

TEST_F(BigQueryCalls, cancels_when_the_process_is_asked_to_stop) {
  std::stop_source stop;
  options.stop = stop.get_token();
  http.then([&](const HttpRequest& request) -> Result<HttpResponse> {
    if (request.method == "GET") {
      stop.request_stop();
      return fail(Errc::cancelled, "given up");
    }
    return HttpResponse{.body = running};
  });
  EXPECT_EQ(sql().query("SELECT a FROM t", {}, in(60s)).error().code(), Errc::cancelled);
  EXPECT_NE(target(http.count() - 1).find("/jobs/j/cancel"), std::string::npos);
}

TEST_F(BigQueryCalls, a_query_whose_job_broke_gets_two_new_jobs_and_a_write_none) {
  api.retry.max_attempts = 1;
  http.then(400, error(400, "jobBackendError", "try again"))
      .then(400, error(400, "jobInternalError", "x"))
      .then(200, one_row);
  EXPECT_TRUE(sql().query("SELECT a FROM t", {}, in(60s)));
  ASSERT_EQ(http.count(), 3u);
  std::set<std::string> ids;
  for (std::size_t n = 0; n < 3; ++n) ids.insert(std::string(body(n).at("requestId").as_string()));
  EXPECT_EQ(ids.size(), 3u) << "the old id would give the old job";
  http.clear();
  http.then(400, error(400, "jobBackendError", "try again"));
  EXPECT_FALSE(sql().execute("DELETE FROM t", {}, in(60s)));
  EXPECT_EQ(http.count(), 1u);
}

TEST_F(BigQueryCalls, mistakes_have_the_ports_codes) {
  http.then(404, error(404, "notFound", "Not found: Table p:d.t was not found in location EU"));
  EXPECT_EQ(sql().query("SELECT a FROM t", {}, in(60s)).error().code(), Errc::invalid_argument);
  http.clear();
  http.then(400, error(400, "invalidQuery", "Syntax error: Unexpected identifier SELEKT at [1:1]"));
  const auto syntax = sql().query("SELEKT 1", {}, in(60s));
  EXPECT_EQ(syntax.error().code(), Errc::invalid_argument);
  EXPECT_NE(syntax.error().detail().find("SELEKT"), std::string::npos);
  http.clear();
  http.then(403, error(403, "accessDenied", "no"));
  EXPECT_EQ(sql().query("SELECT 1", {}, in(60s)).error().code(), Errc::permission_denied);
  http.clear();
  EXPECT_EQ(sql().query("", {}, in(60s)).error().code(), Errc::invalid_argument);
  EXPECT_EQ(http.count(), 0u);
}

TEST_F(BigQueryCalls, a_long_job_is_found_again_by_its_id) {
  http.then(Errc::unavailable, "reset")
      .then(409, error(409, "duplicate", "Already Exists: Job"))
      .then(404, error(404, "notFound", "Not found: Job"))
      .then(200, R"({"status":{"state":"RUNNING"}})")
      .then(200, one_row);
  const auto answer = sql().run_job("SELECT a FROM t", {}, {.batch = true, .destination = "x.y"}, in(600s));
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_EQ(answer->table.rows.size(), 1u);
  EXPECT_EQ(answer->bytes_processed, 80);
  EXPECT_EQ(answer->job.substr(0, 6), "serin_");
  EXPECT_EQ(body(0), body(1));
  EXPECT_EQ(body(0).at("jobReference").as_object().at("jobId").as_string(), answer->job);
  const json::object query = body(0).at("configuration").as_object().at("query").as_object();
  EXPECT_EQ(query.at("priority"), "BATCH");
  EXPECT_EQ(query.at("destinationTable"), json::parse(R"({"projectId":"p","datasetId":"x","tableId":"y"})"));
  EXPECT_EQ(target(2), "GET /bigquery/v2/projects/p/jobs/" + answer->job);
  EXPECT_EQ(target(3), target(2)) << "made, but not seen yet";
}

TEST_F(BigQueryCalls, a_job_that_ended_with_an_error_is_one) {
  http.then(200, R"({"status":{"state":"DONE","errorResult":{"reason":"invalidQuery","message":"Syntax error"}}})");
  const auto answer = sql().run_job("DELETE FROM t", {}, {}, in(600s));
  EXPECT_EQ(answer.error().code(), Errc::invalid_argument) << answer.error().text();
}

/// A service that takes every statement: one row changed each, and a session for who asks for one.
class Transactions : public BigQueryCalls {
 protected:
  Transactions() {
    http.then([this](const HttpRequest& request) -> Result<HttpResponse> {
      const std::string sent(json::parse(request.body).at("query").as_string());
      said.push_back((request.body.find("connectionProperties") == std::string::npos ? "" : "in s1: ") +
                     sent.substr(0, sent.find(" AS SELECT 1 AS id")).substr(0, 40));
      if (lose_commit && sent.starts_with("COMMIT")) return fail(Errc::unavailable, "reset");
      const bool refused = sent.starts_with("UPDATE serin_turn SET holder = @p1") && refusals-- > 0;
      return HttpResponse{.body = R"({"jobComplete":true,"sessionInfo":{"sessionId":"s1"},"numDmlAffectedRows":")" +
                                  std::string(refused || turn_is_lost ? "0" : "1") + "\"}"};
    });
  }
  static Status erase_all(SqlSession& session) {
    SERIN_CHECK(session.execute("DELETE FROM t", {}));
    return {};
  }
  static Status only_read(SqlSession& session) {
    SERIN_CHECK(session.query("SELECT a FROM t", {}));
    return {};
  }
  std::vector<std::string> said;
  int refusals = 0;
  bool lose_commit = false;
  bool turn_is_lost = false;
  const std::string make = "CREATE TABLE IF NOT EXISTS serin_turn";
  const std::string take = "UPDATE serin_turn SET holder = @p1, unti";
  const std::string give = "UPDATE serin_turn SET holder = '' WHERE ";
};

TEST_F(Transactions, begin_with_their_first_write_in_a_session) {
  const Status kept = sql().transaction(
      [](SqlSession& session) -> Status {
        SERIN_CHECK(session.query("SELECT a FROM t", {}));
        SERIN_CHECK(session.execute("CREATE TABLE u(a INTEGER)", {}));
        SERIN_TRY(const std::int64_t changed, session.execute("DELETE FROM t", {}));
        SERIN_CHECK(session.query("SELECT b FROM t", {}));
        return changed == 1 ? Status() : fail(Errc::internal, "not told how many");
      },
      in(60s));
  ASSERT_TRUE(kept) << kept.error().text();
  EXPECT_EQ(said, (std::vector<std::string>{make, take, "SELECT a FROM t", "CREATE TABLE IF NOT EXISTS u (`a` INT64)",
                                            "BEGIN TRANSACTION", "in s1: " + give, "in s1: DELETE FROM t WHERE TRUE",
                                            "in s1: SELECT b FROM t", "in s1: COMMIT TRANSACTION"}))
      << "the turn is given back with the commit";
  EXPECT_EQ(body(4).at("createSession"), true);
}

TEST_F(Transactions, that_fail_are_rolled_back_and_give_their_turn_back) {
  const Status failed = sql().transaction(
      [](SqlSession& session) -> Status {
        SERIN_CHECK(session.execute("DELETE FROM t", {}));
        return fail(Errc::internal, "changed my mind");
      },
      in(60s));
  EXPECT_EQ(failed.error().code(), Errc::internal);
  EXPECT_EQ(said, (std::vector<std::string>{make, take, "BEGIN TRANSACTION", "in s1: " + give,
                                            "in s1: DELETE FROM t WHERE TRUE", "in s1: ROLLBACK TRANSACTION", give}));
  said.clear();
  ASSERT_TRUE(sql().transaction(erase_all, in(60s)));
  EXPECT_EQ(said.at(1), "in s1: BEGIN TRANSACTION") << "the session of before";
}

TEST_F(Transactions, that_only_read_begin_nothing) {
  ASSERT_TRUE(sql().transaction(only_read, in(60s)));
  EXPECT_EQ(said, (std::vector<std::string>{make, take, "SELECT a FROM t", give}));
}

TEST_F(Transactions, wait_for_somebody_elses_as_long_as_they_may) {
  refusals = 3;
  int runs = 0;
  const auto count = [&](SqlSession&) -> Status { return ++runs, Status(); };
  EXPECT_TRUE(sql().transaction(count, in(60s)));
  EXPECT_EQ(runs, 1);
  refusals = 1000;
  const Instant began = world.now();
  const Status late = sql().transaction(count, in(3s));
  EXPECT_EQ(late.error().code(), Errc::deadline_exceeded) << late.error().text();
  EXPECT_LE(world.now() - began, 3s);
  EXPECT_EQ(runs, 1);
}

TEST_F(Transactions, whose_turn_ran_out_write_nothing) {
  const Status late = sql().transaction(
      [this](SqlSession& session) -> Status {
        turn_is_lost = true;
        SERIN_CHECK(session.execute("DELETE FROM t", {}));
        return {};
      },
      in(60s));
  EXPECT_EQ(late.error().code(), Errc::conflict) << late.error().text();
  EXPECT_EQ(std::ranges::count(said, "in s1: DELETE FROM t WHERE TRUE"), 0);
}

TEST_F(Transactions, whose_commit_nobody_heard_of_say_so) {
  api.retry.max_attempts = 1;
  lose_commit = true;
  const Status unknown = sql().transaction(erase_all, in(60s));
  EXPECT_EQ(unknown.error().code(), Errc::unavailable);
  EXPECT_NE(unknown.error().detail().find("may have been done"), std::string::npos) << unknown.error().text();
}

TEST_F(BigQueryCalls, what_is_too_large_is_refused_before_it_is_read) {
  options.max_bytes_read = 79;
  http.then(200, one_row);
  const auto large = sql().query("SELECT a FROM t", {}, in(60s));
  EXPECT_EQ(large.error().code(), Errc::rejected) << large.error().text();
  ASSERT_EQ(http.count(), 1u);
  EXPECT_EQ(body(0).at("dryRun"), true);
  EXPECT_EQ(sql().dry_run("SELECT a FROM t", {}, in(60s)), 80);
}

TEST_F(BigQueryCalls, a_reader_sends_nothing_that_writes) {
  options.read_only = true;
  for (const char* write :
       {"DELETE FROM t", "CREATE TABLE t(a TEXT)", "MERGE t USING u ON TRUE WHEN MATCHED THEN DELETE"})
    EXPECT_EQ(sql().execute(write, {}, in(60s)).error().code(), Errc::permission_denied) << write;
  EXPECT_FALSE(sql().transaction([](SqlSession&) -> Status { return {}; }, in(60s)));
  EXPECT_EQ(http.count(), 0u);
}

TEST_F(BigQueryCalls, a_table_that_numbers_its_rows_is_asked_once) {
  http.then(200, R"({"schema":{"fields":[{"name":"id","type":"INTEGER","description":"numbered by whoever inserts"},
                                         {"name":"a","type":"INTEGER"}]}})")
      .then(200, done);
  ASSERT_TRUE(sql().execute("INSERT INTO x.t(a) VALUES($1)", {std::int64_t{1}}, in(60s)));
  ASSERT_TRUE(sql().execute("INSERT INTO x.t(a) VALUES($1)", {std::int64_t{1}}, in(60s)));
  ASSERT_EQ(http.count(), 3u);
  EXPECT_EQ(target(0), "GET /bigquery/v2/projects/p/datasets/x/tables/t");
  EXPECT_EQ(words(2), "INSERT INTO x.t (`id`, `a`) VALUES (UNIX_MICROS(CURRENT_TIMESTAMP()) * 1000 + 0, @p1)");
}

TEST_F(BigQueryCalls, streamed_rows_that_are_not_taken_are_named) {
  http.then(200, R"({"insertErrors":[{"index":1,"errors":[{"reason":"invalid","message":"no such field: x"}]}]})")
      .then(200);
  std::vector<StreamedRow> rows(501, {.json = R"({"a":1})", .insert_id = "i"});
  const auto rejected = sql().insert_all("t", rows, in(60s));
  ASSERT_TRUE(rejected) << rejected.error().text();
  ASSERT_EQ(rejected->size(), 1u);
  EXPECT_EQ(rejected->at(0).index, 1u);
  EXPECT_EQ(rejected->at(0).reason, "invalid");
  ASSERT_EQ(http.count(), 2u);
  EXPECT_EQ(target(0), "POST /bigquery/v2/projects/p/datasets/d/tables/t/insertAll");
  EXPECT_EQ(body(1).at("rows").as_array().size(), 1u);
  EXPECT_FALSE(sql().insert_all("t", {{.json = "no json", .insert_id = {}}}, in(60s)));
}

TEST_F(BigQueryCalls, its_check_tries_a_query_out_and_looks_for_the_dataset) {
  http.then(200, one_row);
  EXPECT_EQ(bigquery_check(sql())({.deadline = in(5s), .stop = {}}).status, health::HealthStatus::up);
  EXPECT_EQ(body(0).at("dryRun"), true);
  EXPECT_EQ(target(1), "GET /bigquery/v2/projects/p/datasets/d");
  http.clear();
  http.then(403, error(403, "accessDenied", "no"));
  EXPECT_EQ(bigquery_check(sql())({.deadline = in(5s), .stop = {}}).status, health::HealthStatus::down);
}

TEST_F(BigQueryCalls, options_are_checked_when_it_is_opened) {
  for (const BigQueryOptions& wrong :
       std::vector<BigQueryOptions>{{}, {.project = "p", .new_jobs = -1}, {.project = "p", .max_bytes_billed = -1}})
    EXPECT_EQ(BigQuery::open(wrong, nullptr).error().code(), Errc::invalid_argument);
}

}  // namespace
}  // namespace serin::google
