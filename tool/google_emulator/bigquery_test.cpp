// Goal: BigQuery's REST surface behaves as its clients rely on. Method: calls over the handler, in simulated time.
#include <zlib.h>

#include <array>

#include "emulator_under_test.hpp"

namespace serin::google_emulator {
namespace {

struct BigQueryApi : Emulator {
  const std::string root = "/bigquery/v2/projects/p";
  void SetUp() override {
    Emulator::SetUp();
    ASSERT_EQ(post(root + "/datasets", R"({"datasetReference":{"datasetId":"d"},"labels":{"a":"b"}})").status, 200);
    ASSERT_EQ(post(root + "/datasets/d/tables", R"({"tableReference":{"tableId":"t"},"schema":{"fields":[
      {"name":"k","type":"INTEGER","mode":"REQUIRED"},{"name":"s","type":"STRING"},{"name":"at","type":"TIMESTAMP"},
      {"name":"raw","type":"BYTES"}]}})")
                  .status,
              200);
  }
  Answer insert_rows(const std::string& rows, const std::string& more = "") {
    return post(root + "/datasets/d/tables/t/insertAll", "{\"rows\":[" + rows + "]" + more + "}");
  }
};

std::string gzip(const std::string& text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::vector<unsigned char> in(text.begin(), text.end());
  std::array<unsigned char, 4096> out{};
  stream.next_in = in.data();
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = out.data();
  stream.avail_out = out.size();
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  deflateEnd(&stream);
  return {out.begin(), out.begin() + static_cast<std::ptrdiff_t>(stream.total_out)};
}

TEST_F(BigQueryApi, datasets_are_made_read_changed_and_deleted) {
  const Answer made = get(root + "/datasets/d");
  EXPECT_EQ(made.text("id"), "p:d");
  EXPECT_EQ(made.text("location"), "US");
  EXPECT_EQ(post(root + "/datasets", R"({"datasetReference":{"datasetId":"d"}})").text("error/errors/0/reason"),
            "duplicate");
  const std::string etag = made.text("etag");
  EXPECT_EQ(send("PATCH", root + "/datasets/d", R"({"friendlyName":"x"})", {{"If-Match", etag}}).text("friendlyName"),
            "x");
  EXPECT_EQ(get(root + "/datasets/d", {{"If-None-Match", etag}}).status, 200) << "it has changed";
  EXPECT_EQ(get(root + "/datasets/d", {{"If-None-Match", get(root + "/datasets/d").text("etag")}}).status, 304);
  const Answer stale = send("PATCH", root + "/datasets/d", R"({"friendlyName":"y"})", {{"If-Match", etag}});
  EXPECT_EQ(stale.status, 412);
  EXPECT_EQ(stale.text("error/errors/0/reason"), "conditionNotMet");
  EXPECT_EQ(send("PATCH", root + "/datasets/d", R"({"labels":{"a":null,"c":"d"}})").text("labels"), R"({"c":"d"})");
  EXPECT_EQ(send("DELETE", root + "/datasets/d").text("error/errors/0/reason"), "resourceInUse");
  EXPECT_EQ(send("DELETE", root + "/datasets/d?deleteContents=true").status, 204);
  EXPECT_EQ(get(root + "/datasets/d").status, 404);
}

TEST_F(BigQueryApi, paths_work_without_their_prefix_and_methods_can_be_overridden) {
  EXPECT_EQ(get("/projects/p/datasets/d").status, 200);
  EXPECT_EQ(send("POST", root + "/datasets/d", R"({"friendlyName":"x"})", {{"X-HTTP-Method-Override", "PATCH"}}).status,
            200);
  EXPECT_EQ(get(root + "/datasets?alt=json&unknown=1").text("datasets/0/id"), "p:d");
  EXPECT_EQ(get(root + "/routines").text("error/errors/0/reason"), "notImplemented");
  EXPECT_EQ(get(root + "/routines").status, 501);
}

TEST_F(BigQueryApi, gzip_bodies_are_read) {
  const std::string body = R"({"query":"SELECT 7 AS x","useLegacySql":false})";
  EXPECT_EQ(send("POST", root + "/queries", gzip(body), {{"Content-Encoding", "gzip"}}).text("rows/0/f/0/v"), "7");
  EXPECT_EQ(send("POST", root + "/queries", body, {{"Content-Encoding", "gzip"}}).status, 400);
}

