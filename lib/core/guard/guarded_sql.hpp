#pragma once
#include <memory>

#include "serin/guard/target.hpp"
#include "serin/ports/sql.hpp"

namespace serin::guard {

/// A database behind a breaker, a budget and a bulkhead. Queries are tried again; what changes something is only tried
/// again when it surely was not executed. A statement that the database refuses for its own sake (syntax, a constraint)
/// is an answer, not a failure of the database. Threads: any.
class GuardedSql final : public Sql {
 public:
  /// \param inner, target  outlive it
  GuardedSql(Sql& inner, Target& target) : inner_(inner), target_(target) {}
  using Sql::execute;
  using Sql::query;
  Result<SqlTable> query(std::string_view sql, std::span<const SqlValue> parameters, Deadline deadline) override;
  Result<std::int64_t> execute(std::string_view sql, std::span<const SqlValue> parameters, Deadline deadline) override;
  Status transaction(const std::function<Status(SqlSession&)>& work, Deadline deadline) override;

 private:
  Sql& inner_;
  Target& target_;
};

}  // namespace serin::guard
