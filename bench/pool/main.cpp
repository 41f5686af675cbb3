// usage: pool_bench --lines              plays the contenders that are written in C++, one JSON line each
//        pool_bench --check              the same in no time, and whether their books are good
//        pool_bench --report=FILE --page=FOLDER   makes FOLDER/pool.md of lines, those of the rivals included
#include <fmt/format.h>

#include <string>
#include <string_view>

#include "contenders.hpp"
#include "measure.hpp"
#include "page.hpp"
#include "serin/system/files.hpp"

namespace serin::pool_bench {
namespace {

struct Plan {
  Duration each = 150ms;
  int spike_threads = 50;
  Duration creation = 150ms;
  Duration use = 2ms;
};

struct Say {
  bool print = true;
  bool good = true;
  void line(const Line& line) const {
    if (print) fmt::print("{}\n", line.json());
  }
};

template <class Pool>
void play(const Plan& plan, Sleeper& clock, Say& say) {
  for (const Shape& shape : shapes()) {
    Pool pool({.min = shape.size, .max = shape.size}, clock);
    Line line{.who = Pool::name, .scenario = shape.name()};
    const Crowd crowd(shape.threads, plan.each, clock);
    const Deadline deadline = Deadline::after(clock.now(), 60s);
    const auto free_running = crowd.run([&](int, const std::atomic<bool>& end) {
      std::int64_t done = 0;
      for (; !end.load(std::memory_order_relaxed); ++done) pool.with(deadline, [](Thing& thing) { ++thing.used; });
      return done;
    });
    line.ops_per_ms = free_running.ops_per_ms;
    line.cpu_ns = free_running.cpu_ns;
    std::vector<Duration> longest(static_cast<std::size_t>(shape.threads));
    const auto timed = crowd.run([&](int thread, const std::atomic<bool>& end) {
      std::int64_t done = 0;
      Duration& mine = longest[static_cast<std::size_t>(thread)];
      for (; !end.load(std::memory_order_relaxed); ++done) {
        const Instant asked = clock.now();
        pool.with(deadline, [&](Thing& thing) {
          ++thing.used;
          mine = std::max(mine, clock.now() - asked);
        });
      }
      return done;
    });
    line.longest_wait_us = seconds_of(*std::ranges::max_element(longest)) * 1e6;
    line.least_share = timed.least_share;
    say.good = say.good && line.ops_per_ms > 0 && pool.books_are_good();
    say.line(line);
  }
  Pool pool({.min = 5, .max = 50, .creation = plan.creation}, clock);
  const Deadline deadline = Deadline::after(clock.now(), 60s);
  const Spike seen = spike(plan.spike_threads, clock, [&](const std::function<void()>& borrowed) {
    pool.with(deadline, [&](Thing&) {
      borrowed();
      static_cast<void>(clock.sleep_for(plan.use));
    });
  });
  say.line({.who = Pool::name,
            .scenario = "spike",
            .total = static_cast<double>(pool.total()),
            .all_served_ms = seen.all_served_ms,
            .mean_wait_ms = seen.mean_wait_ms});
  say.good = say.good && pool.total() >= 5 && pool.total() <= 50;
}

int play_all(const Plan& plan, bool print) {
  PatientSleeper clock;
  Say say{.print = print};
  play<Ours>(plan, clock, say);
  play<WithCondition>(plan, clock, say);
  play<WithSemaphore>(plan, clock, say);
  if (!say.good) fmt::print(stderr, "pool_bench: nothing was borrowed, or the books of a pool are wrong\n");
  return say.good ? 0 : 1;
}

Status report(const std::string& lines, const std::string& folder) {
  SERIN_TRY(const std::string text, read_file(lines));
  SERIN_TRY(const std::string page, page_of(text));
  return write_file(folder + "/pool.md", page);
}

}  // namespace
}  // namespace serin::pool_bench

int main(int argc, char** argv) {
  using namespace serin::pool_bench;
  using namespace std::chrono_literals;
  std::string lines, folder = ".";
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--check") return play_all({.each = 5ms, .spike_threads = 20, .creation = 5ms, .use = 100us}, false);
    if (word == "--lines") return play_all({}, true);
    if (word.starts_with("--report=")) lines = word.substr(9);
    if (word.starts_with("--page=")) folder = word.substr(7);
  }
  if (const serin::Status made = report(lines, folder); !made) {
    fmt::print(stderr, "pool_bench: {}\n", made.error().text());
    return 1;
  }
  return 0;
}
