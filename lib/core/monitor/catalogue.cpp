#include "catalogue.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "metric_table.hpp"
#include "serin/base/text.hpp"
#include "serin/config/yaml.hpp"
#include "serin/metrics/metrics.hpp"

namespace serin::monitor {
namespace {

using namespace std::chrono_literals;
using config::YamlMap;

const std::vector<std::string> severity_names{"page", "ticket"};

// Sloth's table (google's SRE workbook, chapter 5): budget, windows.
std::vector<BurnClause> usual_burn() {
  return {{"page", 2, 5min, 1h}, {"page", 5, 30min, 6h}, {"ticket", 10, 2h, 24h}, {"ticket", 10, 6h, 72h}};
}

bool is_word(std::string_view text, std::string_view also) {
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || also.contains(c);
  });
}

// What would have to be escaped in PromQL, in a series of promtool or in YAML is refused instead.
bool is_plain(std::string_view text) { return is_word(text, " /._-#:,;%><=()"); }

class Reader {
 public:
  Reader(YamlMap root, Catalogue& into) : root_(std::move(root)), out_(into) {}

  void read() {
    out_.scrape_every = positive(root_, "scrape_every", 15s);
    out_.absent_for = positive(root_, "absent_for", 2min);
    out_.targets_file = root_.text("targets_file", "");
    // The endings that Prometheus reads; it ignores any other file without a word.
    if (!out_.targets_file.empty() && (!is_plain(out_.targets_file) || !out_.targets_file.ends_with(".json")))
      root_.complain("targets_file", "is the path of a .json file, without characters that cannot be written");
    out_.alertmanager = root_.text("alertmanager", "127.0.0.1:9093");
    read_notify();
    read_burn();
    for (auto& [name, map] : root_.named_maps("services")) read_service(name, map);
    if (out_.services.empty()) root_.complain("services", "watches no service");
    for (auto& [name, map] : root_.named_maps("alerts")) read_alert(name, map);
    root_.done();
  }

 private:
  static Duration positive(YamlMap& map, std::string_view key, Duration otherwise) {
    const Duration read = map.duration(key, otherwise);
    if (read < 1ms) map.complain(key, "must be at least 1ms");
    return read;
  }

  std::string severity(YamlMap& map) { return severity_names[map.choice("severity", severity_names, 1)]; }

  void read_notify() {
    auto notify = root_.map("notify");
    if (!notify) return root_.complain("notify", "says who is told: receivers and severities are missing");
    out_.slack_url_file = notify->text("slack_url_file", "");
    out_.group_wait = positive(*notify, "wait", 30s);
    out_.group_interval = positive(*notify, "interval", 5min);
    out_.repeat_interval = positive(*notify, "repeat", 4h);
    for (auto& [name, map] : notify->named_maps("receivers")) {
      Receiver one{.name = name, .slack = map.text("slack", ""), .webhook = map.text("webhook", "")};
      if (!is_word(name, "-_")) notify->complain("receivers", fmt::format("{}: letters, digits, - and _ only", name));
      if (one.slack.empty() == one.webhook.empty()) map.complain("slack", "write slack: CHANNEL or webhook: URL");
      if (!one.slack.empty() && out_.slack_url_file.empty())
        map.complain("slack", "needs notify.slack_url_file, the file that holds the webhook's address");
      if (!is_plain(one.slack + one.webhook + "x")) map.complain("slack", "has a character that cannot be written");
      map.done();
      out_.receivers.push_back(std::move(one));
    }
    out_.severities = notify->text_map("severities", {});
    check_receivers(*notify, "severities", out_.severities);
    for (const std::string& name : severity_names)
      if (!out_.severities.contains(name)) notify->complain("severities", fmt::format("{} has no receiver", name));
    notify->done();
  }

  void check_receivers(YamlMap& map, std::string_view key, const std::map<std::string, std::string>& wanted) {
    for (const auto& [severity, receiver] : wanted) {
      if (std::ranges::find(severity_names, severity) == severity_names.end())
        map.complain(key, fmt::format("{} is no severity; write page or ticket", severity));
      if (std::ranges::find(out_.receivers, receiver, &Receiver::name) == out_.receivers.end())
        map.complain(key, fmt::format("{} goes to {}, which is no receiver", severity, receiver));
    }
  }

  void read_burn() {
    if (!root_.has("burn")) {
      out_.burn = usual_burn();
      return;
    }
    for (YamlMap& map : root_.maps("burn")) {
      BurnClause one{.severity = severity(map), .budget = map.number("budget", 0)};
      one.short_window = positive(map, "short", 0s);
      one.long_window = positive(map, "long", 0s);
      if (one.budget <= 0 || one.budget > 100) map.complain("budget", "is a percentage above 0, at most 100");
      if (one.short_window >= one.long_window) map.complain("short", "must be shorter than `long`");
      map.done();
      out_.burn.push_back(std::move(one));
    }
    if (out_.burn.empty()) root_.complain("burn", "has no clause, so no SLO could ever alert");
  }