TEST_F(BigQueryApi, inserted_rows_are_typed_deduplicated_and_paged) {
  EXPECT_EQ(insert_rows(R"({"insertId":"1","json":{"k":1,"s":"a","at":"2026-01-01T10:00:00Z","raw":"AP8="}},
                           {"insertId":"2","json":{"k":"2","at":1767225600.5}})")
                .text("insertErrors"),
            "null");
  EXPECT_EQ(insert_rows(R"({"insertId":"1","json":{"k":1}})").status, 200);
  const Answer rows = get(root + "/datasets/d/tables/t/data?formatOptions.useInt64Timestamp=true&maxResults=1");
  EXPECT_EQ(rows.text("totalRows"), "2") << "the second delivery of insertId 1 was left out";
  EXPECT_EQ(rows.text("rows"), R"([{"f":[{"v":"1"},{"v":"a"},{"v":"1767261600000000"},{"v":"AP8="}]}])");
  const Answer next = get(root + "/datasets/d/tables/t/data?pageToken=" + rows.text("pageToken"));
  EXPECT_EQ(next.text("rows/0/f/2/v"), "1.7672256005E9");
  EXPECT_EQ(next.text("pageToken"), "null");
  world.advance(2min);
  EXPECT_EQ(insert_rows(R"({"insertId":"1","json":{"k":1}})").status, 200);
  EXPECT_EQ(get(root + "/datasets/d/tables/t").text("numRows"), "3") << "after its time an insertId is new";
}

TEST_F(BigQueryApi, a_bad_row_stops_the_others_unless_it_is_to_be_skipped) {
  const std::string rows = R"({"json":{"k":1}},{"json":{"k":"x"}},{"json":{"k":3,"nope":1}},{"json":{"s":"no key"}})";
  const Answer stopped = insert_rows(rows);
  EXPECT_EQ(stopped.text("insertErrors/0/errors/0/reason"), "stopped");
  EXPECT_EQ(stopped.text("insertErrors/1/errors/0/location"), "k");
  EXPECT_EQ(stopped.text("insertErrors/2/errors/0/message"), "no such field: nope.");
  EXPECT_EQ(get(root + "/datasets/d/tables/t").text("numRows"), "0");
  EXPECT_EQ(insert_rows(rows, R"(,"skipInvalidRows":true,"ignoreUnknownValues":true)").text("insertErrors/0/index"),
            "1");
  EXPECT_EQ(get(root + "/datasets/d/tables/t").text("numRows"), "2");
}

TEST_F(BigQueryApi, a_query_has_schema_job_and_pages) {
  const Answer first = query("SELECT x, x / 2 AS h FROM UNNEST([1, 2, 3]) AS x ORDER BY x", R"("maxResults":2)");
  EXPECT_EQ(first.text("schema/fields/0/type"), "INTEGER");
  EXPECT_EQ(first.text("schema/fields/1/type"), "FLOAT");
  EXPECT_EQ(first.text("totalRows"), "3");
  EXPECT_EQ(first.text("jobReference/location"), "US");
  const std::string job = first.text("jobReference/jobId");
  const Answer rest = get(root + "/queries/" + job + "?pageToken=" + first.text("pageToken"));
  EXPECT_EQ(rest.text("rows"), R"([{"f":[{"v":"3"},{"v":"1.5"}]}])");
  EXPECT_EQ(get(root + "/queries/" + job + "?startIndex=1&maxResults=1").text("rows/0/f/0/v"), "2");
  EXPECT_EQ(get(root + "/jobs/" + job).text("status/state"), "DONE");
  EXPECT_EQ(get(root + "/jobs/none").text("error/errors/0/reason"), "notFound");
}

