#pragma once
#include <atomic>
#include <mutex>
#include <string>
#include <string_view>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/log.hpp"
#include "serin/ports/random.hpp"
#include "serin/ports/sql.hpp"

namespace serin::fleet {

/// What a drill makes the warehouse do.
struct SqlFault {
  Duration slow{};    ///< "slow:5s": before every statement
  double errors = 0;  ///< "error:0.3": share of statements that fail as unavailable
  bool down = false;  ///< "down": all of them, at once
};
/// Lines of "warehouse=slow:5s", "warehouse=down", "warehouse=error:0.3"; an empty text is no fault, "#" begins a
/// comment. Errors: invalid_argument, naming the line. Pure.
Result<SqlFault> parse_sql_fault(std::string_view text);

/// A database behind the faults that a file asks for now: a drill stages and ends them while the service runs. It
/// stands where the real database would, inside of everything that protects from it. Threads: any.
class FaultySql final : public Sql {
 public:
  /// \param inner, sleeper, random  outlive it  \param file  need not be there: no fault
  FaultySql(Sql& inner, Sleeper& sleeper, Random& random, std::string file, Logger logger)
      : inner_(inner), sleeper_(sleeper), random_(random), file_(std::move(file)), logger_(std::move(logger)) {}
  using Sql::execute;
  using Sql::query;
  Result<SqlTable> query(std::string_view sql, std::span<const SqlValue> parameters, Deadline deadline) override;
  Result<std::int64_t> execute(std::string_view sql, std::span<const SqlValue> parameters, Deadline deadline) override;
  Status transaction(const std::function<Status(SqlSession&)>& work, Deadline deadline) override;
  /// Statements and transactions that were asked for, ever.
  [[nodiscard]] std::int64_t calls() const noexcept { return calls_.load(std::memory_order_relaxed); }

 private:
  SqlFault current();
  Status suffer(Deadline deadline);

  Sql& inner_;
  Sleeper& sleeper_;
  Random& random_;
  std::string file_;
  Logger logger_;
  std::atomic<std::int64_t> calls_{0};
  std::mutex mutex_;
  Instant looked_{};  // guarded by mutex_, like the rest
  std::string text_;
  SqlFault fault_;
};

}  // namespace serin::fleet
