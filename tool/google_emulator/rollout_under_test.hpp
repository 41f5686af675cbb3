#pragma once
// What the tests of a rollout share: a service on the emulated Cloud Run with users in simulated time, its requests in
// Cloud Monitoring a while later, and an engine whose process can be killed at any call.
#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>

#include "api.hpp"
#include "emulator_under_test.hpp"
#include "serin/cloud_run/probe_http.hpp"
#include "serin/cloud_run/target.hpp"
#include "serin/cloud_run/traffic.hpp"
#include "serin/rollout/engine.hpp"
#include "serin/rollout/split.hpp"
#include "serin/rollout/sql_journal.hpp"
#include "serin/sim/outside.hpp"
#include "serin/sqlite/sqlite_sql.hpp"

namespace serin::google_emulator {

using sim::Killed;

/// The network: Google's interfaces, and the revisions at their own addresses.
class Network final : public HttpClient {
 public:
  explicit Network(GoogleEmulator& emulator) : emulator_(emulator) {}
  using HttpClient::send;
  Result<HttpResponse> send(std::string_view origin, HttpRequest request, Deadline, std::stop_token) override {
    if (++calls == kill_at && !kill_after) throw Killed{};
    if (before) before(request);
    HttpResponse answer = origin.starts_with("https://serin-") ? revision(origin, request) : emulator_.handle(request);
    if (calls == kill_at) throw Killed{};
    return answer;
  }
  int calls = 0;
  int kill_at = 0;          ///< the nth call is the last; 0: none
  bool kill_after = false;  ///< it was made, but nobody heard the answer
  std::function<void(const HttpRequest&)> before;

 private:
  /// "https://serin-v2---api-emulator.run.app" is api-v2, and says so.
  static HttpResponse revision(std::string_view origin, const HttpRequest& request) {
    constexpr std::string_view prefix = "https://serin-";
    const std::string_view name = origin.substr(prefix.size(), origin.find("---") - prefix.size());
    if (request.path() == "/health")
      return {.status = 200, .headers = {}, .body = fmt::format(R"({{"revision":"api-{}"}})", name)};
    return {.status = request.path() == "/ready" ? 200 : 404, .headers = {}, .body = "{}"};
  }
  GoogleEmulator& emulator_;
};

class Free final : public rollout::Guard {
 public:
  Status check() override { return {}; }
};

class Notes final : public rollout::RolloutObserver {
 public:
  void on_stage(const rollout::Record&, double percent) override { text += fmt::format("stage {}\n", percent); }
  void on_evidence(const rollout::Record&, const rollout::Bucket&) override {}
  void on_verdict(const rollout::Record&, std::string_view said) override { text += fmt::format("verdict {}\n", said); }
  void on_note(std::string_view said) override { text += fmt::format("note {}\n", said); }
  std::string text;
};

struct CloudRollout : Emulator {
  static constexpr std::string_view api = "/v2/projects/p/locations/l/services/api";
  static constexpr double per_second = 100;  // requests
  static constexpr Duration visible_after = 100s;

  void SetUp() override {
    Emulator::SetUp();
    network = std::make_unique<Network>(*emulator);
    sql = SqliteSql::open({.path = folder + "/journal.db"}, world.sleeper()).value();
    journal = rollout::SqlJournal::open(*sql, world.sleeper()).value();
    const Answer made = post("/v2/projects/p/locations/l/services?serviceId=api",
                             R"({"template":{"revision":"api-v1","containers":[{"image":"one"}]}})");
    ASSERT_EQ(made.status, 200) << made.raw.body;
    world.every(1s, [this] { live(); });
    begin_process();
  }
  /// A new process: nothing is known but what is written down.
  void begin_process() {
    network->kill_at = 0;
    const auto client = [&]<class Client>(std::type_identity<Client>) {
      return Client(*google::Api::make(*network, token, world.sleeper(), world.random(), Client::defaults()),
                    google::Place{.project = "p", .location = "l"});
    };
    target = std::make_unique<cloud_run::Target>(client(std::type_identity<google::CloudRun>()));
    traffic =
        std::make_unique<cloud_run::MonitoredTraffic>(client(std::type_identity<google::CloudMonitoring>()),
                                                      cloud_run::TrafficOptions{.location = "l"}, world.sleeper());
    probes = std::make_unique<cloud_run::ProbeHttp>(*network);
  }
  rollout::Engine engine() {
    return rollout::Engine({.router = *target,
                            .platform = *target,
                            .traffic = *traffic,
                            .http = *probes,
                            .sleeper = world.sleeper(),
                            .patient = world.sleeper(),
                            .journal = *journal,
                            .guard = guard,
                            .observer = notes});
  }
  Result<rollout::Report> deploy(const std::string& name, const std::map<std::string, std::string>& labels = {}) {
    return engine().run({.service = service,
                         .release = {.name = release(name),
                                     .command = {"image-" + name},
                                     .environment = {},
                                     .directory = {},
                                     .labels = labels,
                                     .digest = "sha256:" + name},
                         .plan = rollout::Plan::make(options).value()});
  }
  static ReleaseName release(std::string_view name) { return ReleaseName::make(name).value(); }
  /// "api-v1=95 api-v2=5", as the service says itself.
  std::string split() { return rollout::split_text(shares()); }
  std::string story(const Result<rollout::Report>& result) {
    return fmt::format(
        "{}\n{}\n{}",
        result ? fmt::format("{}: {}", rollout::state_name(result->outcome), result->reason) : result.error().text(),
        split(), notes.text);
  }
  void expect(const Result<rollout::Report>& result, rollout::State outcome, std::string_view wanted) {
    EXPECT_TRUE(result && result->outcome == outcome) << story(result);
    EXPECT_EQ(split(), wanted) << story(result);
  }
  /// What another person or pipeline does, without an etag.
  void patch(std::string_view mask, const std::string& body) {
    const Answer done = send("PATCH", fmt::format("{}?updateMask={}", api, mask), body);
    EXPECT_EQ(done.status, 200) << done.raw.body;
  }
  void set_traffic(std::string_view first, int percent, std::string_view second) {
    patch("traffic", fmt::format(R"({{"traffic":[{{"revision":"{}","percent":{}}},{{"revision":"{}","percent":{}}}]}})",
                                 first, percent, second, 100 - percent));
  }

