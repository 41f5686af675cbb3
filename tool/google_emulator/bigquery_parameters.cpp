#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>

#include "bigquery.hpp"
#include "serin/base/text.hpp"
#include "serin/google_sql/runtime.hpp"

namespace serin::google_emulator {
namespace {

Result<sql::Type> type_of(const json::object& declared) {
  const std::string name = text_at(declared, "type");
  if (equal_ignoring_case(name, "ARRAY")) {
    const json::object* element = object_at(declared, "arrayType");
    if (element == nullptr) return fail(Errc::invalid_argument, "A parameter of type ARRAY has no arrayType");
    SERIN_TRY(sql::Type out, type_of(*element));
    if (out.array) return fail(Errc::invalid_argument, "Arrays of arrays are not supported");
    out.array = true;
    return out;
  }
  const auto kind = sql::kind_of(name);
  if (!kind) return fail(Errc::invalid_argument, fmt::format("Invalid parameter type: {}", name));
  sql::Type out{.kind = *kind};
  if (*kind != sql::Kind::structure) return out;
  const json::array* fields = array_at(declared, "structTypes");
  if (fields == nullptr) return fail(Errc::invalid_argument, "A parameter of type STRUCT has no structTypes");
  for (const json::value& value : *fields) {
    const json::object* field = value.if_object();
    const json::object* inner = field == nullptr ? nullptr : object_at(*field, "type");
    if (inner == nullptr) return fail(Errc::invalid_argument, "A field of a STRUCT parameter has no type");
    SERIN_TRY(sql::Type type, type_of(*inner));
    out.fields.push_back({.name = text_at(*field, "name"), .type = std::move(type)});
  }
  return out;
}

Result<Cell> scalar(const json::object& given, const sql::Type& type) {
  const json::value* value = given.if_contains("value");
  if (value == nullptr || value->is_null()) return Cell{};
  const std::string text = scalar_text(*value);
  if (type.kind == sql::Kind::bytes) {
    auto bytes = base64_decode(text);
    if (!bytes) return fail(Errc::invalid_argument, "Invalid value for a BYTES parameter: no base64");
    return Cell{*std::move(bytes), true};
  }
  if (type.kind == sql::Kind::string || type.kind == sql::Kind::json) return Cell{text};
  if (type.kind == sql::Kind::int64 && value->is_double() && std::floor(value->get_double()) == value->get_double())
    return Cell{static_cast<std::int64_t>(value->get_double())};
  if (type.kind == sql::Kind::float64 && (text == "NaN" || text.ends_with("Infinity") || text.ends_with("inf")))
    return fail(Errc::unsupported, "NaN and Infinity as a parameter are not supported by this emulator");
  auto converted = sql::cast_value(sql::Kind::string, type.kind, text);
  if (!converted)
    return fail(Errc::invalid_argument, fmt::format("Invalid value for a {} parameter: {}", sql::kind_name(type.kind),
                                                    converted.error().detail()));
  return Cell{*std::move(converted)};
}

json::value as_json(const Cell& cell) {
  if (const auto* number = std::get_if<std::int64_t>(&cell.value)) return *number;
  if (const auto* number = std::get_if<double>(&cell.value)) return *number;
  if (const auto* text = std::get_if<std::string>(&cell.value))
    return json::value(cell.bytes ? base64_encode(*text) : *text);
  return nullptr;
}

/// Arrays and structs as the JSON that google_sql reads.
Result<json::value> whole(const json::object& given, const sql::Type& type) {
  if (type.array) {
    sql::Type element = type;
    element.array = false;
    json::array out;
    if (const json::array* values = array_at(given, "arrayValues"))
      for (const json::value& value : *values) {
        const json::object* inner = value.if_object();
        if (inner == nullptr) return fail(Errc::invalid_argument, "An element of arrayValues is no object");
        SERIN_TRY(json::value next, whole(*inner, element));
        out.push_back(std::move(next));
      }
    return out;
  }
  if (type.kind != sql::Kind::structure) {
    SERIN_TRY(const Cell cell, scalar(given, type));
    return as_json(cell);
  }
  json::array out;
  const json::object* values = object_at(given, "structValues");
  for (const sql::Column& field : type.fields) {
    const json::object* inner = values == nullptr ? nullptr : object_at(*values, field.name);
    SERIN_TRY(json::value next, whole(inner == nullptr ? json::object() : *inner, field.type));
    out.push_back(std::move(next));
  }
  return out;
}

}  // namespace

Result<QueryParameters> parameters_of(const json::object& query) {
  QueryParameters out;
  const json::array* list = array_at(query, "queryParameters");
  if (list == nullptr) return out;
  const bool named = equal_ignoring_case(text_at(query, "parameterMode"), "NAMED");
  for (const json::value& value : *list) {
    const json::object* parameter = value.if_object();
    const json::object* declared = parameter == nullptr ? nullptr : object_at(*parameter, "parameterType");
    if (declared == nullptr) return fail(Errc::invalid_argument, "A query parameter has no parameterType");
    SERIN_TRY(sql::Type type, type_of(*declared));
    const std::string name = text_at(*parameter, "name");
    if (named && name.empty()) return fail(Errc::invalid_argument, "A named query parameter has no name");
    const json::object* given = object_at(*parameter, "parameterValue");
    const json::object nothing;
    Cell cell;
    if (type.array || type.kind == sql::Kind::structure) {
      SERIN_TRY(const json::value inner, whole(given == nullptr ? nothing : *given, type));
      cell.value = json::serialize(inner);
    } else {
      SERIN_TRY(cell, scalar(given == nullptr ? nothing : *given, type));
    }
    out.types.push_back({name, std::move(type)});
    out.values.push_back(std::move(cell));
  }
  return out;
}

}  // namespace serin::google_emulator
