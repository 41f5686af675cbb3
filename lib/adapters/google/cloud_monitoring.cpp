#include "serin/google/cloud_monitoring.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "detail_call.hpp"
#include "detail_series.hpp"

namespace serin::google {
namespace json = boost::json;
namespace {

constexpr std::size_t most_in_request = 200;

/// What makes a series itself, in one text.
std::string identity_of(const TimeSeries& series) {
  std::string out = series.metric;
  for (const auto* labels : {&series.labels, &series.resource_labels}) {
    out += '\n' + series.resource;
    for (const auto& [name, value] : *labels) out += '\n' + name + '\t' + value;
  }
  return out;
}

Status check_all(std::span<const TimeSeries> series) {
  std::set<std::string> seen;
  for (const TimeSeries& one : series) {
    SERIN_CHECK(check(one));
    if (!seen.insert(identity_of(one)).second)
      return fail(Errc::invalid_argument, fmt::format("series {}: comes twice with the same labels", one.metric));
  }
  return {};
}

Query query_of(const SeriesQuery& query) {
  Query out{{"filter", query.filter},
            {"interval.startTime", format_rfc3339(query.from)},
            {"interval.endTime", format_rfc3339(query.to)},
            {"view", query.headers_only ? "HEADERS" : "FULL"}};
  if (const auto& how = query.aggregation) {
    out.emplace_back("aggregation.alignmentPeriod",
                     fmt::format("{}s", std::chrono::floor<std::chrono::seconds>(how->period).count()));
    if (!how->aligner.empty()) out.emplace_back("aggregation.perSeriesAligner", how->aligner);
    if (!how->reducer.empty()) out.emplace_back("aggregation.crossSeriesReducer", how->reducer);
    for (const std::string& field : how->group_by) out.emplace_back("aggregation.groupByFields", field);
  }
  if (query.page_size > 0) out.emplace_back("pageSize", fmt::format("{}", query.page_size));
  return out;
}

}  // namespace

Distribution Distribution::of(std::span<const double> values, std::vector<double> bounds) {
  Distribution out;
  out.counts.assign(bounds.size() + 1, 0);
  for (const double value : values) {
    ++out.count;
    // Welford: no sum of squares, which cancels.
    const double before = value - out.mean;
    out.mean += before / static_cast<double>(out.count);
    out.sum_of_squared_deviation += before * (value - out.mean);
    ++out.counts[static_cast<std::size_t>(std::ranges::upper_bound(bounds, value) - bounds.begin())];
  }
  out.buckets = ExplicitBuckets{std::move(bounds)};
  return out;
}

ApiOptions CloudMonitoring::defaults() {
  ApiOptions out{.service = std::string(service), .endpoint = "https://monitoring.googleapis.com"};
  out.retry.attempt_timeout = 12s;
  return out;
}

Status CloudMonitoring::write(std::span<const TimeSeries> series, const Within& within) {
  SERIN_CHECK(check_all(series));
  const std::string path = fmt::format("/v3/projects/{}/timeSeries", escape(place_.project));
  std::size_t written = 0;
  std::optional<Error> first;
  for (std::size_t begin = 0; begin < series.size(); begin += most_in_request) {
    const auto batch = series.subspan(begin, std::min(most_in_request, series.size() - begin));
    json::array items;
    for (const TimeSeries& one : batch) items.push_back(json_of(one));
    const auto sent = api_->call(post(path, json::object{{"timeSeries", std::move(items)}}, within));
    if (sent) written += batch.size();
    if (!sent && !first) first = sent.error();
    if (within.stop.stop_requested() || within.deadline.passed(api_->sleeper().now())) break;
  }
  if (first) return pass(first->in(fmt::format("{} of {} series were written", written, series.size())));
  if (written < series.size())
    return fail(Errc::deadline_exceeded, fmt::format("{} of {} series were written", written, series.size()));
  return {};
}

Result<SeriesList> CloudMonitoring::list(const SeriesQuery& query, const Within& within) {
  if (query.aggregation && query.aggregation->period < 60s)
    return fail(Errc::invalid_argument, "the period of an aggregation is below 60s");
  const std::string path = fmt::format("/v3/projects/{}/timeSeries", escape(place_.project));
  SeriesList out;
  bool is_too_much = false;
  const auto page = [&](const std::string& token) -> Result<json::object> {
    ApiCall call = get(path, query_of(query), within);
    if (!token.empty()) call.query.emplace_back("pageToken", token);
    SERIN_TRY(json::object answer, ask(*api_, call));
    for (const json::value& problem : array_of(answer, "executionErrors"))
      if (problem.is_object()) out.problems.push_back(text_of(problem.get_object(), "message"));
    return answer;
  };
  SERIN_CHECK(read_pages("timeSeries", page, [&](const json::object& item) {
    is_too_much = out.series.size() >= query.most;
    if (!is_too_much) out.series.push_back(series_of(item));
    return !is_too_much;
  }));
  if (is_too_much) return fail(Errc::exhausted, fmt::format("there are more than {} series", query.most));
  return out;
}

}  // namespace serin::google
