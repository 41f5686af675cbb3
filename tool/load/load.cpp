#include "serin/load/load.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace serin::load {
namespace {

Duration quantile(std::vector<std::int32_t> sorted, double q) {
  if (sorted.empty()) return {};
  const auto index = static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1));
  return std::chrono::microseconds(sorted[index]);
}
}  // namespace

Result<std::unique_ptr<Load>> Load::start(LoadOptions options, HttpClient& client, Sleeper& sleeper) {
  if (!(options.requests_per_second > 0) || options.requests_per_second > 100'000)
    return fail(Errc::invalid_argument,
                fmt::format("{} requests per second is not in 0 to 100000", options.requests_per_second));
  if (options.workers < 1 || options.workers > 256)
    return fail(Errc::invalid_argument, fmt::format("{} workers is not in 1 to 256", options.workers));
  auto load = std::unique_ptr<Load>(new Load(std::move(options), client, sleeper));
  for (int i = 0; i < load->options_.workers; ++i)
    load->workers_.emplace_back([raw = load.get()](const std::stop_token& stop) { raw->work(stop); });
  return load;
}

Load::Load(LoadOptions options, HttpClient& client, Sleeper& sleeper)
    : options_(std::move(options)), client_(client), sleeper_(sleeper), started_(sleeper.now()) {}

Load::~Load() { stop(); }

void Load::stop() {
  for (std::jthread& worker : workers_) worker.request_stop();
  workers_.clear();  // joins
}

void Load::work(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const std::uint64_t number = next_.fetch_add(1);
    const Instant due = started_ + duration_of_seconds(static_cast<double>(number) / options_.requests_per_second);
    // A stop between two requests must not wait for the next one to be due: slow loads would end late.
    while (!stop.stop_requested() && sleeper_.now() < due)
      if (!sleeper_.sleep_until(std::min(due, sleeper_.now() + 50ms))) return;
    if (!stop.stop_requested()) send(number, due);
  }
}

void Load::send(std::uint64_t number, Instant due) {
  HttpRequest request = options_.request(number);
  const std::string line = fmt::format("{} {}", request.method, request.path());
  const Instant sent = sleeper_.now();
  const auto answer = client_.send(options_.origin, std::move(request), Deadline::after(sent, options_.timeout));
  const Duration took = sleeper_.now() - due;

  const std::lock_guard lock(mutex_);
  ++counts_.sent;
  if (sent - due > 100ms) ++counts_.late;
  if (answer) {
    ++counts_.by_status[answer->status];
    latencies_us_.push_back(
        static_cast<std::int32_t>(std::chrono::duration_cast<std::chrono::microseconds>(took).count()));
  }
  if (answer && answer->status < 500) return;
  ++counts_.failed;
  if (counts_.failures.size() < kept_failures)
    counts_.failures.push_back({sleeper_.wall(), answer ? fmt::format("{} {}", answer->status, line)
                                                        : fmt::format("{}: {}", line, answer.error().text())});
}

LoadReport Load::report() const {
  std::vector<std::int32_t> latencies;
  LoadReport report;
  {
    const std::lock_guard lock(mutex_);
    report = counts_;
    latencies = latencies_us_;
  }
  std::ranges::sort(latencies);
  report.p50 = quantile(latencies, 0.5);
  report.p99 = quantile(latencies, 0.99);
  return report;
}

}  // namespace serin::load
