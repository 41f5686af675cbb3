#include "rules.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <set>

namespace serin::monitor {
namespace {

using namespace std::chrono_literals;

std::string selector(std::string_view metric, const std::string& service, const std::vector<std::string>& matchers) {
  std::string out = fmt::format("{}{{service=\"{}\"", metric, service);
  for (const std::string& one : matchers) out += "," + one;
  return out + "}";
}

// Health and metrics are asked by machines: they would hide what users see.
std::string route_matcher(const Slo& slo) {
  if (slo.routes.empty()) return R"(route!~"/health.*|/ready|/livez|/readyz|/startupz|/metrics")";
  return fmt::format("route=~\"{}\"", fmt::join(slo.routes, "|"));
}

std::string sum_rate(const std::string& what, Duration window) {
  return fmt::format("sum(rate({}[{}]))", what, prometheus_duration(window));
}

std::string total(const WatchedService& service, const Slo& slo) {
  return selector(slo.faster_than ? "http_request_duration_seconds_count" : "http_requests_total", service.name,
                  {route_matcher(slo)});
}

// Without a request there is no ratio: 0/0 would poison a month of averages (sloth #133), hence "> 0". A service that
// never failed has no series of failures, hence "or vector(0)".
std::string error_ratio(const WatchedService& service, const Slo& slo, Duration window) {
  const std::string all = sum_rate(total(service, slo), window);
  if (!slo.faster_than) {
    const std::string bad = selector("http_requests_total", service.name, {route_matcher(slo), R"(status=~"5..")"});
    return fmt::format("({} or vector(0)) / ({} > 0)", sum_rate(bad, window), all);
  }
  const std::string good = selector("http_request_duration_seconds_bucket", service.name,
                                    {route_matcher(slo), fmt::format("le=\"{}\"", decimal(*slo.faster_than))});
  return fmt::format("({0} - {1}) / ({0} > 0)", all, sum_rate(good, window));
}

std::string record_name(Duration window) { return "slo:errors:ratio_rate" + prometheus_duration(window); }

std::string burn_expression(const Catalogue& catalogue, const WatchedService& service, const Slo& slo,
                            std::string_view severity) {
  std::vector<std::string> clauses;
  for (const BurnClause& clause : catalogue.burn) {
    if (clause.severity != severity) continue;
    const std::string limit = decimal(burn_threshold(clause, slo));
    const std::string of = fmt::format(R"({{service="{}",slo="{}"}})", service.name, slo.name);
    clauses.push_back(fmt::format("({0}{2} > {3} and {1}{2} > {3})", record_name(clause.long_window),
                                  record_name(clause.short_window), of, limit));
  }
  return fmt::format("{}", fmt::join(clauses, " or "));
}

std::map<std::string, std::string> labels_of(const WatchedService& service, std::string_view severity) {
  return {{"service", service.name}, {"owner", service.owner}, {"severity", std::string(severity)}};
}

RuleGroup slo_group(const Catalogue& catalogue, const WatchedService& service, const Slo& slo) {
  RuleGroup group{.name = fmt::format("slo-{}-{}", service.name, slo.name), .rules = {}};
  const std::map<std::string, std::string> identity{{"service", service.name}, {"slo", slo.name}};
  std::set<Duration> windows;
  for (const BurnClause& clause : catalogue.burn) windows.insert({clause.short_window, clause.long_window});
  for (const Duration window : windows)
    group.rules.push_back({.record = record_name(window),
                           .alert = {},
                           .expr = error_ratio(service, slo, window),
                           .labels = identity,
                           .summary = {}});
  // The period from the shortest window's records: a rate over weeks of raw samples takes minutes (pyrra #1440).
  const std::string shortest = fmt::format(R"({}{{service="{}",slo="{}"}}[{}])", record_name(*windows.begin()),
                                           service.name, slo.name, prometheus_duration(slo.period));
  group.rules.push_back({.record = "slo:errors:ratio_period",
                         .alert = {},
                         .expr = fmt::format("sum_over_time({0}) / count_over_time({0})", shortest),
                         .labels = identity,
                         .summary = {}});
  group.rules.push_back({.record = "slo:objective:ratio",
                         .alert = {},
                         .expr = fmt::format("vector({})", decimal(slo.objective / 100)),
                         .labels = identity,
                         .summary = {}});
  for (const std::string& severity : severities_of(catalogue)) {
    auto labels = labels_of(service, severity);
    labels["slo"] = slo.name;
    group.rules.push_back({.record = {},
                           .alert = burn_alert(severity),
                           .expr = burn_expression(catalogue, service, slo, severity),
                           .labels = std::move(labels),
                           .summary = fmt::format("{} of {} burns its error budget", slo.name, service.name)});
  }
  if (slo.quiet_after > Duration::zero()) {
    auto labels = labels_of(service, "ticket");
    labels["slo"] = slo.name;
    // Long enough a window that one request within it is seen.
    const std::string rate = sum_rate(total(service, slo), std::max<Duration>(slo.quiet_after, *windows.begin()));
    group.rules.push_back({.record = {},
                           .alert = "NoTraffic",
                           .expr = fmt::format("({} or vector(0)) == 0", rate),
                           .lasting = slo.quiet_after,
                           .labels = std::move(labels),
                           .summary = fmt::format("{} got no request: {} is unknown", service.name, slo.name)});
  }
  return group;
}

std::string threshold_expression(const ThresholdAlert& alert) {
  std::vector<std::string> matchers;
  for (const auto& [label, value] : alert.where)
    matchers.push_back(fmt::format("{}{}\"{}\"", label, value.contains('.') ? "=~" : "=", value));
  const std::string of = fmt::format("{}{{{}}}", alert.metric, fmt::join(matchers, ","));
  const std::string window = prometheus_duration(alert.window);
  switch (alert.shape) {
    case Shape::above: {
      const std::string counted = alert.below ? fmt::format("{} < {}", of, decimal(*alert.below)) : of;
      return fmt::format("max by (service) ({}) > {}", counted, decimal(alert.limit));
    }
    case Shape::older: return fmt::format("time() - min by (service) ({}) > {}", of, decimal(seconds_of(alert.window)));
    case Shape::increase: break;
  }
  // increase() does not see the first samples of a new series, and a counter of failures is new at the first failure.
  // So a series that was not there a window ago counts whole, where its instance was scraped well a window ago.
  return fmt::format(
      "sum by (service) (increase({0}[{1}])) > {2} or sum by (service) (({0} unless {0} offset {1}) and on (service, "
      "instance) (up offset {1} == 1)) > {2}",
      of, window, decimal(alert.limit));
}

RuleGroup shared_group(const Catalogue& catalogue) {
  RuleGroup group{.name = "services", .rules = {}};
  for (const WatchedService& service : catalogue.services)
    group.rules.push_back({.record = {},
                           .alert = "ServiceDown",
                           .expr = fmt::format(R"(absent(up{{service="{}"}} == 1))", service.name),
                           .lasting = catalogue.absent_for,
                           .labels = labels_of(service, "page"),
                           .summary = fmt::format("{} cannot be scraped: its state is unknown", service.name)});
  for (const ThresholdAlert& alert : catalogue.alerts)
    group.rules.push_back({.record = {},
                           .alert = alert.name,
                           .expr = threshold_expression(alert),
                           .lasting = alert.lasting,
                           .labels = {{"severity", alert.severity}},
                           .summary = alert.summary});
  return group;
}

}  // namespace

std::string prometheus_duration(Duration duration) {
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
  constexpr std::array<std::pair<std::int64_t, const char*>, 4> units{
      {{86'400'000, "d"}, {3'600'000, "h"}, {60'000, "m"}, {1'000, "s"}}};
  for (const auto& [size, unit] : units)
    if (ms >= size && ms % size == 0) return fmt::format("{}{}", ms / size, unit);
  return fmt::format("{}ms", ms);
}

std::string decimal(double value) { return fmt::format("{:.12g}", value); }

std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

std::string burn_alert(std::string_view severity) {
  return severity == "page" ? "ErrorBudgetPage" : "ErrorBudgetTicket";
}

std::string header(const Catalogue& catalogue) {
  return fmt::format("# {} from {}; do not edit\n", owner_mark, catalogue.file.substr(catalogue.file.rfind('/') + 1));
}

std::vector<std::string> severities_of(const Catalogue& catalogue) {
  std::set<std::string> out;
  for (const BurnClause& clause : catalogue.burn) out.insert(clause.severity);
  return {out.begin(), out.end()};
}

std::vector<RuleGroup> rule_groups(const Catalogue& catalogue) {
  std::vector<RuleGroup> groups{shared_group(catalogue)};
  for (const WatchedService& service : catalogue.services)
    for (const Slo& slo : service.slos) groups.push_back(slo_group(catalogue, service, slo));
  return groups;
}

std::string rules_text(const Catalogue& catalogue) {
  std::string out = header(catalogue) + "groups:\n";
  for (const RuleGroup& group : rule_groups(catalogue)) {
    out += fmt::format("  - name: {}\n    rules:\n", group.name);
    for (const Rule& rule : group.rules) {
      out += rule.alert.empty() ? fmt::format("      - record: {}\n", rule.record)
                                : fmt::format("      - alert: {}\n", rule.alert);
      out += fmt::format("        expr: {}\n", quoted(rule.expr));
      if (rule.lasting > Duration::zero()) out += fmt::format("        for: {}\n", prometheus_duration(rule.lasting));
      out += "        labels:\n";
      for (const auto& [name, value] : rule.labels) out += fmt::format("          {}: {}\n", name, quoted(value));
      if (!rule.summary.empty())
        out += fmt::format("        annotations:\n          summary: {}\n", quoted(rule.summary));
    }
  }
  return out;
}

std::string prometheus_text(const Catalogue& catalogue) {
  const std::string every = prometheus_duration(catalogue.scrape_every);
  std::string out = header(catalogue);
  out += fmt::format("global:\n  scrape_interval: {0}\n  scrape_timeout: {0}\n  evaluation_interval: {0}\n", every);
  out += "rule_files: ['rules.yaml']\nalerting:\n  alertmanagers:\n    - static_configs:\n";
  out += fmt::format("        - targets: [{}]\nscrape_configs:\n  - job_name: serin\n", quoted(catalogue.alertmanager));
  // Prometheus is told of a change by the kernel; the interval is for file systems that do not tell.
  if (!catalogue.targets_file.empty())
    out += fmt::format("    file_sd_configs:\n      - files: [{}]\n        refresh_interval: {}\n",
                       quoted(catalogue.targets_file), every);
  std::string fixed;
  for (const WatchedService& service : catalogue.services) {
    std::vector<std::string> targets;
    for (const std::string& target : service.targets) targets.push_back(quoted(target));
    if (!targets.empty())
      fixed += fmt::format("      - targets: [{}]\n        labels: {{service: {}}}\n", fmt::join(targets, ", "),
                           quoted(service.name));
  }
  if (!fixed.empty()) out += "    static_configs:\n" + fixed;
  return out;
}

}  // namespace serin::monitor
