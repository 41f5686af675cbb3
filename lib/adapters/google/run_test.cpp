// Goal: services of Cloud Run are read, changed against what was read, and waited for; jobs are run and followed.
// Method: answers as the service writes them; waits on fake time.
#include <gtest/gtest.h>

#include "client_under_test.hpp"
#include "serin/google/checks.hpp"
#include "serin/google/cloud_run.hpp"

namespace serin::google {
namespace {

const std::string service_json =
    R"({"name":"projects/p/locations/l/services/api","uri":"https://api.run.app","etag":"e1",
  "generation":"4","observedGeneration":"4","latestReadyRevision":"projects/p/locations/l/services/api/revisions/api-2",
  "latestCreatedRevision":"projects/p/locations/l/services/api/revisions/api-3",
  "traffic":[{"type":"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION","revision":"api-1","percent":90,"tag":"old"},
    {"type":"TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST","percent":10}],
  "trafficStatuses":[{"revision":"api-1","percent":100}],
  "terminalCondition":{"type":"Ready","state":"CONDITION_SUCCEEDED"}})";
const std::string operation_json = R"({"name":"projects/p/locations/l/operations/o","metadata":{"name":"m"}})";
const std::string done_json =
    R"({"name":"projects/p/locations/l/operations/o","done":true,
      "response":{"name":"projects/p/locations/l/services/api"}})";

using Cloud_run = ClientUnderTest<CloudRun>;

TEST_F(Cloud_run, reads_a_service) {
  http.then(200, service_json);
  const auto service = client.get_service("api", soon());
  ASSERT_TRUE(service) << service.error().text();
  EXPECT_EQ(asked(), "GET /v2/projects/p/locations/l/services/api");
  EXPECT_EQ(service->name, "api");
  EXPECT_EQ(service->generation, 4);
  EXPECT_EQ(service->latest_ready_revision, "api-2");
  EXPECT_EQ(service->latest_created_revision, "api-3");
  EXPECT_EQ(service->traffic, (std::vector<TrafficTarget>{{"api-1", 90, "old"}, {"", 10, ""}}));
  EXPECT_EQ(service->traffic_statuses, (std::vector<TrafficTarget>{{"api-1", 100, ""}}));
  EXPECT_EQ(service->condition.state, RunState::succeeded);
  EXPECT_NE(service->json.find("observedGeneration"), std::string::npos);
}

TEST_F(Cloud_run, lists_services_and_revisions) {
  http.then(200, R"({"services":[{"name":"a/b"}],"nextPageToken":"n"})").then(200, R"({"services":[{"name":"a/c"}]})");
  EXPECT_EQ(client.services(soon())->at(1).name, "c");
  EXPECT_EQ(asked(), "GET /v2/projects/p/locations/l/services?pageToken=n");
  http.clear();
  http.then(200, R"({"revisions":[{"name":"x/revisions/api-2","createTime":"2026-04-09T18:03:00Z",
    "containers":[{"image":"i:2"}],"conditions":[{"type":"Active","state":"CONDITION_FAILED"},
    {"type":"Ready","state":"CONDITION_FAILED","message":"crashed","revisionReason":"EXIT"}]}]})");
  const auto revisions = client.revisions("api", soon());
  EXPECT_EQ(asked(), "GET /v2/projects/p/locations/l/services/api/revisions");
  ASSERT_EQ(revisions->size(), 1u);
  EXPECT_EQ(revisions->front().name + " " + revisions->front().image, "api-2 i:2");
  EXPECT_EQ(revisions->front().condition.state, RunState::failed);
  EXPECT_EQ(revisions->front().condition.reason, "EXIT");
}

