// Where the overload stays: with A attempts the load of a server that fails everybody is A x the arrivals, so it cannot
// come back when that is above its capacity. The measured border beside that law.
#include <fmt/format.h>

#include <array>

#include "crowd.hpp"

namespace serin::herd {
namespace {

struct Border {
  int attempts = 0;
  double law = 0;
  double measured = 0;  // arrivals at which half of the seeds come back
};

double share_that_recovers(int attempts, double arrivals, int seeds) {
  const Setup setup{.name = "boundary", .attempts = attempts, .arrivals = arrivals};
  return recovery_of(play_seeds(seeds, [&](std::uint64_t seed) { return play_crowd(setup, seed); })).share;
}

// By halving: the share falls from one to nought within a few per cent of the arrivals.
double measure(int attempts, double law, int seeds, int steps) {
  double low = 0.7 * law;
  double high = std::min(2 * law, 0.95 * capacity);
  for (int i = 0; i < steps; ++i) {
    const double middle = (low + high) / 2;
    (share_that_recovers(attempts, middle, seeds) >= 0.5 ? low : high) = middle;
  }
  return (low + high) / 2;
}

std::string draw(const std::vector<Border>& borders) {
  constexpr double width = 640;
  constexpr double height = 400;
  const auto x = [](double attempts) { return 60 + (attempts - 1) / 5 * (width - 90); };
  const auto y = [](double arrivals) { return 350 - arrivals / 1000 * 320; };
  std::string svg = fmt::format(
      "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {} {}' font-family='sans-serif' font-size='13'>"
      "<rect width='100%' height='100%' fill='white'/>",
      width, height);
  std::string points;
  for (double attempts = 1; attempts <= 6; attempts += 0.1)
    points += fmt::format("{:.1f},{:.1f} ", x(attempts), y(capacity / attempts));
  svg +=
      fmt::format("<polyline fill='none' stroke='#888' stroke-width='2' stroke-dasharray='6 4' points='{}'/>", points);
  for (const Border& border : borders)
    svg +=
        fmt::format("<circle cx='{:.1f}' cy='{:.1f}' r='5' fill='#c62a2f'/>", x(border.attempts), y(border.measured));
  for (int attempts = 1; attempts <= 6; ++attempts)
    svg += fmt::format("<text x='{:.0f}' y='368' text-anchor='middle'>{}</text>", x(attempts), attempts);
  for (int arrivals = 0; arrivals <= 1000; arrivals += 200)
    svg += fmt::format("<text x='52' y='{:.0f}' text-anchor='end'>{}</text>", y(arrivals) + 4, arrivals);
  return svg +
         "<text x='60' y='390'>attempts a request</text><text x='70' y='24'>arrivals a second</text>"
         "<text x='380' y='60' fill='#888'>law: capacity / attempts</text>"
         "<text x='380' y='80' fill='#c62a2f'>measured: half of the seeds recover</text>"
         "<text x='420' y='140'>stays down</text><text x='110' y='320'>comes back</text></svg>\n";
}

}  // namespace

bool run_boundary(Report& report, Effort effort) {
  const bool check = effort == Effort::check;
  report.text(
      "## 3. The border: arrivals above capacity / attempts\n"
      "Full jitter, no budget. When everybody fails, each request becomes A attempts; above capacity / A the "
      "server can never catch up.\n\n![measured border and law](herd_boundary.svg)");
  report.head({"attempts", "law: 1000 / A", "measured, arrivals a second", "measured / law"});
  bool as_known = true;
  std::vector<Border> borders;
  for (const int attempts : check ? std::vector{4} : std::vector{2, 3, 4, 5, 6}) {
    const double law = capacity / attempts;
    const Border border{
        .attempts = attempts, .law = law, .measured = measure(attempts, law, check ? 1 : 20, check ? 4 : 6)};
    borders.push_back(border);
    report.add("boundary", fmt::format("{} attempts", attempts), "arrivals", {.mean = border.measured, .margin = 0});
    report.row({std::to_string(attempts), fmt::format("{:.0f}", law), fmt::format("{:.0f}", border.measured),
                fmt::format("{:.2f}", border.measured / law)});
    as_known = as_known && border.measured > 0.8 * law && border.measured < 1.6 * law;
  }
  report.text(
      "The points lie above the line, the more the more attempts there are: a retry waits, and the longer the "
      "waits, the more of them fall into the time after the stall. The law is the safe side.");
  if (!check) report.pictures.push_back({.name = "herd_boundary.svg", .svg = draw(borders)});
  return as_known;
}

}  // namespace serin::herd
