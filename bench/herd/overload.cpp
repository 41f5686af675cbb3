// An open loop meets a server that stalls: 700 requests a second for a server that can do 1000, which stands still from
// second 40 to 50. Clients give up after a second, the server goes on working for those who are gone. Retries alone
// keep it down for ever; the question is what ends that.
#include <fmt/format.h>

#include <array>

#include "crowd.hpp"

namespace serin::herd {
namespace {

enum class Expected : std::uint8_t { recovers, stays_down, open };

struct Variant {
  Setup setup;
  Expected expected;
  bool is_default = false;
};
retry::BackoffOptions with(retry::Jitter jitter) { return {.first = 100ms, .most = 10s, .jitter = jitter}; }

std::vector<Variant> make_variants() {
  using enum Expected;
  return {
      {{.name = "no retry", .attempts = 1}, recovers},
      {{.name = "exponential, no jitter", .backoff = with(retry::Jitter::none)}, stays_down},
      {{.name = "equal", .backoff = with(retry::Jitter::equal)}, stays_down},
      {{.name = "full"}, stays_down},
      {{.name = "decorrelated", .backoff = with(retry::Jitter::decorrelated)}, stays_down},
      {{.name = "full + token budget (default)", .budget = BudgetKind::token}, recovers, true},
      {{.name = "full + AWS quota", .budget = BudgetKind::quota}, recovers},
      {{.name = "full + in-flight budget", .budget = BudgetKind::in_flight}, stays_down},
      {{.name = "full + in-flight budget, 5 clients", .budget = BudgetKind::in_flight, .clients = 5}, open},
      {{.name = "full + breaker", .breaker = true}, recovers},
      {{.name = "full + token budget + breaker", .budget = BudgetKind::token, .breaker = true}, recovers, true},
      {{.name = "full + SRE throttle, 200 clients", .throttle = 2}, open},
      {{.name = "full + SRE throttle, 5 clients", .throttle = 2, .clients = 5}, open},
      {{.name = "full + server lets 200 in", .admitted = 200}, recovers},
      {{.name = "full + server drops what is too late", .passes_deadline = true}, recovers},
  };
}

constexpr double top = 4500;  // attempts a second at the top of the picture

std::string draw(const std::vector<Variant>& variants) {
  constexpr double width = 900;
  constexpr double height = 420;
  constexpr double left = 60;
  constexpr double bottom = 370;
  const auto x = [&](double second) { return left + second / seconds_of(length) * (width - left - 20); };
  const auto y = [&](double attempts) { return bottom - std::min(attempts, top) / top * (bottom - 20); };
  std::string svg = fmt::format(
      "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {} {}' font-family='sans-serif' font-size='13'>"
      "<rect width='100%' height='100%' fill='white'/>"
      "<rect x='{}' y='20' width='{}' height='{}' fill='#eee'/><text x='{}' y='34'>server stands still</text>"
      "<line x1='{}' x2='{}' y1='{}' y2='{}' stroke='#888' stroke-dasharray='6 4'/><text x='{}' y='{}'>capacity</text>",
      width, height, x(40), x(50) - x(40), bottom - 20, x(51), left, width - 20, y(capacity), y(capacity), width - 80,
      y(capacity) - 5);
  for (int attempts = 0; attempts <= 4000; attempts += 1000)
    svg += fmt::format("<text x='{}' y='{}' text-anchor='end'>{}</text>", left - 8, y(attempts) + 4, attempts);
  for (int second = 0; second <= 180; second += 30)
    svg += fmt::format("<text x='{}' y='{}' text-anchor='middle'>{} s</text>", x(second), bottom + 20, second);
  svg += fmt::format("<text x='{}' y='{}'>attempts that reach the server in a second</text>", left, height - 8);
  struct Line {
    std::string_view variant;
    std::string_view colour;
  };
  double legend = 52;
  for (const Line& line :
       {Line{"full", "#c62a2f"}, Line{"full + AWS quota", "#ad5700"}, Line{"full + token budget (default)", "#18794e"}})
    for (const Variant& variant : variants) {
      if (variant.setup.name != line.variant) continue;
      const CrowdOutcome outcome = play_crowd(variant.setup, 15485863);
      std::string points;
      for (std::size_t second = 0; second < 180; ++second)
        points += fmt::format("{:.1f},{:.1f} ", x(static_cast<double>(second)), y(outcome.offered[second]));
      svg += fmt::format("<polyline fill='none' stroke='{}' stroke-width='2' points='{}'/>", line.colour, points);
      svg +=
          fmt::format("<text x='{}' y='{}' fill='{}'>4 attempts, {}</text>", x(100), legend, line.colour, line.variant);
      legend += 18;
    }
  return svg + "</svg>\n";
}

}  // namespace

bool run_overload(Report& report, Effort effort) {
  const int seeds = effort == Effort::check ? 2 : 20;
  report.text(
      "## 2. Overload: the server stands still for ten seconds\n"
      "An open loop: 700 requests a second arrive whatever became of those before; capacity 1000.\n\n"
      "![attempts that reach the server](herd.svg)");
  report.head({"4 attempts, but for the first row", "peak / capacity", "recovers", "after, s",
               "served in the 60 s after", "attempts a request", "refused here"});
  bool as_known = true;
  const std::vector<Variant> variants = make_variants();
  for (const auto& [setup, expected, is_default] : variants) {
    const auto outcomes = play_seeds(seeds, [&](std::uint64_t seed) { return play_crowd(setup, seed); });
    const Estimate peak = over(outcomes, &CrowdOutcome::peak);
    const Estimate goodput = over(outcomes, &CrowdOutcome::goodput);
    const Estimate amplification = over(outcomes, &CrowdOutcome::amplification);
    const Estimate refused = over(outcomes, &CrowdOutcome::refused);
    const Recovery recovery = recovery_of(outcomes);
    report.add("overload", setup.name, "peak_over_capacity", peak);
    report.add("overload", setup.name, "goodput_60s", goodput);
    report.add("overload", setup.name, "attempts_per_request", amplification);
    report.add("overload", setup.name, "refused_by_client", refused);
    report.add("overload", setup.name, "recovered_of_seeds", {.mean = recovery.share, .margin = 0});
    if (recovery.share > 0) report.add("overload", setup.name, "recovery_seconds", recovery.seconds);
    report.row({std::string(setup.name), cell(peak), fmt::format("{:.0f} of {}", recovery.share * seeds, seeds),
                recovery.share > 0 ? cell(recovery.seconds, 1) : "never", share(goodput.mean), cell(amplification),
                share(refused.mean)});
    if (expected == Expected::recovers) as_known = as_known && recovery.share == 1;
    // Plain retries must stay down: a simulation in which they do not has lost what it is about.
    if (expected == Expected::stays_down) as_known = as_known && recovery.share == 0;
    if (is_default) as_known = as_known && recovery.share == 1 && peak.mean <= 1.1;
  }
  report.text(
      "- No jitter ends an overload: with four attempts and nothing else the server never comes back, whatever the "
      "waits look like. Jitter spreads load, a budget bounds it.\n"
      "- The in-flight budget with its minimum of three **loses** with many small clients: 200 of them may have 600 "
      "retries in flight together. With five large clients the same budget is judged by its ratio.\n"
      "- The breaker **loses** to the budget in what is served afterwards: it also refuses calls that would have "
      "worked. It is for a peer that is gone, not for one that is slow for a moment.\n"
      "- The throttle **loses** most: its window remembers the stall long after the server is back, and what it "
      "refuses "
      "is asked again and counted again. Large clients are no better off than small ones, so this is not an effect of "
      "few requests a client.\n"
      "- The server's own measures, a limit on who comes in and a look at the deadline, do better than anything a "
      "client can do, because they save the work for those who are gone.");
  report.pictures.push_back({.name = "herd.svg", .svg = draw(variants)});
  return as_known;
}

}  // namespace serin::herd
