// Goal: a good file is read completely; a bad one is refused with the place and a way out. Method: small files.
#include <gtest/gtest.h>

#include "serin/config/fleet_spec.hpp"
#include "serin/rollout/record.hpp"

namespace serin::config {
namespace {

const Substitutions where{.bin = "/opt/serin/bin", .here = "/srv/fleet"};

constexpr std::string_view good = R"(fleet: demo
state: ../state
environment_of_all: {COMMON: "1"}
plan: {stages: [5, 50], monitoring_duration: 20s, on_undecided: hold, judge: {alpha: 0.005, healthy: {ratio: 2, absolute: 0.01}}}
services:
  worker:
    listen: 127.0.0.1:8080
    command: ["${bin}/worker", --fast]
    environment: {MODE: normal}
    labels: {version: "1"}
    replicas: 2
    ready: {path: /ready, timeout: 10s}
    release: v1
    plan:
      approve: {first: true, before: [100], timeout: 2h}
      smoke: {file: smoke.yaml, after: false}
      stages: [10]
      judge: {latency: {tolerable: 20ms, warm_up: 1s}}
      checks: {file: checks.yaml, between: false, timeout: 5s}
    releases:
      v2: {labels: {version: "2"}, environment: {MODE: new}}
      same:
  page:
    command: [bin/page]
topics: [orders]
subscriptions:
  - {name: orders-worker, topic: orders, push: worker, path: /take, ack_deadline: 5s}
)";

std::string error_of(std::string_view text) {
  const auto fleet = parse_fleet(text, "fleet.yaml", where);
  return fleet ? "no error" : fleet.error().detail();
}
/// The good file with one piece replaced.
std::string with(std::string_view old_piece, std::string_view new_piece) {
  std::string text(good);
  const std::size_t at = text.find(old_piece);
  SERIN_ASSERT(at != std::string::npos);
  return text.replace(at, old_piece.size(), new_piece);
}

TEST(Fleet, is_read_completely_and_releases_say_only_what_differs) {
  const auto fleet = parse_fleet(good, "fleet.yaml", where);
  ASSERT_TRUE(fleet) << fleet.error().text();
  EXPECT_EQ(fleet->state, "/srv/state");
  EXPECT_EQ(fleet->warehouse, "sqlite:/srv/state/warehouse.db");
  const ServiceSpec* worker = fleet->find("worker");
  ASSERT_NE(worker, nullptr);
  EXPECT_EQ(worker->release.name.str(), "v1");
  EXPECT_EQ(worker->release.command, (std::vector<std::string>{"/opt/serin/bin/worker", "--fast"}));
  EXPECT_EQ(worker->release.environment, (std::map<std::string, std::string>{{"COMMON", "1"}, {"MODE", "normal"}}));
  ASSERT_EQ(worker->releases.size(), 2u);
  EXPECT_EQ(worker->releases[0].environment.at("MODE"), "new");
  EXPECT_EQ(worker->releases[0].replicas, 2);
  EXPECT_EQ(worker->plan.stages, std::vector<double>{10});
  EXPECT_EQ(worker->plan.latency.tolerable, 20ms);
  EXPECT_EQ(worker->plan.latency.warm_up, 1s);
  EXPECT_TRUE(worker->plan.latency.judged);
  EXPECT_EQ(worker->plan.monitoring_duration, 20s) << "what the service's plan leaves out comes from the fleet's";
  EXPECT_EQ(worker->plan.judge.alpha, 0.005);
  EXPECT_EQ(worker->plan.gate.file, "checks.yaml");
  EXPECT_FALSE(worker->plan.gate.between);
  EXPECT_TRUE(worker->plan.gate.after);
  EXPECT_EQ(worker->plan.gate.timeout, 5s);
  EXPECT_EQ(worker->plan.smoke.file, "smoke.yaml");
  EXPECT_FALSE(worker->plan.smoke.after);
  EXPECT_EQ(rollout::parse_plan_json(rollout::plan_json(worker->plan))->smoke.file, "smoke.yaml");
  EXPECT_TRUE(worker->plan.approval.first);
  EXPECT_EQ(worker->plan.approval.before, std::vector<double>{100});
  EXPECT_EQ(worker->plan.approval.timeout, 2h);
  EXPECT_EQ(rollout::parse_plan_json(rollout::plan_json(worker->plan))->approval.before, std::vector<double>{100});
  EXPECT_FALSE(fleet->find("page")->plan.approval.first);
  EXPECT_TRUE(fleet->find("page")->plan.gate.file.empty());
  EXPECT_EQ(fleet->find("page")->release.command, std::vector<std::string>{"/srv/fleet/bin/page"});
  EXPECT_EQ(fleet->subscriptions.at(0).push_path, "/take");
}

TEST(Fleet, may_be_on_google_cloud) {
  const std::string text =
      "warehouse: bigquery://p/d?location=EU\nbus: pubsub://p\ndocuments: firestore://p\n" + std::string(good);
  const auto fleet = parse_fleet(text, "fleet.yaml", where);
  ASSERT_TRUE(fleet) << fleet.error().text();
  EXPECT_EQ(fleet->warehouse, "bigquery://p/d?location=EU");
  EXPECT_EQ(fleet->bus, "pubsub://p");
  EXPECT_EQ(fleet->documents, "firestore://p");
  const auto wrong = parse_fleet("bus: bigquery://p/d\n" + std::string(good), "fleet.yaml", where);
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().detail().find("pubsub://project"), std::string::npos) << wrong.error().text();
}

