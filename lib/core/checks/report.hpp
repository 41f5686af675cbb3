#pragma once
#include <cstdint>
#include <string>

#include "serin/checks/result.hpp"
#include "serin/metrics/metrics.hpp"

namespace serin::checks {

enum class Colour : std::uint8_t { no, yes };

/// One line a check; what did not pass again at the end, with place, statement and samples; then one line in sum. Pure.
[[nodiscard]] std::string report_text(const CheckReport& report, Colour colour);
/// One document, "schema_version": 1. Pure.
[[nodiscard]] std::string report_json(const CheckReport& report);
/// JUnit as CI systems read it: fail is a failure, error an error, not_evaluated skipped; a warning passes. Pure.
[[nodiscard]] std::string report_junit(const CheckReport& report);
/// One page without outside parts. Pure.
[[nodiscard]] std::string report_html(const CheckReport& report);
/// Annotations as GitHub's log reads them: the worst first, 10 errors and 10 warnings, then how many more. Pure.
[[nodiscard]] std::string report_github(const CheckReport& report);
/// check_value, check_outcome (0 pass, 1 warn, 2 fail, 3 error, 4 not_evaluated), check_last_run_timestamp_seconds and
/// check_duration_seconds, by check and table. Threads: any.
void record_metrics(const CheckReport& report, metrics::Registry& registry);

}  // namespace serin::checks
