#pragma once
#include <memory>
#include <optional>
#include <string>

#include "serin/guard/elements.hpp"
#include "serin/guard/recorders.hpp"
#include "serin/ports/sql.hpp"

namespace serin::guard {

struct GuardedSqlOptions {
  std::string name = "database";          ///< in errors and states
  std::string retry_preset = "database";  ///< of retry/presets.hpp
  retry::TokenBudgetOptions budget;
  breaker::BreakerOptions breaker{.window = breaker::WindowKind::time, .slow_call = 2s};  ///< its name is replaced
  std::int64_t calls_at_once = 64;
  metrics::Registry* metrics = nullptr;  ///< counts what happens; outlives it
  LogSink* log = nullptr;                ///< hears what happens; outlives it
};

/// A database behind a breaker, a budget and a bulkhead. Queries are tried again; what changes something is only tried
/// again when it surely was not executed. A statement that the database refuses for its own sake (syntax, a constraint)
/// is an answer, not a failure of the database. Threads: any.
class GuardedSql final : public Sql {
 public:
  /// \param inner, sleeper, random  outlive it
  /// Errors: invalid_argument, naming the option.
  static Result<std::unique_ptr<GuardedSql>> make(Sql& inner, Sleeper& sleeper, Random& random,
                                                  GuardedSqlOptions options = {});
  using Sql::execute;
  using Sql::query;
  Result<SqlTable> query(std::string_view sql, std::span<const SqlValue> parameters, Deadline deadline) override;
  Result<std::int64_t> execute(std::string_view sql, std::span<const SqlValue> parameters, Deadline deadline) override;
  Status transaction(const std::function<Status(SqlSession&)>& work, Deadline deadline) override;

  [[nodiscard]] const breaker::Breaker& breaker() const noexcept { return *breaker_; }
  [[nodiscard]] const retry::Budget& budget() const noexcept { return budget_; }
  [[nodiscard]] const limit::Bulkhead& bulkhead() const noexcept { return *bulkhead_; }
  /// The three as gauges: to be called when /metrics is asked.
  void write_gauges(metrics::Registry& registry) const;

 private:
  GuardedSql(Sql& inner, Sleeper& sleeper, Random& random, const retry::TokenBudgetOptions& budget, retry::Retry retry)
      : inner_(inner), sleeper_(sleeper), random_(random), retry_(std::move(retry)), budget_(budget) {}
  template <class Work>
  auto run(Idempotency idempotency, Deadline deadline, const Work& work) -> decltype(work(deadline));

  Sql& inner_;
  Sleeper& sleeper_;
  Random& random_;
  retry::Retry retry_;
  retry::TokenBudget budget_;
  std::unique_ptr<breaker::Breaker> breaker_;
  std::unique_ptr<limit::Bulkhead> bulkhead_;
  std::unique_ptr<TargetMetrics> metrics_;  // null: nobody counts
  std::optional<Logger> logger_;
};

}  // namespace serin::guard
