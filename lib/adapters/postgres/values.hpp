#pragma once
#include <libpq-fe.h>

#include <span>
#include <string>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/ports/sql.hpp"

// Private to the module.
namespace serin::postgres {

/// Parameters as libpq wants them: text, whose types the server infers from where they stand; binary for text that
/// holds a NUL character, which only a bytea column can take.
class Parameters {
 public:
  explicit Parameters(std::span<const SqlValue> values);
  [[nodiscard]] int count() const noexcept { return static_cast<int>(values_.size()); }
  [[nodiscard]] const char* const* values() const noexcept { return values_.data(); }
  [[nodiscard]] const int* lengths() const noexcept { return lengths_.data(); }
  [[nodiscard]] const int* formats() const noexcept { return formats_.data(); }

 private:
  std::vector<std::string> texts_;
  std::vector<const char*> values_;
  std::vector<int> lengths_;
  std::vector<int> formats_;
};

/// Rows in the port's four types: whole numbers and booleans as integers, floating point as doubles, numeric as
/// a whole number when it is written as one and as a double otherwise, bytea as its bytes, everything else as
/// PostgreSQL writes it. Errors: data_loss.
Result<SqlTable> table_of(const PGresult& result);

}  // namespace serin::postgres