  void read_service(const std::string& name, YamlMap& map) {
    WatchedService one{.name = name, .owner = map.required_text("owner"), .targets = map.texts("targets", {})};
    if (!is_word(name, "-_")) map.complain("owner", fmt::format("{}: letters, digits, - and _ only", name));
    if (!is_plain(one.owner)) map.complain("owner", "has a character that cannot be written");
    if (one.targets.empty() && out_.targets_file.empty())
      map.complain("targets", "lists no address to scrape, and there is no targets_file");
    for (const std::string& target : one.targets)
      if (!is_plain(target) || !target.contains(':')) map.complain("targets", target + " is not host:port");
    one.notify = map.text_map("notify", {});
    check_receivers(map, "notify", one.notify);
    for (YamlMap& slo : map.maps("slos")) read_slo(one, slo);
    map.done();
    out_.services.push_back(std::move(one));
  }

  void read_slo(WatchedService& service, YamlMap& map) {
    Slo one{.name = map.required_text("name"), .objective = map.number("objective", 99.9)};
    one.period = positive(map, "period", 30 * 24h);
    one.routes = map.texts("routes", {});
    one.quiet_after = map.duration("quiet_after", Duration::zero());
    if (map.has("faster_than")) one.faster_than = seconds_of(positive(map, "faster_than", 1s));
    if (!is_word(one.name, "-_")) map.complain("name", "letters, digits, - and _ only");
    if (std::ranges::find(service.slos, one.name, &Slo::name) != service.slos.end())
      map.complain("name", one.name + " is there twice");
    for (const std::string& route : one.routes)
      if (!is_word(route, "/_-{}")) map.complain("routes", route + " is not the path of a route");
    const auto bounds = metrics::latency_bounds();
    if (one.faster_than && std::ranges::find(bounds, *one.faster_than) == bounds.end())
      map.complain("faster_than", fmt::format("{} s is no bound of http_request_duration_seconds; those are {}",
                                              *one.faster_than, fmt::join(bounds, ", ")));
    if (one.objective <= 0 || one.objective >= 100)
      map.complain("objective", "is a percentage above 0 and below 100: at 100 there is no budget to burn");
    else
      for (const BurnClause& clause : out_.burn)
        if (const double ratio = burn_threshold(clause, one); ratio >= 1)
          map.complain("objective", fmt::format("the {} alert over {} would need {:.4g} % errors: it cannot fire",
                                                clause.severity, format_duration(clause.long_window), 100 * ratio));
    map.done();
    service.slos.push_back(std::move(one));
  }

  void read_alert(const std::string& name, YamlMap& map) {
    ThresholdAlert one{.name = name, .metric = map.required_text("metric"), .where = map.text_map("where", {})};
    one.severity = severity(map);
    one.summary = map.required_text("summary");
    one.lasting = map.duration("for", Duration::zero());
    if (!is_word(name, "")) map.complain("metric", name + ": an alert's name has letters and digits only");
    if (!is_plain(one.summary)) map.complain("summary", "has a character that cannot be written");
    if (!names_.insert(name).second) map.complain("metric", name + " is there twice");
    read_shape(one, map);
    const MetricRow* row = find_metric(one.metric);
    if (row == nullptr) {
      map.complain("metric", one.metric + " is exported by nobody: it could never fire");
    } else {
      const std::string_view wanted = one.shape == Shape::increase ? "counter" : "gauge";
      if (row->type != wanted) map.complain("metric", fmt::format("is a {}, this needs a {}", row->type, wanted));
      if (one.shape == Shape::older && !row->name.ends_with("_timestamp_seconds"))
        map.complain("metric", "`older_than` needs a timestamp, *_timestamp_seconds");
      for (const auto& [label, value] : one.where) {
        if (!has_label(*row, label)) map.complain("where", fmt::format("{} has no label {}", one.metric, label));
        if (!is_word(value, "/._-")) map.complain("where", value + " has a character that cannot be compared");
      }
    }
    map.done();
    out_.alerts.push_back(std::move(one));
  }

  static void read_shape(ThresholdAlert& one, YamlMap& map) {
    one.limit = map.number("more_than", 0);
    if (map.has("below")) {
      one.below = map.number("below", 0);
      if (*one.below <= one.limit) map.complain("below", "must be above `more_than`, or it cannot fire");
      if (map.has("within") || map.has("older_than")) map.complain("below", "is for gauges");
    }
    if (map.has("older_than")) {
      one.shape = Shape::older;
      one.window = positive(map, "older_than", 1h);
      if (map.has("more_than")) map.complain("more_than", "and `older_than` do not go together");
    } else if (!map.has("more_than")) {
      map.complain("more_than", "is missing: more_than, more_than with within, or older_than");
    } else if (map.has("within")) {
      one.shape = Shape::increase;
      one.window = positive(map, "within", 5min);
      if (one.limit < 0) map.complain("more_than", "cannot be negative for a counter");
    }
  }

  YamlMap root_;
  Catalogue& out_;
  std::set<std::string> names_{"ServiceDown"};
};

}  // namespace

double burn_factor(const BurnClause& clause, Duration period) noexcept {
  return clause.budget / 100 * (seconds_of(period) / seconds_of(clause.long_window));
}

double burn_threshold(const BurnClause& clause, const Slo& slo) noexcept {
  return burn_factor(clause, slo.period) * (100 - slo.objective) / 100;
}

Result<Catalogue> load_catalogue(std::string_view text, std::string_view file) {
  SERIN_TRY(const auto yaml, config::YamlFile::parse(text, file));
  Catalogue made{.file = std::string(file)};
  Reader(yaml->root(), made).read();
  SERIN_CHECK(yaml->status());
  return made;
}

}  // namespace serin::monitor
