#include "serin/incidents/incident_store.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "serin/ports/sql_cell.hpp"

namespace serin::incidents {
namespace {

constexpr std::string_view columns =
    "id, check_name, service, severity, finding, reason, began, opened, acknowledged, acknowledged_by, resolved";

Result<Incident> incident_of(const SqlRow& row) {
  const std::optional<notify::Severity> severity = notify::parse_severity(sql_text(row[3]));
  if (!severity) return fail(Errc::data_loss, fmt::format("'{}' is no severity of an incident", sql_text(row[3])));
  return Incident{.id = sql_number(row[0]),
                  .check = sql_text(row[1]),
                  .service = sql_text(row[2]),
                  .severity = *severity,
                  .finding = sql_text(row[4]),
                  .reason = sql_text(row[5]),
                  .began = wall_of_unix_ms(sql_number(row[6])),
                  .opened = wall_of_unix_ms(sql_number(row[7])),
                  .acknowledged = sql_time(row[8]),
                  .acknowledged_by = sql_text(row[9]),
                  .resolved = sql_time(row[10])};
}

std::unexpected<Error> no_such(std::int64_t id) { return fail(Errc::not_found, fmt::format("no incident {}", id)); }

Result<Incident> find_in(SqlSession& session, std::int64_t id) {
  const std::vector<SqlValue> key{id};
  SERIN_TRY(const SqlTable table, session.query(fmt::format("SELECT {} FROM incidents WHERE id = $1", columns), key));
  if (table.rows.empty()) return no_such(id);
  return incident_of(table.rows.front());
}

}  // namespace

Result<Incident> open_in(SqlSession& session, Incident incident) {
  const std::vector<SqlValue> check{incident.check};
  SERIN_TRY(const SqlTable other,
            session.query("SELECT id FROM incidents WHERE check_name = $1 AND resolved IS NULL", check));
  if (!other.rows.empty())
    return fail(Errc::conflict,
                fmt::format("incident {} of '{}' is not resolved", sql_number(other.rows.front()[0]), incident.check));
  SERIN_TRY(const SqlTable last, session.query("SELECT coalesce(max(id), 0) FROM incidents", {}));
  incident.id = sql_number(last.rows.at(0)[0]) + 1;
  const std::vector<SqlValue> row{
      incident.id,      incident.check,  incident.service,        std::string(notify::severity_name(incident.severity)),
      incident.finding, incident.reason, unix_ms(incident.began), unix_ms(incident.opened)};
  SERIN_CHECK(session.execute(
      "INSERT INTO incidents(id, check_name, service, severity, finding, reason, began, opened, acknowledged_by) "
      "VALUES($1, $2, $3, $4, $5, $6, $7, $8, '')",
      row));
  SERIN_CHECK(note_in(
      session, incident.id,
      {.at = incident.opened, .kind = "opened", .text = fmt::format("{}: {}", incident.finding, incident.reason)}));
  return incident;
}

Status resolve_in(SqlSession& session, std::int64_t id, WallTime at, const std::string& said) {
  const std::vector<SqlValue> row{id, unix_ms(at)};
  SERIN_TRY(const std::int64_t changed,
            session.execute("UPDATE incidents SET resolved = $2 WHERE id = $1 AND resolved IS NULL", row));
  if (changed == 0) return no_such(id);
  return note_in(session, id, {.at = at, .kind = "resolved", .text = said});
}

Status change_in(SqlSession& session, const Incident& incident, WallTime at, const std::string& said) {
  const std::vector<SqlValue> row{incident.id, incident.finding, incident.reason};
  SERIN_TRY(const std::int64_t changed,
            session.execute("UPDATE incidents SET finding = $2, reason = $3 WHERE id = $1", row));
  if (changed == 0) return no_such(incident.id);
  return note_in(session, incident.id, {.at = at, .kind = "changed", .text = said});
}

Status note_in(SqlSession& session, std::int64_t id, IncidentEvent event) {
  const std::vector<SqlValue> key{id};
  SERIN_TRY(const SqlTable last,
            session.query("SELECT coalesce(max(seq), 0) FROM incident_events WHERE incident = $1", key));
  const std::vector<SqlValue> row{
      id, sql_number(last.rows.at(0)[0]) + 1, unix_ms(event.at), event.kind, event.text, event.by};
  SERIN_CHECK(session.execute(
      "INSERT INTO incident_events(incident, seq, at, kind, text, by_whom) VALUES($1, $2, $3, $4, $5, $6)", row));
  return {};
}

Result<std::unique_ptr<IncidentStore>> IncidentStore::open(Sql& sql, Deadline deadline) {
  const Status made = sql.transaction(
      [](SqlSession& session) -> Status {
        for (const std::string_view statement :
             {"CREATE TABLE IF NOT EXISTS incidents(id INTEGER PRIMARY KEY, check_name TEXT NOT NULL, service TEXT, "
              "severity TEXT, finding TEXT, reason TEXT, began INTEGER, opened INTEGER, acknowledged INTEGER, "
              "acknowledged_by TEXT, resolved INTEGER)",
              // Two watchers of one database cannot open two incidents for one trouble.
              "CREATE UNIQUE INDEX IF NOT EXISTS incidents_unresolved ON incidents(check_name) WHERE resolved IS NULL",
              "CREATE INDEX IF NOT EXISTS incidents_opened ON incidents(opened)",
              "CREATE TABLE IF NOT EXISTS incident_events(incident INTEGER, seq INTEGER, at INTEGER, kind TEXT, text "
              "TEXT, by_whom TEXT, PRIMARY KEY(incident, seq)) WITHOUT ROWID"})
          SERIN_CHECK(session.execute(statement, {}));
        return {};
      },
      deadline);
  if (!made) return pass(made.error().in("the incidents"));
  return std::unique_ptr<IncidentStore>(new IncidentStore(sql));
}

Result<std::vector<Incident>> IncidentStore::list(const IncidentFilter& filter, Deadline deadline) {
  SERIN_TRY(
      const SqlTable table,
      sql_.query(fmt::format("SELECT {} FROM incidents WHERE ($1 = 0 OR resolved IS NULL) AND ($2 = '' OR service "
                             "= $2) AND ($3 IS NULL OR resolved IS NULL OR resolved >= $3) AND ($4 IS NULL OR "
                             "opened < $4) ORDER BY opened DESC, id DESC LIMIT $5",
                             columns),
                 {std::int64_t{filter.only_unresolved ? 1 : 0}, filter.service,
                  filter.from ? SqlValue(unix_ms(*filter.from)) : SqlValue(),
                  filter.to ? SqlValue(unix_ms(*filter.to)) : SqlValue(), std::int64_t{std::max(1, filter.most)}},
                 deadline));
  std::vector<Incident> out;
  for (const SqlRow& row : table.rows) {
    SERIN_TRY(Incident incident, incident_of(row));
    out.push_back(std::move(incident));
  }
  return out;
}

Result<Incident> IncidentStore::find(std::int64_t id, Deadline deadline) {
  SERIN_TRY(const SqlTable table,
            sql_.query(fmt::format("SELECT {} FROM incidents WHERE id = $1", columns), {id}, deadline));
  if (table.rows.empty()) return no_such(id);
  return incident_of(table.rows.front());
}

Result<std::optional<Incident>> IncidentStore::unresolved_of(const std::string& check, Deadline deadline) {
  SERIN_TRY(const SqlTable table,
            sql_.query(fmt::format("SELECT {} FROM incidents WHERE check_name = $1 AND resolved IS NULL", columns),
                       {check}, deadline));
  if (table.rows.empty()) return std::nullopt;
  SERIN_TRY(Incident incident, incident_of(table.rows.front()));
  return incident;
}

Result<std::vector<IncidentEvent>> IncidentStore::timeline(std::int64_t id, Deadline deadline) {
  SERIN_TRY(const SqlTable table,
            sql_.query("SELECT seq, at, kind, text, by_whom FROM incident_events WHERE incident = $1 ORDER BY seq",
                       {id}, deadline));
  std::vector<IncidentEvent> out;
  for (const SqlRow& row : table.rows)
    out.push_back({.seq = sql_number(row[0]),
                   .at = wall_of_unix_ms(sql_number(row[1])),
                   .kind = sql_text(row[2]),
                   .text = sql_text(row[3]),
                   .by = sql_text(row[4])});
  return out;
}

Status IncidentStore::acknowledge(std::int64_t id, const std::string& by, WallTime at, const std::string& said,
                                  Deadline deadline) {
  return sql_.transaction(
      [&](SqlSession& session) -> Status {
        SERIN_TRY(const Incident incident, find_in(session, id));
        if (incident.resolved)
          return fail(Errc::conflict,
                      fmt::format("incident {} is over since {}", id, format_rfc3339(*incident.resolved)));
        if (incident.acknowledged)
          return fail(Errc::conflict, fmt::format("incident {} was taken by {} at {}", id, incident.acknowledged_by,
                                                  format_rfc3339(*incident.acknowledged)));
        const std::vector<SqlValue> row{id, unix_ms(at), by};
        SERIN_CHECK(session.execute("UPDATE incidents SET acknowledged = $2, acknowledged_by = $3 WHERE id = $1", row));
        return note_in(session, id, {.at = at, .kind = "acknowledged", .text = said, .by = by});
      },
      deadline);
}

Status IncidentStore::note(std::int64_t id, IncidentEvent event, Deadline deadline) {
  return sql_.transaction(
      [&](SqlSession& session) -> Status {
        SERIN_CHECK(find_in(session, id));
        return note_in(session, id, std::move(event));
      },
      deadline);
}

}  // namespace serin::incidents
