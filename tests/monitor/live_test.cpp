// Goal: what the catalogue promises happens: a fault of the running fleet becomes a notification, its end another one,
// and their times are those of the incident. Method: the reference fleet with Prometheus and Alertmanager of Debian as
// children, set up by `serin monitor apply`, every interval of the catalogue short; notifications arrive in the test.
#include "live.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <csignal>
#include <set>

namespace serin::monitor {
namespace {

using story::eventually;
using story::text_of;

class Live : public testing::Test {
 protected:
  static void SetUpTestSuite() { shared = std::make_unique<Watched>(); }
  static void TearDownTestSuite() {
    const std::string state = shared->fleet.state();
    const std::string folder = shared->folder.path();
    shared.reset();
    EXPECT_EQ(story::processes_mentioning(state), std::vector<std::string>());
    EXPECT_EQ(story::processes_mentioning(folder), std::vector<std::string>());
  }
  void SetUp() override { ASSERT_TRUE(world.is_up()) << (world.prometheus ? world.prometheus->log() : "no fleet"); }

  /// What Alertmanager itself says of an alert that is there now; nothing when it has none.
  std::optional<WallTime> start_at_alertmanager(const std::string& alert, const std::string& service) {
    const json::value all = world.ask(world.alertmanager->address(), "/api/v2/alerts");
    if (all.is_null()) return std::nullopt;
    for (const json::value& one : all.as_array())
      if (text_of(one.at("labels").at("alertname")) == alert && text_of(one.at("labels").at("service")) == service)
        return parse_rfc3339(text_of(one.at("startsAt"))).value_or(WallTime());
    return std::nullopt;
  }

  /// Waits for both notifications of an incident that `begin` makes and `end` ends, and compares all that tell times.
  template <typename Begin, typename End, typename Look>
  void incident(const std::string& alert, const std::string& service, Begin begin, End end, Look look) {
    const auto hear = [&](const char* status, WallTime since) {
      std::optional<Told> told;
      eventually(25s, [&] {
        look();
        told = world.webhook.find(alert, service, status, since);
        return told.has_value();
      });
      return told;
    };
    // Until its first scrape every service counts as down, so there may be an incident that is just ending.
    ASSERT_TRUE(eventually(20s, [&] {
      look();
      const json::value all = world.ask(world.alertmanager->address(), "/api/v2/alerts");
      return world.query("up == 1").size() == 7 && all.is_array() && all.as_array().empty() &&
             world.webhook.is_all_resolved();
    })) << world.webhook.all();
    const WallTime began = world.clock.wall();
    begin();
    const std::optional<Told> firing = hear("firing", began);
    ASSERT_TRUE(firing) << world.webhook.all() << world.prometheus->log();
    const std::optional<WallTime> start = start_at_alertmanager(alert, service);
    const WallTime ended = world.clock.wall();
    end();
    const std::optional<Told> resolved = hear("resolved", ended);
    ASSERT_TRUE(resolved) << world.webhook.all() << world.prometheus->log();
    EXPECT_EQ(start, firing->starts) << "Alertmanager's own word";
    EXPECT_EQ(resolved->starts, firing->starts) << "one incident";
    EXPECT_GE(firing->starts, began);
    EXPECT_LE(firing->starts, firing->received);
    EXPECT_GE(resolved->ends, ended) << "it ended after the fault did";
    EXPECT_LE(resolved->ends, resolved->received);
    const auto told = resolved->ends - resolved->starts;
    const auto seen = resolved->received - firing->received;
    EXPECT_LT(std::chrono::abs(told - seen), 1s) << world.webhook.all();
  }