TEST_F(Cloud_run, moves_traffic_against_what_was_read) {
  http.then(200, operation_json);
  const auto moved = client.set_traffic("api", {{"api-1", 95}, {"api-2", 5, "new"}}, "e1", soon());
  ASSERT_TRUE(moved) << moved.error().text();
  EXPECT_EQ(asked(), "PATCH /v2/projects/p/locations/l/services/api?updateMask=traffic");
  EXPECT_EQ(http.last().body,
            R"({"traffic":[{"type":"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION","percent":95,"revision":"api-1"},)"
            R"({"type":"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION","percent":5,"revision":"api-2","tag":"new"}],)"
            R"("etag":"e1"})");
  EXPECT_EQ(moved->name, "projects/p/locations/l/operations/o");
  EXPECT_FALSE(moved->done);
  EXPECT_EQ(errc_name(client.set_traffic("api", {{"api-1", 95}}, "", soon()).error().code()), "invalid_argument");
  EXPECT_FALSE(client.set_traffic("api", {{"a", 110}, {"b", -10}}, "", soon()));
}

TEST_F(Cloud_run, that_changed_since_it_was_read_is_a_conflict_and_not_tried_again) {
  http.then(409,
            R"({"error":{"status":"ABORTED","message":"Conflict for resource 'api': version 'e1' was specified"}})");
  const auto moved = client.set_traffic("api", {{"api-1", 100}}, "e1", soon());
  ASSERT_FALSE(moved);
  EXPECT_EQ(errc_name(moved.error().code()), "conflict");
  EXPECT_EQ(http.count(), 1u);
}

TEST_F(Cloud_run, that_may_have_been_changed_is_not_changed_again) {
  http.then(503, "");
  EXPECT_FALSE(client.patch_service("api", R"({"labels":{}})", "labels", "", soon()));
  EXPECT_FALSE(client.run_job("j", {}, soon()));
  EXPECT_EQ(http.count(), 2u);
  EXPECT_EQ(errc_name(client.patch_service("api", "{", "labels", "", soon()).error().code()), "invalid_argument");
}

TEST_F(Cloud_run, waits_for_an_operation_at_the_service_and_no_faster_than_once_a_second) {
  http.then(200, operation_json).then(200, operation_json).then(503, "").then(200, done_json);
  const auto done = client.wait("projects/p/locations/l/operations/o", soon());
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_TRUE(done->done);
  EXPECT_FALSE(done->error);
  EXPECT_EQ(done->target, "projects/p/locations/l/services/api");
  EXPECT_EQ(asked(), "POST /v2/projects/p/locations/l/operations/o:wait");
  EXPECT_EQ(http.last().body, R"({"timeout":"30s"})");
  const auto all = http.asked();
  EXPECT_GE(all[1].at - all[0].at, 1s) << "it answered at once";
  EXPECT_GE(all[2].at - all[1].at, 1300ms);
}

TEST_F(Cloud_run, that_waits_long_enough_itself_is_asked_again_at_once) {
  http.then([&](const HttpRequest&) -> Result<HttpResponse> {
    world.advance(30s);
    return HttpResponse{.status = 200, .headers = {}, .body = operation_json};
  });
  const Instant began = world.now();
  const auto late = client.wait("projects/p/locations/l/operations/o", in(100s));
  ASSERT_FALSE(late);
  EXPECT_EQ(errc_name(late.error().code()), "deadline_exceeded");
  EXPECT_LE(http.count(), 5u);
  EXPECT_EQ(http.asked()[1].at - began, 30s);
  EXPECT_EQ(http.asked()[3].request.body, R"({"timeout":"10s"})") << "no longer than the deadline lets";
}

TEST_F(Cloud_run, tells_how_an_operation_failed) {
  http.then(200, R"({"name":"o","done":true,"error":{"code":9,"message":"Revision 'api-3' is not ready"}})");
  const auto done = client.operation("projects/p/locations/l/operations/o", soon());
  ASSERT_TRUE(done->error);
  EXPECT_EQ(done->error->text(), "conflict: 400 FAILED_PRECONDITION: Revision 'api-3' is not ready");
  for (const char* name : {"", "a//b", "../x", "a/./b"}) EXPECT_FALSE(client.operation(name, soon())) << name;
}