TEST_F(BigQueryApi, a_request_id_runs_once_for_fifteen_minutes) {
  const std::string insert = "INSERT INTO t(k) VALUES (1)";
  const std::string id = query(insert, R"("requestId":"r1")").text("jobReference/jobId");
  EXPECT_EQ(query(insert, R"("requestId":"r1")").text("jobReference/jobId"), id);
  EXPECT_EQ(rows("SELECT COUNT(*) FROM t"), "1");
  world.advance(16min);
  EXPECT_NE(query(insert, R"("requestId":"r1")").text("jobReference/jobId"), id);
  EXPECT_EQ(rows("SELECT COUNT(*) FROM t"), "2");
}

TEST_F(BigQueryApi, jobs_are_inserted_once_listed_cancelled_and_deleted) {
  const std::string body = R"({"jobReference":{"jobId":"mine"},"configuration":{"labels":{"k":"v"},
    "query":{"query":"SELECT 1 AS x","useLegacySql":false}}})";
  EXPECT_EQ(post(root + "/jobs", body).text("status/state"), "DONE");
  const Answer again = post(root + "/jobs", body);
  EXPECT_EQ(again.status, 409);
  EXPECT_EQ(again.text("error/errors/0/reason"), "duplicate");
  EXPECT_EQ(get(root + "/queries/mine").text("rows/0/f/0/v"), "1");
  EXPECT_EQ(get(root + "/jobs?stateFilter=done").text("jobs/0/configuration/labels/k"), "v");
  EXPECT_EQ(post(root + "/jobs/mine/cancel", "").text("job/id"), "p:US.mine");
  EXPECT_EQ(send("DELETE", root + "/jobs/mine/delete").status, 204);
  EXPECT_EQ(get(root + "/jobs/mine").status, 404);
  EXPECT_EQ(post(root + "/jobs", R"({"configuration":{"load":{}}})").status, 400);
}

TEST_F(BigQueryApi, a_failed_job_is_done_with_its_error) {
  const Answer job =
      post(root + "/jobs", R"({"jobReference":{"jobId":"bad"},"configuration":{"query":{"query":"SELEC"}}})");
  EXPECT_EQ(job.status, 200);
  EXPECT_EQ(job.text("status/errorResult/reason"), "invalidQuery");
  EXPECT_EQ(get(root + "/queries/bad").text("error/errors/0/reason"), "invalidQuery");
}

TEST_F(BigQueryApi, a_dry_run_changes_nothing_and_tells_schema_and_bytes) {
  insert_rows(R"({"json":{"k":1,"s":"abc"}})");
  const Answer dry = query("SELECT k, s FROM t", R"("dryRun":true)");
  EXPECT_EQ(dry.text("totalBytesProcessed"), "13") << "8 for k, 2 + 3 for s";
  EXPECT_EQ(dry.text("schema/fields/1/name"), "s");
  EXPECT_EQ(dry.text("jobReference"), "null");
  EXPECT_EQ(query("DELETE FROM t WHERE TRUE", R"("dryRun":true)").status, 200);
  EXPECT_EQ(rows("SELECT COUNT(*) FROM t"), "1");
  const Answer limited = query("SELECT s FROM t", R"("maximumBytesBilled":"1000")");
  EXPECT_EQ(limited.text("error/errors/0/reason"), "bytesBilledLimitExceeded");
}

TEST_F(BigQueryApi, a_session_holds_a_transaction_and_others_do_not_see_it) {
  const std::string id = query("SELECT 1", R"("createSession":true)").text("sessionInfo/sessionId");
  const std::string inside = R"("connectionProperties":[{"key":"session_id","value":")" + id + "\"}]";
  change("BEGIN TRANSACTION", inside);
  EXPECT_EQ(change("INSERT INTO t(k) VALUES (1)", inside), "1");
  EXPECT_EQ(query("INSERT INTO t(k) VALUES (NULL)", inside).status, 400);
  EXPECT_EQ(rows("SELECT COUNT(*) FROM t", inside), "1") << "a failed statement leaves the rest of the transaction";
  EXPECT_EQ(rows("SELECT COUNT(*) FROM t"), "0");
  change("COMMIT TRANSACTION", inside);
  EXPECT_EQ(rows("SELECT COUNT(*) FROM t"), "1");
  change("BEGIN TRANSACTION", inside);
  change("DELETE FROM t WHERE TRUE", inside);
  change("ROLLBACK TRANSACTION", inside);
  EXPECT_EQ(rows("SELECT COUNT(*) FROM t"), "1");
  EXPECT_EQ(rows("COMMIT TRANSACTION", inside), "There is no active transaction");
}

