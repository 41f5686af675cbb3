#include "serin/probes/sql_check.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "detail_socket.hpp"
#include "serin/base/text.hpp"

namespace serin::probes {
namespace {

using health::CheckAnswer;

CheckAnswer stopped() { return CheckAnswer::unknown("cancelled", "asked to stop before it was asked"); }

struct Outcomes {
  std::int64_t runs = 0;
  std::int64_t passed = 0;
  std::int64_t warned = 0;
  std::int64_t failed = 0;
  std::int64_t unclear = 0;
  std::int64_t last = 0;  ///< ms since 1970
};

/// Rows are (outcome, how many, the latest).
Outcomes count(const SqlTable& table) {
  Outcomes outcomes;
  for (const SqlRow& row : table.rows) {
    const auto* word = std::get_if<std::string>(&row.at(0));
    const auto* number = std::get_if<std::int64_t>(&row.at(1));
    const auto* at = std::get_if<std::int64_t>(&row.at(2));
    if (number == nullptr || at == nullptr) continue;
    const std::string_view outcome = word == nullptr ? std::string_view() : *word;
    (outcome == "pass"   ? outcomes.passed
     : outcome == "warn" ? outcomes.warned
     : outcome == "fail" ? outcomes.failed
                         : outcomes.unclear) += *number;
    outcomes.runs += *number;
    outcomes.last = std::max(outcomes.last, *at);
  }
  return outcomes;
}

CheckAnswer judge(const Outcomes& found, const ValidationOptions& options, WallTime now) {
  std::vector<LogField> details{{"results", found.runs},
                                {"passed", found.passed},
                                {"warned", found.warned},
                                {"failed", found.failed},
                                {"unclear", found.unclear}};
  if (found.runs == 0)
    return CheckAnswer::unknown("no_run", "no validation ran in " + format_duration(options.look_back),
                                std::move(details));
  const Duration age = now - wall_of_unix_ms(found.last);
  details.emplace_back("age_seconds", seconds_of(age));
  if (options.fail_is_down && found.failed > 0)
    return CheckAnswer::fail("validation_failed", fmt::format("{} validations failed", found.failed),
                             std::move(details));
  if (age > options.max_age)
    return CheckAnswer::unknown("stale", "the last validation ran " + format_duration(age) + " ago",
                                std::move(details));
  if (found.unclear > 0)
    return CheckAnswer::unknown("unclear_outcome", fmt::format("{} validations have no clear outcome", found.unclear),
                                std::move(details));
  if (found.failed > 0)
    return CheckAnswer::warn("validation_failed", fmt::format("{} validations failed", found.failed),
                             std::move(details));
  if (found.warned > 0)
    return CheckAnswer::warn("validation_warned", fmt::format("{} validations warned", found.warned),
                             std::move(details));
  return CheckAnswer::pass(std::move(details));
}

}  // namespace

Result<health::CheckFunction> sql_check(SqlOptions options, Sql& sql) {
  if (trim(options.statement).empty()) return fail(Errc::invalid_argument, "statement is empty");
  if (options.quick_check) options.statement = "PRAGMA quick_check(1)";
  return [options = std::move(options), &sql](const health::CheckContext& context) {
    if (context.stop.stop_requested()) return stopped();
    const Result<SqlTable> table = sql.query(options.statement, {}, context.deadline);
    if (!table) return answer_of(table.error());
    if (table->rows.empty() || table->rows.front().empty())
      return CheckAnswer::fail("no_row", "the statement returns no row");
    if (!options.quick_check) return CheckAnswer::pass();
    const auto* said = std::get_if<std::string>(&table->rows.front().front());
    if (said != nullptr && *said == "ok") return CheckAnswer::pass();
    return CheckAnswer::fail("data_loss", "the database file is damaged");
  };
}

Result<health::CheckFunction> validation_check(ValidationOptions options, Sql& sql, const Clock& clock) {
  if (options.look_back <= 0s || options.look_back > 366 * 24h)
    return fail(Errc::invalid_argument, "look_back is not above 0 and at most 366 days");
  if (options.max_age <= 0s || options.max_age > options.look_back)
    return fail(Errc::invalid_argument, "max_age is not above 0 and at most look_back");
  return [options, &sql, &clock](const health::CheckContext& context) {
    if (context.stop.stop_requested()) return stopped();
    const WallTime now = clock.wall();
    // What is dated after now is no result yet: a clock that jumped must not make old data look fresh.
    const auto table = sql.query(
        "SELECT outcome, COUNT(*), MAX(at) FROM validation_results WHERE at > $1 AND at <= $2 GROUP BY outcome",
        {{unix_ms(now - options.look_back)}, {unix_ms(now)}}, context.deadline);
    if (!table) return CheckAnswer::unknown(std::string(errc_name(table.error().code())), table.error().detail());
    return judge(count(*table), options, now);
  };
}

}  // namespace serin::probes
