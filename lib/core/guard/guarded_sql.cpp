#include "serin/guard/guarded_sql.hpp"

namespace serin::guard {

Result<SqlTable> GuardedSql::query(std::string_view sql, std::span<const SqlValue> parameters, Deadline deadline) {
  return target_.run(Idempotency::idempotent, deadline,
                     [&](const Context& attempt) { return inner_.query(sql, parameters, attempt.deadline); });
}

Result<std::int64_t> GuardedSql::execute(std::string_view sql, std::span<const SqlValue> parameters,
                                         Deadline deadline) {
  return target_.run(Idempotency::not_idempotent, deadline,
                     [&](const Context& attempt) { return inner_.execute(sql, parameters, attempt.deadline); });
}

Status GuardedSql::transaction(const std::function<Status(SqlSession&)>& work, Deadline deadline) {
  return target_.run(Idempotency::not_idempotent, deadline,
                     [&](const Context& attempt) { return inner_.transaction(work, attempt.deadline); });
}

}  // namespace serin::guard
