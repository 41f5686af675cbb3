#include <fmt/format.h>

#include "rules.hpp"

namespace serin::monitor {
namespace {

std::string route(const std::string& matchers, const std::string& receiver) {
  return fmt::format("    - matchers: [{}]\n      receiver: {}\n", matchers, receiver);
}

std::string receiver_text(const Receiver& receiver) {
  std::string out = fmt::format("  - name: {}\n", receiver.name);
  if (!receiver.webhook.empty())
    return out + fmt::format("    webhook_configs:\n      - url: {}\n        send_resolved: true\n",
                             quoted(receiver.webhook));
  // Slack's default is not to tell that it is over; we always do.
  out += fmt::format("    slack_configs:\n      - channel: {}\n        send_resolved: true\n", quoted(receiver.slack));
  out += R"(        title: '[{{ .Status }}] {{ .GroupLabels.alertname }} {{ .GroupLabels.service }}'
        text: '{{ range .Alerts }}{{ .Annotations.summary }} (severity {{ .Labels.severity }}){{ "\n" }}{{ end }}'
)";
  return out;
}

}  // namespace

std::string alertmanager_text(const Catalogue& catalogue) {
  std::string out = header(catalogue) + "global:\n  resolve_timeout: 5m\n";
  if (!catalogue.slack_url_file.empty())
    out += fmt::format("  slack_api_url_file: {}\n", quoted(catalogue.slack_url_file));
  // What no route knows goes where pages go: an alert nobody gets is worse than one too many.
  out += fmt::format("route:\n  receiver: {}\n  group_by: ['alertname', 'service']\n", catalogue.severities.at("page"));
  out += fmt::format("  group_wait: {}\n  group_interval: {}\n  repeat_interval: {}\n  routes:\n",
                     prometheus_duration(catalogue.group_wait), prometheus_duration(catalogue.group_interval),
                     prometheus_duration(catalogue.repeat_interval));
  for (const WatchedService& service : catalogue.services)
    for (const auto& [severity, receiver] : service.notify)
      out += route(fmt::format(R"('service="{}"', 'severity="{}"')", service.name, severity), receiver);
  for (const auto& [severity, receiver] : catalogue.severities)
    out += route(fmt::format(R"('severity="{}"')", severity), receiver);
  out += R"(inhibit_rules:
  - source_matchers: ['alertname="ServiceDown"']
    target_matchers: ['alertname!="ServiceDown"']
    equal: ['service']
  - source_matchers: ['alertname="ErrorBudgetPage"']
    target_matchers: ['alertname="ErrorBudgetTicket"']
    equal: ['service', 'slo']
receivers:
)";
  for (const Receiver& receiver : catalogue.receivers) out += receiver_text(receiver);
  return out;
}

std::vector<RouteCase> route_cases(const Catalogue& catalogue) {
  std::vector<RouteCase> out;
  for (const auto& [severity, usual] : catalogue.severities) {
    for (const WatchedService& service : catalogue.services) {
      const auto own = service.notify.find(severity);
      out.push_back({service.name, severity, own == service.notify.end() ? usual : own->second});
    }
    out.push_back({"nobody-knows", severity, usual});
  }
  out.push_back({"nobody-knows", "unheard-of", catalogue.severities.at("page")});
  return out;
}

}  // namespace serin::monitor
