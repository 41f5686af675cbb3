// Goal: what is sent to Cloud Run gives traffic to revisions by name and leaves what is somebody else's alone.
// Method: services as the API answers them, turned into targets and back.
#include "targets.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace serin::cloud_run {
namespace {

ServiceName api() { return ServiceName::make("api").value(); }
ReleaseName release(std::string_view name) { return ReleaseName::make(name).value(); }

google::RunService service(Targets wanted, Targets there) {
  return {.name = "api",
          .uri = "https://api-x.run.app",
          .etag = "e",
          .generation = 3,
          .observed_generation = 3,
          .reconciling = false,
          .condition = {.type = "Ready", .state = google::RunState::succeeded},
          .latest_ready_revision = "api-v1",
          .latest_created_revision = "api-v1",
          .traffic = std::move(wanted),
          .traffic_statuses = std::move(there),
          .json = R"({"template":{"annotations":{"team":"a","serin.dev/fail":"x"},"containers":[{"image":"old",
                  "env":[{"name":"A","value":"1"},{"name":"B","value":"2"}]}]},
                  "trafficStatuses":[{"revision":"api-v2","tag":"serin-v2","uri":"https://serin-v2---api-x.run.app/"}],
                  "conditions":[{"type":"RoutesReady","state":"CONDITION_SUCCEEDED"}]})"};
}

TEST(Targets, latest_becomes_the_revision_that_it_stands_for_and_its_tag_goes_on_following) {
  const auto latest = service({{.revision = "", .percent = 100, .tag = "newest"}}, {});
  EXPECT_EQ(pinned(latest), (Targets{{"api-v1", 100}, {"", 0, "newest"}}));
  EXPECT_EQ(pinned(service({}, {})), (Targets{{"api-v1", 100}})) << "no target: the latest has everything";
}

TEST(Targets, a_split_keeps_tags_of_others_and_drops_what_has_neither_share_nor_tag) {
  const Targets known{{"api-v1", 100}, {"api-v0", 0, "old"}, {"api-v2", 0, "serin-v2"}};
  const Targets all = with_split(known, {{release("api-v2"), 100}, {release("api-v1"), 0}});
  EXPECT_EQ(all, (Targets{{"api-v0", 0, "old"}, {"api-v2", 100, "serin-v2"}}));
  EXPECT_EQ(with_split(all, {{release("api-v1"), 95}, {release("api-v2"), 5}}),
            (Targets{{"api-v0", 0, "old"}, {"api-v2", 5, "serin-v2"}, {"api-v1", 95}}));
}

TEST(Targets, a_share_that_is_no_whole_number_is_said_to_be_impossible) {
  const Status half = check_whole({{release("api-v1"), 97.5}, {release("api-v2"), 2.5}});
  ASSERT_FALSE(half);
  EXPECT_EQ(half.error().code(), Errc::invalid_argument);
  EXPECT_NE(half.error().detail().find("whole percents"), std::string::npos) << half.error().detail();
  EXPECT_FALSE(check_whole({{release("api-v1"), 95}})) << "not 100 in sum";
  EXPECT_TRUE(check_whole({{release("api-v1"), 95}, {release("api-v2"), 5}}));
}

TEST(Targets, a_service_is_settled_only_when_all_of_it_is) {
  const Targets both{{"api-v1", 95}, {"api-v2", 5, "serin-v2"}};
  EXPECT_EQ(unsettled(service(both, both)), "");
  auto changed = service(both, {{"api-v1", 100}, {"api-v2", 0, "serin-v2"}});
  EXPECT_EQ(unsettled(changed), "its traffic is to be api-v1=95 api-v2=5, but is api-v1=100");
  EXPECT_NE(unsettled(service(both, {{"api-v1", 95}, {"api-v2", 5}})), "") << "the tag is not there";
  auto behind = service(both, both);
  behind.observed_generation = 2;
  EXPECT_NE(unsettled(behind), "");
  auto reconciling = service(both, both);
  reconciling.reconciling = true;
  EXPECT_NE(unsettled(reconciling), "");
  auto failed = service(both, both);
  failed.condition.state = google::RunState::failed;
  EXPECT_EQ(unsettled(failed), "") << "the newest revision failed, the routes are as wanted";
  failed.json = "{}";
  EXPECT_NE(unsettled(failed), "");
  auto pending = service(both, both);
  pending.condition.state = google::RunState::pending;
  EXPECT_NE(unsettled(pending), "");
}

TEST(Targets, a_release_changes_image_environment_and_our_annotations_and_nothing_else) {
  const ReleaseSpec spec{.name = release("api-v2"),
                         .command = {"new", "--fast"},
                         .environment = {{"B", "3"}},
                         .labels = {{"version", "2"}},
                         .digest = "sha256:2"};
  const auto body = body_of(service({}, {}), spec, {{"api-v1", 100}, {"api-v2", 0, "serin-v2"}});
  ASSERT_TRUE(body) << body.error().text();
  EXPECT_EQ(boost::json::parse(*body), boost::json::parse(R"({"template":{"revision":"api-v2","annotations":
      {"team":"a","serin.dev/version":"2","serin.dev/digest":"sha256:2"},"containers":[{"image":"new","args":["--fast"],
      "env":[{"name":"A","value":"1"},{"name":"B","value":"3"}]}]},"traffic":[
      {"type":"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION","percent":100,"revision":"api-v1"},
      {"type":"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION","percent":0,"revision":"api-v2","tag":"serin-v2"}]})"))
      << *body;
}

TEST(Targets, a_revision_has_its_tags_host_as_address) {
  EXPECT_EQ(tag_of(api(), release("api-v2")).value(), "serin-v2");
  EXPECT_FALSE(tag_of(api(), release("v2")));
  EXPECT_EQ(host_of(service({}, {}), "api-v2", "serin-v2"), "serin-v2---api-x.run.app");
  EXPECT_EQ(host_of(service({}, {}), "api-v1", "serin-v1"), "");
}

}  // namespace
}  // namespace serin::cloud_run
