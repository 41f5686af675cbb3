#include "measure.hpp"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <new>

namespace {
std::atomic<std::int64_t> times = 0;
std::atomic<std::int64_t> bytes = 0;
}  // namespace
// Counts every allocation of this program; the memory comes from malloc as before.
[[gnu::noinline]] void* operator new(std::size_t size) {
  times.fetch_add(1, std::memory_order_relaxed);
  bytes.fetch_add(static_cast<std::int64_t>(size), std::memory_order_relaxed);
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace serin::resilience {

Allocated allocated() noexcept { return {.times = times.load(), .bytes = bytes.load()}; }

Timing timing_of(std::vector<double> repetitions) {
  std::sort(repetitions.begin(), repetitions.end());
  const auto n = static_cast<double>(repetitions.size());
  double sum = 0;
  for (const double each : repetitions) sum += each;
  double squares = 0;
  for (const double each : repetitions) squares += (each - sum / n) * (each - sum / n);
  const auto rank = static_cast<std::size_t>(std::ceil(0.99 * n)) - 1;
  return {.median = repetitions[repetitions.size() / 2],
          .p99 = repetitions[rank],
          .cv = n > 1 ? std::sqrt(squares / (n - 1)) / (sum / n) : 0};
}

std::vector<Measured> measure(const std::vector<Case>& cases, const Plan& plan, const Clock& clock) {
  const auto time = [&](const Case& what, std::int64_t calls) {
    const Instant began = clock.now();
    what.many(calls);
    return std::max(seconds_of(clock.now() - began), 1e-9);
  };
  std::vector<std::int64_t> calls;
  std::vector<Measured> out(cases.size());
  for (std::size_t i = 0; i < cases.size(); ++i) {
    std::int64_t many = 1000;
    while (many < (1LL << 30) && time(cases[i], many) < seconds_of(plan.each) / 4) many *= 4;  // warms up as well
    many = std::max<std::int64_t>(
        1, static_cast<std::int64_t>(static_cast<double>(many) * seconds_of(plan.each) / time(cases[i], many)));
    calls.push_back(many);
    const Allocated before = allocated();
    cases[i].many(1000);
    out[i].allocations = static_cast<double>(allocated().times - before.times) / 1000;
  }
  std::vector<std::vector<double>> repetitions(cases.size());
  for (int round = 0; round < plan.repetitions; ++round)
    for (std::size_t i = 0; i < cases.size(); ++i)
      repetitions[i].push_back(time(cases[i], calls[i]) * 1e9 / static_cast<double>(calls[i]));
  for (std::size_t i = 0; i < cases.size(); ++i) out[i].timing = timing_of(std::move(repetitions[i]));
  return out;
}

void pin(bool first) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (first) {
    CPU_SET(static_cast<std::size_t>(std::max(sched_getcpu(), 0)), &cores);
  } else {
    for (std::size_t core = 0; core < 64; ++core) CPU_SET(core, &cores);
  }
  sched_setaffinity(0, sizeof cores, &cores);  // where it is not allowed, the spread shows it
}

}  // namespace serin::resilience
