#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "serin/google/api.hpp"
#include "serin/google/place.hpp"

namespace serin::google {

/// Buckets of a distribution: so many values below the first bound, between two of them, and from the last one on.
struct ExplicitBuckets {
  std::vector<double> bounds;  ///< ascending, at least one; bounds + 1 buckets
  friend bool operator==(const ExplicitBuckets&, const ExplicitBuckets&) = default;
};
/// Bounds scale x growth^i, i = 0 .. finite; finite + 2 buckets.
struct ExponentialBuckets {
  std::int64_t finite = 1;  ///< >= 1
  double growth = 2;        ///< > 1
  double scale = 1;         ///< > 0
  friend bool operator==(const ExponentialBuckets&, const ExponentialBuckets&) = default;
};
/// Bounds offset + width x i, i = 0 .. finite; finite + 2 buckets.
struct LinearBuckets {
  std::int64_t finite = 1;  ///< >= 1
  double width = 1;         ///< > 0
  double offset = 0;
  friend bool operator==(const LinearBuckets&, const LinearBuckets&) = default;
};
/// Many values as one point.
struct Distribution {
  std::int64_t count = 0;
  double mean = 0;
  double sum_of_squared_deviation = 0;  ///< from the mean
  std::variant<ExplicitBuckets, ExponentialBuckets, LinearBuckets> buckets = {};
  std::vector<std::int64_t> counts = {};  ///< of the buckets, together `count`; empty ones at the end may be missing
  /// \param bounds  ascending. Pure.
  [[nodiscard]] static Distribution of(std::span<const double> values, std::vector<double> bounds);
  friend bool operator==(const Distribution&, const Distribution&) = default;
};

using PointValue = std::variant<double, std::int64_t, bool, std::string, Distribution>;
struct Point {
  std::optional<WallTime> start = {};  ///< nothing for gauges
  WallTime end;
  PointValue value;
};
enum class MetricKind : std::uint8_t { gauge, delta, cumulative };

struct TimeSeries {
  std::string metric;  ///< "custom.googleapis.com/serin/requests"
  std::map<std::string, std::string> labels = {};
  std::string resource = "global";
  std::map<std::string, std::string> resource_labels = {};
  MetricKind kind = MetricKind::gauge;
  std::vector<Point> points = {};  ///< the newest first when they were read; exactly one to write
};

/// How series are put together; every word as the service spells it ("ALIGN_RATE", "REDUCE_SUM").
struct Aggregation {
  Duration period = 60s;  ///< whole seconds, >= 60 s
  std::string aligner;    ///< of one series; empty: none
  std::string reducer;    ///< across series; empty: none
  std::vector<std::string> group_by = {};
};
struct SeriesQuery {
  std::string filter;  ///< "metric.type = \"custom.googleapis.com/x\""
  WallTime from;
  WallTime to;
  std::optional<Aggregation> aggregation = {};
  bool headers_only = false;   ///< no points
  std::int64_t page_size = 0;  ///< 0: the service's
  std::size_t most = 100'000;  ///< series that are read; beyond that it fails
};
struct SeriesList {
  std::vector<TimeSeries> series = {};
  std::vector<std::string> problems = {};  ///< why the series may be incomplete; empty: they are whole
};

/// Cloud Monitoring, v3. Threads: any.
class CloudMonitoring {
 public:
  static constexpr std::string_view service = "monitoring";
  [[nodiscard]] static ApiOptions defaults();
  CloudMonitoring(std::shared_ptr<Api> api, Place place) : api_(std::move(api)), place_(std::move(place)) {}

  /// Writes a point of each series, 200 in one request. Not tried again when it may have been stored; a request that
  /// fails does not keep the others back. The service wants 5 s between points of a series.
  /// Errors: invalid_argument (not one point, a series twice, buckets that do not fit: nothing is sent); the first of
  /// the service's, with how many series were written.
  Status write(std::span<const TimeSeries> series, const Within& within);
  /// Errors: exhausted (more than `most`), and the service's.
  Result<SeriesList> list(const SeriesQuery& query, const Within& within);
  [[nodiscard]] Api& api() const noexcept { return *api_; }
  [[nodiscard]] const Place& place() const noexcept { return place_; }

 private:
  std::shared_ptr<Api> api_;
  Place place_;
};

}  // namespace serin::google
