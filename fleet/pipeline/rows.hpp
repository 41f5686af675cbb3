#pragma once
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "serin/ports/sql.hpp"

// Private to the fleet's sources.
namespace serin::fleet {

/// Writes many rows of one table with few statements: a statement costs a network or a second on some databases.
/// Threads: one.
class RowWriter {
 public:
  struct Into {
    std::string_view insert;       ///< "INSERT INTO t(a, b) VALUES"
    std::string_view conflict;     ///< " ON CONFLICT(a) DO UPDATE SET b = excluded.b"; empty: none
    std::vector<std::size_t> key;  ///< columns of that conflict; no statement has two rows with one key
  };
  /// \param session  outlives it
  RowWriter(SqlSession& session, Into into) : session_(session), into_(std::move(into)) {}
  Status add(SqlRow row);
  /// Writes what is left. To be called after the last row.
  Status finish();

 private:
  SqlSession& session_;
  Into into_;
  std::vector<SqlValue> values_;
  std::size_t rows_ = 0;
  std::set<SqlRow> keys_;
};

}  // namespace serin::fleet
