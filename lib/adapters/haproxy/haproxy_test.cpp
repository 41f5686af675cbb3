// Goal: shares become weights exactly, log lines and counters become seconds in which nothing is forgotten. Pure parts.
#include <gtest/gtest.h>

#include <algorithm>

#include "serin/haproxy/access_log.hpp"
#include "serin/haproxy/render.hpp"
#include "serin/haproxy/traffic_counter.hpp"
#include "serin/haproxy/weights.hpp"

namespace serin::haproxy {
namespace {

ReleaseName release(std::string_view name) { return ReleaseName::make(name).value(); }

std::vector<Server> servers(std::initializer_list<std::string> names, std::initializer_list<std::string> out = {}) {
  std::vector<Server> list;
  for (const std::string& name : names)
    list.push_back({.name = name, .address = "127.0.0.1:1", .in_rotation = std::ranges::find(out, name) == out.end()});
  return list;
}

/// The share of v2, in percent, after weights were planned for these servers.
double share_of_v2(std::vector<Server> list, double percent) {
  const std::vector<Weight> weights = plan_weights({{release("v1"), 100 - percent}, {release("v2"), percent}}, list);
  for (std::size_t i = 0; i < list.size(); ++i) list[i].weight = weights[i].weight;
  for (const Share& share : split_of(list))
    if (share.release.str() == "v2") return share.percent;
  return -1;
}

TEST(Weights, meet_every_whole_percent) {
  for (int percent = 0; percent <= 100; ++percent) {
    EXPECT_NEAR(share_of_v2(servers({"v1-0", "v2-0"}), percent), percent, 0.2);
    EXPECT_NEAR(share_of_v2(servers({"v1-0", "v1-1", "v2-0", "v2-1"}), percent), percent, 0.2);
    EXPECT_NEAR(share_of_v2(servers({"v1-0", "v1-1", "v1-2", "v2-0"}), percent), percent, 0.2) << percent;
  }
  EXPECT_EQ(share_of_v2(servers({"v1-0", "v2-0"}), 5), 5) << "exactly, where it can be";
}

TEST(Weights, nobody_loses_his_share_when_a_replica_leaves) {
  const std::vector<Server> list = servers({"v1-0", "v1-1", "v2-0"}, {"v1-1"});
  EXPECT_NEAR(share_of_v2(list, 5), 5, 0.2);
  EXPECT_NEAR(share_of_v2(servers({"v1-0", "v2-0"}, {"v2-0"}), 50), 50, 0.2) << "kept, for when it comes back";
}

TEST(Weights, a_release_outside_the_split_gets_nothing) {
  const std::vector<Weight> weights = plan_weights({{release("v1"), 100}}, servers({"v1-0", "v2-0", "strange"}));
  EXPECT_EQ(weights, (std::vector<Weight>{{"v1-0", 1}, {"v2-0", 0}, {"strange", 0}}));
}

TEST(AccessLog, lines_are_read_and_failures_told_from_clients_who_left) {
  const auto line = parse_access_line("prediction-worker v2-0 500 -- 0 12 12 POST /predict\n");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->service, "prediction-worker");
  EXPECT_EQ(line->server, "v2-0");
  EXPECT_EQ(line->path, "/predict");
  EXPECT_TRUE(is_failure(*line));
  const auto failed = [](std::string_view text) { return is_failure(parse_access_line(text).value()); };
  EXPECT_FALSE(failed("a v1-0 200 -- 0 1 1 GET /"));
  EXPECT_FALSE(failed("a v1-0 404 -- 0 1 1 GET /"));
  EXPECT_TRUE(failed("a v1-0 200 SD 0 1 1 GET /")) << "the status says 200, the body is cut short";
  EXPECT_TRUE(failed("a v1-0 504 sH 0 1 1 GET /"));
  EXPECT_TRUE(failed("a v1-0 502 SH 0 1 1 GET /"));
  EXPECT_FALSE(failed("a v1-0 200 CD 0 1 1 GET /")) << "the client went away";
  EXPECT_FALSE(failed("a v1-0 -1 CH 0 1 1 GET /"));
  EXPECT_TRUE(failed("a <NOSRV> 503 SC 0 -1 -1 GET /"));
  EXPECT_FALSE(parse_access_line("garbage"));
  EXPECT_FALSE(parse_access_line("a b x -- 0 1 1 GET /"));
}

TEST(AccessLog, what_the_server_took_is_told_from_what_the_client_took) {
  const auto slow_client = parse_access_line("a v1-0 200 -- 0 9000 12 POST /").value();
  EXPECT_EQ(slow_client.milliseconds, 9000);
  EXPECT_EQ(slow_client.answer_milliseconds, 12);
  EXPECT_EQ(parse_access_line("a v1-0 504 sH 0 60000 -1 GET /").value().answer_milliseconds, std::nullopt);
  EXPECT_FALSE(parse_access_line("a v1-0 200 -- 0 12 GET /")) << "a line of an earlier format is damaged, not guessed";
}

Statistics counters(std::int64_t requests, std::int64_t answers, std::int64_t in_flight,
                    std::int64_t redispatched = 0) {
  return {{"fe_a/FRONTEND", {.requests = requests, .answers = answers}},
          {"a/BACKEND", {.in_flight = in_flight}},
          {"a/v2-0", {.redispatches = redispatched}}};
}

const TrafficCount* arm(const TrafficSecond& second, std::string_view name) {
  for (const TrafficCount& count : second.counts)
    if (count.release.str() == name) return &count;
  return nullptr;
}

TEST(TrafficCounter, counts_by_release) {
  TrafficCounter counter({"a", "b"});
  counter.add("a v1-0 200 -- 0 1 1 GET /", 7);
  counter.add("a v1-1 500 -- 0 1 1 GET /", 7);
  counter.add("a v2-0 200 -- 0 1 1 GET /", 7);
  counter.add("unknown v2-0 200 -- 0 1 1 GET /", 7);
  const CountedSecond second = counter.close(7);
  const TrafficSecond& a = second.services.at("a");
  ASSERT_NE(arm(a, "v1"), nullptr);
  EXPECT_EQ(arm(a, "v1")->requests, 2);
  EXPECT_EQ(arm(a, "v1")->errors, 1);
  EXPECT_EQ(arm(a, "v2")->requests, 1);
  EXPECT_TRUE(second.services.at("b").counts.empty()) << "a quiet service has its second too";
  ASSERT_EQ(second.failures.size(), 1u);
  EXPECT_EQ(second.failures[0].what, "GET /");
}

TEST(TrafficCounter, how_long_answers_took_is_counted_by_release_and_only_where_there_was_one) {
  TrafficCounter counter({"a"});
  counter.sample(counters(0, 0, 0, 0), 1);
  counter.add("a v1-0 200 -- 0 80 3 GET /", 7);
  counter.add("a v2-0 200 -- 0 80 55 GET /", 7);
  counter.add("a v2-0 504 sH 0 60000 -1 GET /", 7);
  counter.sample(counters(3, 3, 0, 1), 1);
  const TrafficSecond a = counter.close(7).services.at("a");
  LatencyHistogram v1;
  v1.add(3);
  LatencyHistogram v2;
  v2.add(55);
  EXPECT_EQ(arm(a, "v1")->latency, v1);
  EXPECT_EQ(arm(a, "v2")->requests, 3) << "with the one that a retry hid";
  EXPECT_EQ(arm(a, "v2")->latency, v2) << "neither the hidden one nor the one without an answer took a time";
}

TEST(TrafficCounter, what_a_retry_hid_is_the_failing_releases_error) {
  TrafficCounter counter({"a"});
  counter.sample(counters(100, 100, 0, 3), 1);
  counter.close(1);
  counter.add("a v1-0 200 -- +1 1 1 GET /", 2);
  counter.sample(counters(101, 101, 0, 4), 1);
  const TrafficSecond second = counter.close(2).services.at("a");
  ASSERT_NE(arm(second, "v2"), nullptr) << "the log has only the server that answered";
  EXPECT_EQ(arm(second, "v2")->errors, 1);
  EXPECT_EQ(arm(second, "v2")->hidden, 1);
  EXPECT_EQ(arm(second, "v1")->errors, 0);
}

TEST(TrafficCounter, answers_that_never_came_and_lines_that_got_lost_are_found) {
  TrafficCounter counter({"a"});
  counter.sample(counters(10, 10, 0), 1);
  std::int64_t unattributed = 0;
  std::int64_t lost = 0;
  for (int second = 0; second < 6; ++second) {
    counter.sample(counters(15, 13, 1),
                   1);  // 15 asked, 13 answered, one on its way: one closed without an answer; no line for 3
    const TrafficSecond counted = counter.close(second).services.at("a");
    unattributed += counted.unattributed;
    lost += counted.lost;
  }
  EXPECT_EQ(unattributed, 1) << "once, not once a second";
  EXPECT_EQ(lost, 3);
}

TEST(TrafficCounter, a_request_on_its_way_is_not_missing) {
  TrafficCounter counter({"a"});
  std::int64_t all = 0;
  for (int second = 0; second < 20; ++second) {
    // Counter and log are never read at the same moment: sometimes the one is ahead, sometimes the other.
    counter.sample(counters(10 * second + second % 3, 10 * second, 0), 1);
    for (int i = 0; i < 10; ++i) counter.add("a v1-0 200 -- 0 1 1 GET /", second);
    const TrafficSecond counted = counter.close(second).services.at("a");
    all += counted.unattributed + counted.lost;
  }
  EXPECT_EQ(all, 0);
}

TEST(TrafficCounter, a_new_haproxy_counts_from_zero) {
  TrafficCounter counter({"a"});
  counter.sample(counters(1000, 1000, 0, 50), 1);
  counter.sample(counters(2, 2, 0, 0), 2);
  for (int i = 0; i < 4; ++i) counter.sample(counters(2, 2, 0, 0), 2);
  const TrafficSecond second = counter.close(1).services.at("a");
  EXPECT_EQ(second.lost + second.unattributed, 0);
  EXPECT_TRUE(second.counts.empty());
}

TEST(Render, writes_every_service_and_hides_no_error_of_the_application) {
  const std::string text =
      render({.socket = "/x/s",
              .log_port = 5,
              .services = {{.name = ServiceName::make("a").value(),
                            .listen = "127.0.0.1:80",
                            .servers = {{.name = "v1-0", .address = "127.0.0.1:9", .weight = 4}}}}});
  EXPECT_NE(text.find("frontend fe_a\n  bind 127.0.0.1:80\n"), std::string::npos) << text;
  EXPECT_NE(text.find("server v1-0 127.0.0.1:9 weight 4 disabled"), std::string::npos) << text;
  const std::size_t retry = text.find("retry-on");
  ASSERT_NE(retry, std::string::npos);
  EXPECT_EQ(text.substr(retry, text.find('\n', retry) - retry).find('5'), std::string::npos) << "no 5xx is retried";
}

TEST(Statistics, need_their_columns) {
  EXPECT_FALSE(parse_statistics(""));
  EXPECT_FALSE(parse_statistics("# pxname,svname\n"));
  EXPECT_FALSE(parse_servers("error"));
}

}  // namespace
}  // namespace serin::haproxy
