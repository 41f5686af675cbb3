#include "types.hpp"

#include <array>

#include "serin/base/text.hpp"

namespace serin::google_sql {
namespace {

struct Names {
  Kind kind;
  std::string_view sql;
  std::string_view rest;
};
constexpr std::array names{Names{Kind::int64, "INT64", "INTEGER"},
                           Names{Kind::float64, "FLOAT64", "FLOAT"},
                           Names{Kind::numeric, "NUMERIC", "NUMERIC"},
                           Names{Kind::boolean, "BOOL", "BOOLEAN"},
                           Names{Kind::string, "STRING", "STRING"},
                           Names{Kind::bytes, "BYTES", "BYTES"},
                           Names{Kind::date, "DATE", "DATE"},
                           Names{Kind::time, "TIME", "TIME"},
                           Names{Kind::datetime, "DATETIME", "DATETIME"},
                           Names{Kind::timestamp, "TIMESTAMP", "TIMESTAMP"},
                           Names{Kind::json, "JSON", "JSON"},
                           Names{Kind::structure, "STRUCT", "RECORD"},
                           Names{Kind::int64, "INT", "INTEGER"},
                           Names{Kind::int64, "BIGINT", "INTEGER"},
                           Names{Kind::numeric, "DECIMAL", "NUMERIC"},
                           Names{Kind::int64, "SMALLINT", "INTEGER"},
                           Names{Kind::numeric, "BIGNUMERIC", "BIGNUMERIC"}};

}  // namespace

std::string_view kind_name(Kind kind) noexcept {
  for (const Names& name : names)
    if (name.kind == kind) return name.sql;
  return "INT64";  // what BigQuery makes of a bare NULL
}

std::string_view rest_name(Kind kind) noexcept {
  for (const Names& name : names)
    if (name.kind == kind) return name.rest;
  return "INTEGER";
}

std::string type_name(const Type& type) {
  std::string out(kind_name(type.kind));
  if (type.kind == Kind::structure) {
    out += '<';
    for (std::size_t i = 0; i < type.fields.size(); ++i) {
      if (i > 0) out += ", ";
      const Column& field = type.fields[i];
      out += field.name.empty() ? type_name(field.type) : field.name + " " + type_name(field.type);
    }
    out += '>';
  }
  return type.array ? "ARRAY<" + out + ">" : out;
}

std::optional<Kind> kind_of(std::string_view name) noexcept {
  for (const Names& known : names)
    if (equal_ignoring_case(name, known.sql) || equal_ignoring_case(name, known.rest)) return known.kind;
  return std::nullopt;
}

std::string_view storage_of(const Type& type) noexcept {
  if (type.array) return "TEXT";
  switch (type.kind) {
    case Kind::null:
    case Kind::int64:
    case Kind::boolean:
    case Kind::timestamp: return "INTEGER";
    case Kind::float64:
    case Kind::numeric: return "REAL";
    case Kind::bytes: return "BLOB";
    case Kind::string:
    case Kind::date:
    case Kind::time:
    case Kind::datetime:
    case Kind::json:
    case Kind::structure: return "TEXT";
  }
  return "TEXT";
}

}  // namespace serin::google_sql