TEST_F(Cloud_run, gives_up_waiting_when_the_caller_does) {
  http.then(200, operation_json);
  std::stop_source stop;
  world.at(world.now() + 5s, [&] { stop.request_stop(); });
  const auto given_up = client.wait("projects/p/locations/l/operations/o", {soon(), stop.get_token()});
  EXPECT_EQ(errc_name(given_up.error().code()), "cancelled");
}

TEST_F(Cloud_run, runs_a_job_with_overrides_and_follows_its_execution) {
  http.then(200, R"({"name":"projects/p/locations/l/operations/o","metadata":{"@type":"x.Execution",
    "name":"projects/p/locations/l/jobs/nightly/executions/nightly-1"}})");
  const auto started = client.run_job(
      "nightly", {.args = {"--day", "3"}, .environment = {{"A", "b"}}, .tasks = 2, .timeout = 90s}, soon());
  ASSERT_TRUE(started) << started.error().text();
  EXPECT_EQ(asked(), "POST /v2/projects/p/locations/l/jobs/nightly:run");
  EXPECT_EQ(http.last().body,
            R"({"overrides":{"containerOverrides":[{"args":["--day","3"],"env":[{"name":"A","value":"b"}]}],)"
            R"("taskCount":2,"timeout":"90s"}})");
  EXPECT_EQ(started->target, "projects/p/locations/l/jobs/nightly/executions/nightly-1");
  http.clear();
  http.then(200, R"({"name":"x/nightly-1","job":"nightly","taskCount":2,"runningCount":2})")
      .then(200, R"({"name":"x/nightly-1","job":"nightly","taskCount":2,"succeededCount":1,"failedCount":1,
        "completionTime":"2026-04-09T18:03:00Z","conditions":[{"type":"Completed","state":"CONDITION_FAILED",
        "executionReason":"NON_ZERO_EXIT_CODE"}]})");
  const auto ended = client.wait_for_execution("nightly", "nightly-1", soon());
  ASSERT_TRUE(ended) << ended.error().text();
  EXPECT_EQ(asked(), "GET /v2/projects/p/locations/l/jobs/nightly/executions/nightly-1");
  EXPECT_EQ(ended->succeeded, 1);
  EXPECT_EQ(ended->failed, 1);
  EXPECT_EQ(ended->condition.reason, "NON_ZERO_EXIT_CODE");
  http.clear();
  http.then(200, "{}");
  ASSERT_TRUE(client.run_job("nightly", {}, soon()));
  EXPECT_EQ(http.last().body, "{}");
  ASSERT_TRUE(client.cancel_execution("nightly", "nightly-1", soon()));
  EXPECT_EQ(asked(), "POST /v2/projects/p/locations/l/jobs/nightly/executions/nightly-1:cancel");
}

TEST_F(Cloud_run, is_checked_by_the_condition_of_a_service) {
  const auto check = run_check(client, "api");
  const auto status = [&](const std::string& body) {
    http.clear();
    http.then(200, body);
    return std::string(health_status_name(check({soon(), {}}).status));
  };
  EXPECT_EQ(status(service_json), "up");
  EXPECT_EQ(status(R"({"terminalCondition":{"state":"CONDITION_FAILED"}})"), "down");
  EXPECT_EQ(status(R"({"terminalCondition":{"state":"CONDITION_RECONCILING"}})"), "degraded");
  EXPECT_EQ(status(R"({"terminalCondition":{"state":4}})"), "up") << "enums may be numbers";
  EXPECT_EQ(
      status(R"({"generation":"5","observedGeneration":"4","terminalCondition":{"state":"CONDITION_SUCCEEDED"}})"),
      "degraded")
      << "the condition is that of an older wish";
  EXPECT_EQ(status("{}"), "unknown");
}

}  // namespace
}  // namespace serin::google