TEST_F(BigQueryApi, a_transaction_that_read_what_changed_since_is_aborted) {
  const std::string id = query("SELECT 1", R"("createSession":true)").text("sessionInfo/sessionId");
  const std::string inside = R"("connectionProperties":[{"key":"session_id","value":")" + id + "\"}]";
  change("BEGIN TRANSACTION", inside);
  EXPECT_EQ(rows("SELECT COUNT(*) FROM t", inside), "0");
  change("INSERT INTO t(k) VALUES (1)");
  EXPECT_EQ(rows("INSERT INTO t(k) VALUES (2)", inside),
            "Transaction is aborted due to concurrent update against the database");
}

TEST_F(BigQueryApi, a_forgotten_session_is_ended_and_undone) {
  const std::string id = query("SELECT 1", R"("createSession":true)").text("sessionInfo/sessionId");
  const std::string inside = R"("connectionProperties":[{"key":"session_id","value":")" + id + "\"}]";
  change("BEGIN TRANSACTION", inside);
  change("INSERT INTO t(k) VALUES (1)", inside);
  world.advance(2min);
  EXPECT_EQ(change("INSERT INTO t(k) VALUES (2)"), "1");
  EXPECT_EQ(rows("SELECT k FROM t"), "2");
  EXPECT_NE(rows("SELECT 1", inside), "1");
}

TEST_F(BigQueryApi, tables_get_columns_and_keep_the_rest) {
  EXPECT_EQ(send("PATCH", root + "/datasets/d/tables/t", R"({"schema":{"fields":[
      {"name":"k","type":"INTEGER","mode":"REQUIRED"},{"name":"s","type":"STRING"},{"name":"at","type":"TIMESTAMP"},
      {"name":"raw","type":"BYTES"},{"name":"more","type":"FLOAT"}]}})")
                .text("schema/fields/4/name"),
            "more");
  EXPECT_EQ(
      send("PATCH", root + "/datasets/d/tables/t", R"({"schema":{"fields":[{"name":"k","type":"INTEGER"}]}})").status,
      400);
  EXPECT_EQ(get(root + "/datasets/d/tables?maxResults=10").text("totalItems"), "1");
}

TEST_F(BigQueryApi, a_destination_table_is_written_as_its_disposition_says) {
  const std::string to = R"("destinationTable":{"projectId":"p","datasetId":"d","tableId":"out"},"writeDisposition":)";
  EXPECT_EQ(rows("SELECT 1 AS x", to + "\"WRITE_EMPTY\""), "1");
  EXPECT_EQ(query("SELECT 2 AS x", to + "\"WRITE_EMPTY\"").status, 409);
  EXPECT_EQ(rows("SELECT 2 AS x", to + "\"WRITE_APPEND\""), "2");
  EXPECT_EQ(rows("SELECT COUNT(*) FROM out"), "2");
  EXPECT_EQ(rows("SELECT 3 AS x", to + "\"WRITE_TRUNCATE\""), "3");
  EXPECT_EQ(rows("SELECT x FROM d.out"), "3");
}

TEST_F(BigQueryApi, the_state_survives_a_restart) {
  const std::string job =
      query("SELECT 1.5 AS f, 'x' AS s, b'\\xff' AS b, NULL AS n, ARRAY_AGG(y) AS l FROM UNNEST([2, 3]) AS y")
          .text("jobReference/jobId");
  const std::string before = get(root + "/queries/" + job).raw.body;
  EXPECT_EQ(query("SELEC", R"("requestId":"wrong")").status, 400);
  insert_rows(R"({"json":{"k":5}})");
  begin();
  EXPECT_EQ(rows("SELECT k FROM t"), "5");
  EXPECT_EQ(get(root + "/queries/" + job).raw.body, before);
  EXPECT_NE(get(root + "/jobs?stateFilter=done").raw.body.find("invalidQuery"), std::string::npos);
}

}  // namespace
}  // namespace serin::google_emulator
