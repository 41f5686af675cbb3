#include "serin/watch/store.hpp"

#include <fmt/format.h>

#include "serin/incidents/incident_store.hpp"
#include "store_rows.hpp"

namespace serin::watch {
namespace {

Status save_state(SqlSession& session, const CheckState& state) {
  SERIN_CHECK(session.execute(
      fmt::format("INSERT OR REPLACE INTO watch_checks({}) VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, "
                  "$13, $14, $15, $16, $17)",
                  state_columns),
      row_of_state(state)));
  return {};
}

Status put_down(SqlSession& session, std::int64_t incident, std::string_view kind, WallTime at) {
  const std::vector<SqlValue> row{incident, std::string(kind), unix_ms(at)};
  SERIN_CHECK(
      session.execute("INSERT INTO watch_outgoing(incident, kind, at, tries, error) VALUES($1, $2, $3, 0, '')", row));
  return {};
}

Result<std::vector<RunResult>> results_of(const SqlTable& table) {
  std::vector<RunResult> out;
  for (const SqlRow& row : table.rows) {
    SERIN_TRY(RunResult result, result_of_row(row));
    out.push_back(std::move(result));
  }
  return out;
}

}  // namespace

Result<std::unique_ptr<WatchStore>> WatchStore::open(Sql& sql, Deadline deadline) {
  SERIN_CHECK(incidents::IncidentStore::open(sql, deadline));
  const Status made = sql.transaction(
      [](SqlSession& session) -> Status {
        for (const std::string_view statement :
             {"CREATE TABLE IF NOT EXISTS watch_checks(name TEXT PRIMARY KEY, service TEXT, condition TEXT, failing "
              "INTEGER, unknown INTEGER, ok INTEGER, last_findings TEXT, since INTEGER, bad_since INTEGER, next_due "
              "INTEGER, last TEXT, last_at INTEGER, last_said TEXT, last_took_us INTEGER, incident INTEGER, schedule "
              "TEXT, late_after_ms INTEGER)",
              "CREATE TABLE IF NOT EXISTS watch_results(check_name TEXT, at INTEGER, finding TEXT, took_us INTEGER, "
              "missed INTEGER, said TEXT)",
              "CREATE INDEX IF NOT EXISTS watch_results_of ON watch_results(check_name, at)",
              "CREATE INDEX IF NOT EXISTS watch_results_at ON watch_results(at)",
              "CREATE TABLE IF NOT EXISTS watch_outgoing(id INTEGER PRIMARY KEY AUTOINCREMENT, incident INTEGER, kind "
              "TEXT, at INTEGER, tries INTEGER, next_try INTEGER, error TEXT)",
              "CREATE TABLE IF NOT EXISTS watch_beat(one INTEGER PRIMARY KEY, at INTEGER, pid INTEGER, every_ms "
              "INTEGER, file TEXT, stopped INTEGER, trouble TEXT)"})
          SERIN_CHECK(session.execute(statement, {}));
        return {};
      },
      deadline);
  if (!made) return pass(made.error().in("the watcher's memory"));
  return std::unique_ptr<WatchStore>(new WatchStore(sql));
}

Result<CheckState> WatchStore::write(Step step, Deadline deadline) {
  CheckState& state = step.state;
  const Status written = sql_.transaction(
      [&](SqlSession& session) -> Status {
        const RunResult& result = step.result;
        if (step.open) {
          SERIN_TRY(const incidents::Incident opened, incidents::open_in(session, *step.open));
          state.incident = opened.id;
          SERIN_CHECK(put_down(session, opened.id, "opened", result.at));
        } else if (step.change) {
          SERIN_CHECK(incidents::change_in(session, *step.change, result.at, step.text));
        } else if (step.resolve && state.incident != 0) {
          // Somebody may have ended it by hand.
          const Status resolved = incidents::resolve_in(session, state.incident, result.at, step.text);
          if (!resolved && resolved.error().code() != Errc::not_found) return resolved;
          if (resolved) SERIN_CHECK(put_down(session, state.incident, "resolved", result.at));
          state.incident = 0;
        }
        SERIN_CHECK(save_state(session, state));
        const std::vector<SqlValue> row{
            result.check,
            unix_ms(result.at),
            std::string(finding_name(result.finding)),
            std::int64_t{std::chrono::duration_cast<std::chrono::microseconds>(result.took).count()},
            std::int64_t{result.missed ? 1 : 0},
            result.finding == Finding::ok ? std::string() : result.said};
        SERIN_CHECK(session.execute(
            fmt::format("INSERT INTO watch_results({}) VALUES($1, $2, $3, $4, $5, $6)", result_columns), row));
        return {};
      },
      deadline);
  if (!written) return pass(written.error());
  return state;
}

Result<std::vector<CheckState>> WatchStore::states(Deadline deadline) {
  SERIN_TRY(const SqlTable table,
            sql_.query(fmt::format("SELECT {} FROM watch_checks ORDER BY name", state_columns), {}, deadline));
  std::vector<CheckState> out;
  for (const SqlRow& row : table.rows) {
    SERIN_TRY(CheckState state, state_of_row(row));
    out.push_back(std::move(state));
  }
  return out;
}

Status WatchStore::save(const CheckState& state, Deadline deadline) {
  return sql_.transaction([&](SqlSession& session) { return save_state(session, state); }, deadline);
}

Status WatchStore::forget(const std::string& check, Deadline deadline) {
  SERIN_TRY(const std::int64_t changed, sql_.execute("DELETE FROM watch_checks WHERE name = $1", {check}, deadline));
  if (changed == 0) return fail(Errc::not_found, fmt::format("no check '{}'", check));
  return {};
}

Result<std::vector<RunResult>> WatchStore::results(const std::string& check, WallTime from, WallTime to,
                                                   Deadline deadline) {
  SERIN_TRY(const SqlTable table,
            sql_.query(fmt::format("SELECT {} FROM watch_results WHERE check_name = $1 AND at >= $2 AND at < $3 ORDER "
                                   "BY at, rowid",
                                   result_columns),
                       {check, unix_ms(from), unix_ms(to)}, deadline));
  return results_of(table);
}

Result<std::vector<RunResult>> WatchStore::newest(const std::string& check, int most, Deadline deadline) {
  SERIN_TRY(const SqlTable table,
            sql_.query(fmt::format("SELECT {} FROM watch_results WHERE check_name = $1 ORDER BY at DESC, rowid DESC "
                                   "LIMIT $2",
                                   result_columns),
                       {check, std::int64_t{most}}, deadline));
  return results_of(table);
}

Result<std::map<std::string, RunCounts>> WatchStore::counts(WallTime from, WallTime to, Deadline deadline) {
  SERIN_TRY(const SqlTable table,
            sql_.query("SELECT check_name, finding, missed, count(*) FROM watch_results WHERE at >= $1 AND at < $2 "
                       "GROUP BY check_name, finding, missed",
                       {unix_ms(from), unix_ms(to)}, deadline));
  std::map<std::string, RunCounts> out;
  for (const SqlRow& row : table.rows) {
    RunCounts& counts = out[sql_text(row[0])];
    const int many = static_cast<int>(sql_number(row[3]));
    if (sql_number(row[2]) != 0) {
      counts.missed += many;
      continue;
    }
    counts.runs += many;
    const std::string finding = sql_text(row[1]);
    (finding == "ok" ? counts.ok : finding == "failing" ? counts.failing : counts.unknown) += many;
  }
  return out;
}

Status WatchStore::prune(WallTime before, Deadline deadline) {
  SERIN_CHECK(sql_.execute("DELETE FROM watch_results WHERE at < $1", {unix_ms(before)}, deadline));
  return {};
}

Result<std::vector<Outgoing>> WatchStore::outgoing(std::optional<WallTime> due, int most, Deadline deadline) {
  SERIN_TRY(const SqlTable table,
            sql_.query("SELECT id, incident, kind, at, tries, next_try, error FROM watch_outgoing WHERE $1 IS NULL OR "
                       "next_try IS NULL OR next_try <= $1 ORDER BY id LIMIT $2",
                       {time_value(due), std::int64_t{most}}, deadline));
  std::vector<Outgoing> out;
  for (const SqlRow& row : table.rows)
    out.push_back({.id = sql_number(row[0]),
                   .incident = sql_number(row[1]),
                   .kind = sql_text(row[2]),
                   .at = wall_of_unix_ms(sql_number(row[3])),
                   .tries = static_cast<int>(sql_number(row[4])),
                   .next_try = sql_time(row[5]),
                   .error = sql_text(row[6])});
  return out;
}

Status WatchStore::done_with(const Outgoing& message, const incidents::IncidentEvent& line, Deadline deadline) {
  return sql_.transaction(
      [&](SqlSession& session) -> Status {
        const std::vector<SqlValue> key{message.id};
        SERIN_CHECK(session.execute("DELETE FROM watch_outgoing WHERE id = $1", key));
        return incidents::note_in(session, message.incident, line);
      },
      deadline);
}

Status WatchStore::not_sent(const Outgoing& message, WallTime at, WallTime next_try, const std::string& error,
                            Deadline deadline) {
  return sql_.transaction(
      [&](SqlSession& session) -> Status {
        const std::vector<SqlValue> row{message.id, unix_ms(next_try), error};
        SERIN_CHECK(session.execute(
            "UPDATE watch_outgoing SET tries = tries + 1, next_try = $2, error = $3 WHERE id = $1", row));
        if (message.tries > 0) return {};
        return incidents::note_in(session, message.incident,
                                  {.at = at, .kind = "not_notified", .text = message.kind + ": " + error});
      },
      deadline);
}

Status WatchStore::save_beat(const WatcherBeat& beat, Deadline deadline) {
  SERIN_CHECK(sql_.execute(
      "INSERT OR REPLACE INTO watch_beat(one, at, pid, every_ms, file, stopped, trouble) VALUES(1, $1, $2, $3, $4, $5, "
      "$6)",
      {unix_ms(beat.at), beat.pid,
       std::int64_t{std::chrono::duration_cast<std::chrono::milliseconds>(beat.every).count()}, beat.file,
       std::int64_t{beat.stopped ? 1 : 0}, beat.trouble},
      deadline));
  return {};
}

Result<std::optional<WatcherBeat>> WatchStore::beat(Deadline deadline) {
  SERIN_TRY(const SqlTable table,
            sql_.query("SELECT at, pid, every_ms, file, stopped, trouble FROM watch_beat", {}, deadline));
  if (table.rows.empty()) return std::nullopt;
  const SqlRow& row = table.rows.front();
  return WatcherBeat{.at = wall_of_unix_ms(sql_number(row[0])),
                     .pid = sql_number(row[1]),
                     .every = std::chrono::milliseconds(sql_number(row[2])),
                     .file = sql_text(row[3]),
                     .stopped = sql_number(row[4]) != 0,
                     .trouble = sql_text(row[5])};
}

}  // namespace serin::watch
