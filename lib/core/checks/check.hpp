#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/checks/zones.hpp"

namespace serin::checks {

enum class CheckType : std::uint8_t {
  row_count,        ///< value: rows
  missing,          ///< value: rows whose column is NULL or one of `values`
  unique,           ///< value: duplicates, as `unique` says
  range,            ///< value: rows outside [min, max]; NULL is not outside
  accepted_values,  ///< value: rows with another text than `values`; NULL is not another
  pattern,          ///< value: rows without a match of `regex`; NULL is no mismatch
  length,           ///< value: rows with fewer than min or more than max characters
  condition,        ///< value: rows for which the SQL condition is false
  reference,        ///< value: rows whose key is not in the other table; NULL needs no parent
  schema,           ///< value: deviations of the columns from what is wanted
  distribution,     ///< value: `measure` of a column
  change,           ///< value: difference of `measure` from earlier runs, absolute or in percent
  anomaly,          ///< value: robust z of `measure` against earlier runs
  coverage,         ///< value: percent of the expected keys that are there
  freshness,        ///< value: age of the newest row, whole seconds
  failures,         ///< value: rows with one of `values`, of the last `within`
  sql,              ///< value: the one number that a query of the user gives
};
/// "row_count": the word in the file.
[[nodiscard]] std::string_view type_name(CheckType type) noexcept;

/// For ages 1,2,2,3,3,3,3,4,4,NULL: 5 extra rows, 3 distinct duplicates, 8 affected rows, a uniqueness ratio of 1/9.
enum class UniqueMetric : std::uint8_t { extra_rows, distinct_duplicates, affected_rows, uniqueness_ratio };
enum class Measure : std::uint8_t { row_count, missing_percent, mean, stddev, smallest, largest, percentile };
enum class Against : std::uint8_t { previous, average_7, smallest_7, largest_7, same_weekday };
enum class Direction : std::uint8_t { both, up, down };
/// How a column keeps time: milliseconds or seconds since 1970, or a text or type that the database reads as a time.
enum class TimeUnit : std::uint8_t { unix_ms, unix_s, timestamp };
enum class OnNoData : std::uint8_t { not_evaluated, warn, fail };

struct Samples {
  std::vector<std::string> keys = {};     ///< always shown; none: no samples
  std::vector<std::string> columns = {};  ///< shown besides, because the file asked for it
  int limit = 20;                         ///< 0 to 1000 rows
};

struct Check {
  std::string id = {};  ///< file/table/name: history survives a change of the limits
  std::string name = {};
  std::string table = {};  ///< empty for sql
  CheckType type = CheckType::row_count;
  std::string where = {};  ///< only these rows; SQL
  std::vector<std::string> group_by = {};
  Zones zones = {};
  OnNoData on_no_data = OnNoData::not_evaluated;
  std::string calendar = {};  ///< name; when it counts no row nothing is due
  std::string owner = {};
  std::vector<std::string> tags = {};
  Samples samples = {};
  int line = 0;  ///< in the file
  int column = 0;

  // What the types need; each reads only its own.
  std::vector<std::string> columns = {};
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  std::vector<std::string> values = {};
  std::string regex = {};
  std::string sql = {};  ///< of condition and sql
  UniqueMetric unique = UniqueMetric::extra_rows;
  std::string other_table = {};  ///< of reference and coverage
  std::vector<std::string> other_columns = {};
  std::string other_where = {};
  std::vector<std::string> required = {};         ///< schema
  std::vector<std::string> forbidden = {};        ///< schema
  std::map<std::string, std::string> types = {};  ///< schema: column to integer, number, text, boolean, time or bytes
  Measure measure = Measure::mean;
  double percentile = 0.5;  ///< (0, 1]
  Against against = Against::previous;
  bool in_percent = true;  ///< change
  Direction direction = Direction::both;
  bool weekdays_apart = false;  ///< anomaly: only the same day of the week
  int points = 28;              ///< anomaly: looks at so many earlier runs
  int least_points = 4;         ///< anomaly: fewer are no history
  TimeUnit unit = TimeUnit::timestamp;
  Duration warn_after = Duration::max();
  Duration error_after = Duration::max();
  Duration skew = Duration::zero();  ///< freshness: so far in the future is no future yet
  Duration within = std::chrono::hours(24);
  std::string time_column = {};  ///< of failures
};

/// Days on which data is due: when no row is counted, the checks that name it are not evaluated.
struct Calendar {
  std::string table = {};
  std::string where = {};
};

struct CheckFile {
  std::string file = {};
  std::vector<Check> checks = {};
  std::map<std::string, Calendar> calendars = {};
  std::map<std::string, std::string> grows_by = {};  ///< table to its integer column that only grows with new rows
};

enum class Engine : std::uint8_t { sqlite, postgres, bigquery };

/// Reads checks.yaml strictly. Every mistake is found, up to 100, one a line. `:name` in SQL is a parameter.
/// Errors: invalid_argument "file:line:column: sentence" (several lines); unsupported patterns of the engine too. Pure.
[[nodiscard]] Result<CheckFile> load_checks(std::string_view text, std::string_view file, Engine engine);
/// The JSON Schema of the file, for editors.
[[nodiscard]] std::string_view checks_json_schema() noexcept;

}  // namespace serin::checks
