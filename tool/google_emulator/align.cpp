#include <algorithm>
#include <cmath>
#include <map>

#include "monitoring.hpp"

namespace serin::google_emulator {
namespace {

std::optional<double> fold(std::string_view how, const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  const auto count = static_cast<double>(values.size());
  if (how == "SUM") return sum;
  if (how == "MEAN") return sum / count;
  if (how == "COUNT") return count;
  if (how == "MAX") return std::ranges::max(values);
  if (how == "MIN") return std::ranges::min(values);
  if (how == "STDDEV") {
    double squares = 0;
    for (const double value : values) squares += (value - sum / count) * (value - sum / count);
    return std::sqrt(squares / count);
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::vector<Point>> align(const std::vector<Point>& points, std::string_view aligner, std::int64_t start,
                                        std::int64_t end, std::int64_t period) {
  if (!aligner.starts_with("ALIGN_")) return std::nullopt;
  const std::string_view how = aligner.substr(6);
  std::map<std::int64_t, std::vector<double>, std::greater<>> buckets;  // by their end
  std::map<std::int64_t, double> last;                                  // the newest value of a bucket
  for (const Point& point : points) {                                   // the oldest first
    if (point.at <= start || point.at > end) continue;
    const std::int64_t bucket = end - (end - point.at) / period * period;
    buckets[bucket].push_back(point.value);
    last[bucket] = point.value;
  }
  std::vector<Point> out;
  for (const auto& [at, values] : buckets) {
    if (how == "NEXT_OLDER") {
      out.push_back({at, last[at]});
    } else if (how == "DELTA" || how == "RATE") {
      // From the last value of the bucket before, or the first one of this.
      const auto before = buckets.find(at - period);
      const double from = before == buckets.end() ? values.front() : before->second.back();
      const double change = values.back() - from;
      out.push_back({at, how == "DELTA" ? change : change / (static_cast<double>(period) / 1e6)});
    } else if (const auto value = fold(how, values)) {
      out.push_back({at, *value});
    } else {
      return std::nullopt;
    }
  }
  return out;
}

std::optional<std::vector<Point>> reduce(const std::vector<std::vector<Point>>& series, std::string_view reducer) {
  if (!reducer.starts_with("REDUCE_")) return std::nullopt;
  std::map<std::int64_t, std::vector<double>, std::greater<>> times;
  for (const std::vector<Point>& one : series)
    for (const Point& point : one) times[point.at].push_back(point.value);
  std::vector<Point> out;
  for (const auto& [at, values] : times) {
    const auto value = fold(reducer.substr(7), values);
    if (!value) return std::nullopt;
    out.push_back({at, *value});
  }
  return out;
}

}  // namespace serin::google_emulator
