// ./run bench resilience: what protection costs a call, beside what others charge for it. Ours and the C++ by hand are
// measured here, in turn; the figures of other languages come from their own programs, played just before (--rivals).
// --check measures for a moment and answers 1 when the measuring or the counting is wrong.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <cstdio>
#include <fstream>
#include <map>
#include <thread>

#include "cases.hpp"
#include "serin/system/clock.hpp"

namespace serin::resilience {
namespace {

/// Time that costs nothing to read and goes on by a nanosecond a reading, so that a rate of 1e9 a second always has one
/// left: what is measured is the cost of the elements alone. (Where it stood still, the burst was soon used up, and
/// waiting for the next turn never ended.)
class CrawlingSleeper final : public Sleeper {
 public:
  [[nodiscard]] Instant now() const override { return now_ += 1ns; }
  [[nodiscard]] WallTime wall() const override { return {}; }
  Status sleep_until(Instant) override { return {}; }
  Result<bool> wait(Event& event, Instant) override { return event.is_set(); }

 private:
  mutable Instant now_{1h};
};
/// The real clock, and sleeps that end at once.
class HastySleeper final : public Sleeper {
 public:
  explicit HastySleeper(const Clock& clock) : clock_(clock) {}
  [[nodiscard]] Instant now() const override { return clock_.now(); }
  [[nodiscard]] WallTime wall() const override { return clock_.wall(); }
  Status sleep_until(Instant) override { return {}; }
  Result<bool> wait(Event& event, Instant) override { return event.is_set(); }

 private:
  const Clock& clock_;
};
class Counting final : public Random {
 public:
  std::uint64_t next() override { return state_ += 0x9E3779B97F4A7C15ULL; }

 private:
  std::uint64_t state_ = 0;
};

struct Rival {
  std::string name;
  std::string language;
  std::string kind;
  std::string what;
  double ns = 0;
  std::string skipped;
};
std::vector<Rival> read_rivals(const std::string& path) {
  std::vector<Rival> rivals;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    boost::system::error_code error;
    const boost::json::value value = boost::json::parse(line, error);
    if (error || !value.is_object()) continue;
    const boost::json::object& object = value.get_object();
    const auto text = [&](std::string_view key) {
      const boost::json::value* found = object.if_contains(key);
      return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
    };
    const boost::json::value* ns = object.if_contains("ns");
    rivals.push_back({.name = text("rival"),
                      .language = text("language"),
                      .kind = text("kind"),
                      .what = text("what"),
                      .ns = ns != nullptr && ns->is_number() ? ns->to_number<double>() : 0,
                      .skipped = text("skipped")});
  }
  return rivals;
}

struct Results {
  std::vector<Case> cases;
  std::vector<Measured> measured;
  Contention contention;
  std::vector<Rival> rivals;

