#include "serin/haproxy/traffic_counter.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace serin::haproxy {
namespace {

// Counters and log are read at different moments, so a request on its way looks like one that is missing. What is still
// missing in each of so many samples is.
constexpr std::size_t window = 3;
constexpr std::size_t most_failures = 50;

/// How much has been missing all the time in the newest samples, beyond what is known already.
std::int64_t newly_missing(std::deque<std::int64_t>& samples, std::int64_t now, std::int64_t& known) {
  samples.push_back(now);
  if (samples.size() > window) samples.pop_front();
  if (samples.size() < window) return 0;
  const std::int64_t sure = std::max<std::int64_t>(0, *std::ranges::min_element(samples));
  const std::int64_t more = std::max<std::int64_t>(0, sure - known);
  known += more;
  return more;
}

}  // namespace

void TrafficCounter::add(std::string_view text, std::int64_t second) {
  const std::lock_guard lock(mutex_);
  const Result<AccessLine> line = parse_access_line(text);
  if (!line || std::ranges::find(services_, line->service) == services_.end()) return;  // missing in the cross-check
  Service& service = state_[std::string(line->service)];
  ++service.lines;
  const bool failed = is_failure(*line);
  const std::string release(release_of(line->server));
  if (release.empty()) {
    service.unattributed += failed ? 1 : 0;
  } else {
    Arm& arm = service.open[release];
    ++arm.requests;
    arm.errors += failed ? 1 : 0;
    if (line->answer_milliseconds) arm.latency.add(static_cast<double>(*line->answer_milliseconds));
  }
  if (failed && failures_.size() < most_failures)
    failures_.push_back({.service = std::string(line->service),
                         .release = release,
                         .second = second,
                         .status = line->status,
                         .milliseconds = line->milliseconds,
                         .what = fmt::format("{} {}", line->method, line->path)});
}

void TrafficCounter::sample_service(const std::string& name, Service& service, const Statistics& statistics,
                                    bool first) {
  const auto front = statistics.find(fmt::format("fe_{}/FRONTEND", name));
  const auto back = statistics.find(fmt::format("{}/BACKEND", name));
  if (front == statistics.end() || back == statistics.end()) return;
  const std::int64_t unanswered = front->second.requests - front->second.answers - back->second.in_flight;
  const std::int64_t unlogged = front->second.answers - (service.lines - service.lines_at_start);
  if (first) {
    // What happened before we looked is nobody's news.
    service.lines_at_start = service.lines - front->second.answers;
    service.unanswered.clear();
    service.unlogged.clear();
    service.known_unanswered = std::max<std::int64_t>(0, unanswered);
    service.known_unlogged = 0;
    service.hidden.clear();
  } else {
    service.unattributed += newly_missing(service.unanswered, unanswered, service.known_unanswered);
    service.lost += newly_missing(service.unlogged, unlogged, service.known_unlogged);
  }
  const std::string prefix = name + "/";
  for (auto row = statistics.lower_bound(prefix); row != statistics.end() && row->first.starts_with(prefix); ++row) {
    const std::string server = row->first.substr(prefix.size());
    const std::string release(release_of(server));
    if (server == "BACKEND" || release.empty()) continue;
    const std::int64_t now = row->second.retries + row->second.redispatches;
    std::int64_t& before = service.hidden[server];
    // A server that was removed and added again counts from 0.
    const std::int64_t more = now >= before ? now - before : now;
    before = now;
    if (first || more == 0) continue;
    Arm& arm = service.open[release];
    arm.requests += more;
    arm.errors += more;
    arm.hidden += more;
  }
}

void TrafficCounter::sample(const Statistics& statistics, std::int64_t run) {
  const std::lock_guard lock(mutex_);
  const bool first = run_ != run;
  run_ = run;
  for (const std::string& name : services_) sample_service(name, state_[name], statistics, first);
}

CountedSecond TrafficCounter::close(std::int64_t second) {
  const std::lock_guard lock(mutex_);
  CountedSecond counted;
  for (const std::string& name : services_) {
    Service& service = state_[name];
    TrafficSecond& out = counted.services[name];
    out.second = second;
    out.unattributed = std::exchange(service.unattributed, 0);
    out.lost = std::exchange(service.lost, 0);
    for (const auto& [release, arm] : service.open) {
      Result<ReleaseName> checked = ReleaseName::make(release);
      if (checked)
        out.counts.push_back({.release = *std::move(checked),
                              .requests = arm.requests,
                              .errors = arm.errors,
                              .hidden = arm.hidden,
                              .latency = arm.latency});
      else
        out.lost += arm.requests;
    }
    service.open.clear();
  }
  counted.failures = std::move(failures_);
  failures_.clear();
  return counted;
}

}  // namespace serin::haproxy
