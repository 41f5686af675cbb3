#pragma once
#include <boost/json/fwd.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/ports/sql.hpp"

// Private to the module.
namespace serin::bigquery {

/// The parameter @p<number> of a query: INT64, FLOAT64, STRING, or BYTES for what is no UTF-8 text or holds a NUL.
/// \pre the value is no NULL, which has no type: translated() writes it into the statement
[[nodiscard]] boost::json::object parameter_of(std::size_t number, const SqlValue& value);

/// A column of an answer.
struct Field {
  std::string name;
  std::string type;  ///< as the schema writes it: INTEGER or INT64, RECORD or STRUCT, ...
  bool is_repeated = false;
  std::vector<Field> fields;  ///< of a record
};
/// Errors: data_loss (no schema as BigQuery writes it).
Result<std::vector<Field>> fields_of(const boost::json::value& schema);

/// A row `{"f":[{"v":...}]}` in the port's four types, without loss: INT64 and BOOL (0, 1) whole; FLOAT64 a double,
/// also NaN and the infinities; TIMESTAMP microseconds since 1970, whole; BYTES its bytes; NUMERIC, BIGNUMERIC, DATE,
/// DATETIME, TIME, JSON and the rest as BigQuery writes them; a repeated column or a record as JSON.
/// Errors: data_loss, for a cell that is not what its column says.
Result<SqlRow> row_of(const boost::json::value& row, const std::vector<Field>& fields);

}  // namespace serin::bigquery
