#include "serin/sim/fleet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace serin::sim {
namespace {

constexpr std::int64_t lag = 2;  // seconds until the counts of a second are complete

}  // namespace

Fleet::Fleet(World& world, ServiceName service)
    : world_(world), service_(std::move(service)), times_(world.random().next()) {
  world_.every(1s, [this] { count_second(); });
}

LatencyHistogram Fleet::times_of(std::int64_t requests, const Behaviour& behaviour) {
  LatencyHistogram times;
  for (std::int64_t i = 0; i < requests; ++i) {
    // A normal number by Box and Muller.
    const double normal = std::sqrt(-2 * std::log(1 - times_.unit())) * std::cos(2 * std::numbers::pi * times_.unit());
    double seconds = seconds_of(behaviour.takes) * std::exp(0.5 * normal);
    if (times_.unit() < behaviour.stalls) seconds *= 10;
    times.add(1000 * (seconds + seconds_of(slowness_)));
  }
  return times;
}

void Fleet::count_second() {
  TrafficSecond second{.second = second_of(world_.now()) - 1, .counts = {}};
  double requests_left = rate_;
  if (rate_ < 1) requests_left = world_.random().unit() < rate_ ? 1 : 0;
  for (const Share& share : split_) {
    TrafficCount count{.release = share.release};
    double expected = requests_left * share.percent / 100;
    const double whole = std::floor(expected);
    count.requests = static_cast<std::int64_t>(whole) + (world_.random().unit() < expected - whole ? 1 : 0);
    const auto started = started_.find(share.release.str());
    const Behaviour& behaviour = behaviours_[share.release.str()];
    double rate = outage_;
    if (started == started_.end() || replica(share.release.str(), 0).state != ReplicaState::ready)
      rate = 1;
    else if (world_.now() - started->second.at >= behaviour.errors_after)
      rate = std::min(1.0, rate + behaviour.error_rate);
    for (std::int64_t i = 0; i < count.requests; ++i)
      if (world_.random().unit() < rate) ++count.errors;
    failures_ += count.errors;
    if (!latency_hidden_) count.latency = times_of(count.requests, behaviour);
    second.counts.push_back(std::move(count));
  }
  seconds_.push_back(std::move(second));
}

Replica Fleet::replica(const std::string& release, int index) const {
  const Started& started = started_.at(release);
  const auto known = behaviours_.find(release);
  const Behaviour behaviour = known == behaviours_.end() ? Behaviour{} : known->second;
  Replica out{.name = fmt::format("{}-{}", release, index),
              .address = fmt::format("{}-{}.sim:1", release, index),
              .state = ReplicaState::starting,
              .reason = {},
              .log = {}};
  const Duration age = world_.now() - started.at;
  if (age >= behaviour.ready_after) out.state = ReplicaState::ready;
  if (behaviour.not_ready_after && age >= *behaviour.not_ready_after) {
    out.state = ReplicaState::not_ready;
    out.reason = "GET /ready: HTTP 503";
  }
  if (behaviour.crash_after && age >= *behaviour.crash_after) {
    out.state = ReplicaState::exited;
    out.restarts = 1;
    out.reason = "exit code 3: MODEL_PATH is not set";
  }
  return out;
}

Result<Split> Fleet::read(const ServiceName&, Deadline) {
  return outside.call("router.read", [&]() -> Result<Split> { return split_; });
}

Status Fleet::apply(const ServiceName&, const Split& split, Deadline) {
  return outside.call("router.apply", [&]() -> Status {
    if (jammed_) return {};
    split_ = split;
    history_.push_back(split);
    return {};
  });
}

Status Fleet::start(const ServiceName&, const ReleaseSpec& release, Deadline) {
  return outside.call("platform.start", [&]() -> Status {
    started_.try_emplace(release.name.str(), Started{.at = world_.now(), .replicas = release.replicas});
    return {};
  });
}

Status Fleet::stop(const ServiceName&, const ReleaseName& release, Deadline) {
  return outside.call("platform.stop", [&]() -> Status {
    started_.erase(release.str());
    return {};
  });
}

Result<std::vector<Replica>> Fleet::replicas(const ServiceName&, const ReleaseName& release, Deadline) {
  return outside.call("platform.replicas", [&]() -> Result<std::vector<Replica>> {
    std::vector<Replica> out;
    const auto started = started_.find(release.str());
    if (started == started_.end()) return out;
    for (int i = 0; i < started->second.replicas; ++i) out.push_back(replica(release.str(), i));
    return out;
  });
}

Result<TrafficWindow> Fleet::read(const ServiceName&, std::int64_t after, Deadline) {
  return outside.call("traffic.read", [&]() -> Result<TrafficWindow> {
    TrafficWindow window{.seconds = {}, .complete = second_of(world_.now()) - 1 - lag};
    for (const TrafficSecond& second : seconds_)
      if (second.second > after && second.second <= window.complete) window.seconds.push_back(second);
    return window;
  });
}

Result<HttpResponse> Fleet::send(std::string_view origin, HttpRequest request, Deadline, std::stop_token stop) {
  if (stop.stop_requested()) return fail(Errc::cancelled, "given up before it was sent");
  return outside.call("http.send", [&]() -> Result<HttpResponse> {
    const std::string_view host = origin.substr(std::string_view("http://").size());
    const std::string release(host.substr(0, host.rfind('-')));
    if (!started_.contains(release)) return fail(Errc::unavailable, "connect: refused");
    const Behaviour& behaviour = behaviours_[release];
    if (request.path() == "/health")
      return HttpResponse::json(
          200, fmt::format(R"({{"status":"healthy","service":"{}","revision":"{}"{}}})",
                           behaviour.claims_service.value_or(service_.str()), release,
                           behaviour.breaks_contract ? R"(,"version":"1","commit":"abc","environment":"sim")" : ""));
    if (request.path() == "/health/deep" && behaviour.deep_fails)
      return HttpResponse::json(503, R"({"status":"unhealthy"})");
    const bool ready = replica(release, 0).state == ReplicaState::ready;
    return HttpResponse::json(ready ? 200 : 503, "{}");
  });
}

}  // namespace serin::sim
