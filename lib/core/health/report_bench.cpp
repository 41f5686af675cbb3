// What a probe costs: the status of a kind, the version, and whole reports of checks that answered.
#include <benchmark/benchmark.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <memory>
#include <new>
#include <thread>

#include "serin/health/health.hpp"
#include "serin/sim/world.hpp"

namespace {
std::atomic<std::uint64_t> allocations{0};
}  // namespace

// Counts what the library allocates; the one way to do so without touching it.
void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace serin::health {
namespace {

struct Inline final : Executor {
  bool submit(std::function<void()> work) override {
    work();
    return true;
  }
};

struct Loaded {
  explicit Loaded(int checks) {
    for (int i = 0; i < checks; ++i) {
      const Status added = health->add({.name = "check-" + std::to_string(i), .groups = {"all"}}, [](Deadline) {
        return CheckAnswer::pass({{"rows", 12}});
      });
      if (!added) std::abort();
    }
    if (!health->add_pushed({.name = "loop", .kinds = Kind::liveness, .ttl = 1h}) || !health->beat("loop"))
      std::abort();
    health->poll();
  }
  sim::World world;
  Inline executor;
  std::unique_ptr<Health> health = *Health::make({}, world.sleeper(), {.executor = &executor, .scheduled = false});
};

void count_allocations(benchmark::State& state, std::uint64_t before) {
  state.counters["allocations"] =
      benchmark::Counter(static_cast<double>(allocations - before), benchmark::Counter::kAvgIterations);
}

void liveness(benchmark::State& state) {
  const Loaded loaded(static_cast<int>(state.range(0)));
  const std::uint64_t before = allocations;
  for (auto _ : state) benchmark::DoNotOptimize(loaded.health->status(Kind::liveness));
  count_allocations(state, before);
}
BENCHMARK(liveness)->Arg(10)->Arg(100);

void version(benchmark::State& state) {
  const Loaded loaded(10);
  const std::uint64_t before = allocations;
  for (auto _ : state) benchmark::DoNotOptimize(loaded.health->version());
  count_allocations(state, before);
}
BENCHMARK(version);

void report(benchmark::State& state) {
  const Loaded loaded(static_cast<int>(state.range(0)));
  const std::uint64_t before = allocations;
  for (auto _ : state) benchmark::DoNotOptimize(loaded.health->report({.kind = Kind::deep}));
  count_allocations(state, before);
}
BENCHMARK(report)->Arg(10)->Arg(100);

void push(benchmark::State& state) {
  const Loaded loaded(static_cast<int>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(loaded.health->beat("loop"));
}
BENCHMARK(push)->Arg(10)->Arg(100);

/// The first thread writes, the others read.
void readers_and_a_writer(benchmark::State& state) {
  static const std::unique_ptr<Loaded> loaded = std::make_unique<Loaded>(10);
  std::int64_t reads = 0;
  for (auto _ : state) {
    if (state.thread_index() == 0) {
      benchmark::DoNotOptimize(loaded->health->beat("loop"));
    } else {
      benchmark::DoNotOptimize(loaded->health->status(Kind::readiness));
      ++reads;
    }
  }
  state.counters["reads"] = benchmark::Counter(static_cast<double>(reads), benchmark::Counter::kIsRate);
}
BENCHMARK(readers_and_a_writer)->Threads(2)->Threads(9)->UseRealTime();

}  // namespace
}  // namespace serin::health
