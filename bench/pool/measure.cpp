#include "measure.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <thread>

namespace serin::pool_bench {
namespace {

/// Of this process so far: what other programs do on the machine is not in it.
Duration processor_time() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return std::chrono::seconds(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         std::chrono::microseconds(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

}  // namespace

std::string Line::json() const {
  if (scenario == "spike")
    return fmt::format(R"({{"who":"{}","scenario":"spike","total":{},"all_served_ms":{:.2f},"mean_wait_ms":{:.2f}}})",
                       who, total, all_served_ms, mean_wait_ms);
  return fmt::format(
      R"({{"who":"{}","scenario":"{}","cpu_ns":{:.1f},"ops_per_ms":{:.1f},"longest_wait_us":{:.1f},"least_share":{:.3f}}})",
      who, scenario, cpu_ns, ops_per_ms, longest_wait_us, least_share);
}

std::string Shape::name() const { return fmt::format("{}/{}", threads, size); }

std::vector<Shape> shapes() { return {{1, 1}, {2, 2}, {4, 4}, {8, 8}, {2, 1}, {4, 2}, {8, 4}}; }

Crowd::Result Crowd::run(const std::function<std::int64_t(int thread, const std::atomic<bool>& end)>& work) const {
  std::vector<std::int64_t> done(static_cast<std::size_t>(threads_));
  std::atomic<int> ready = 0;
  std::atomic<bool> end = false;
  Instant began{};
  Instant ended{};
  Duration used{};
  {
    std::vector<std::jthread> all;
    for (int i = 0; i < threads_; ++i)
      all.emplace_back([&, i] {
        ++ready;
        while (ready.load() <= threads_) std::this_thread::yield();  // the last one is whoever measures
        done[static_cast<std::size_t>(i)] = work(i, end);
      });
    while (ready.load() < threads_) std::this_thread::yield();
    used = processor_time();
    began = clock_.now();
    ++ready;
    Event never;
    never.block_until(began + how_long_, end);
    end = true;
    ended = clock_.now();
  }
  used = processor_time() - used;
  std::int64_t sum = 0;
  for (const std::int64_t one : done) sum += one;
  const auto [least, most] = std::ranges::minmax(done);
  return {.cpu_ns = static_cast<double>(used.count()) / static_cast<double>(std::max<std::int64_t>(sum, 1)),
          .ops_per_ms = static_cast<double>(sum) / (seconds_of(ended - began) * 1e3),
          .least_share = most == 0 ? 0 : static_cast<double>(least) / static_cast<double>(most)};
}

Spike spike(int threads, Sleeper& clock, const std::function<void(const std::function<void()>&)>& turn) {
  std::vector<Duration> waits(static_cast<std::size_t>(threads));
  std::atomic<int> ready = 0;
  Instant began{};
  {
    std::vector<std::jthread> all;
    for (int i = 0; i < threads; ++i)
      all.emplace_back([&, i] {
        ++ready;
        while (ready.load() <= threads) std::this_thread::yield();
        const Instant asked = clock.now();
        turn([&] { waits[static_cast<std::size_t>(i)] = clock.now() - asked; });
      });
    while (ready.load() < threads) std::this_thread::yield();
    began = clock.now();
    ++ready;
  }
  const Duration all_served = clock.now() - began;
  Duration sum{};
  for (const Duration wait : waits) sum += wait;
  return {.all_served_ms = seconds_of(all_served) * 1e3, .mean_wait_ms = seconds_of(sum) * 1e3 / threads};
}

}  // namespace serin::pool_bench