  [[nodiscard]] double median(std::string_view who, std::string_view clock, std::string_view kind) const {
    for (std::size_t i = 0; i < cases.size(); ++i)
      if (cases[i].who == who && cases[i].clock == clock && cases[i].kind == kind) return measured[i].timing.median;
    return 0;
  }
};

std::string ours_table(const Results& results) {
  std::string out =
      "\n| | fake clock, ns above B0 | p99 | CV | real clock, ns above B0 | p99 | CV | allocations a call | state, "
      "bytes "
      "|\n|---|---|---|---|---|---|---|---|---|\n";
  const double base = results.median("ours", "fake", "plain");
  const double real_base = results.median("ours", "real", "plain");
  for (std::size_t i = 0; i < results.cases.size(); ++i) {
    const Case& fake = results.cases[i];
    if (fake.who != "ours" || fake.clock != "fake") continue;
    for (std::size_t j = 0; j < results.cases.size(); ++j) {
      const Case& real = results.cases[j];
      if (real.who != "ours" || real.clock != "real" || real.kind != fake.kind) continue;
      const bool whole = fake.kind == "plain" || fake.kind == "clock" || fake.kind == "budget" || fake.kind == "rate";
      const Timing& f = results.measured[i].timing;
      const Timing& r = results.measured[j].timing;
      const double less = whole ? 0 : base;
      const double real_less = whole ? 0 : real_base;
      out += fmt::format("| {}{} | {:.1f} | {:.1f} | {:.0f} % | {:.1f} | {:.1f} | {:.0f} % | {:.2f} | {} |\n",
                         fake.name, whole ? " (itself)" : "", f.median - less, f.p99 - less, 100 * f.cv,
                         r.median - real_less, r.p99 - real_less, 100 * r.cv,
                         std::max(results.measured[i].allocations, results.measured[j].allocations), fake.state_bytes);
    }
  }
  return out;
}

std::string targets(const Results& results) {
  const double base = results.median("ours", "fake", "plain");
  const auto cost = [&](std::string_view kind) { return results.median("ours", "fake", kind) - base; };
  const auto line = [](std::string_view what, double ns, double target) {
    return fmt::format("- {}: {:.1f} ns; wanted: at most {:.0f} ns: {}\n", what, ns, target,
                       ns <= target ? "kept" : "**not kept**");
  };
  return "\nWhat was wanted, without reads of the clock:\n" + line("a success through a retry", cost("retry"), 5) +
         line("a success through a breaker", cost("breaker"), 20) + line("five elements", cost("pipeline"), 120) +
         line("refused by an open breaker", cost("open"), 15);
}

std::string rivals_table(const Results& results) {
  struct Kind {
    std::string_view kind;
    std::string_view title;
  };
  constexpr std::array kinds{
      Kind{"retry", "success through a retry"},     Kind{"retry once", "one failure, then success"},
      Kind{"breaker", "success through a breaker"}, Kind{"open", "refused by an open breaker"},
      Kind{"rate", "a rate limit's yes"},           Kind{"pipeline", "several elements"}};
  std::string out = "\n| | who | language | ns | ours, ns | ours / rival |\n|---|---|---|---|---|---|\n";
  for (const Kind& kind : kinds) {
    const double ours = results.median("ours", "real", kind.kind);
    const auto add = [&](std::string_view who, std::string_view language, double ns) {
      out +=
          fmt::format("| {} | {} | {} | {:.0f} | {:.0f} | {:.3f} |\n", kind.title, who, language, ns, ours, ours / ns);
    };
    for (std::size_t i = 0; i < results.cases.size(); ++i)
      if (results.cases[i].who == "by hand" && results.cases[i].kind == kind.kind)
        add("by hand: " + results.cases[i].name, "C++", results.measured[i].timing.median);
    for (const Rival& rival : results.rivals)
      if (rival.kind == kind.kind && rival.ns > 0) add(rival.name + ": " + rival.what, rival.language, rival.ns);
  }
  for (const Rival& rival : results.rivals) {
    if (rival.kind == "plain")
      out += fmt::format("\nIn {} an await of {} alone takes {:.0f} ns.\n", rival.language, rival.what, rival.ns);
    if (!rival.skipped.empty()) out += fmt::format("\nSkipped: {}: {}.\n", rival.name, rival.skipped);
  }
  if (results.rivals.empty()) out += "\nSkipped: all of other languages; no results were given.\n";
  return out;
}

std::string contention_table(const Results& results) {
  std::string out = "\n| | threads | one for all, million calls a second | one each |\n|---|---|---|---|\n";
  for (const Contended& one : results.contention.timed)
    for (const Contended& each : results.contention.timed)
      if (one.shared && !each.shared && one.what == each.what && one.threads == each.threads)
        out += fmt::format("| {} | {} | {:.1f} | {:.1f} |\n", one.what, one.threads, one.calls_a_second / 1e6,
                           each.calls_a_second / 1e6);
  out += "\n| what may be granted | threads | granted | expected |\n|---|---|---|---|\n";
  for (const Exactness& each : results.contention.exact)
    out += fmt::format("| {} | {} | {} | {} |\n", each.what, each.threads, each.granted, each.expected);
  return out;
}

std::string page_of(const Results& results) {
  return fmt::format(
      "# What a protected call costs\n\n"
      "Written by `./run bench resilience`; do not edit. {} cores; clang {}.{}, the release preset; "
      "pinned to one core but for the contention; 25 repetitions of each case in turn; median, p99 (of so few: the "
      "slowest) "
      "and coefficient of variation. Figures of other machines are not comparable with these.\n\n"
      "## 1. Ours\n"
      "B0 is a call through a function that is not inlined; it is taken off but where \"itself\" is said. With the "
      "fake "
      "clock a reading costs an addition; with the real one each element reads it as it would in a service.\n"
      "{}{}\n"
      "A closed breaker whose window is full of successes takes no lock and reads no clock for one more. "
      "B13 allocates: an error is a sentence. B14, the same around a coroutine, is measured by ./run bench async.\n\n"
      "## 2. Beside others, in the same run\n"
      "Whole calls, the plain one included, real clocks everywhere. What is by hand does less: no budget, no "
      "half-open, no "
      "classes of errors. The languages differ in much more than these libraries; who works in one of them cannot pick "
      "ours "
      "for its speed, and a ratio says what protection costs there and here.\n"
      "{}\n"
      "## 3. Several threads\n"
      "{} cores: more threads than that only take turns. Exactness is checked in the same run: what is granted never "
      "depends on the threads.\n"
      "{}",
      std::jthread::hardware_concurrency(), __clang_major__, __clang_minor__, ours_table(results), targets(results),
      rivals_table(results), std::jthread::hardware_concurrency(), contention_table(results));
}

bool as_promised(const Results& results) {
  bool good = true;
  const auto demand = [&](bool holds, const std::string& what) {
    if (!holds) fmt::print("NOT as promised: {}\n", what);
    good = good && holds;
  };
  for (std::size_t i = 0; i < results.cases.size(); ++i) {
    demand(results.measured[i].timing.median > 0, results.cases[i].name + " took no time");
    if (results.cases[i].who == "ours" && results.cases[i].kind != "retry once")
      demand(results.measured[i].allocations == 0, results.cases[i].name + " allocates");
  }
  for (const Exactness& each : results.contention.exact)
    demand(each.granted == each.expected, fmt::format("{} with {} threads granted {} instead of {}", each.what,
                                                      each.threads, each.granted, each.expected));
  // The measuring itself: a known spread, and a counted allocation.
  const Timing known = timing_of({3, 1, 2});
  demand(known.median == 2 && known.p99 == 3 && known.cv == 0.5, "median, p99 and CV of 1, 2, 3");
  const Allocated before = allocated();
  keep(std::make_unique<std::int64_t>(1));
  demand(allocated().times == before.times + 1 && allocated().bytes == before.bytes + 8, "an allocation is counted");
  return good;
}

void save(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
  fmt::print("wrote {}\n", path);
}

int run(int argc, char** argv) {
  bool check = false;
  std::map<std::string, std::string, std::less<>> given;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    check = check || word == "--check";
    if (const std::size_t equals = word.find('='); equals != std::string::npos)
      given[word.substr(0, equals)] = word.substr(equals + 1);
  }
  const SystemClock clock;
  CrawlingSleeper crawling;
  HastySleeper hasty(clock);
  Counting random;
  Results results;
  for (auto& each : our_cases(crawling, random, "fake")) results.cases.push_back(std::move(each));
  for (auto& each : our_cases(hasty, random, "real")) results.cases.push_back(std::move(each));
  for (auto& each : cases_by_hand(clock)) results.cases.push_back(std::move(each));
  pin(true);
  results.measured = measure(results.cases, {.repetitions = check ? 3 : 25, .each = check ? 200us : 10ms}, clock);
  pin(false);
  results.contention = measure_contention({.repetitions = check ? 1 : 21}, clock);
  if (given.contains("--rivals")) results.rivals = read_rivals(given["--rivals"]);
  std::string csv = "who,clock,case,median_ns,p99_ns,cv,allocations,state_bytes\n";
  for (std::size_t i = 0; i < results.cases.size(); ++i) {
    const auto& [timing, allocations] = results.measured[i];
    csv += fmt::format("{},{},\"{}\",{:.3f},{:.3f},{:.4f},{:.3f},{}\n", results.cases[i].who, results.cases[i].clock,
                       results.cases[i].name, timing.median, timing.p99, timing.cv, allocations,
                       results.cases[i].state_bytes);
  }
  const std::string page = page_of(results);
  if (!check) fmt::print("{}\n", page);
  if (given.contains("--benchmark_out")) save(given["--benchmark_out"] + ".csv", csv);
  if (given.contains("--page")) save(given["--page"] + "/resilience.md", page);
  return as_promised(results) ? 0 : 1;
}

}  // namespace
}  // namespace serin::resilience

int main(int argc, char** argv) { return serin::resilience::run(argc, argv); }
