// Goal: a fleet's file says what a service runs on, and what that cannot do is refused with its place.
// Method: files in memory, read as `serin` reads them.
#include <gtest/gtest.h>

#include "serin/config/fleet_spec.hpp"

namespace serin::config {
namespace {

const Substitutions where{.bin = "/opt/bin", .here = "/srv/fleet"};

constexpr std::string_view cloud = R"(fleet: shop
target: {cloud_run: {project: shop-1, region: europe-west1}}
plan: {stages: [5, 50]}
services:
  api:
    image: eu-docker.pkg.dev/shop-1/r/api@sha256:12
    args: [--fast]
    secrets: {KEY: api-key:3}
    resources: {cpu: "1", memory: 512Mi}
    scaling: {min: 1, max: 10}
    release: api-v1
    releases:
      api-v2: {image: "eu-docker.pkg.dev/shop-1/r/api:v2", environment: {MODE: fast}}
  page:
    target: {local: {}}
    command: [bin/page]
)";

std::string with(std::string_view from, std::string_view to) {
  std::string text(cloud);
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}
std::string error_of(std::string_view text) {
  const auto fleet = parse_fleet(text, "fleet.yaml", where);
  return fleet ? "no error" : fleet.error().detail();
}

TEST(Targets, a_fleet_names_cloud_run_and_one_of_its_services_stays_here) {
  const auto fleet = parse_fleet(cloud, "fleet.yaml", where);
  ASSERT_TRUE(fleet) << fleet.error().text();
  const ServiceSpec& api = *fleet->find("api");
  ASSERT_TRUE(api.target.cloud_run);
  EXPECT_EQ(api.target.cloud_run->project, "shop-1");
  EXPECT_EQ(api.target.cloud_run->region, "europe-west1");
  EXPECT_EQ(api.release.name.str(), "api-v1");
  EXPECT_EQ(api.release.image, "eu-docker.pkg.dev/shop-1/r/api@sha256:12");
  EXPECT_EQ(api.release.command, std::vector<std::string>{"--fast"});
  EXPECT_EQ(api.release.secrets.at("KEY"), "api-key:3");
  EXPECT_EQ(api.release.resources.at("memory"), "512Mi");
  EXPECT_EQ(api.release.min_instances, 1);
  EXPECT_EQ(api.release.max_instances, 10);
  EXPECT_EQ(api.releases.at(0).image, "eu-docker.pkg.dev/shop-1/r/api:v2");
  EXPECT_EQ(api.releases.at(0).secrets, api.release.secrets) << "what a release leaves out is the service's";
  EXPECT_TRUE(fleet->find("page")->target.is_local());
  const FleetSpec here = fleet->local();
  EXPECT_EQ(here.services.size(), 1u);
  EXPECT_NE(here.find("page"), nullptr);
}

TEST(Targets, a_plan_on_cloud_run_is_patient_unless_somebody_says_otherwise) {
  const auto fleet = parse_fleet(cloud, "fleet.yaml", where);
  ASSERT_TRUE(fleet) << fleet.error().text();
  const rollout::PlanOptions& plan = fleet->find("api")->plan;
  EXPECT_EQ(plan.stages, (std::vector<double>{5, 50}));
  EXPECT_GT(plan.blind_timeout, 5min) << "counts are seen up to three minutes late, by the minute";
  EXPECT_EQ(plan.apply_timeout, 1min);
  EXPECT_EQ(fleet->find("api")->release.ready_timeout, plan.ready_timeout);
  const rollout::PlanOptions& here = fleet->find("page")->plan;
  EXPECT_EQ(here.stages, plan.stages);
  EXPECT_EQ(here.blind_timeout, rollout::PlanOptions().blind_timeout);
}

TEST(Targets, what_cloud_run_cannot_do_is_refused_with_its_place) {
  EXPECT_EQ(error_of(with("[5, 50]", "[2.5, 50]")),
            "fleet.yaml:6:5: stages: 2.5 %: Cloud Run gives out whole percents only");
  EXPECT_NE(error_of(with("release: api-v1", "release: v1")).find("fleet.yaml:11:14: release v1: a revision of api is"),
            std::string::npos)
      << error_of(with("release: api-v1", "release: v1"));
  EXPECT_NE(error_of(with("api-v2:", "v2:")).find("called api-SOMETHING on Cloud Run"), std::string::npos);
  EXPECT_NE(error_of(with("release: api-v1", "replicas: 2")).find("replicas must be 1 on Cloud Run"),
            std::string::npos);
  EXPECT_NE(error_of(with("args: [--fast]", "command: [bin/api]")).find("a container has image and args"),
            std::string::npos);
  EXPECT_NE(error_of(with("min: 1", "min: 11")).find("min must not be above max"), std::string::npos);
  EXPECT_NE(error_of(with("cpu:", "cpus:")).find("'cpus' is no resource"), std::string::npos);
  EXPECT_NE(error_of(with("region:", "regoin:")).find("region is missing"), std::string::npos);
  EXPECT_NE(error_of(with("{local: {}}", "{cloudrun: {}}")).find("did you mean 'cloud_run'?"), std::string::npos);
  EXPECT_NE(error_of(with("command: [bin/page]", "command: [bin/page]\n    image: x")).find("unknown key"),
            std::string::npos)
      << "a program has no image";
  const Status impatient = check_plan({.cloud_run = CloudRunPlace{.project = "p", .region = "r"}}, {});
  ASSERT_FALSE(impatient);
  EXPECT_TRUE(impatient.error().detail().starts_with("blind_timeout must be more than 5m on Cloud Run"))
      << impatient.error().detail();
}

TEST(Targets, a_containers_digest_is_its_image_and_settings_wherever_the_file_is) {
  const auto here = parse_fleet(cloud, "fleet.yaml", where);
  const auto there = parse_fleet(cloud, "fleet.yaml", {.bin = "/b", .here = "/home"});
  ASSERT_TRUE(here && there);
  ReleaseSpec release = here->find("api")->release;
  const std::string digest = release_digest(release, "");
  EXPECT_EQ(digest, release_digest(there->find("api")->release, ""));
  release.secrets["KEY"] = "api-key:4";
  EXPECT_NE(release_digest(release, ""), digest);
  EXPECT_NE(release_digest(here->find("api")->releases.at(0), ""), digest);
}

}  // namespace
}  // namespace serin::config
