#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "serin/google/detail_json.hpp"
#include "detail_series.hpp"

namespace serin::google {
namespace json = boost::json;
namespace {

/// Numbers that JSON does not have are texts in proto3.
json::value number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return value;
}
json::value text(std::int64_t value) { return json::value(fmt::format("{}", value)); }

json::object labels_of(const std::map<std::string, std::string>& labels) {
  json::object out;
  for (const auto& [name, value] : labels) out[name] = value;
  return out;
}
std::map<std::string, std::string> labels_of(const json::object* object) {
  std::map<std::string, std::string> out;
  if (object != nullptr)
    for (const auto& [name, value] : *object)
      if (value.is_string()) out.emplace(name, value.get_string());
  return out;
}

std::size_t bucket_count(const Distribution& of) {
  if (const auto* explicit_ = std::get_if<ExplicitBuckets>(&of.buckets)) return explicit_->bounds.size() + 1;
  if (const auto* exponential = std::get_if<ExponentialBuckets>(&of.buckets))
    return static_cast<std::size_t>(exponential->finite) + 2;
  return static_cast<std::size_t>(std::get<LinearBuckets>(of.buckets).finite) + 2;
}

/// What is wrong; empty: nothing.
std::string wrong_with(const Distribution& of) {
  if (const auto* explicit_ = std::get_if<ExplicitBuckets>(&of.buckets)) {
    const std::vector<double>& bounds = explicit_->bounds;
    if (bounds.empty()) return "has no bounds";
    if (std::ranges::adjacent_find(bounds, std::greater_equal()) != bounds.end())
      return "has bounds that do not ascend";
  } else if (const auto* exponential = std::get_if<ExponentialBuckets>(&of.buckets)) {
    if (exponential->finite < 1 || exponential->growth <= 1 || exponential->scale <= 0)
      return "has exponential buckets without finite >= 1, growth > 1, scale > 0";
  } else if (const auto& linear = std::get<LinearBuckets>(of.buckets); linear.finite < 1 || linear.width <= 0) {
    return "has linear buckets without finite >= 1, width > 0";
  }
  if (of.counts.size() > bucket_count(of)) return "has more counts than buckets";
  if (std::ranges::any_of(of.counts, [](std::int64_t count) { return count < 0; })) return "has a count below 0";
  if (std::accumulate(of.counts.begin(), of.counts.end(), std::int64_t{0}) != of.count)
    return "has counts that do not add up to its count";
  return {};
}

json::object json_of(const Distribution& of) {
  json::object options;
  if (const auto* explicit_ = std::get_if<ExplicitBuckets>(&of.buckets)) {
    options["explicitBuckets"] = {{"bounds", json::array(explicit_->bounds.begin(), explicit_->bounds.end())}};
  } else if (const auto* exponential = std::get_if<ExponentialBuckets>(&of.buckets)) {
    options["exponentialBuckets"] = {{"numFiniteBuckets", exponential->finite},
                                     {"growthFactor", exponential->growth},
                                     {"scale", exponential->scale}};
  } else {
    const auto& linear = std::get<LinearBuckets>(of.buckets);
    options["linearBuckets"] = {
        {"numFiniteBuckets", linear.finite}, {"width", linear.width}, {"offset", linear.offset}};
  }
  json::array counts;
  for (const std::int64_t count : of.counts) counts.push_back(text(count));
  return {{"count", text(of.count)},
          {"mean", number(of.mean)},
          {"sumOfSquaredDeviation", number(of.sum_of_squared_deviation)},
          {"bucketOptions", std::move(options)},
          {"bucketCounts", std::move(counts)}};
}

Distribution distribution_of(const json::object& object) {
  Distribution out{.count = int_of(object, "count").value_or(0),
                   .mean = double_of(object, "mean").value_or(0),
                   .sum_of_squared_deviation = double_of(object, "sumOfSquaredDeviation").value_or(0)};
  if (const auto* exponential = object_of(object, "bucketOptions.exponentialBuckets")) {
    out.buckets = ExponentialBuckets{.finite = int_of(*exponential, "numFiniteBuckets").value_or(0),
                                     .growth = double_of(*exponential, "growthFactor").value_or(0),
                                     .scale = double_of(*exponential, "scale").value_or(0)};
  } else if (const auto* linear = object_of(object, "bucketOptions.linearBuckets")) {
    out.buckets = LinearBuckets{.finite = int_of(*linear, "numFiniteBuckets").value_or(0),
                                .width = double_of(*linear, "width").value_or(0),
                                .offset = double_of(*linear, "offset").value_or(0)};
  } else {
    ExplicitBuckets buckets;
    for (const json::value& bound : array_of(object, "bucketOptions.explicitBuckets.bounds"))
      if (bound.is_number()) buckets.bounds.push_back(bound.to_number<double>());
    out.buckets = std::move(buckets);
  }
  for (const json::value& count : array_of(object, "bucketCounts"))
    out.counts.push_back(int_of(json::object{{"count", count}}, "count").value_or(0));
  return out;
}

constexpr std::array kind_names{std::string_view("GAUGE"), std::string_view("DELTA"), std::string_view("CUMULATIVE")};
constexpr std::array value_names{std::string_view("DOUBLE"), std::string_view("INT64"), std::string_view("BOOL"),
                                 std::string_view("STRING"), std::string_view("DISTRIBUTION")};

json::object json_of(const PointValue& value) {
  struct Writer {
    json::object operator()(double is) const { return {{"doubleValue", number(is)}}; }
    json::object operator()(std::int64_t is) const { return {{"int64Value", text(is)}}; }
    json::object operator()(bool is) const { return {{"boolValue", is}}; }
    json::object operator()(const std::string& is) const { return {{"stringValue", is}}; }
    json::object operator()(const Distribution& is) const { return {{"distributionValue", json_of(is)}}; }
  };
  return std::visit(Writer{}, value);
}

std::optional<PointValue> value_of(const json::object& object) {
  if (const auto number = double_of(object, "doubleValue")) return *number;
  if (const auto number = int_of(object, "int64Value")) return *number;
  if (const auto* flag = member(object, "boolValue"); flag != nullptr && flag->is_bool()) return flag->get_bool();
  if (const auto* text = member(object, "stringValue"); text != nullptr && text->is_string())
    return std::string(std::string_view(text->get_string()));
  if (const auto* distribution = object_of(object, "distributionValue")) return distribution_of(*distribution);
  return std::nullopt;
}

}  // namespace

