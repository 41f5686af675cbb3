#include "serin/fleet_validation/validator.hpp"

#include <fmt/format.h>

#include "serin/checks/dialect.hpp"
#include "serin/checks/report.hpp"

namespace serin::fleet {
namespace {

constexpr Duration kept_for = std::chrono::days(30);

}  // namespace

Result<std::unique_ptr<Validator>> Validator::make(ValidatorOptions options, Sql& warehouse, Sql& store,
                                                   const Clock& clock, metrics::Registry& metrics,
                                                   const Logger& logger) {
  if (options.every <= 0s) return fail(Errc::invalid_argument, "every must be above 0");
  std::unique_ptr<Validator> made(new Validator(std::move(options), warehouse, clock, metrics, logger));
  const ValidatorOptions& given = made->options_;
  SERIN_TRY(made->file_, checks::load_checks(given.text, given.file, given.engine));
  SERIN_TRY(made->store_, checks::ResultStore::open(store, Deadline::after(clock.now(), 10s)));
  return made;
}

Status Validator::run(Deadline deadline) {
  const std::scoped_lock turn(running_);
  const checks::RunOptions options{.run_id = fmt::format("{}-{}", format_rfc3339(clock_.wall()), options_.runner),
                                   .parameters = options_.parameters,
                                   .deadline = deadline};
  const auto report =
      checks::run_checks(file_, warehouse_, checks::Dialect{.engine = options_.engine}, clock_, store_.get(), options);
  const Status saved =
      report ? store_->save(*report, kept_for, Deadline::after(clock_.now(), 10s)) : Status(pass(report.error()));
  if (report) {
    checks::record_metrics(*report, metrics_);
    const std::scoped_lock lock(mutex_);
    last_report_ = checks::report_json(*report);
  }
  if (!saved) {
    logger_.warn("data_checks", {{"error", saved.error().text()}});
    return saved;
  }
  logger_.info("data_checks", {{"outcome", checks::outcome_name(report->worst())},
                               {"checks", static_cast<std::int64_t>(report->results.size())},
                               {"seconds", seconds_of(report->took)}});
  return {};
}

std::string Validator::last_report() const {
  const std::scoped_lock lock(mutex_);
  return last_report_;
}

health::CheckFunction Validator::health_check() const {
  return checks::health_check(
      *store_, clock_,
      {.file = options_.file, .look_back = 4 * options_.every, .stale_after = 3 * options_.every, .latest_only = true});
}

}  // namespace serin::fleet