  static std::unique_ptr<Watched> shared;
  Watched& world = *shared;
};
std::unique_ptr<Watched> Live::shared;

TEST_F(Live, every_replica_of_the_fleet_is_scraped_under_its_own_names) {
  std::set<std::string> wanted;
  for (const json::value& one :
       json::parse(story::read_all(world.fleet.state() + "/monitoring/targets.json")).as_array())
    wanted.insert(text_of(one.at("targets").at(0)) + json::serialize(one.at("labels")));
  EXPECT_EQ(wanted.size(), 7U) << "six services, one with two replicas";
  std::set<std::string> seen;
  EXPECT_TRUE(eventually(20s, [&] {
    seen.clear();
    for (const json::value& one : world.query("up == 1")) {
      const json::value& of = one.at("metric");
      seen.insert(text_of(of.at("instance")) +
                  json::serialize(json::object{
                      {"service", of.at("service")}, {"release", of.at("release")}, {"replica", of.at("replica")}}));
    }
    return seen == wanted;
  })) << fmt::format("{} of {}", seen.size(), wanted.size());
}

TEST_F(Live, errors_of_users_page_and_their_end_is_told_with_the_time_that_it_took) {
  const std::string ratio = R"(slo:errors:ratio_rate3s{service="mlb-worker"} == 0)";
  ASSERT_TRUE(eventually(20s, [&] {
    world.predict();
    return world.query(ratio).size() == 1;
  })) << "no healthy traffic was seen";
  incident(
      "ErrorBudgetPage", "mlb-worker", [&] { world.set_fault("warehouse=down\n"); }, [&] { world.set_fault(""); },
      [&] { world.predict(); });
}

TEST_F(Live, a_service_that_hangs_is_down_until_it_answers_again) {
  const auto pid = static_cast<pid_t>(
      world.fleet.service("admin-dashboard").at("releases").at(0).at("replicas").at(0).at("pid").as_int64());
  ASSERT_GT(pid, 0);
  incident(
      "ServiceDown", "admin-dashboard", [&] { kill(pid, SIGSTOP); }, [&] { kill(pid, SIGCONT); }, [] {});
}

TEST_F(Live, a_replica_that_was_started_again_elsewhere_is_scraped_there) {
  const std::string own = R"(up{service="mlb-worker"} == 1)";
  const auto address = [&] {
    const json::array found = world.query(own);
    return found.size() == 1 ? text_of(found[0].at("metric").at("instance")) : std::string();
  };
  const std::string before = address();
  ASSERT_FALSE(before.empty());
  const auto pid = world.fleet.service("mlb-worker").at("releases").at(0).at("replicas").at(0).at("pid").as_int64();
  kill(static_cast<pid_t>(pid), SIGKILL);
  EXPECT_TRUE(eventually(20s, [&] { return !address().empty() && address() != before; })) << before;
}

TEST_F(Live, apply_puts_a_change_in_place_and_the_servers_have_it_at_once) {
  const std::string to = world.folder.path() + "/to";
  world.write_catalogue("7s");
  const story::Outcome plan = world.monitor({"plan", "--to", to});
  EXPECT_EQ(plan.code, 2) << plan.text();
  EXPECT_EQ(plan.out, "change " + to + "/rules.yaml\n");
  const story::Outcome apply = world.monitor({"apply", "--to", to, "--reload", "http://" + world.prometheus->address(),
                                              "--reload", "http://" + world.alertmanager->address()});
  EXPECT_EQ(apply.code, 0) << apply.text();
  EXPECT_EQ(world.monitor({"plan", "--to", to}).code, 0);
  const json::value rules = world.ask(world.prometheus->address(), "/api/v1/rules?type=alert");
  ASSERT_FALSE(rules.is_null());
  int seen = 0;
  for (const json::value& group : rules.at("data").at("groups").as_array())
    for (const json::value& rule : group.at("rules").as_array())
      if (text_of(rule.at("name")) == "ServiceDown") {
        EXPECT_EQ(rule.at("duration").to_number<double>(), 7) << json::serialize(rule);
        ++seen;
      }
  EXPECT_EQ(seen, 2);
  const story::Outcome nobody = world.monitor({"apply", "--to", to, "--reload", "http://127.0.0.1:1"});
  EXPECT_EQ(nobody.code, 3) << "a reload that nobody heard is an error: " << nobody.text();
}

}  // namespace
}  // namespace serin::monitor