TEST(Fleet, a_mistake_is_named_with_its_place_and_a_way_out) {
  EXPECT_EQ(error_of(with("listen: 127", "lisen: 127")),
            "fleet.yaml:7:5: unknown key 'services.worker.lisen'; did you mean 'listen'?");
  EXPECT_EQ(error_of(with("replicas: 2", "replicas: two")),
            "fleet.yaml:11:15: services.worker.replicas must be a whole number, not 'two'");
  EXPECT_EQ(error_of(with("timeout: 10s", "timeout: 10")),
            "fleet.yaml:12:36: services.worker.ready.timeout: '10' is no duration like 250ms, 20s, 5m or 1h30m");
  EXPECT_EQ(error_of(with("push: worker", "push: workr")),
            "fleet.yaml:27:48: there is no service 'workr' in this file; did you mean 'worker'?");
  EXPECT_EQ(error_of(with("on_undecided: hold", "on_undecided: hodl")),
            "fleet.yaml:4:65: plan.on_undecided must be one of hold, extend, advance, rollback, not 'hodl'");
  EXPECT_EQ(error_of(with("  page:", "  worker:")), "fleet.yaml:23:3: services.worker stands here twice");
  EXPECT_EQ(error_of(with("${bin}", "${bim}")).substr(0, 18), "fleet.yaml:8:14: '");
}

TEST(Fleet, a_plan_that_cannot_be_is_refused_when_the_file_is_read) {
  const std::string error = error_of(with("stages: [5, 50]", "stages: [50, 5]"));
  EXPECT_TRUE(error.starts_with("fleet.yaml:4:16: ")) << error;
}

TEST(Fleet, text_that_is_no_yaml_or_no_mapping_is_refused_with_a_place) {
  EXPECT_TRUE(error_of("fleet: [").starts_with("fleet.yaml:1:")) << error_of("fleet: [");
  EXPECT_EQ(error_of("- a"), "fleet.yaml:1:1: must be a YAML mapping of keys to values");
  EXPECT_EQ(error_of(""), "fleet.yaml:1:1: must be a YAML mapping of keys to values");
  EXPECT_NE(error_of("fleet: x"), "no error") << "a fleet without services is a mistake";
}

TEST(Release, from_a_file_takes_the_rest_from_the_services_own_and_needs_a_name) {
  const auto fleet = parse_fleet(good, "fleet.yaml", where);
  const ReleaseSpec& base = fleet->find("worker")->release;
  const auto release = parse_release("name: v3\nenvironment: {FAULT: \"0.05\"}\n", "v3.yaml", base, where);
  ASSERT_TRUE(release) << release.error().text();
  EXPECT_EQ(release->environment.at("MODE"), "normal");
  EXPECT_EQ(release->command, base.command);
  EXPECT_EQ(parse_release("labels: {}\n", "v3.yaml", base, where).error().detail(), "v3.yaml:1:1: name is missing");
}

TEST(Release, the_digest_changes_with_everything_that_changes_what_runs) {
  const auto fleet = parse_fleet(good, "fleet.yaml", where);
  const ReleaseSpec& base = fleet->find("worker")->release;
  ReleaseSpec other = base;
  other.name = ReleaseName::make("other").value();
  EXPECT_EQ(release_digest(base, "p"), release_digest(other, "p")) << "a name is no content";
  EXPECT_NE(release_digest(base, "p"), release_digest(base, "q"));
  other.environment["A"] = "";
  EXPECT_NE(release_digest(base, "p"), release_digest(other, "p"));
}

}  // namespace
}  // namespace serin::config
