#include "serin/fleet_pipeline/merge.hpp"

#include <fmt/format.h>

#include "cells.hpp"
#include "prediction_rows.hpp"

namespace serin::fleet {
namespace {

Status pass_fence(SqlSession& session, const std::string& game_date, std::int64_t token) {
  const SqlRow row = {game_date, token};
  SERIN_TRY(const std::int64_t moved, session.execute(R"sql(
INSERT INTO merge_fences(game_date, token) VALUES($1, $2)
ON CONFLICT(game_date) DO UPDATE SET token = excluded.token WHERE merge_fences.token <= excluded.token)sql",
                                                      row));
  if (moved > 0) return {};
  return fail(Errc::conflict,
              fmt::format("merge of {} is fenced off: token {} is older than the last merge's", game_date, token));
}

Result<std::int64_t> one_number(SqlSession& session, std::string_view sql, const SqlRow& parameters) {
  SERIN_TRY(const SqlTable table, session.query(sql, parameters));
  Cells cells(table.rows.at(0));
  const std::int64_t number = cells.whole();
  SERIN_CHECK(cells.done());
  return number;
}

}  // namespace

Result<MergeReport> merge_staging_rows(Sql& sql, const std::string& game_date, std::int64_t token, Deadline deadline) {
  MergeReport report;
  SERIN_CHECK(sql.transaction(
      [&](SqlSession& session) -> Status {
        SERIN_CHECK(pass_fence(session, game_date, token));
        // What takes part is fixed here. SQLite lets nobody write meanwhile; a database that does must not lose the
        // rows that arrive between the copy and the erasure.
        const SqlRow date = {game_date};
        SERIN_TRY(
            const std::int64_t highest,
            one_number(session, "SELECT COALESCE(MAX(staging_id), 0) FROM predictions_staging WHERE game_date = $1",
                       date));
        const SqlRow upto = {game_date, highest};
        SERIN_TRY([[maybe_unused]] const std::int64_t changed, session.execute(merge_staging, upto));
        SERIN_TRY(report.rows, session.execute(erase_merged, upto));
        SERIN_TRY(report.left,
                  one_number(session, "SELECT COUNT(*) FROM predictions_staging WHERE game_date = $1", date));
        return {};
      },
      deadline));
  return report;
}

}  // namespace serin::fleet
