#include "serin/cloud_run/traffic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace serin::cloud_run {
namespace {

constexpr std::int64_t minute = 60;

std::int64_t seconds_of(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}
std::int64_t seconds_of(Instant time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}
WallTime wall_of(std::int64_t seconds) { return WallTime(std::chrono::seconds(seconds)); }
std::int64_t floor_minute(std::int64_t seconds) { return seconds - (seconds % minute + minute) % minute; }

std::int64_t number_of(const google::PointValue& value) {
  if (const auto* const whole = std::get_if<std::int64_t>(&value)) return *whole;
  if (const auto* const real = std::get_if<double>(&value)) return std::llround(*real);
  return 0;
}

std::string label(const std::map<std::string, std::string>& labels, const std::string& name) {
  const auto found = labels.find(name);
  return found == labels.end() ? std::string() : found->second;
}

using Counts = std::map<std::string, TrafficCount>;  // by revision

TrafficSecond second_of(std::int64_t second, const Counts& counts) {
  TrafficSecond out{.second = second, .counts = {}, .unattributed = 0, .lost = 0};
  for (const auto& [revision, count] : counts) out.counts.push_back(count);
  return out;
}

}  // namespace

MonitoredTraffic::MonitoredTraffic(google::CloudMonitoring monitoring, TrafficOptions options, const Clock& clock)
    : monitoring_(std::move(monitoring)),
      options_(std::move(options)),
      clock_(clock),
      offset_(seconds_of(clock.wall()) - seconds_of(clock.now())) {}

Result<TrafficWindow> MonitoredTraffic::read(const ServiceName& service, std::int64_t after, Deadline deadline) {
  const std::int64_t lag = std::chrono::ceil<std::chrono::seconds>(options_.lag).count();
  const std::int64_t end = floor_minute(seconds_of(clock_.now()) + offset_ - lag);
  TrafficWindow window{.seconds = {}, .complete = std::max<std::int64_t>(-1, end - offset_ - 1)};
  // By its middle: another process may have taken the offset a second off, and then no minute is lost or read twice.
  const std::int64_t begin = floor_minute(after + 1 + offset_ + minute / 2);
  if (begin >= end) return window;

  google::SeriesQuery query{.filter = fmt::format("metric.type=\"run.googleapis.com/request_count\" AND "
                                                  "resource.type=\"cloud_run_revision\" AND "
                                                  "resource.labels.service_name=\"{}\" AND "
                                                  "resource.labels.location=\"{}\"",
                                                  service, options_.location),
                            .from = wall_of(begin),
                            .to = wall_of(end),
                            .aggregation = google::Aggregation{
                                .period = 60s,
                                .aligner = "ALIGN_DELTA",
                                .reducer = "REDUCE_SUM",
                                .group_by = {"resource.label.revision_name", "metric.label.response_code_class"}}};
  SERIN_TRY(const google::SeriesList list, monitoring_.list(query, deadline));
  if (!list.problems.empty())
    return fail(Errc::unavailable, fmt::format("the requests of {} may be incomplete: {}", service, list.problems[0]));

  std::map<std::int64_t, Counts> minutes;  // by their end
  for (const google::TimeSeries& series : list.series) {
    const std::string revision = label(series.resource_labels, "revision_name");
    SERIN_TRY(const ReleaseName release, ReleaseName::make(revision));
    const bool error = label(series.labels, "response_code_class") == "5xx";
    for (const google::Point& point : series.points) {
      TrafficCount& count =
          minutes[seconds_of(point.end)].try_emplace(revision, TrafficCount{.release = release}).first->second;
      count.requests += number_of(point.value);
      if (error) count.errors += number_of(point.value);
    }
  }
  for (std::int64_t second = std::max(after + 1, begin - offset_); second <= window.complete; ++second) {
    const std::int64_t wall = second + offset_;
    const bool first = wall == floor_minute(wall) || window.seconds.empty();
    const auto found = first ? minutes.find(floor_minute(wall) + minute) : minutes.end();
    window.seconds.push_back(second_of(second, found == minutes.end() ? Counts() : found->second));
  }
  return window;
}

}  // namespace serin::cloud_run
