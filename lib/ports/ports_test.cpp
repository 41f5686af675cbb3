// Goal: the plain data of the ports behaves as its comments say. Method: examples.
#include <gtest/gtest.h>

#include "serin/ports/http.hpp"
#include "serin/ports/latency.hpp"
#include "serin/ports/log.hpp"
#include "serin/ports/sql_cell.hpp"

namespace serin {
namespace {

TEST(HttpHeaders, names_compare_without_case_and_set_replaces_all) {
  HttpHeaders headers{{"X-Key", "1"}, {"x-key", "2"}};
  EXPECT_EQ(headers.find("X-KEY"), "1");
  headers.set("x-KEY", "3");
  EXPECT_EQ(std::distance(headers.begin(), headers.end()), 1);
  EXPECT_EQ(headers.find("x-key"), "3");
}

TEST(HttpRequest, query_is_decoded_and_absent_differs_from_empty) {
  const HttpRequest request{.target = "/status?batch_id=a%2Fb+c&flag"};
  EXPECT_EQ(request.path(), "/status");
  EXPECT_EQ(request.query("batch_id"), "a/b c");
  EXPECT_EQ(request.query("flag"), "");
  EXPECT_EQ(request.query("other"), std::nullopt);
}

struct Memory : LogSink {
  bool wants(LogLevel level) const noexcept override { return level >= LogLevel::info; }
  void write(LogLevel, std::string_view event, std::span<const LogField> fields) override {
    lines.push_back(std::string(event) + "/" + std::to_string(fields.size()));
  }
  std::vector<std::string> lines;
};

TEST(Logger, adds_its_own_fields_and_skips_what_the_sink_does_not_want) {
  Memory sink;
  const Logger logger = Logger(sink).with({{"service", "x"}});
  logger.debug("unseen");
  logger.info("seen", {{"count", 3}, {"ok", true}});
  EXPECT_EQ(sink.lines, std::vector<std::string>{"seen/3"});
}

TEST(LatencyHistogram, is_the_same_after_it_was_written) {
  LatencyHistogram took;
  EXPECT_EQ(took.text(), "1:");
  EXPECT_EQ(LatencyHistogram::parse("1:"), took) << "no request is known too";
  took.add(0);
  took.add(1, 2);
  took.add(3.5, 4);
  took.add(1e9);
  EXPECT_EQ(took.text(), "1:0=3,3=4,94=1");
  EXPECT_EQ(LatencyHistogram::parse(took.text()), took);
  EXPECT_EQ(took.requests(), 8);
  EXPECT_EQ(LatencyHistogram::of_counts(took.counts()), took);
  LatencyHistogram twice = took;
  twice.add(took);
  EXPECT_EQ(twice.text(), "1:0=6,3=8,94=2");
}

TEST(LatencyHistogram, what_cannot_be_read_is_unknown) {
  for (const std::string_view text :
       {"", "2:3=4", "1", "1:3", "1:3=0", "1:3=-1", "1:95=1", "1:-1=1", "1:4=1,3=1", "1:3=1,3=1", "1:x=1", "1:3=1,"})
    EXPECT_EQ(LatencyHistogram::parse(text), std::nullopt) << text;
  EXPECT_EQ(LatencyHistogram::of_counts(std::vector<std::int64_t>(25)), std::nullopt);
}

TEST(LatencyHistogram, a_quantile_lies_between_two_edges) {
  LatencyHistogram took;
  EXPECT_EQ(took.quantile(0.5), std::nullopt);
  took.add(5, 50);
  took.add(100, 45);
  took.add(60'000, 5);
  EXPECT_EQ(latency_text(took.quantile(0.5).value()), "4 to 5 ms");
  EXPECT_EQ(latency_text(took.quantile(0.51).value()), "98 to 108 ms");
  EXPECT_EQ(latency_text(took.quantile(0.99).value()), "above 30 s");
  EXPECT_EQ(latency_text({.above_ms = 1111, .at_most_ms = 1234}), "1.11 s to 1.23 s");
  const auto edges = latency_edges_ms();
  for (std::size_t i = 1; i < edges.size(); ++i) EXPECT_LT(edges[i - 1], edges[i]);
  EXPECT_EQ(edges.back(), 30'000);
}

TEST(SqlCell, of_another_type_is_nothing_and_an_integer_counts_as_a_real) {
  const SqlValue none;
  const SqlValue whole = std::int64_t{1500};
  const SqlValue real = 0.25;
  const SqlValue text = std::string("seven");
  EXPECT_EQ(sql_text(text), "seven");
  EXPECT_EQ(sql_number(whole), 1500);
  EXPECT_EQ(sql_real(real), 0.25);
  EXPECT_EQ(sql_real(whole), 1500.0);
  EXPECT_EQ(sql_time(whole), wall_of_unix_ms(1500));
  for (const SqlValue& other : {none, whole, real}) EXPECT_EQ(sql_text(other), "");
  for (const SqlValue& other : {none, real, text}) EXPECT_EQ(sql_number(other), 0);
  for (const SqlValue& other : {none, real, text}) EXPECT_EQ(sql_time(other), std::nullopt);
  for (const SqlValue& other : {none, text}) EXPECT_EQ(sql_real(other), std::nullopt);
}

}  // namespace
}  // namespace serin
