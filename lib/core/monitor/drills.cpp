#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "rules.hpp"

namespace serin::monitor {
namespace {

using namespace std::chrono_literals;

struct Series {
  std::string name;
  std::string values;  ///< in promtool's notation
};
struct Expected {
  std::string alert;
  std::string service;
  std::string slo;  ///< empty: it has none
  bool fires = false;
};
struct Drill {
  std::string name;
  Duration tick{};  ///< between samples and between evaluations
  int ticks = 0;
  std::vector<Series> series;
  std::vector<Expected> expected;
};

Duration tick_of(Duration window, int parts) {
  return std::max<Duration>(std::chrono::floor<std::chrono::milliseconds>(window / parts), 1ms);
}

// Whole ticks that a `for` of this length needs, and one more for the alert to go from pending to firing.
int ticks_of(Duration lasting, Duration tick) { return static_cast<int>((lasting + tick - 1ns) / tick) + 1; }

std::string steady(double by_tick, int ticks) { return fmt::format("0+{}x{}", decimal(by_tick), ticks); }
std::string constant(double value, int ticks) { return fmt::format("{}+0x{}", decimal(value), ticks); }

Series up(const std::string& service, std::string values) {
  return {fmt::format(R"(up{{job="serin",instance="one",service="{}"}})", service), std::move(values)};
}

void add_down(const Catalogue& catalogue, std::vector<Drill>& out) {
  for (const WatchedService& service : catalogue.services) {
    const Duration tick = tick_of(catalogue.absent_for, 4);
    const int ticks = ticks_of(catalogue.absent_for, tick) + 2;
    const auto drill = [&](std::string_view what, std::vector<Series> series, bool fires) {
      out.push_back({.name = fmt::format("ServiceDown {}: {}", service.name, what),
                     .tick = tick,
                     .ticks = ticks,
                     .series = std::move(series),
                     .expected = {{"ServiceDown", service.name, "", fires}}});
    };
    drill("no target at all", {}, true);
    drill("scrapes fail", {up(service.name, constant(0, ticks))}, true);
    drill("scraped", {up(service.name, constant(1, ticks))}, false);
  }
}

// A thousand requests a tick, of which so many are bad.
std::vector<Series> traffic(const WatchedService& service, const Slo& slo, double bad, double all, int ticks) {
  const std::string of =
      fmt::format(R"(service="{}",instance="one",route="{}")", service.name, slo.routes.empty() ? "/" : slo.routes[0]);
  if (slo.faster_than)
    return {{fmt::format("http_request_duration_seconds_count{{{}}}", of), steady(all, ticks)},
            {fmt::format("http_request_duration_seconds_bucket{{{},le=\"{}\"}}", of, decimal(*slo.faster_than)),
             steady(all - bad, ticks)}};
  return {{fmt::format("http_requests_total{{{},status=\"200\"}}", of), steady(all - bad, ticks)},
          {fmt::format("http_requests_total{{{},status=\"503\"}}", of), steady(bad, ticks)}};
}

void add_burn(const Catalogue& catalogue, const WatchedService& service, const Slo& slo, std::vector<Drill>& out) {
  std::map<std::string, double> lowest;
  Duration shortest = catalogue.burn.front().short_window;
  for (const BurnClause& clause : catalogue.burn) {
    const double threshold = burn_threshold(clause, slo);
    const auto [at, fresh] = lowest.emplace(clause.severity, threshold);
    if (!fresh) at->second = std::min(at->second, threshold);
    shortest = std::min(shortest, clause.short_window);
  }
  const auto drill = [&](std::string_view what, double ratio, double all) {
    Drill one{.name = fmt::format("{} {}: {}", service.name, slo.name, what),
              .tick = tick_of(shortest, 5),
              .ticks = 20,
              .series = traffic(service, slo, ratio * all, all, 20),
              .expected = {}};
    for (const auto& [severity, threshold] : lowest)
      one.expected.push_back({burn_alert(severity), service.name, slo.name, all > 0 && ratio > threshold});
    out.push_back(std::move(one));
  };
  // Just above and just below the lowest limit of a severity (steady traffic shows no other), so that a wrong factor is
  // found and not only a missing rule.
  for (const auto& [severity, threshold] : lowest) {
    drill(fmt::format("just above the limit of {}", severity), std::min(1.05 * threshold, (1 + threshold) / 2), 1000);
    drill(fmt::format("just below the limit of {}", severity), 0.95 * threshold, 1000);
  }
  drill("no failure", 0, 1000);
  drill("no traffic", 0, 0);
}

void add_quiet(const WatchedService& service, const Slo& slo, std::vector<Drill>& out) {
  if (slo.quiet_after <= Duration::zero()) return;
  const Duration tick = tick_of(slo.quiet_after, 5);
  const int ticks = ticks_of(slo.quiet_after, tick) + 2;
  for (const bool quiet : {true, false})
    out.push_back({.name = fmt::format("NoTraffic {} {}: {}", service.name, slo.name, quiet ? "quiet" : "busy"),
                   .tick = tick,
                   .ticks = ticks,
                   .series = traffic(service, slo, 0, quiet ? 0 : 1000, ticks),
                   .expected = {{"NoTraffic", service.name, slo.name, quiet}}});
}

std::string sample_series(const ThresholdAlert& alert, const std::string& service) {
  std::string out = fmt::format("{}{{service=\"{}\",instance=\"one\"", alert.metric, service);
  for (const auto& [label, value] : alert.where) {
    std::string sample = value;
    std::ranges::replace(sample, '.', '0');
    out += fmt::format(",{}=\"{}\"", label, sample);
  }
  return out + "}";
}

void add_threshold(const ThresholdAlert& alert, const std::string& service, std::vector<Drill>& out) {
  const std::string series = sample_series(alert, service);
  const auto drill = [&](std::string_view what, Duration tick, int ticks, std::vector<Series> input, bool fires) {
    out.push_back({.name = fmt::format("{}: {}", alert.name, what),
                   .tick = tick,
                   .ticks = ticks,
                   .series = std::move(input),
                   .expected = {{alert.name, service, "", fires}}});
  };
  if (alert.shape == Shape::above) {
    const Duration tick = alert.lasting > Duration::zero() ? tick_of(alert.lasting, 4) : Duration(1min);
    const int ticks = ticks_of(alert.lasting, tick) + 1;
    const double high = alert.below ? (alert.limit + *alert.below) / 2 : alert.limit + 1;
    drill("above the limit", tick, ticks, {{series, constant(high, ticks)}}, true);
    drill("at the limit", tick, ticks, {{series, constant(alert.limit, ticks)}}, false);
    if (alert.below) drill("does not count", tick, ticks, {{series, constant(*alert.below, ticks)}}, false);
    return;
  }
  const Duration tick = tick_of(alert.window, 5);
  const int ticks = 10 + ticks_of(alert.lasting, tick);
  if (alert.shape == Shape::older) {
    drill("stands still", tick, ticks, {{series, constant(0, ticks)}}, true);
    drill("moves on", tick, ticks, {{series, steady(seconds_of(tick), ticks)}}, false);
    return;
  }
  drill("above the limit", tick, ticks, {{series, steady(1.5 * (alert.limit + 1) / 5, ticks)}}, true);
  drill("half the limit", tick, ticks, {{series, steady(alert.limit / 10, ticks)}}, false);
  if (alert.lasting > Duration::zero()) return;
  const std::string fresh = fmt::format("_x10 {}", constant(alert.limit + 1, ticks - 10));
  drill("a burst before the first scrape of its series", tick, ticks,
        {{series, fresh}, up(service, constant(1, ticks))}, true);
  drill("an old counter of a service seen for the first time", tick, ticks,
        {{series, fresh}, up(service, fmt::format("_x10 {}", constant(1, ticks - 10)))}, false);
}

std::string drill_text(const Drill& drill) {
  std::string out = fmt::format("  - name: {}\n    interval: {}\n    input_series:{}\n", quoted(drill.name),
                                prometheus_duration(drill.tick), drill.series.empty() ? " []" : "");
  for (const Series& one : drill.series)
    out += fmt::format("      - series: {}\n        values: {}\n", quoted(one.name), quoted(one.values));
  out += "    promql_expr_test:\n";
  for (const Expected& one : drill.expected) {
    // Through ALERTS, not alert_rule_test: that wants every label and annotation repeated (prometheus #7370).
    const std::string slo = one.slo.empty() ? std::string() : fmt::format(",slo=\"{}\"", one.slo);
    const std::string expr = fmt::format(R"(count(ALERTS{{alertstate="firing",alertname="{}",service="{}"{}}}))",
                                         one.alert, one.service, slo);
    out += fmt::format("      - expr: {}\n        eval_time: {}\n        exp_samples: {}\n", quoted(expr),
                       prometheus_duration(drill.tick * drill.ticks), one.fires ? "[{labels: '{}', value: 1}]" : "[]");
  }
  return out;
}

// What the drills prove, compared with what the rules hold: a rule added without a drill is found here.
std::vector<std::string> unproved(const Catalogue& catalogue, const std::vector<Drill>& all, int& alerts) {
  std::vector<std::string> out;
  for (const RuleGroup& group : rule_groups(catalogue))
    for (const Rule& rule : group.rules) {
      if (rule.alert.empty()) continue;
      ++alerts;
      const auto value = [&](const char* name) {
        const auto at = rule.labels.find(name);
        return at == rule.labels.end() ? std::string() : at->second;
      };
      const std::string service = value("service");
      std::set<bool> seen;
      for (const Drill& drill : all)
        for (const Expected& one : drill.expected)
          if (one.alert == rule.alert && one.slo == value("slo") && (service.empty() || service == one.service))
            seen.insert(one.fires);
      if (!seen.contains(true)) out.push_back(fmt::format("{} {}: nothing makes it fire", rule.alert, service));
      if (!seen.contains(false)) out.push_back(fmt::format("{} {}: nothing keeps it silent", rule.alert, service));
    }
  return out;
}

}  // namespace

Drills drills(const Catalogue& catalogue) {
  std::vector<Drill> all;
  add_down(catalogue, all);
  for (const WatchedService& service : catalogue.services)
    for (const Slo& slo : service.slos) {
      add_burn(catalogue, service, slo, all);
      add_quiet(service, slo, all);
    }
  for (const ThresholdAlert& alert : catalogue.alerts)
    if (!catalogue.services.empty()) add_threshold(alert, catalogue.services.front().name, all);
  std::map<Duration, std::string> by_tick;
  for (const Drill& drill : all) by_tick[drill.tick] += drill_text(drill);
  Drills out;
  for (const auto& [tick, text] : by_tick) {
    const std::string pace = prometheus_duration(tick);
    out.tests.push_back({fmt::format("drills-{}.yaml", pace),
                         fmt::format("{}rule_files: ['rules.yaml']\nevaluation_interval: {}\ntests:\n{}",
                                     header(catalogue), pace, text)});
  }
  out.unproved = unproved(catalogue, all, out.alerts);
  return out;
}

}  // namespace serin::monitor