Status check(const TimeSeries& series) {
  const auto bad = [&](std::string_view what) {
    return fail(Errc::invalid_argument, fmt::format("series {}: {}", series.metric, what));
  };
  if (series.metric.empty()) return bad("names no metric");
  if (series.points.size() != 1) return bad(fmt::format("has {} points, not one", series.points.size()));
  const Point& point = series.points.front();
  if (series.kind == MetricKind::gauge && point.start && *point.start != point.end)
    return bad("is a gauge with a start other than its end");
  if (series.kind != MetricKind::gauge && (!point.start || *point.start >= point.end))
    return bad("is no gauge, so its point needs a start before its end");
  if (const auto* distribution = std::get_if<Distribution>(&point.value))
    if (const std::string wrong = wrong_with(*distribution); !wrong.empty()) return bad(wrong);
  return {};
}

json::object json_of(const TimeSeries& series) {
  const Point& point = series.points.front();
  json::object interval{{"endTime", format_rfc3339(point.end)}};
  if (point.start) interval["startTime"] = format_rfc3339(*point.start);
  return {{"metric", {{"type", series.metric}, {"labels", labels_of(series.labels)}}},
          {"resource", {{"type", series.resource}, {"labels", labels_of(series.resource_labels)}}},
          {"metricKind", kind_names.at(static_cast<std::size_t>(series.kind))},
          {"valueType", value_names.at(point.value.index())},
          {"points", json::array{json::object{{"interval", std::move(interval)}, {"value", json_of(point.value)}}}}};
}

TimeSeries series_of(const json::object& object) {
  TimeSeries out{.metric = text_of(object, "metric.type"),
                 .labels = labels_of(object_of(object, "metric.labels")),
                 .resource = text_of(object, "resource.type"),
                 .resource_labels = labels_of(object_of(object, "resource.labels"))};
  const std::string kind = text_of(object, "metricKind");
  // Enums come as numbers where asked for: 1, 2, 3.
  const std::int64_t kind_number = int_of(object, "metricKind").value_or(0);
  for (std::size_t i = 0; i < kind_names.size(); ++i)
    if (kind == kind_names.at(i) || kind_number == static_cast<std::int64_t>(i) + 1)
      out.kind = static_cast<MetricKind>(i);
  for (const json::value& item : array_of(object, "points")) {
    const json::object* const point = item.if_object();
    const json::object* const value = point == nullptr ? nullptr : object_of(*point, "value");
    const std::optional<WallTime> end = point == nullptr ? std::nullopt : time_of(*point, "interval.endTime");
    if (value == nullptr || !end) continue;
    if (std::optional<PointValue> read = value_of(*value))
      out.points.push_back({.start = time_of(*point, "interval.startTime"), .end = *end, .value = *std::move(read)});
  }
  return out;
}

}  // namespace serin::google
