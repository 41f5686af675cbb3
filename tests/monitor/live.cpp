#include "live.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <csignal>
#include <fstream>

namespace serin::monitor {
namespace {

WallTime time_of(const json::value& alert, const char* key) {
  return parse_rfc3339(story::text_of(alert.at(key))).value_or(WallTime());
}

// Short, because a test waits for all of it; the factor of the one clause is 2.
constexpr std::string_view catalogue = R"(scrape_every: 250ms
targets_file: {targets}
absent_for: {absent}
alertmanager: {alertmanager}
notify:
  wait: 50ms
  interval: 500ms
  repeat: 1h
  receivers: {{hook: {{webhook: "{webhook}"}}}}
  severities: {{page: hook, ticket: hook}}
burn:
  - {{severity: page, budget: 20, short: 1s, long: 3s}}
services:
  mlb-worker:
    owner: predictions
    slos: [{{name: availability, objective: 99, period: 30s}}]
  admin-dashboard: {{owner: operations}}
)";

}  // namespace

Webhook::Webhook(const Clock& clock) : clock_(clock) {
  auto started = HttpServer::start({.workers = 1}, *this, clock_);
  if (started) server_ = std::move(*started);
}

std::string Webhook::url() const { return fmt::format("http://127.0.0.1:{}/alerts", server_ ? server_->port() : 0); }

HttpResponse Webhook::handle(const HttpRequest& request) {
  const WallTime received = clock_.wall();
  boost::system::error_code error;
  const json::value body = json::parse(request.body, error);
  if (error) return HttpResponse::text(400, "not JSON");
  const std::lock_guard lock(mutex_);
  for (const json::value& alert : body.at("alerts").as_array()) {
    const json::object& labels = alert.at("labels").as_object();
    told_.push_back({.alert = story::text_of(labels.at("alertname")),
                     .service = story::text_of(labels.at("service")),
                     .status = story::text_of(alert.at("status")),
                     .starts = time_of(alert, "startsAt"),
                     .ends = {},
                     .received = received});
    // Alertmanager writes year 1 for "not yet".
    if (told_.back().status == "resolved") told_.back().ends = time_of(alert, "endsAt");
  }
  return HttpResponse::text(200, "");
}

std::optional<Told> Webhook::find(const std::string& alert, const std::string& service, const std::string& status,
                                  WallTime since) const {
  const std::lock_guard lock(mutex_);
  for (const Told& one : told_)
    if (one.alert == alert && one.service == service && one.status == status && one.received >= since) return one;
  return std::nullopt;
}

bool Webhook::is_all_resolved() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, std::string> last;
  for (const Told& one : told_) last[one.alert + " " + one.service] = one.status;
  return std::ranges::all_of(last, [](const auto& entry) { return entry.second == "resolved"; });
}

std::string Webhook::all() const {
  const std::lock_guard lock(mutex_);
  std::string out;
  for (const Told& one : told_)
    out += fmt::format("{} {} {} {} to {}, received {}\n", one.alert, one.service, one.status,
                       format_rfc3339(one.starts), format_rfc3339(one.ends), format_rfc3339(one.received));
  return out;
}

Daemon::Daemon(std::vector<std::string> command) : process_(std::move(command)) {
  story::eventually(20s, [this] {
    const std::string said = log();
    const std::string mark = "msg=\"Listening on\" address=";
    const std::size_t at = said.find(mark);
    const std::size_t end = said.find('\n', at);
    if (at == std::string::npos || end == std::string::npos) return false;
    address_ = said.substr(at + mark.size(), end - at - mark.size());
    return true;
  });
}

Daemon::~Daemon() {
  process_.signal(SIGTERM);
  process_.wait(10s);
}

Watched::Watched() {
  if (fleet.serin({"up"}).code != 0) return;
  url = story::text_of(fleet.service("mlb-worker").at("url"));
  write_catalogue("1s");
  if (monitor({"apply", "--to", folder.path() + "/to"}).code != 0) return;
  alertmanager = std::make_unique<Daemon>(
      std::vector<std::string>{"prometheus-alertmanager", "--config.file=" + folder.path() + "/to/alertmanager.yaml",
                               "--storage.path=" + folder.path() + "/alertmanager", "--web.listen-address=127.0.0.1:0",
                               "--cluster.listen-address="});
  write_catalogue("1s");  // now with Alertmanager's address
  if (monitor({"apply", "--to", folder.path() + "/to"}).code != 0) return;
  // Prometheus takes what it discovered after 5 s; where that is not what is tested, sooner.
  prometheus = std::make_unique<Daemon>(
      std::vector<std::string>{"prometheus", "--config.file=" + folder.path() + "/to/prometheus.yaml",
                               "--web.listen-address=127.0.0.1:0", "--storage.tsdb.path=" + folder.path() + "/tsdb",
                               "--web.enable-lifecycle", "--scrape.discovery-reload-interval=100ms"});
}

void Watched::write_catalogue(const std::string& absent_for) {
  folder.write("monitoring.yaml",
               fmt::format(fmt::runtime(catalogue), fmt::arg("targets", fleet.state() + "/monitoring/targets.json"),
                           fmt::arg("absent", absent_for), fmt::arg("webhook", webhook.url()),
                           fmt::arg("alertmanager", alertmanager ? alertmanager->address() : "127.0.0.1:9")));
}

story::Outcome Watched::monitor(std::vector<std::string> words) const {
  words.insert(words.begin(), {story::bin() + "/serin", "monitor"});
  words.insert(words.end(), {"--file", folder.path() + "/monitoring.yaml"});
  return story::run(words, 60s);
}

json::value Watched::ask(const std::string& address, const std::string& path) {
  const auto answer = session.send("http://" + address, {.target = path}, Deadline::after(clock.now(), 5s));
  if (!answer || answer->status != 200) return {};
  boost::system::error_code error;
  return json::parse(answer->body, error);
}

json::array Watched::query(const std::string& promql) {
  std::string encoded;
  for (const char c : promql) encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  const json::value answer = ask(prometheus->address(), "/api/v1/query?query=" + encoded);
  return answer.is_null() ? json::array() : answer.at("data").at("result").as_array();
}

void Watched::predict() {
  HttpRequest request{.method = "POST", .target = "/predict"};
  request.body = R"({"pitcher":"nobody","game_date":"2024-06-01"})";
  static_cast<void>(session.send(url, std::move(request), Deadline::after(clock.now(), 5s)));
}

void Watched::set_fault(const std::string& line) const {
  std::ofstream(fleet.state() + "/faults", std::ios::trunc) << line;
}

}  // namespace serin::monitor
