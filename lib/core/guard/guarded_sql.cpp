#include "serin/guard/guarded_sql.hpp"

#include <fmt/format.h>

#include "serin/guard/pipeline.hpp"
#include "serin/retry/presets.hpp"

namespace serin::guard {

Result<std::unique_ptr<GuardedSql>> GuardedSql::make(Sql& inner, Sleeper& sleeper, Random& random,
                                                     GuardedSqlOptions options) {
  std::optional<retry::Retry> retry = retry::preset(options.retry_preset);
  if (!retry) return fail(Errc::invalid_argument, fmt::format("there is no retry preset '{}'", options.retry_preset));
  SERIN_CHECK(retry::TokenBudget::check(options.budget));
  std::unique_ptr<GuardedSql> made(new GuardedSql(inner, sleeper, random, options.budget, *std::move(retry)));
  if (options.metrics != nullptr) made->metrics_ = std::make_unique<TargetMetrics>(*options.metrics, options.name);
  if (options.log != nullptr) made->logger_.emplace(*options.log);
  options.breaker.name = options.name;
  SERIN_TRY(made->breaker_, breaker::Breaker::make(std::move(options.breaker)));
  if (made->logger_) made->breaker_->on_change(log_changes(*made->logger_, options.name));
  SERIN_TRY(made->bulkhead_, limit::Bulkhead::make({.name = std::move(options.name), .most = options.calls_at_once}));
  return made;
}

template <class Work>
auto GuardedSql::run(Idempotency idempotency, Deadline deadline, const Work& work) -> decltype(work(deadline)) {
  const auto guarded = pipeline(Retrying{retry_, budget_}, Breaking{*breaker_}, Bounded{*bulkhead_});
  const Context context{.sleeper = sleeper_,
                        .random = random_,
                        .deadline = deadline,
                        .idempotency = idempotency,
                        .target = breaker_->options().name};
  const auto attempt = [&](const Context& inner) { return work(inner.deadline); };
  if (!metrics_ && !logger_) return guarded.run(context, attempt);
  const Recorders recorders{.metrics = metrics_.get(), .logger = logger_ ? &*logger_ : nullptr};
  return guarded.observed(recorders).run(context, attempt);
}

void GuardedSql::write_gauges(metrics::Registry& registry) const {
  guard::write_gauges(registry, breaker_->options().name,
                      {.breaker = breaker_->snapshot(sleeper_.now()),
                       .budget_left = budget_.left(),
                       .bulkhead = bulkhead_->snapshot()});
}

Result<SqlTable> GuardedSql::query(std::string_view sql, std::span<const SqlValue> parameters, Deadline deadline) {
  return run(Idempotency::idempotent, deadline, [&](Deadline until) { return inner_.query(sql, parameters, until); });
}

Result<std::int64_t> GuardedSql::execute(std::string_view sql, std::span<const SqlValue> parameters,
                                         Deadline deadline) {
  return run(Idempotency::not_idempotent, deadline,
             [&](Deadline until) { return inner_.execute(sql, parameters, until); });
}

Status GuardedSql::transaction(const std::function<Status(SqlSession&)>& work, Deadline deadline) {
  return run(Idempotency::not_idempotent, deadline, [&](Deadline until) { return inner_.transaction(work, until); });
}

}  // namespace serin::guard
