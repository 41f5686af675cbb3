#include "serin/trials/scenario.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "serin/config/yaml.hpp"
#include "serin/judge/canary_judge.hpp"

namespace serin::trials {
namespace {

using config::YamlMap;

std::int64_t seconds_of(YamlMap& map, std::string_view key, std::int64_t otherwise) {
  return std::chrono::floor<std::chrono::seconds>(map.duration(key, std::chrono::seconds(otherwise))).count();
}

/// A number within a range, both ends included; NaN is outside of each.
double within(YamlMap& map, std::string_view key, double otherwise, double low, double high) {
  const double value = map.number(key, otherwise);
  if (!(value >= low && value <= high))
    map.complain(key, fmt::format("{} is {}, it has to be from {} to {}", key, value, low, high));
  return value;
}

void at_least(YamlMap& map, std::string_view key, std::int64_t value, std::int64_t least, std::int64_t most) {
  if (value < least || value > most)
    map.complain(key, fmt::format("{} is {}, it has to be from {} to {}", key, value, least, most));
}

constexpr std::int64_t day = 86'400;

void read_canary(YamlMap& map, Scenario& scenario) {
  scenario.times = within(map, "times", scenario.times, 0, 1e6);
  scenario.plus = within(map, "plus", scenario.plus, 0, 1);
  scenario.from = seconds_of(map, "from", 0);
  at_least(map, "from", scenario.from, 0, day);
  scenario.ramp = seconds_of(map, "ramp", 0);
  at_least(map, "ramp", scenario.ramp, 0, day);
  map.done();
}

Scenario::Incident read_incident(YamlMap& map) {
  Scenario::Incident incident;
  incident.at = seconds_of(map, "at", 0);
  at_least(map, "at", incident.at, 0, day);
  incident.seconds = seconds_of(map, "for", incident.seconds);
  at_least(map, "for", incident.seconds, 1, day);
  incident.errors = within(map, "errors", incident.errors, 0, 1);
  map.done();
  return incident;
}

Clients read_clients(YamlMap& map) {
  Clients clients;
  clients.count = map.integer("count", clients.count);
  at_least(map, "count", clients.count, 1, 100'000);
  clients.broken = within(map, "broken", clients.broken, 0, 1);
  map.done();
  return clients;
}

Times read_latency(YamlMap& map) {
  Times times;
  times.median_ms = within(map, "median_ms", times.median_ms, 0.01, 1e6);
  times.spread = within(map, "spread", times.spread, 0.01, 5);
  times.slower = within(map, "slower", times.slower, 0.01, 1000);
  times.stalled = within(map, "stalled", times.stalled, 0, 1);
  times.stall_times = within(map, "stall_times", times.stall_times, 1, 1000);
  map.done();
  return times;
}

void read_stages(YamlMap& root, Scenario& scenario) {
  std::vector<YamlMap> stages = root.maps("stages");
  if (stages.empty()) return;
  scenario.stages.clear();
  for (YamlMap& map : stages) {
    StageOfPlay stage;
    stage.percent = within(map, "percent", stage.percent, 0.01, 99.99);
    stage.seconds = seconds_of(map, "for", stage.seconds);
    at_least(map, "for", stage.seconds, 1, day);
    map.done();
    scenario.stages.push_back(stage);
  }
}

judge::Margin read_margin(YamlMap& map, std::string_view key, judge::Margin margin) {
  if (auto part = map.map(key)) {
    margin.ratio = part->number("ratio", margin.ratio);
    margin.absolute = part->number("absolute", margin.absolute);
    part->done();
  }
  return margin;
}

void read_judge(YamlMap& map, judge::CanaryJudgeOptions& judge) {
  judge.errors.alpha = map.number("alpha", judge.errors.alpha);
  judge.errors.beta = map.number("beta", judge.errors.beta);
  judge.errors.tolerable = read_margin(map, "tolerable", judge.errors.tolerable);
  judge.errors.healthy = read_margin(map, "healthy", judge.errors.healthy);
  judge.against_past = read_margin(map, "against_past", judge.against_past);
  judge.errors.dispersion = map.number("dispersion", judge.errors.dispersion);
  judge.errors.min_canary_errors = map.integer("min_canary_errors", judge.errors.min_canary_errors);
  judge.min_failed_clients = map.integer("min_failed_clients", judge.min_failed_clients);
  judge.attribution_wait = map.integer("attribution_wait", judge.attribution_wait);
  map.done();
}

}  // namespace

bool Scenario::healthy() const noexcept {
  if (expect_healthy) return *expect_healthy;
  return times <= 1 && plus <= 0 && (!latency || (latency->slower <= 1 && latency->stalled <= 0));
}

std::int64_t before_step(const Scenario& scenario) noexcept {
  return scenario.clients ? scenario.bucket_seconds : std::max<std::int64_t>(10, scenario.bucket_seconds);
}

std::int64_t Scenario::seconds() const noexcept {
  std::int64_t all = 0;
  for (const StageOfPlay& stage : stages) all += stage.seconds;
  return all;
}

double Scenario::baseline_rate(std::int64_t second) const noexcept {
  for (const Incident& incident : incidents)
    if (second >= incident.at && second < incident.at + incident.seconds) return incident.errors;
  const double way = static_cast<double>(second) / static_cast<double>(std::max<std::int64_t>(1, seconds()));
  return std::min(1.0, errors * (1 + (drift - 1) * way));
}

double Scenario::canary_rate(std::int64_t second) const noexcept {
  const double base = baseline_rate(second);
  if (second < from) return base;
  const double way = ramp <= 0 ? 1.0 : std::min(1.0, static_cast<double>(second - from) / static_cast<double>(ramp));
  return std::min(1.0, base * (1 + (times - 1) * way) + plus * way);
}

Result<ScenarioFile> parse_scenario(std::string_view text, std::string_view file) {
  SERIN_TRY(const std::unique_ptr<config::YamlFile> yaml, config::YamlFile::parse(text, file));
  YamlMap root = yaml->root();
  ScenarioFile out;
  Scenario& scenario = out.scenario;
  scenario.name = root.required_text("scenario");
  scenario.says = root.text("says", "");
  if (root.has("expect")) scenario.expect_healthy = root.choice("expect", {"healthy", "worse"}, 0) == 0;
  scenario.rate = within(root, "rate", scenario.rate, 1e-6, 1e6);
  scenario.errors = within(root, "errors", scenario.errors, 0, 1);
  scenario.history_seconds = seconds_of(root, "history", scenario.history_seconds);
  at_least(root, "history", scenario.history_seconds, 0, day);
  scenario.bucket_seconds = seconds_of(root, "bucket", scenario.bucket_seconds);
  at_least(root, "bucket", scenario.bucket_seconds, 1, 60);
  if (auto canary = root.map("canary")) read_canary(*canary, scenario);
  scenario.burst = within(root, "burst", scenario.burst, 1, 1000);
  scenario.drift = within(root, "drift", scenario.drift, 0, 1000);
  for (YamlMap& incident : root.maps("incidents")) scenario.incidents.push_back(read_incident(incident));
  if (auto clients = root.map("clients")) scenario.clients = read_clients(*clients);
  if (auto latency = root.map("latency")) scenario.latency = read_latency(*latency);
  read_stages(root, scenario);
  if (auto judge = root.map("judge")) read_judge(*judge, out.judge);
  root.done();
  root.check("judge", judge::CanaryJudge::make(out.judge));
  if (scenario.clients && scenario.burst > 1)
    root.complain("burst", "clients and bursts are two ways to say the same: one of them");
  SERIN_CHECK(yaml->status());
  return out;
}

}  // namespace serin::trials
