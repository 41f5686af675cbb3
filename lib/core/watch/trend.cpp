#include "serin/watch/trend.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace serin::watch {
namespace {

constexpr double to_deviation = 1.4826;  // of a median distance, were the values normal

double median(std::vector<double> values) {
  SERIN_ASSERT(!values.empty());
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

/// Runs of one window.
struct Window {
  std::vector<double> seconds;  // of those that were ok
  int bad = 0;
  [[nodiscard]] int runs() const { return static_cast<int>(seconds.size()) + bad; }
  [[nodiscard]] double share() const { return static_cast<double>(bad) / runs(); }
};

Window window_of(std::span<const RunResult> runs, WallTime from, WallTime to) {
  Window out;
  for (const RunResult& run : runs) {
    if (run.missed || run.at < from || run.at >= to) continue;
    if (run.finding == Finding::ok)
      out.seconds.push_back(seconds_of(run.took));
    else
      ++out.bad;
  }
  return out;
}

struct Band {
  double usual = 0;
  double spread = 0;
};

Band band_of(const std::vector<double>& days) {
  const double usual = median(days);
  std::vector<double> distances;
  for (const double day : days) distances.push_back(std::abs(day - usual));
  return {.usual = usual, .spread = to_deviation * median(distances)};
}

}  // namespace

std::string_view trend_name(TrendStatus status) noexcept {
  switch (status) {
    case TrendStatus::unknown: return "unknown";
    case TrendStatus::usual: return "usual";
    case TrendStatus::degraded: return "degraded";
  }
  return "unknown";
}

TrendStatus Trend::status() const noexcept { return std::max(latency, errors); }

Trend judge_trend(std::span<const RunResult> runs, WallTime now, const TrendOptions& options) {
  Trend out;
  const Window recent = window_of(runs, now - options.recent, now + 1ms);
  std::vector<double> medians;
  std::vector<double> shares;
  for (int day = 1; day <= options.days; ++day) {
    const WallTime then = now - std::chrono::days(day);
    const Window window = window_of(runs, then - options.around, then + options.around);
    if (window.runs() < options.least_runs) continue;
    shares.push_back(window.share());
    if (static_cast<int>(window.seconds.size()) >= options.least_runs) medians.push_back(median(window.seconds));
  }
  const auto enough = [&](const std::vector<double>& days) {
    return static_cast<int>(days.size()) >= options.least_days;
  };
  if (static_cast<int>(recent.seconds.size()) >= options.least_runs && enough(medians)) {
    const Band band = band_of(medians);
    const double is = median(recent.seconds);
    const double limit = band.usual + std::max({options.spreads * band.spread, options.least_share * band.usual,
                                                seconds_of(options.least_more)});
    out.now = duration_of_seconds(is);
    out.usual = duration_of_seconds(band.usual);
    out.limit = duration_of_seconds(limit);
    out.latency = is > limit ? TrendStatus::degraded : TrendStatus::usual;
    out.said = fmt::format("median {:.1f} ms, usually {:.1f} ms at this time, limit {:.1f} ms", is * 1e3,
                           band.usual * 1e3, limit * 1e3);
  }
  if (recent.runs() >= options.least_runs && enough(shares)) {
    const Band band = band_of(shares);
    const double limit = band.usual + std::max(options.spreads * band.spread, options.least_errors);
    out.errors_now = recent.share();
    out.errors_usual = band.usual;
    out.errors_limit = limit;
    out.errors = recent.share() > limit && recent.bad >= options.least_bad ? TrendStatus::degraded : TrendStatus::usual;
    out.said += fmt::format("{}{:.1f} % not ok, usually {:.1f} %, limit {:.1f} %", out.said.empty() ? "" : "; ",
                            recent.share() * 100, band.usual * 100, limit * 100);
  }
  if (out.said.empty())
    out.said = fmt::format("no past to compare with: {} recent runs and {} days, {} and {} are needed", recent.runs(),
                           shares.size(), options.least_runs, options.least_days);
  return out;
}

}  // namespace serin::watch
