#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace serin::google_sql {

/// The scalar types of GoogleSQL that this translator knows. `null` is the type of a bare NULL: it fits everywhere.
enum class Kind : std::uint8_t {
  null,
  int64,
  float64,
  numeric,
  boolean,
  string,
  bytes,
  date,
  time,
  datetime,
  timestamp,
  json,
  structure
};

struct Column;

/// A scalar, an array of scalars or structs, or a struct. Values are kept by SQLite as: INT64, BOOL and TIMESTAMP
/// (microseconds since 1970) as integers, FLOAT64 and NUMERIC as reals, BYTES as blobs, everything else as text in the
/// form in which BigQuery prints it; arrays and structs as JSON arrays.
struct Type {
  Kind kind = Kind::null;
  bool array = false;
  std::vector<Column> fields;  ///< of a struct
  [[nodiscard]] bool is(Kind other) const noexcept { return kind == other && !array; }
};

struct Column {
  std::string name;
  Type type;
  bool required = false;    ///< NOT NULL
  std::string default_sql;  ///< GoogleSQL; empty: none
  std::string description;
};

/// "INT64"; the names of GoogleSQL.
[[nodiscard]] std::string_view kind_name(Kind kind) noexcept;
/// "INTEGER"; the names of the REST API's schemas.
[[nodiscard]] std::string_view rest_name(Kind kind) noexcept;
/// "ARRAY<STRUCT<a INT64>>".
[[nodiscard]] std::string type_name(const Type& type);
/// Both spellings, without case; nothing for a type that is not known.
[[nodiscard]] std::optional<Kind> kind_of(std::string_view name) noexcept;
/// "INTEGER", "REAL", "TEXT" or "BLOB": how SQLite keeps it.
[[nodiscard]] std::string_view storage_of(const Type& type) noexcept;

}  // namespace serin::google_sql
