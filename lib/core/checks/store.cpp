#include "serin/checks/store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "serin/base/text.hpp"
#include "serin/ports/sql_cell.hpp"

namespace serin::checks {
namespace {

SqlValue optional_number(const std::optional<double>& value) {
  return value ? SqlValue(*value) : SqlValue(std::monostate());
}

constexpr std::array tables{
    std::string_view(
        "CREATE TABLE IF NOT EXISTS check_runs(run_id TEXT PRIMARY KEY, file TEXT NOT NULL, at_ms BIGINT NOT NULL, "
        "took_ms BIGINT NOT NULL, outcome TEXT NOT NULL)"),
    std::string_view(
        "CREATE TABLE IF NOT EXISTS check_results(run_id TEXT NOT NULL, check_id TEXT NOT NULL, name TEXT NOT NULL, "
        "table_name TEXT NOT NULL, outcome TEXT NOT NULL, value DOUBLE PRECISION, metric DOUBLE PRECISION, "
        "rows BIGINT NOT NULL, limits TEXT NOT NULL, reason TEXT NOT NULL, sql_hash TEXT NOT NULL, "
        "took_ms BIGINT NOT NULL, at_ms BIGINT NOT NULL, PRIMARY KEY(run_id, check_id))"),
    std::string_view("CREATE INDEX IF NOT EXISTS check_results_by_check ON check_results(check_id, at_ms)"),
    std::string_view("CREATE INDEX IF NOT EXISTS check_results_by_time ON check_results(at_ms)"),
    std::string_view(
        "CREATE TABLE IF NOT EXISTS check_samples(run_id TEXT NOT NULL, check_id TEXT NOT NULL, n BIGINT NOT NULL, "
        "sample TEXT NOT NULL, at_ms BIGINT NOT NULL, PRIMARY KEY(run_id, check_id, n))"),
    std::string_view("CREATE TABLE IF NOT EXISTS check_baselines(check_id TEXT PRIMARY KEY, since_ms BIGINT NOT NULL)"),
    std::string_view(
        "CREATE TABLE IF NOT EXISTS check_states(scan TEXT NOT NULL, term TEXT NOT NULL, high BIGINT NOT NULL, "
        "state TEXT NOT NULL, PRIMARY KEY(scan, term))")};

Status save_result(SqlSession& session, const CheckReport& report, const CheckResult& result, std::int64_t at_ms) {
  const std::vector<SqlValue> row{report.run_id,
                                  result.id,
                                  result.name,
                                  result.table,
                                  std::string(outcome_name(result.outcome)),
                                  optional_number(result.value),
                                  optional_number(result.metric),
                                  result.rows,
                                  result.limits,
                                  result.reason,
                                  fingerprint(result.sql),
                                  static_cast<std::int64_t>(result.took / std::chrono::milliseconds(1)),
                                  at_ms};
  SERIN_CHECK(
      session.execute("INSERT INTO check_results VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)", row));
  for (std::size_t n = 0; n < result.samples.rows.size(); ++n) {
    std::string line;
    for (std::size_t i = 0; i < result.samples.columns.size() && i < result.samples.rows[n].size(); ++i)
      line += fmt::format("{}{}={}", i == 0 ? "" : ", ", result.samples.columns[i], result.samples.rows[n][i]);
    const std::vector<SqlValue> sample{report.run_id, result.id, static_cast<std::int64_t>(n), line, at_ms};
    SERIN_CHECK(session.execute("INSERT INTO check_samples VALUES($1, $2, $3, $4, $5)", sample));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<ResultStore>> ResultStore::open(Sql& sql, Deadline deadline) {
  SERIN_CHECK(sql.transaction(
      [](SqlSession& session) -> Status {
        for (const std::string_view statement : tables) SERIN_CHECK(session.execute(statement, {}));
        return {};
      },
      deadline));
  return std::unique_ptr<ResultStore>(new ResultStore(sql));
}

Status ResultStore::save(const CheckReport& report, Duration retention, Deadline deadline) {
  const std::int64_t at_ms = unix_ms(report.at);
  return sql_.transaction(
      [&](SqlSession& session) -> Status {
        const std::vector<SqlValue> run{report.run_id, report.file, at_ms,
                                        static_cast<std::int64_t>(report.took / std::chrono::milliseconds(1)),
                                        std::string(outcome_name(report.worst()))};
        SERIN_CHECK(session.execute("INSERT INTO check_runs VALUES($1, $2, $3, $4, $5)", run));
        for (const CheckResult& result : report.results) SERIN_CHECK(save_result(session, report, result, at_ms));
        const std::vector<SqlValue> old{at_ms - retention / std::chrono::milliseconds(1)};
        for (const std::string_view table : {"check_samples", "check_results", "check_runs"})
          SERIN_CHECK(session.execute(fmt::format("DELETE FROM {} WHERE at_ms < $1", table), old));
        return {};
      },
      deadline);
}

Result<std::vector<HistoryPoint>> ResultStore::metrics(const std::string& check_id, int most, Deadline deadline) {
  SERIN_TRY(
      const SqlTable found,
      sql_.query(fmt::format("SELECT at_ms, metric FROM check_results WHERE check_id = $1 AND metric IS NOT NULL AND "
                             "at_ms >= COALESCE((SELECT since_ms FROM check_baselines WHERE check_id = $1), 0) "
                             "ORDER BY at_ms DESC LIMIT {}",
                             most),
                 {check_id}, deadline));
  std::vector<HistoryPoint> points;
  for (const SqlRow& row : found.rows)
    points.push_back({.at_s = sql_number(row[0]) / 1000, .metric = sql_real(row[1]).value_or(0)});
  std::ranges::reverse(points);
  return points;
}

Result<std::vector<StoredResult>> ResultStore::results(const std::string& check_id, WallTime since, int most,
                                                       Deadline deadline) {
  SERIN_TRY(
      const SqlTable found,
      sql_.query(fmt::format("SELECT run_id, check_id, name, table_name, outcome, value, metric, rows, limits, reason, "
                             "at_ms FROM check_results WHERE ($1 = '' OR check_id = $1) AND at_ms >= $2 "
                             "ORDER BY at_ms DESC, check_id LIMIT {}",
                             most),
                 {check_id, unix_ms(since)}, deadline));
  std::vector<StoredResult> out;
  for (const SqlRow& row : found.rows)
    out.push_back({.run_id = sql_text(row[0]),
                   .check_id = sql_text(row[1]),
                   .name = sql_text(row[2]),
                   .table = sql_text(row[3]),
                   .outcome = outcome_of_name(sql_text(row[4])).value_or(Outcome::error),
                   .value = sql_real(row[5]),
                   .metric = sql_real(row[6]),
                   .rows = sql_number(row[7]),
                   .limits = sql_text(row[8]),
                   .reason = sql_text(row[9]),
                   .at = wall_of_unix_ms(sql_number(row[10]))});
  return out;
}

Result<std::optional<WallTime>> ResultStore::last_run(const std::string& file, Deadline deadline) {
  SERIN_TRY(const SqlTable found,
            sql_.query("SELECT MAX(at_ms) FROM check_runs WHERE $1 = '' OR file = $1", {file}, deadline));
  if (found.rows.empty() || !std::holds_alternative<std::int64_t>(found.rows.front()[0]))
    return std::optional<WallTime>();
  return std::optional(wall_of_unix_ms(sql_number(found.rows.front()[0])));
}

Result<std::int64_t> ResultStore::set_baseline(const std::vector<std::string>& check_ids, WallTime now,
                                               Deadline deadline) {
  std::int64_t count = 0;
  SERIN_CHECK(sql_.transaction(
      [&](SqlSession& session) -> Status {
        for (const std::string& id : check_ids) {
          const std::vector<SqlValue> row{id, unix_ms(now)};
          SERIN_TRY(const SqlTable past,
                    session.query("SELECT 1 FROM check_results WHERE check_id = $1 AND at_ms < $2 LIMIT 1", row));
          count += past.rows.empty() ? 0 : 1;
          SERIN_CHECK(
              session.execute("INSERT INTO check_baselines VALUES($1, $2) ON CONFLICT(check_id) DO UPDATE SET "
                              "since_ms = excluded.since_ms",
                              row));
        }
        return {};
      },
      deadline));
  return count;
}

Result<std::map<std::string, StoredState>> ResultStore::states(const std::string& scan, Deadline deadline) {
  SERIN_TRY(const SqlTable found,
            sql_.query("SELECT term, high, state FROM check_states WHERE scan = $1", {scan}, deadline));
  std::map<std::string, StoredState> out;
  for (const SqlRow& row : found.rows) {
    SERIN_TRY(const std::vector<scan::State> state, scan::decode_states(sql_text(row[2])));
    if (state.size() != 1) return fail(Errc::data_loss, "a stored state of a scan cannot be read");
    out[sql_text(row[0])] = {.high = sql_number(row[1]), .state = state.front()};
  }
  return out;
}

Status ResultStore::save_states(const std::string& scan, const std::map<std::string, StoredState>& states,
                                Deadline deadline) {
  return sql_.transaction(
      [&](SqlSession& session) -> Status {
        const std::vector<SqlValue> key{scan};
        SERIN_CHECK(session.execute("DELETE FROM check_states WHERE scan = $1", key));
        for (const auto& [term, stored] : states) {
          const std::vector<SqlValue> row{scan, term, stored.high, scan::encode_states({&stored.state, 1})};
          SERIN_CHECK(session.execute("INSERT INTO check_states VALUES($1, $2, $3, $4)", row));
        }
        return {};
      },
      deadline);
}

}  // namespace serin::checks
