#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/random.hpp"
#include "serin/ports/sql.hpp"

// What analytics and precompute have in common: runs of several processors, of which some may fail.
namespace serin::fleet {

enum class RunStatus : std::uint8_t {
  completed,        ///< every processor did
  partial_failure,  ///< some failed
  failed,           ///< all failed, or the next stage could not be told
};
[[nodiscard]] std::string_view run_status_name(RunStatus status) noexcept;

struct ProcessorResult {
  std::string processor;
  std::int64_t rows = 0;
  std::string error;  ///< empty: it succeeded
};
struct ProcessReport {
  std::string run_id;
  std::string game_date;  ///< the last one, for a range
  std::vector<ProcessorResult> processors;
  bool published = false;     ///< the next stage was told
  std::string publish_error;  ///< why it was not, although it should have been
  std::string note;           ///< e.g. "no games on the schedule"

  [[nodiscard]] RunStatus status() const noexcept;
};
[[nodiscard]] std::string to_json(const ProcessReport& report);

/// One named piece of work; returns the rows it wrote. It writes them all or none.
struct Processor {
  std::string_view name;
  std::function<Result<std::int64_t>()> work;
};
/// Runs them all, whatever one says, and keeps a row of processor_runs for each; a run that cannot be recorded counts
/// as failed, because nobody could see it.
ProcessReport run_processors(Sql& sql, Clock& clock, std::string run_id, std::string_view game_date,
                             std::string_view revision, const std::vector<Processor>& processors, Deadline deadline);

/// "analytics-0123456789abcdef"
[[nodiscard]] std::string new_run_id(std::string_view what, Random& random);

/// A value outside its limits is a failed validation, kept in validation_results.
struct Validation {
  std::string check_id;
  double value = 0;
  double at_least = 0;
  std::int64_t rows = 0;  ///< that were looked at
};
Status record_validations(Sql& sql, Clock& clock, std::string_view run_id, const std::vector<Validation>& validations,
                          Deadline deadline);

}  // namespace serin::fleet
