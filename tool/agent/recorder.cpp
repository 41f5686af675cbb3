#include "serin/agent/recorder.hpp"

namespace serin::agent {

Recorder::Recorder(haproxy::RuntimeSocket socket, haproxy::TrafficCounter& counter, control::ControlStore& store,
                   Sleeper& sleeper, std::function<std::int64_t()> run, Logger logger)
    : socket_(std::move(socket)),
      counter_(counter),
      store_(store),
      sleeper_(sleeper),
      run_(std::move(run)),
      logger_(std::move(logger)) {
  thread_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
}

Status Recorder::record(std::int64_t second) {
  SERIN_TRY(const haproxy::Statistics statistics, socket_.statistics(Deadline::after(sleeper_.now(), 500ms)));
  counter_.sample(statistics, run_());
  const haproxy::CountedSecond counted = counter_.close(second);
  std::vector<control::FailedRequest> failures;
  std::vector<std::string> services;
  for (const haproxy::FailedLine& line : counted.failures) {
    failures.push_back({.second = line.second,
                        .release = line.release,
                        .status = line.status,
                        .milliseconds = line.milliseconds,
                        .what = line.what});
    services.push_back(line.service);
  }
  return store_.add_second(counted.services, failures, services);
}

void Recorder::work(const std::stop_token& stop) {
  bool failing = false;
  while (!stop.stop_requested()) {
    const std::int64_t second = std::chrono::floor<std::chrono::seconds>(sleeper_.now().time_since_epoch()).count();
    // A little after its end: the lines of its last requests are on their way.
    const Instant due(std::chrono::seconds(second + 1) + 50ms);
    if (!sleeper_.sleep_until(due)) return;
    const Status recorded = record(second);
    if (!recorded && !failing) logger_.error("traffic not counted", {{"error", recorded.error().text()}});
    if (recorded && failing) logger_.info("traffic counted again");
    failing = !recorded;
  }
}

}  // namespace serin::agent
