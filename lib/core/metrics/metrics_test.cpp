// Goal: what is printed is Prometheus' text format and counts right, and no label can eat the memory. Method: tables.
#include "serin/metrics/metrics.hpp"

#include <gtest/gtest.h>

namespace serin::metrics {
namespace {

TEST(Registry, prints_the_text_format) {
  Registry registry;
  registry.counter("requests_total", "Requests.", {{"route", "/a\"b\\c\n"}, {"code", "200"}}).add(3);
  registry.gauge("in_flight", "Now.").set(1.5);
  Histogram& seconds = registry.histogram("seconds", "How long.", {0.1, 1}, {{"route", "/"}});
  for (const double value : {0.05, 0.1, 0.5, 7.0}) seconds.observe(value);
  EXPECT_EQ(registry.expose(),
            "# HELP in_flight Now.\n# TYPE in_flight gauge\nin_flight 1.5\n"
            "# HELP requests_total Requests.\n# TYPE requests_total counter\n"
            "requests_total{route=\"/a\\\"b\\\\c\\n\",code=\"200\"} 3\n"
            "# HELP seconds How long.\n# TYPE seconds histogram\n"
            "seconds_bucket{route=\"/\",le=\"0.1\"} 2\nseconds_bucket{route=\"/\",le=\"1\"} 3\n"
            "seconds_bucket{route=\"/\",le=\"+Inf\"} 4\nseconds_sum{route=\"/\"} 7.65\nseconds_count{route=\"/\"} 4\n");
}

TEST(Registry, gives_the_same_metric_for_the_same_name_and_labels) {
  Registry registry;
  EXPECT_EQ(&registry.counter("a", "", {{"b", "1"}}), &registry.counter("a", "", {{"b", "1"}}));
  EXPECT_NE(&registry.counter("a", "", {{"b", "1"}}), &registry.counter("a", "", {{"b", "2"}}));
}

TEST(Registry, counts_what_has_too_many_labels_in_one_place) {
  Registry registry;
  for (int i = 0; i < 5000; ++i) registry.counter("a", "", {{"user", std::to_string(i)}}).add();
  EXPECT_EQ(registry.counter("a", "", {{"user", "another"}}).value(), 4000u);
  EXPECT_LT(registry.expose().size(), 40'000u);
}

TEST(Registry, asks_for_what_is_known_elsewhere_when_it_is_printed) {
  Registry registry;
  double level = 1;
  registry.on_expose([&] { registry.gauge("level", "Of the water.").set(level); });
  EXPECT_NE(registry.expose().find("level 1\n"), std::string::npos) << registry.expose();
  level = 7;
  EXPECT_NE(registry.expose().find("level 7\n"), std::string::npos) << registry.expose();
}

}  // namespace
}  // namespace serin::metrics
