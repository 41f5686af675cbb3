// Goal: series go to Cloud Monitoring as it wants them, come back as they were, and what may be incomplete says so.
// Method: requests compared with the shapes of the REST reference, answers written as the service writes them, and each
// kind of value there and back.
#include <gtest/gtest.h>

#include <cmath>

#include "client_under_test.hpp"
#include "serin/google/detail_json.hpp"
#include "detail_series.hpp"
#include "serin/google/checks.hpp"
#include "serin/google/cloud_monitoring.hpp"

namespace serin::google {
namespace {

constexpr WallTime at{std::chrono::seconds(1'775'757'780)};

TimeSeries series(std::string metric, PointValue value) {
  return {.metric = std::move(metric), .points = {{.end = at, .value = std::move(value)}}};
}

using Monitoring = ClientUnderTest<CloudMonitoring>;

TEST_F(Monitoring, gets_a_point_as_the_reference_shows_it) {
  http.then(200, "{}");
  TimeSeries one = series("custom.googleapis.com/x", std::int64_t{3});
  one.labels = {{"zone", "a"}};
  one.kind = MetricKind::cumulative;
  one.points.front().start = at - 1min;
  ASSERT_TRUE(client.write(std::vector{one}, soon()));
  EXPECT_EQ(asked(), "POST /v3/projects/p/timeSeries");
  EXPECT_EQ(http.last().body,
            R"({"timeSeries":[{"metric":{"type":"custom.googleapis.com/x","labels":{"zone":"a"}},)"
            R"("resource":{"type":"global","labels":{}},"metricKind":"CUMULATIVE","valueType":"INT64",)"
            R"("points":[{"interval":{"endTime":"2026-04-09T18:03:00.000Z","startTime":"2026-04-09T18:02:00.000Z"},)"
            R"("value":{"int64Value":"3"}}]}]})");
}

TEST_F(Monitoring, gets_200_series_in_a_request_and_the_others_in_spite_of_a_failure) {
  std::vector<TimeSeries> many;
  for (int i = 0; i < 450; ++i) many.push_back(series("custom.googleapis.com/m" + std::to_string(i), 1.0));
  http.then(200, "{}").then(503, "").then(200, "{}");
  const Status written = client.write(many, soon());
  ASSERT_FALSE(written);
  EXPECT_TRUE(written.error().text().starts_with("unavailable: 250 of 450 series were written: monitoring: "))
      << written.error().text();
  EXPECT_EQ(http.count(), 3u) << "what may have been stored is not sent again";
  std::vector<std::size_t> sizes;
  for (const auto& asked : http.asked())
    sizes.push_back(array_of(*parse_object(asked.request.body, "body"), "timeSeries").size());
  EXPECT_EQ(sizes, (std::vector<std::size_t>{200, 200, 50}));
  EXPECT_EQ(http.asked().front().deadline.at() - http.asked().front().at, 12s);
  http.clear();
  EXPECT_TRUE(client.write({}, soon()));
  EXPECT_EQ(http.count(), 0u);
}

TEST_F(Monitoring, is_not_sent_what_it_would_refuse) {
  const auto wrong = [&](TimeSeries one) {
    const Status written = client.write(std::vector{std::move(one)}, soon());
    return written ? std::string("(taken)") : written.error().detail();
  };
  EXPECT_EQ(wrong({.metric = "m"}), "series m: has 0 points, not one");
  EXPECT_EQ(wrong(series("", 1.0)), "series : names no metric");
  TimeSeries delta = series("m", 1.0);
  delta.kind = MetricKind::delta;
  EXPECT_EQ(wrong(delta), "series m: is no gauge, so its point needs a start before its end");
  TimeSeries gauge = series("m", 1.0);
  gauge.points.front().start = at - 1s;
  EXPECT_EQ(wrong(gauge), "series m: is a gauge with a start other than its end");
  EXPECT_EQ(wrong(series("m", Distribution{.count = 1, .buckets = ExplicitBuckets{{1}}, .counts = {2}})),
            "series m: has counts that do not add up to its count");
  EXPECT_EQ(wrong(series("m", Distribution{.count = 3, .buckets = ExplicitBuckets{{1}}, .counts = {1, 1, 1}})),
            "series m: has more counts than buckets");
  EXPECT_EQ(wrong(series("m", Distribution{.buckets = ExplicitBuckets{{2, 1}}})),
            "series m: has bounds that do not ascend");
  EXPECT_EQ(wrong(series("m", Distribution{.buckets = ExponentialBuckets{.growth = 1}})),
            "series m: has exponential buckets without finite >= 1, growth > 1, scale > 0");
  const Status twice = client.write(std::vector{series("m", 1.0), series("n", 1.0), series("m", 2.0)}, soon());
  EXPECT_EQ(twice.error().detail(), "series m: comes twice with the same labels");
  EXPECT_EQ(http.count(), 0u);
}

TEST_F(Monitoring, values_of_every_kind_come_back_as_they_went) {
  const std::vector<PointValue> values{
      1.5,
      -0.0,
      HUGE_VAL,
      std::int64_t{9'007'199'254'740'993},
      true,
      std::string("text"),
      Distribution{
          .count = 3, .mean = 2, .sum_of_squared_deviation = 1.5, .buckets = ExplicitBuckets{{1, 5}}, .counts = {1, 2}},
      Distribution{.count = 1, .buckets = ExponentialBuckets{.finite = 3, .growth = 1.5, .scale = 2}, .counts = {0, 1}},
      Distribution{.count = 0, .buckets = LinearBuckets{.finite = 3, .width = 1.5, .offset = -2}}};
  for (const PointValue& value : values) {
    TimeSeries one = series("m", value);
    one.labels = {{"a", "b"}};
    one.kind = MetricKind::delta;
    one.points.front().start = at - 1s;
    const TimeSeries back = series_of(json_of(one));
    ASSERT_EQ(back.points.size(), 1u) << value.index();
    EXPECT_TRUE(back.points.front().value == value) << value.index();
    EXPECT_EQ(back.points.front().start, at - 1s);
    EXPECT_EQ(back.kind, MetricKind::delta);
    EXPECT_EQ(back.labels, one.labels);
  }
}

TEST(A_distribution, of_values_is_that_of_statistics) {
  const std::vector<double> values{1, 2, 2.5, 10, 1e9};
  const Distribution of = Distribution::of(values, {2, 10});
  EXPECT_EQ(of.count, 5);
  EXPECT_EQ(of.counts, (std::vector<std::int64_t>{1, 2, 2})) << "a bound belongs to the bucket above it";
  double mean = 0;
  for (const double value : values) mean += value / 5;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  EXPECT_NEAR(of.mean, mean, 1e-6);
  EXPECT_NEAR(of.sum_of_squared_deviation / squares, 1, 1e-12);
}

TEST_F(Monitoring, is_asked_for_series_with_aggregation_over_pages) {
  http.then(200, R"({"timeSeries":[{"metric":{"type":"m","labels":{"a":"b"}},"resource":{"type":"global"},
      "metricKind":"GAUGE","valueType":"DOUBLE","points":[
        {"interval":{"startTime":"2026-04-09T18:03:00Z","endTime":"2026-04-09T18:03:00Z"},"value":{"doubleValue":2}},
        {"interval":{"endTime":"2026-04-09T18:02:00Z"},"value":{"int64Value":"7"}},
        {"interval":{},"value":{"doubleValue":1}}, {"interval":{"endTime":"2026-04-09T18:01:00Z"},"value":{}}, 5]}],
      "nextPageToken":"n"})")
      .then(200, R"({"timeSeries":[{"metric":{"type":"n"}}]})");
  const auto list = client.list({.filter = "metric.type = \"m\"",
                                 .from = at - 1h,
                                 .to = at,
                                 .aggregation = Aggregation{.period = 5min,
                                                            .aligner = "ALIGN_RATE",
                                                            .reducer = "REDUCE_SUM",
                                                            .group_by = {"metric.labels.a", "resource.type"}},
                                 .page_size = 10},
                                soon());
  ASSERT_TRUE(list) << list.error().text();
  EXPECT_EQ(
      asked(0),
      "GET /v3/projects/p/timeSeries?filter=metric.type%20%3D%20%22m%22&interval.startTime=2026-04-09T17%3A03%3A00."
      "000Z&interval.endTime=2026-04-09T18%3A03%3A00.000Z&view=FULL&aggregation.alignmentPeriod=300s&aggregation."
      "perSeriesAligner=ALIGN_RATE&aggregation.crossSeriesReducer=REDUCE_SUM&aggregation.groupByFields=metric."
      "labels.a&aggregation.groupByFields=resource.type&pageSize=10");
  EXPECT_TRUE(asked(1).ends_with("&pageToken=n"));
  ASSERT_EQ(list->series.size(), 2u);
  EXPECT_TRUE(list->problems.empty());
  const TimeSeries& first = list->series.front();
  ASSERT_EQ(first.points.size(), 2u) << "points without an end or a value are none";
  EXPECT_EQ(std::get<double>(first.points[0].value), 2);
  EXPECT_EQ(std::get<std::int64_t>(first.points[1].value), 7);
}

TEST_F(Monitoring, that_is_not_sure_of_its_answer_says_so) {
  http.then(200, R"({"executionErrors":[{"code":4,"message":"a shard did not answer"}]})");
  const auto list = client.list({.filter = "x", .from = at - 1h, .to = at}, soon());
  EXPECT_EQ(list->problems, std::vector<std::string>{"a shard did not answer"});
}

TEST_F(Monitoring, is_not_read_without_a_bound) {
  http.then(200, R"({"timeSeries":[{"metric":{"type":"m"}}],"nextPageToken":"n"})");
  const auto list = client.list({.filter = "x", .from = at - 1h, .to = at, .most = 3}, soon());
  EXPECT_EQ(list.error().text(), "exhausted: there are more than 3 series");
  EXPECT_FALSE(client.list({.filter = "x", .aggregation = Aggregation{.period = 1s}}, soon()));
}

TEST_F(Monitoring, is_checked_by_one_descriptor) {
  http.then(200, "{}");
  EXPECT_EQ(health_status_name(monitoring_check(client)({soon(), {}}).status), "up");
  EXPECT_EQ(asked(), "GET /v3/projects/p/metricDescriptors?pageSize=1");
}

}  // namespace
}  // namespace serin::google
