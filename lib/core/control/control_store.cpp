#include "serin/control/control_store.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "serin/base/text.hpp"
#include "serin/ports/sql_cell.hpp"
#include "serin/rollout/record.hpp"
#include "serin/rollout/sql_columns.hpp"

namespace serin::control {
namespace {

constexpr std::int64_t keep_seconds = 7200;

std::optional<ReplicaState> state_of(std::string_view name) {
  for (const ReplicaState state : {ReplicaState::starting, ReplicaState::ready, ReplicaState::not_ready,
                                   ReplicaState::stopped, ReplicaState::exited, ReplicaState::crash_looping})
    if (replica_state_name(state) == name) return state;
  return std::nullopt;
}

Result<DesiredRelease> desired_of(const SqlRow& row) {
  SERIN_TRY(ServiceName service, ServiceName::make(sql_text(row[0])));
  SERIN_TRY(ReleaseSpec spec, rollout::parse_release_json(sql_text(row[1])));
  return DesiredRelease{.service = std::move(service), .spec = std::move(spec), .running = sql_number(row[2]) != 0};
}

Result<ObservedReplica> replica_of(const SqlRow& row) {
  SERIN_TRY(ServiceName service, ServiceName::make(sql_text(row[0])));
  SERIN_TRY(ReleaseName release, ReleaseName::make(sql_text(row[1])));
  const std::optional<ReplicaState> state = state_of(sql_text(row[5]));
  if (!state) return fail(Errc::data_loss, fmt::format("'{}' is no state of a replica", sql_text(row[5])));
  return ObservedReplica{.service = std::move(service),
                         .release = std::move(release),
                         .index = static_cast<int>(sql_number(row[2])),
                         .replica = {.name = sql_text(row[3]),
                                     .address = sql_text(row[4]),
                                     .state = *state,
                                     .restarts = sql_number(row[6]),
                                     .reason = sql_text(row[7]),
                                     .log = sql_text(row[8])},
                         .pid = static_cast<int>(sql_number(row[9])),
                         .process_started = sql_number(row[10])};
}

}  // namespace

Result<std::unique_ptr<ControlStore>> ControlStore::open(Sql& sql, const Clock& clock) {
  std::unique_ptr<ControlStore> store(new ControlStore(sql, clock));
  const Status made = sql.transaction(
      [](SqlSession& session) -> Status {
        for (const std::string_view statement :
             {"CREATE TABLE IF NOT EXISTS releases(service TEXT, name TEXT, spec TEXT, running INTEGER, PRIMARY "
              "KEY(service, name))",
              "CREATE TABLE IF NOT EXISTS splits(service TEXT PRIMARY KEY, split TEXT)",
              "CREATE TABLE IF NOT EXISTS replicas(service TEXT, release TEXT, idx INTEGER, name TEXT, address TEXT, "
              "state TEXT, "
              "restarts INTEGER, reason TEXT, log TEXT, pid INTEGER, started INTEGER, PRIMARY KEY(service, release, "
              "idx))",
              "CREATE TABLE IF NOT EXISTS traffic(service TEXT, second INTEGER, unattributed INTEGER, lost INTEGER, "
              "PRIMARY KEY(service, second)) WITHOUT ROWID",
              "CREATE TABLE IF NOT EXISTS traffic_counts(service TEXT, second INTEGER, release TEXT, requests INTEGER, "
              "errors INTEGER, "
              "hidden INTEGER, PRIMARY KEY(service, second, release)) WITHOUT ROWID",
              "CREATE TABLE IF NOT EXISTS failed_requests(id INTEGER PRIMARY KEY, service TEXT, second INTEGER, "
              "release TEXT, "
              "status INTEGER, milliseconds INTEGER, what TEXT)",
              "CREATE INDEX IF NOT EXISTS failed_requests_by_second ON failed_requests(service, second)",
              "CREATE TABLE IF NOT EXISTS facts(key TEXT PRIMARY KEY, value TEXT)"})
          SERIN_CHECK(session.execute(statement, {}));
        // NULL in rows of earlier versions: not known.
        return rollout::ensure_column(session, "traffic_counts", "latency", "TEXT");
      },
      store->soon());
  if (!made) return pass(made.error().in("the control database"));
  return store;
}

Status ControlStore::want_running(const ServiceName& service, const ReleaseSpec& release) {
  return sql_.transaction(
      [&](SqlSession& session) -> Status {
        const std::vector<SqlValue> key{service.str(), release.name.str()};
        SERIN_TRY(const SqlTable found,
                  session.query("SELECT service, spec, running FROM releases WHERE service = $1 AND name = $2", key));
        if (!found.rows.empty()) {
          SERIN_TRY(const DesiredRelease known, desired_of(found.rows.front()));
          if (known.spec.digest != release.digest && known.running)
            return fail(
                Errc::conflict,
                fmt::format("release '{}' of {} runs with another content ({}, not {}): give the new one another name",
                            release.name, service, known.spec.digest.substr(0, 19), release.digest.substr(0, 19)));
        }
        const std::vector<SqlValue> all{service.str(), release.name.str(), rollout::release_json(release)};
        SERIN_CHECK(
            session.execute("INSERT INTO releases(service, name, spec, running) VALUES($1, $2, $3, 1) "
                            "ON CONFLICT(service, name) DO UPDATE SET spec = $3, running = 1",
                            all));
        // What was seen of an earlier run says nothing about this one.
        SERIN_CHECK(session.execute("DELETE FROM replicas WHERE service = $1 AND release = $2 AND pid = 0", key));
        return {};
      },
      soon());
}

Status ControlStore::want_stopped(const ServiceName& service, const ReleaseName& release) {
  SERIN_TRY(const std::int64_t changed, sql_.execute("UPDATE releases SET running = 0 WHERE service = $1 AND name = $2",
                                                     {service.str(), release.str()}, soon()));
  if (changed == 0) return fail(Errc::not_found, fmt::format("{} never had a release '{}'", service, release));
  return {};
}

Result<std::vector<DesiredRelease>> ControlStore::desired() {
  SERIN_TRY(const SqlTable table,
            sql_.query("SELECT service, spec, running FROM releases ORDER BY service, name", {}, soon()));
  std::vector<DesiredRelease> releases;
  for (const SqlRow& row : table.rows) {
    SERIN_TRY(DesiredRelease release, desired_of(row));
    releases.push_back(std::move(release));
  }
  return releases;
}

Result<std::optional<DesiredRelease>> ControlStore::find(const ServiceName& service, const ReleaseName& release) {
  SERIN_TRY(const SqlTable table,
            sql_.query("SELECT service, spec, running FROM releases WHERE service = $1 AND name = $2",
                       {service.str(), release.str()}, soon()));
  if (table.rows.empty()) return std::nullopt;
  SERIN_TRY(DesiredRelease found, desired_of(table.rows.front()));
  return found;
}

Result<Split> ControlStore::split(const ServiceName& service) {
  SERIN_TRY(const SqlTable table, sql_.query("SELECT split FROM splits WHERE service = $1", {service.str()}, soon()));
  if (table.rows.empty()) return Split{};
  return rollout::parse_split_json(sql_text(table.rows.front()[0]));
}

Status ControlStore::save_split(const ServiceName& service, const Split& split) {
  SERIN_CHECK(
      sql_.execute("INSERT INTO splits(service, split) VALUES($1, $2) ON CONFLICT(service) DO UPDATE SET split = $2",
                   {service.str(), rollout::split_json(split)}, soon()));
  return {};
}

Status ControlStore::want_down(bool down) { return save_fact("down", down ? "yes" : "no"); }
Result<bool> ControlStore::is_down_wanted() {
  SERIN_TRY(const std::optional<std::string> value, fact("down"));
  return value == "yes";
}

Status ControlStore::save_replicas(const std::vector<ObservedReplica>& replicas) {
  return sql_.transaction(
      [&](SqlSession& session) -> Status {
        SERIN_CHECK(session.execute("DELETE FROM replicas", {}));
        for (const ObservedReplica& seen : replicas) {
          const std::vector<SqlValue> row{
              seen.service.str(),     seen.release.str(),   std::int64_t{seen.index},
              seen.replica.name,      seen.replica.address, std::string(replica_state_name(seen.replica.state)),
              seen.replica.restarts,  seen.replica.reason,  seen.replica.log,
              std::int64_t{seen.pid}, seen.process_started};
          SERIN_CHECK(session.execute(
              "INSERT INTO replicas(service, release, idx, name, address, state, restarts, reason, log, pid, started) "
              "VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
              row));
        }
        return {};
      },
      soon());
}

Result<std::vector<ObservedReplica>> ControlStore::replicas() {
  SERIN_TRY(const SqlTable table,
            sql_.query(
                "SELECT service, release, idx, name, address, state, restarts, reason, log, pid, started FROM replicas "
                "ORDER BY service, release, idx",
                {}, soon()));
  std::vector<ObservedReplica> replicas;
  for (const SqlRow& row : table.rows) {
    SERIN_TRY(ObservedReplica replica, replica_of(row));
    replicas.push_back(std::move(replica));
  }
  return replicas;
}

Status ControlStore::beat(const Heartbeat& heartbeat) {
  return save_fact("heartbeat", fmt::format("{} {} {}", heartbeat.pid, heartbeat.at.time_since_epoch().count(),
                                            heartbeat.stopping ? 1 : 0));
}

Status ControlStore::end_beats() { return save_fact("heartbeat", ""); }

Result<std::optional<Heartbeat>> ControlStore::heartbeat() {
  SERIN_TRY(const std::optional<std::string> value, fact("heartbeat"));
  if (!value || value->empty()) return std::nullopt;
  const std::vector<std::string_view> words = serin::split(*value, ' ');
  if (words.size() != 3) return fail(Errc::data_loss, fmt::format("the agent's heartbeat is '{}'", *value));
  return Heartbeat{.pid = static_cast<int>(to_int(words[0]).value_or(0)),
                   .at = Instant(Duration(to_int(words[1]).value_or(0))),
                   .stopping = words[2] == "1"};
}

Status ControlStore::check_alive() {
  SERIN_TRY(const std::optional<Heartbeat> last, heartbeat());
  if (!last) return fail(Errc::unavailable, "the agent is not running: run `serin up`");
  // An instant of another boot may lie in the future of this one.
  const Duration age = clock_.now() - last->at;
  if (age > heartbeat_limit || age < -heartbeat_limit)
    return fail(Errc::unavailable, fmt::format("the agent is not running (last seen {} ago): run `serin up`",
                                               age > Duration::zero() ? format_duration(age) : "before the last boot"));
  return {};
}

Status ControlStore::add_second(const std::map<std::string, TrafficSecond>& services,
                                const std::vector<FailedRequest>& failures,
                                const std::vector<std::string>& failed_services) {
  return sql_.transaction(
      [&](SqlSession& session) -> Status {
        std::int64_t second = 0;
        for (const auto& [service, counted] : services) {
          second = counted.second;
          const std::vector<SqlValue> row{service, counted.second, counted.unattributed, counted.lost};
          SERIN_CHECK(session.execute(
              "INSERT OR REPLACE INTO traffic(service, second, unattributed, lost) VALUES($1, $2, $3, $4)", row));
          for (const TrafficCount& count : counted.counts) {
            const SqlValue latency = count.latency ? SqlValue(count.latency->text()) : SqlValue();
            const std::vector<SqlValue> cells{
                service, counted.second, count.release.str(), count.requests, count.errors, count.hidden, latency};
            SERIN_CHECK(session.execute(
                "INSERT OR REPLACE INTO traffic_counts(service, second, release, requests, errors, hidden, latency) "
                "VALUES($1, $2, $3, $4, $5, $6, $7)",
                cells));
          }
        }
        for (std::size_t i = 0; i < failures.size(); ++i) {
          const FailedRequest& failure = failures[i];
          const std::vector<SqlValue> row{failed_services[i],           failure.second,       failure.release,
                                          std::int64_t{failure.status}, failure.milliseconds, failure.what};
          SERIN_CHECK(
              session.execute("INSERT INTO failed_requests(service, second, release, status, milliseconds, what) "
                              "VALUES($1, $2, $3, $4, $5, $6)",
                              row));
        }
        if (second % 60 == 0) {
          const std::vector<SqlValue> old{second - keep_seconds};
          for (const std::string_view table : {"traffic", "traffic_counts", "failed_requests"})
            SERIN_CHECK(session.execute(fmt::format("DELETE FROM {} WHERE second < $1", table), old));
        }
        return {};
      },
      soon());
}

Result<TrafficWindow> ControlStore::traffic(const ServiceName& service, std::int64_t after) {
  SERIN_TRY(
      const SqlTable seconds,
      sql_.query("SELECT second, unattributed, lost FROM traffic WHERE service = $1 AND second > $2 ORDER BY second",
                 {service.str(), after}, soon()));
  SERIN_TRY(
      const SqlTable counts,
      sql_.query(
          "SELECT second, release, requests, errors, hidden, latency FROM traffic_counts WHERE service = $1 AND second "
          "> $2 ORDER BY second, release",
          {service.str(), after}, soon()));
  TrafficWindow window{.complete = after};
  std::map<std::int64_t, std::size_t> places;
  for (const SqlRow& row : seconds.rows) {
    places[sql_number(row[0])] = window.seconds.size();
    window.seconds.push_back(
        {.second = sql_number(row[0]), .unattributed = sql_number(row[1]), .lost = sql_number(row[2])});
    window.complete = sql_number(row[0]);
  }
  for (const SqlRow& row : counts.rows) {
    const auto place = places.find(sql_number(row[0]));
    if (place == places.end()) continue;  // written after the first of the two queries: next time
    SERIN_TRY(ReleaseName release, ReleaseName::make(sql_text(row[1])));
    window.seconds[place->second].counts.push_back({.release = std::move(release),
                                                    .requests = sql_number(row[2]),
                                                    .errors = sql_number(row[3]),
                                                    .hidden = sql_number(row[4]),
                                                    .latency = LatencyHistogram::parse(sql_text(row[5]))});
  }
  return window;
}

Result<std::vector<FailedRequest>> ControlStore::failures(const ServiceName& service, std::int64_t from,
                                                          std::int64_t to, int most) {
  SERIN_TRY(const SqlTable table, sql_.query("SELECT second, release, status, milliseconds, what FROM failed_requests "
                                             "WHERE service = $1 AND second BETWEEN $2 AND $3 ORDER BY id LIMIT $4",
                                             {service.str(), from, to, std::int64_t{most}}, soon()));
  std::vector<FailedRequest> failures;
  for (const SqlRow& row : table.rows)
    failures.push_back({.second = sql_number(row[0]),
                        .release = sql_text(row[1]),
                        .status = static_cast<int>(sql_number(row[2])),
                        .milliseconds = sql_number(row[3]),
                        .what = sql_text(row[4])});
  return failures;
}

Result<std::optional<std::string>> ControlStore::fact(const std::string& key) {
  SERIN_TRY(const SqlTable table, sql_.query("SELECT value FROM facts WHERE key = $1", {key}, soon()));
  if (table.rows.empty()) return std::nullopt;
  return sql_text(table.rows.front()[0]);
}

Status ControlStore::save_fact(const std::string& key, const std::string& value) {
  SERIN_CHECK(sql_.execute("INSERT INTO facts(key, value) VALUES($1, $2) ON CONFLICT(key) DO UPDATE SET value = $2",
                           {key, value}, soon()));
  return {};
}

}  // namespace serin::control
