// Goal: the plain data of the ports behaves as its comments say. Method: examples.
#include <gtest/gtest.h>

#include "serin/ports/http.hpp"
#include "serin/ports/log.hpp"

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

}  // namespace
}  // namespace serin
