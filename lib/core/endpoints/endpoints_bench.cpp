// What an answer costs before it reaches a socket: prepared bytes (budget: 200 ns, no allocation) with one and with
// several threads and with a writer beside them, and an answer that is rendered, of 1, 10 and 100 checks.
#include <benchmark/benchmark.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "serin/endpoints/endpoints.hpp"
#include "serin/system/clock.hpp"

namespace {

using namespace serin;

struct FixedHealth final : health::HealthSource {
  explicit FixedHealth(int checks) {
    for (int i = 0; i < checks; ++i)
      value.checks.push_back({.name = "check_" + std::to_string(i),
                              .duration = std::chrono::microseconds(1500 + i),
                              .answer = health::CheckAnswer::pass({{"rows", i}, {"host", "db1"}})});
    value.status = health::HealthStatus::up;
  }
  std::optional<health::HealthReport> report(const health::Selection&) const override { return value; }
  void ask(const health::Selection&, Deadline, std::function<void(std::optional<health::HealthReport>)> done) override {
    done(value);
  }
  std::uint64_t version() const noexcept override { return changes.load(); }
  std::vector<std::string> groups() const override { return {}; }
  void on_change(std::function<void()>) override {}
  health::HealthReport value;
  std::atomic<std::uint64_t> changes = 0;
};

struct Bench {
  explicit Bench(int checks) : source(checks) {
    endpoints::EndpointsOptions options;
    options.authenticator = endpoints::bearer("sesame").value();
    all = endpoints::Endpoints::make(std::move(options), {.service = "shop"}, source, clock).value();
  }
  SystemClock clock;  // the cost of reading it is a part of the answer's
  FixedHealth source;
  std::optional<endpoints::Endpoints> all;
};

void prepared(benchmark::State& state) {
  static Bench bench(10);
  const HttpHead head{.method = "GET", .target = "/ready"};
  for (auto _ : state) benchmark::DoNotOptimize(bench.all->prepared(head));
}
BENCHMARK(prepared)->Threads(1)->Threads(2);

void prepared_while_it_changes_each_millisecond(benchmark::State& state) {
  static Bench bench(10);
  std::optional<std::jthread> writer;
  if (state.thread_index() == 0)
    writer.emplace([](const std::stop_token& stop) {
      auto next = bench.clock.now();
      while (!stop.stop_requested())
        if (bench.clock.now() >= next) {
          ++bench.source.changes;
          next += std::chrono::milliseconds(1);
        } else {
          std::this_thread::yield();
        }
    });
  const HttpHead head{.method = "GET", .target = "/ready"};
  for (auto _ : state) benchmark::DoNotOptimize(bench.all->prepared(head));
}
BENCHMARK(prepared_while_it_changes_each_millisecond);

void rendered(benchmark::State& state) {
  Bench bench(static_cast<int>(state.range(0)));
  const HttpRequest request{.target = "/health/deep", .headers = {{"Authorization", "Bearer sesame"}}};
  for (auto _ : state) benchmark::DoNotOptimize(bench.all->handle(request));
}
BENCHMARK(rendered)->Arg(1)->Arg(10)->Arg(100);

void rendered_for_anybody(benchmark::State& state) {
  Bench bench(static_cast<int>(state.range(0)));
  const HttpRequest request{.target = "/health/deep"};
  for (auto _ : state) benchmark::DoNotOptimize(bench.all->handle(request));
}
BENCHMARK(rendered_for_anybody)->Arg(1)->Arg(10)->Arg(100);

}  // namespace
