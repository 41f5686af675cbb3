// A secret, a measurement, a log entry and a change of traffic, against Google or against `serin emulate google`:
//   GOOGLE_CLOUD_PROJECT=my-project google_example LOCATION SERVICE
#include <fmt/format.h>

#include <cstdio>

#include "serin/google/clients.hpp"
#include "serin/google/cloud_logging.hpp"
#include "serin/google/cloud_monitoring.hpp"
#include "serin/google/cloud_run.hpp"
#include "serin/google/secret_manager.hpp"
#include "serin/http/session.hpp"
#include "serin/system/clock.hpp"
#include "serin/system/random.hpp"
#include "serin/system/tasks.hpp"

using namespace serin;

namespace {

void say(std::string_view text) { std::fputs(fmt::format("{}\n", text).c_str(), stdout); }

Status secrets(google::Clients& clients, const google::Place& place, Deadline deadline);
Status measurements(google::Clients& clients, const google::Place& place, const Clock& clock, Deadline deadline);
Status logs(google::Clients& clients, const google::Place& place, Deadline deadline);
Status traffic(google::Clients& clients, const google::Place& place, const std::string& name, Deadline deadline);

Status all(const std::string& location, const std::string& service) {
  // snippet
  PatientSleeper sleeper;
  SystemRandom random;
  http::Session session(sleeper);
  SystemTasks tasks(1);  // renews tokens beside the calls
  const Environment environment = Environment::of_process();
  google::Clients clients({.http = session, .sleeper = sleeper, .random = random, .tasks = &tasks}, environment);
  const google::Place place{.project = environment.value_or("GOOGLE_CLOUD_PROJECT", "local"), .location = location};
  const Deadline deadline = Deadline::after(sleeper.now(), 1min);  // of everything, with all its attempts
  // snippet
  SERIN_CHECK(secrets(clients, place, deadline));
  SERIN_CHECK(measurements(clients, place, sleeper, deadline));
  SERIN_CHECK(logs(clients, place, deadline));
  return traffic(clients, place, service, deadline);
}

Status secrets(google::Clients& clients, const google::Place& place, Deadline deadline) {
  // snippet
  SERIN_TRY(const auto secrets, clients.get<google::SecretManager>(place));
  const Status made = secrets->create("db-password", deadline);
  if (!made && made.error().code() != Errc::conflict) return made;  // a conflict: it is there already
  SERIN_TRY(const auto added, secrets->add_version("db-password", "correct horse", deadline));
  SERIN_TRY(const auto secret, secrets->access("db-password", "latest", deadline));  // its checksum was compared
  // snippet
  say(fmt::format("version {} has {} bytes, version {} was stored", secret.version, secret.data.size(), added.version));
  return {};
}

Status measurements(google::Clients& clients, const google::Place& place, const Clock& clock, Deadline deadline) {
  // snippet
  SERIN_TRY(const auto monitoring, clients.get<google::CloudMonitoring>(place));
  google::TimeSeries latency{.metric = "custom.googleapis.com/shop/latency", .labels = {{"method", "GET"}}};
  const std::vector<double> seen{0.012, 0.017, 0.4};
  latency.points = {{.end = clock.wall(), .value = google::Distribution::of(seen, {0.01, 0.1, 1})}};
  SERIN_CHECK(monitoring->write(std::vector{latency}, deadline));
  SERIN_TRY(const auto list, monitoring->list({.filter = "metric.type = \"custom.googleapis.com/shop/latency\"",
                                               .from = clock.wall() - 1h,
                                               .to = clock.wall() + 1min},
                                              deadline));
  for (const std::string& problem : list.problems) say("the series may be incomplete: " + problem);
  // snippet
  say(fmt::format("{} series", list.series.size()));
  return {};
}

Status logs(google::Clients& clients, const google::Place& place, Deadline deadline) {
  // snippet
  SERIN_TRY(const auto logging, clients.get<google::CloudLogging>(place));
  const std::vector<google::LogEntry> entries{
      {.severity = google::Severity::warning, .text = "slow checkout", .fields = {{"seconds", 3.5}, {"cart", 17}}}};
  SERIN_CHECK(logging->write({.log = "shop"}, entries, deadline));  // may be sent twice, is stored once
  SERIN_TRY(const auto found, logging->list({.filter = "severity>=WARNING", .newest_first = true}, deadline));
  // snippet
  say(fmt::format("{} log entries, the newest says \"{}\"", found.size(), found.empty() ? "" : found.front().text));
  return {};
}

Status traffic(google::Clients& clients, const google::Place& place, const std::string& name, Deadline deadline) {
  // snippet
  SERIN_TRY(const auto run, clients.get<google::CloudRun>(place));
  SERIN_TRY(const auto service, run->get_service(name, deadline));
  SERIN_TRY(const auto begun, run->set_traffic(name, {{.revision = "", .percent = 100}}, service.etag, deadline));
  SERIN_TRY(const auto done, run->wait(begun.name, deadline));
  if (done.error) return pass(done.error->in("moving the traffic of " + name));
  // snippet
  say(fmt::format("{} serves {}", service.name, service.latest_ready_revision));
  return {};
}

}  // namespace

int main(int count, char** values) {
  const Status done = all(count > 1 ? values[1] : "us-central1", count > 2 ? values[2] : "shop");
  if (!done) say(done.error().text());
  return done ? 0 : 1;
}
