#include "serin/sqlite/sqlite_sql.hpp"
#include "warehouse_under_test.hpp"

namespace serin::fleet {

std::unique_ptr<Sql> warehouse_under_test(Clock& clock) { return SqliteSql::open({.path = ":memory:"}, clock).value(); }

}  // namespace serin::fleet
