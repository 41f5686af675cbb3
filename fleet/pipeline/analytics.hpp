#pragma once
#include <array>
#include <string>
#include <string_view>

#include "serin/base/error.hpp"
#include "serin/fleet_pipeline/processing.hpp"
#include "serin/fleet_pipeline/requests.hpp"
#include "serin/ports/bus.hpp"
#include "serin/ports/log.hpp"

namespace serin::fleet {

struct AnalyticsDeps {
  Sql& sql;
  Bus& bus;
  Clock& clock;
  Random& random;
  Logger logger;
  std::string revision;  ///< of the program that runs; goes into processor_runs
};

/// Phase 3: from raw rows to player_game_summary and pitcher_game_summary (what was played) and
/// upcoming_player_game_context (who may play, known from the days before only). Running a date again replaces it.
/// Threads: any; what it is given outlives it.
class Analytics {
 public:
  static constexpr std::array<std::string_view, 4> processors = {
      "player_game_summary", "pitcher_game_summary", "upcoming_player_game_context", "upcoming_pitcher_context"};
  explicit Analytics(AnalyticsDeps deps) : deps_(std::move(deps)) {}

  /// Runs the processors asked for (all, when none is named) over every day of the range. When an upcoming processor
  /// succeeded and there are games on the last day, phase3-complete is published for that day: the days before it are
  /// history. Errors: invalid_argument for a processor that nobody knows; what fails later is in the report.
  Result<ProcessReport> process(const DateRangeRequest& request, Deadline deadline);

 private:
  void publish(ProcessReport& report, const DateRangeRequest& request, Deadline deadline);
  AnalyticsDeps deps_;
};

}  // namespace serin::fleet
