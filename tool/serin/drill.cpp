#include "drill.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "serin/base/text.hpp"
#include "serin/system/files.hpp"

namespace serin::tool {
namespace {

namespace json = boost::json;

constexpr Duration ask_timeout = 1s;
constexpr Duration look_every = 100ms;
constexpr Duration data_shown_within = 40s;  // two periods of the dashboard's checks, and a busy machine

}  // namespace

DrillRun::DrillRun(VerbContext& context, bool keep) : context_(context), fleet_(context, "drill") {
  if (keep) fleet_.keep();
}

Status DrillRun::begin() {
  SERIN_CHECK(fleet_.prepare());
  SERIN_CHECK(fleet_.up());
  fleet_.say("loading a season of the simulated league");
  SERIN_CHECK(fleet_.program(fleet_.fleet_program({"load"})));
  SERIN_TRY(const json::object pipeline, fleet_.run_pipeline());
  previews_ = TemporaryFleet::previews(pipeline);
  date_ = text_of(pipeline, "game_date");
  return {};
}

void DrillRun::end() {
  stop_users();
  fleet_.take_down();
}

void DrillRun::expect(std::string sentence, bool held, std::string seen) {
  fleet_.say(fmt::format("{} {} ({})", held ? "held:  " : "BROKEN:", sentence, seen));
  expectations_.push_back({.sentence = std::move(sentence), .held = held, .seen = std::move(seen)});
}

bool DrillRun::as_expected() const {
  return !expectations_.empty() && std::ranges::all_of(expectations_, &Expectation::held) &&
         fleet_.left_behind().empty();
}

Status DrillRun::stage_warehouse(std::string_view fault) {
  fleet_.say(fault.empty() ? "the warehouse is well again" : fmt::format("the warehouse is {} from now on", fault));
  return write_file(fleet_.state() + "/faults", fault.empty() ? "" : fmt::format("warehouse={}\n", fault));
}

Status DrillRun::start_users(double requests_per_second, const std::string& origin) {
  load::LoadOptions options{.origin = origin.empty() ? fleet_.urls().at("prediction-worker") : origin,
                            .requests_per_second = requests_per_second,
                            .workers = 256,
                            .timeout = 10s};
  options.request = [this](std::uint64_t number) {
    HttpRequest request{.method = "POST", .target = "/predict"};
    request.headers.set("Content-Type", "application/json");
    request.body = previews_[number % previews_.size()];
    return request;
  };
  SERIN_TRY(load_, load::Load::start(std::move(options), context_.http(), context_.sleeper()));
  fleet_.say(fmt::format("users ask for predictions, {:.0f} a second", requests_per_second));
  return {};
}

void DrillRun::stop_users() {
  if (load_) load_->stop();
}

Result<std::vector<ReplicaAddress>> DrillRun::replicas() {
  SERIN_TRY(const json::object status, fleet_.program(fleet_.serin({"status", "--json"}), {0, 3}));
  std::vector<ReplicaAddress> out;
  for (const json::value& service : status.at("services").as_array())
    for (const json::value& release : service.at("releases").as_array())
      for (const json::value& replica : release.at("replicas").as_array())
        out.push_back({.service = text_of(service.as_object(), "name"),
                       .name = text_of(replica.as_object(), "name"),
                       .origin = text_of(replica.as_object(), "url"),
                       .restarts = replica.at("restarts").as_int64()});
  return out;
}

DrillRun::Readiness DrillRun::ask_ready(const std::vector<ReplicaAddress>& replicas) {
  Readiness seen;
  for (const ReplicaAddress& replica : replicas) {
    const Instant began = context_.sleeper().now();
    const auto answer = context_.http().send(replica.origin, {.target = "/ready"}, Deadline::after(began, ask_timeout));
    const Duration took = context_.sleeper().now() - began;
    slowest_ready_ = std::max(slowest_ready_, took);
    late_ready_ += took > prompt ? 1 : 0;
    ++ready_asked_;
    if (!answer)
      ++seen.silent;
    else if (answer->status == 200)
      ++seen.ready;
    else
      ++seen.not_ready;
  }
  return seen;
}

namespace {

/// The entry of `target` in a replica's /resilience; nothing when it could not be asked or has none.
std::optional<json::object> target_of(VerbContext& context, const std::string& origin, std::string_view target) {
  const auto answer =
      context.http().send(origin, {.target = "/resilience"}, Deadline::after(context.sleeper().now(), ask_timeout));
  boost::system::error_code error;
  const json::value body = answer ? json::parse(answer->body, error) : json::value();
  if (!answer || answer->status != 200 || error || !body.is_object()) return std::nullopt;
  const json::value* targets = body.as_object().if_contains("targets");
  if (targets == nullptr || !targets->is_array()) return std::nullopt;
  for (const json::value& entry : targets->get_array())
    if (entry.is_object() && text_of(entry.get_object(), "name") == target) return entry.get_object();
  return std::nullopt;
}

}  // namespace

std::string DrillRun::breaker_of(const ReplicaAddress& replica, std::string_view target) {
  const auto entry = target_of(context_, replica.origin, target);
  return entry ? text_of(*entry, "breaker") : "unknown";
}

Status DrillRun::expect_data(std::string_view status, std::string_view when) {
  // The replica itself: the router sends nothing to one that is not ready, and this must be told then too.
  SERIN_TRY(const std::vector<ReplicaAddress> all_replicas, replicas());
  const auto dashboard = std::ranges::find(all_replicas, "admin-dashboard", &ReplicaAddress::service);
  if (dashboard == all_replicas.end()) return fail(Errc::unavailable, "no replica of admin-dashboard runs");
  const auto look = [&]() -> std::string {
    HttpRequest request{.target = "/health/deep"};
    request.headers.set("Authorization", "Bearer local-admin-key");
    const auto answer =
        context_.http().send(dashboard->origin, std::move(request), Deadline::after(context_.sleeper().now(), 5s));
    boost::system::error_code error;
    const json::value body = answer ? json::parse(answer->body, error) : json::value();
    const json::value* all = body.is_object() ? body.get_object().if_contains("checks") : nullptr;
    if (all == nullptr || !all->is_array()) return "no answer";
    for (const json::value& each : all->get_array())
      if (each.is_object() && text_of(each.get_object(), "check") == "data_checks")
        return text_of(each.get_object(), "status");
    return "no such check";
  };
  std::string last;
  SERIN_TRY(const auto shown, wait_until(data_shown_within, [&] { return (last = look()) == status; }));
  expect(fmt::format("{}: /health/deep of the dashboard says {} of the data", when, status), shown.has_value(),
         shown ? fmt::format("after {:.1f} s", seconds_of(*shown)) : fmt::format("it said '{}'", last));
  return {};
}

std::int64_t DrillRun::warehouse_calls(const std::vector<ReplicaAddress>& replicas, std::string_view service) {
  constexpr std::string_view series = "\nfleet_warehouse_statements ";
  std::int64_t calls = 0;
  for (const ReplicaAddress& replica : replicas) {
    if (replica.service != service) continue;
    // Metrics, because they are answered from memory when every worker of the replica waits for the warehouse.
    const auto answer = context_.http().send(replica.origin, {.target = "/metrics"},
                                             Deadline::after(context_.sleeper().now(), ask_timeout));
    const std::size_t at = answer ? answer->body.find(series) : std::string::npos;
    if (at == std::string::npos) return -1;
    const std::size_t begin = at + series.size();
    const auto value = to_double(std::string_view(answer->body).substr(begin, answer->body.find('\n', begin) - begin));
    if (!value) return -1;
    calls += static_cast<std::int64_t>(*value);
  }
  return calls;
}

Result<std::optional<Duration>> DrillRun::wait_until(Duration limit, const std::function<bool()>& condition) {
  const Instant began = context_.sleeper().now();
  const Deadline deadline = Deadline::after(began, limit);
  for (;;) {
    if (condition()) return context_.sleeper().now() - began;
    if (deadline.passed(context_.sleeper().now())) return std::optional<Duration>();
    SERIN_CHECK(context_.sleeper().sleep_for(look_every));
  }
}

}  // namespace serin::tool