  ServiceName service = ServiceName::make("api").value();
  std::map<std::string, double> error_rate;  ///< by revision; not there: none
  bool monitored = true;                     ///< points arrive
  std::unique_ptr<Network> network;
  google::FixedToken token;
  std::unique_ptr<cloud_run::Target> target;
  std::unique_ptr<cloud_run::MonitoredTraffic> traffic;
  std::unique_ptr<cloud_run::ProbeHttp> probes;
  std::unique_ptr<SqliteSql> sql;
  std::unique_ptr<rollout::SqlJournal> journal;
  Free guard;
  Notes notes;
  rollout::PlanOptions options{.stages = {5, 50},
                               .monitoring_duration = 5min,
                               .min_stage = 1min,
                               .ready_timeout = 1min,
                               .restore_timeout = 1min,
                               .apply_timeout = 1min,
                               .blind_timeout = 6min,
                               .judge = {.healthy = {2.0, 0.01}}};

 private:
  Split shares() {
    Split out;
    const json::value list = get(std::string(api)).at("trafficStatuses");
    if (!list.is_array()) return out;
    for (const json::value& one : list.get_array()) {
      const std::int64_t percent = int_at(one.get_object(), "percent");
      if (percent > 0) out.push_back({release(text_at(one.get_object(), "revision")), static_cast<double>(percent)});
    }
    std::ranges::sort(out, {}, [](const Share& share) { return share.release.str(); });
    return out;
  }
  /// A second of the users' life. At a minute's end its counts are on their way to Cloud Monitoring.
  void live() {
    for (const Share& share : shares()) {
      const double requests = per_second * share.percent / 100;
      const double errors = requests * error_rate[share.release.str()];
      counts_[{share.release.str(), "2xx"}] += requests - errors;
      counts_[{share.release.str(), "5xx"}] += errors;
    }
    const std::int64_t second = world.sleeper().wall().time_since_epoch() / 1s;
    if (second % 60 == 0) sent_.push_back({second, std::exchange(counts_, {})});
    while (!sent_.empty() && sent_.front().end + visible_after / 1s <= second) {
      if (monitored) arrive(sent_.front());
      sent_.pop_front();
    }
  }
  using Key = std::pair<std::string, std::string>;  // revision, class
  struct Minute {
    std::int64_t end = 0;
    std::map<Key, double> counts;
  };
  void arrive(const Minute& minute) {
    json::array series;
    const auto time = [](std::int64_t second) { return micros_text(WallTime(std::chrono::seconds(second))); };
    for (const auto& [key, count] : minute.counts) {
      if (count < 0.5) continue;
      series.push_back(json::object{
          {"metric", {{"type", "run.googleapis.com/request_count"}, {"labels", {{"response_code_class", key.second}}}}},
          {"resource",
           {{"type", "cloud_run_revision"},
            {"labels", {{"service_name", "api"}, {"location", "l"}, {"revision_name", key.first}}}}},
          {"metricKind", "DELTA"},
          {"points",
           json::array{json::object{{"interval", {{"startTime", time(minute.end - 60)}, {"endTime", time(minute.end)}}},
                                    {"value", {{"int64Value", std::to_string(std::llround(count))}}}}}}});
    }
    const Answer stored =
        post("/v3/projects/p/timeSeries", json::serialize(json::object{{"timeSeries", std::move(series)}}));
    EXPECT_EQ(stored.status, 200) << stored.raw.body;
  }
  std::map<Key, double> counts_;
  std::deque<Minute> sent_;
};

}  // namespace serin::google_emulator
