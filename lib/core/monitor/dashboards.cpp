#include <fmt/format.h>

#include "rules.hpp"

namespace serin::monitor {
namespace {

struct Panel {
  std::string_view title;
  std::string_view unit;                                               ///< Grafana's name of it
  std::vector<std::pair<std::string_view, std::string_view>> queries;  ///< legend, expression
};

// $service is the variable of the page; [5m] is long enough for scrapes up to a minute apart.
const std::vector<Panel>& panels() {
  static const std::vector<Panel> list{
      {"Health by service",
       "percentunit",
       {{"{{service}}", R"(avg by (service) (health_check_status{service=~"$service",critical="true"}))"}}},
      {"Checks that do not serve",
       "short",
       {{"{{service}} {{check}}", R"(health_check_status{service=~"$service"} == 0)"}}},
      {"Success rate",
       "percentunit",
       {{"{{service}}",
         R"(1 - (sum by (service) (rate(http_requests_total{service=~"$service",status=~"5.."}[5m])) or 0 * )"
         R"(sum by (service) (rate(http_requests_total{service=~"$service"}[5m]))) / )"
         R"((sum by (service) (rate(http_requests_total{service=~"$service"}[5m])) > 0))"}}},
      {"Error budget burn, period",
       "percentunit",
       {{"{{service}} {{slo}}", R"(slo:errors:ratio_period{service=~"$service"} / (1 - slo:objective:ratio))"}}},
      {"Errors a second",
       "reqps",
       {{"{{service}} {{route}} {{status}}",
         R"(sum by (service, route, status) (rate(http_requests_total{service=~"$service",status=~"5.."}[5m])))"}}},
      {"Lines of the log at level error, a second",
       "short",
       {{"{{service}}", R"(sum by (service) (rate(log_records_total{service=~"$service",level="error"}[5m])))"}}},
      {"Latency",
       "s",
       {{"p50 {{service}}", R"(histogram_quantile(0.5, sum by (service, le) )"
                            R"((rate(http_request_duration_seconds_bucket{service=~"$service"}[5m]))))"},
        {"p95 {{service}}", R"(histogram_quantile(0.95, sum by (service, le) )"
                            R"((rate(http_request_duration_seconds_bucket{service=~"$service"}[5m]))))"},
        {"p99 {{service}}", R"(histogram_quantile(0.99, sum by (service, le) )"
                            R"((rate(http_request_duration_seconds_bucket{service=~"$service"}[5m]))))"}}},
      {"Requests in flight", "short", {{"{{service}}", R"(http_requests_in_flight{service=~"$service"})"}}},
      {"Breakers: 0 closed, 1 half-open, 2 open",
       "short",
       {{"{{service}} {{target}}", R"(max by (service, target) (resilience_breaker_state{service=~"$service"}))"}}},
      {"Pools: borrowers that wait",
       "short",
       {{"{{service}} {{pool}}", R"(max by (service, pool) (fleet_pool_waiting{service=~"$service"}))"}}},
      {"Data checks: 0 pass, 1 warn, 2 fail, 3 error, 4 not evaluated",
       "short",
       {{"{{check}}", R"(max by (check) (check_outcome{service=~"$service"}))"}}},
      {"Age of the last run of a data check",
       "s",
       {{"{{check}}", R"(time() - max by (check) (check_last_run_timestamp_seconds{service=~"$service"}))"}}},
  };
  return list;
}

std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string panel_text(const Panel& panel, std::size_t number) {
  std::string targets;
  char name = 'A';
  for (const auto& [legend, expr] : panel.queries)
    targets += fmt::format("{}\n        {{\"expr\": {}, \"legendFormat\": {}, \"refId\": \"{}\"}}",
                           targets.empty() ? "" : ",", json_text(expr), json_text(legend), name++);
  return fmt::format(R"(
    {{
      "id": {0}, "type": "timeseries", "title": {1},
      "datasource": {{"type": "prometheus", "uid": "${{datasource}}"}},
      "fieldConfig": {{"defaults": {{"unit": "{2}"}}, "overrides": []}},
      "gridPos": {{"h": 8, "w": 12, "x": {3}, "y": {4}}},
      "targets": [{5}
      ]
    }})",
                     number + 1, json_text(panel.title), panel.unit, number % 2 * 12, number / 2 * 8, targets);
}

}  // namespace

std::string dashboard_text(const Catalogue& catalogue) {
  std::string list;
  for (std::size_t i = 0; i < panels().size(); ++i) list += (i == 0 ? "" : ",") + panel_text(panels()[i], i);
  // No id and no version: those are the server's, and would be a difference at every look.
  return fmt::format(R"json({{
  "description": "{} from {}; do not edit",
  "uid": "serin-fleet", "title": "Serin fleet", "editable": false, "schemaVersion": 36,
  "refresh": "30s", "time": {{"from": "now-6h", "to": "now"}},
  "templating": {{"list": [
    {{"name": "datasource", "type": "datasource", "query": "prometheus"}},
    {{"name": "service", "type": "query", "datasource": {{"type": "prometheus", "uid": "${{datasource}}"}},
     "query": "label_values(http_requests_total, service)", "multi": true, "includeAll": true, "allValue": ".*"}}
  ]}},
  "panels": [{}
  ]
}}
)json",
                     owner_mark, catalogue.file.substr(catalogue.file.rfind('/') + 1), list);
}

}  // namespace serin::monitor
