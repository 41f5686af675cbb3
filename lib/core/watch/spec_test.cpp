// Goal: watch.yaml is read strictly: what it says is what is done, and every mistake has its place. Method: one whole
// file, and one mistake at a time.
#include "serin/watch/spec.hpp"

#include <gtest/gtest.h>

#include "serin/zones/time_zones.hpp"

namespace serin::watch {
namespace {

Result<WatchSpec> read(std::string_view text) { return parse_watch(text, "watch.yaml", SystemTimeZones()); }

constexpr std::string_view whole = R"(version: 1
state: /var/lib/serin/watch.db
notify: notify.yaml
parallel: 8
keep: 60d
heartbeat: {file: beat.json, url: https://example.org/ping, every: 1m}
defaults: {fail_after: 2, timeout: 5s, severity: ticket}
watch:
  - {name: worker ready, health: prediction-worker, every: 30s, strict: true, severity: page}
  - {name: shop, health: "http://127.0.0.1:8080/ready", service: shop, every: 1m30s, k_of_n: 6 of 10, trend: false}
  - {name: smoke, smoke: smoke.yaml, env: fleet, tag: real, cron: "*/5 * * * *", zone: UTC, ok_after: 1}
  - {name: data, checks: checks.yaml, db: "sqlite:w.db", cron: "0 6 * * *", zone: Europe/Berlin, unknown_after: 1}
)";

TEST(WatchFile, says_what_is_looked_at_and_when) {
  const WatchSpec spec = read(whole).value();
  EXPECT_EQ(spec.state, "/var/lib/serin/watch.db");
  EXPECT_EQ(spec.parallel, 8);
  EXPECT_EQ(spec.keep, std::chrono::days(60));
  EXPECT_EQ(spec.heartbeat.every, 1min);
  ASSERT_EQ(spec.items.size(), 4u);
  const WatchItem& worker = spec.items[0];
  EXPECT_EQ(worker.service, "prediction-worker");
  EXPECT_EQ(worker.schedule.text(), "every 30s");
  EXPECT_EQ(worker.thresholds.fail_after, 2);
  EXPECT_EQ(worker.thresholds.ok_after, 2);
  EXPECT_EQ(worker.severity, notify::Severity::page);
  EXPECT_TRUE(worker.strict);
  EXPECT_TRUE(worker.trend);
  EXPECT_EQ(spec.items[1].service, "shop");
  EXPECT_EQ(spec.items[1].thresholds.k, 6);
  EXPECT_EQ(spec.items[1].thresholds.n, 10);
  EXPECT_EQ(spec.items[1].severity, notify::Severity::ticket);
  EXPECT_FALSE(spec.items[1].trend);
  EXPECT_EQ(spec.items[2].environment, "fleet");
  EXPECT_EQ(spec.items[2].thresholds.ok_after, 1);
  const WatchItem& data = spec.items[3];
  EXPECT_EQ(data.schedule.text(), "0 6 * * * Europe/Berlin");
  EXPECT_EQ(data.database, "sqlite:w.db");
  EXPECT_EQ(data.service, "data");
  EXPECT_FALSE(data.trend) << "how long data checks take says nothing of a service";
  EXPECT_EQ(format_rfc3339(data.schedule.next(parse_rfc3339("2026-07-01T00:00:00Z").value())),
            "2026-07-01T04:00:00.000Z");
  EXPECT_EQ(format_rfc3339(worker.schedule.next(parse_rfc3339("2026-07-01T00:00:00Z").value())),
            "2026-07-01T00:00:30.000Z");
}

TEST(WatchFile, tells_each_mistake_with_its_place) {
  const auto one = [](std::string_view item) { return read("watch:\n  - {" + std::string(item) + "}\n"); };
  struct Case {
    std::string_view item;
    std::string_view said;
  };
  for (const Case& c : {Case{"name: a, health: x, every: 30", "watch.yaml:2:33"},
                        {"name: a, health: x", "exactly one of every"},
                        {"name: a, health: x, every: 30s, cron: '* * * * *'", "exactly one of every"},
                        {"name: a, every: 30s", "exactly one of health, smoke and checks"},
                        {"name: a, health: x, smoke: y, every: 30s", "exactly one of health, smoke and checks"},
                        {"health: x, every: 30s", "name"},
                        {"name: a, health: x, cron: '0 0 30 2 *', zone: UTC", "never comes"},
                        {"name: a, health: x, cron: '0 6 * * *'", "zone is missing"},
                        {"name: a, health: x, cron: '0 6 * * *', zone: Europe/Berlim", "no time zone"},
                        {"name: a, health: x, every: 30s, zone: UTC", "needs no zone"},
                        {"name: a, health: x, every: 30s, fail_after: 0", "1 to 1000"},
                        {"name: a, health: x, every: 30s, k_of_n: 6/10", "6 of 10"},
                        {"name: a, health: x, every: 30s, k_of_n: 1 of 10", "6 of 10"},
                        {"name: a, health: x, every: 1ms", "at least 100ms"},
                        {"name: a, health: x, every: 30s, timeout: 0", "at least 100ms"},
                        {"name: a, health: x, every: 30s, severity: pages", "page"},
                        {"name: a, health: x, every: 30s, db: y", "belongs to checks"},
                        {"name: a, checks: x, every: 30s", "db is missing"},
                        {"name: a, checks: x, db: y, every: 30s, strict: true", "belongs to health"},
                        {"name: a, health: x, every: 30s, fial_after: 3", "fail_after"}}) {
    const auto spec = one(c.item);
    ASSERT_FALSE(spec) << c.item;
    EXPECT_EQ(spec.error().code(), Errc::invalid_argument);
    EXPECT_TRUE(spec.error().detail().starts_with("watch.yaml:2:")) << spec.error().detail();
    EXPECT_NE(spec.error().detail().find(c.said), std::string::npos) << c.item << ": " << spec.error().detail();
  }
  for (const auto* const text :
       {"watch: []", "watch:\n  - {name: a, health: x, every: 1s}\n  - {name: a, health: y, every: 1s}",
        "parallel: 65\nwatch: [{name: a, health: x, every: 1s}]", "keep: 1d\nwatch: [{name: a, health: x, every: 1s}]",
        "heartbeat: {}\nwatch: [{name: a, health: x, every: 1s}]",
        "heartbeat: {url: ftp://x}\nwatch: [{name: a, health: x, every: 1s}]",
        "version: 2\nwatch: [{name: a, health: x, every: 1s}]"})
    EXPECT_FALSE(read(text)) << text;
}

}  // namespace
}  // namespace serin::watch
