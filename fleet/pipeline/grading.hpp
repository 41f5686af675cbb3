#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/ports/sql.hpp"

namespace serin::fleet {

/// How one model did on one date.
struct GradedModel {
  std::string sport;
  std::string system_id;
  std::int64_t graded = 0;    ///< predictions of players who played
  double absolute_error = 0;  ///< mean; 0 without any
  std::int64_t right = 0;
  std::int64_t wrong = 0;
  std::int64_t voided = 0;  ///< did not play
};
struct GradeReport {
  std::string game_date;
  std::int64_t graded = 0;
  std::int64_t voided = 0;
  std::int64_t pending = 0;  ///< predictions of games that are not final
  std::vector<GradedModel> models;
};
[[nodiscard]] std::string to_json(const GradeReport& report);

/// Compares the predictions of a date with what was played, as far as games are final: absolute error, and whether the
/// side was right; void for players who did not play. Grading again replaces. Errors: as Sql. Threads: any.
Result<GradeReport> grade(Sql& sql, const std::string& game_date, WallTime now, Deadline deadline);

/// What was graded before, without grading. Errors: as Sql.
Result<GradeReport> read_grades(Sql& sql, const std::string& game_date, Deadline deadline);

}  // namespace serin::fleet
