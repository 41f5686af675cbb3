#include "values.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cmath>
#include <limits>

#include "serin/base/text.hpp"

namespace serin::bigquery {
namespace {

namespace json = boost::json;

/// Whether it is UTF-8 without overlong forms, surrogates or NUL: what a STRING can hold, and JSON carries as it is.
bool is_text(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size();) {
    const auto lead = static_cast<unsigned char>(bytes[i]);
    if (lead == 0) return false;
    const int more = lead < 0x80 ? 0 : lead < 0xC2 ? -1 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : lead < 0xF5 ? 3 : -1;
    if (more < 0 || i + static_cast<std::size_t>(more) >= bytes.size()) return false;
    for (int k = 1; k <= more; ++k)
      if ((static_cast<unsigned char>(bytes[i + static_cast<std::size_t>(k)]) & 0xC0) != 0x80) return false;
    const auto second = more > 0 ? static_cast<unsigned char>(bytes[i + 1]) : 0;
    if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) || (lead == 0xF0 && second < 0x90) ||
        (lead == 0xF4 && second > 0x8F))
      return false;
    i += static_cast<std::size_t>(more) + 1;
  }
  return true;
}

std::string text_of_double(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return fmt::format("{}", value);  // the shortest that is exact
}

Result<double> double_of(std::string_view text) {
  if (equal_ignoring_case(text, "nan")) return std::numeric_limits<double>::quiet_NaN();
  const bool is_negative = text.starts_with('-');
  const std::string_view digits = is_negative ? text.substr(1) : text;
  if (equal_ignoring_case(digits, "inf") || equal_ignoring_case(digits, "infinity"))
    return (is_negative ? -1 : 1) * std::numeric_limits<double>::infinity();
  const auto number = to_double(text);
  if (!number) return fail(Errc::data_loss, fmt::format("'{}' is no FLOAT64", text));
  return *number;
}

Result<SqlValue> scalar_of(std::string_view text, const std::string& type) {
  if (type == "INTEGER" || type == "INT64" || type == "TIMESTAMP") {
    const auto number = to_int(text);
    if (!number) return fail(Errc::data_loss, fmt::format("'{}' is no {} of 64 bits", text, type));
    return SqlValue(*number);
  }
  if (type == "FLOAT" || type == "FLOAT64") {
    SERIN_TRY(const double number, double_of(text));
    return SqlValue(number);
  }
  if (type == "BOOLEAN" || type == "BOOL") {
    if (!equal_ignoring_case(text, "true") && !equal_ignoring_case(text, "false"))
      return fail(Errc::data_loss, fmt::format("'{}' is no BOOL", text));
    return SqlValue(std::int64_t{equal_ignoring_case(text, "true") ? 1 : 0});
  }
  if (type == "BYTES") {
    auto bytes = base64_decode(text);
    if (!bytes) return fail(Errc::data_loss, "a BYTES value that is not base64");
    return SqlValue(*std::move(bytes));
  }
  return SqlValue(std::string(text));
}

const json::value* member(const json::value& of, std::string_view key) {
  const json::object* object = of.if_object();
  return object == nullptr ? nullptr : object->if_contains(key);
}

bool is_record(const Field& field) { return field.type == "RECORD" || field.type == "STRUCT"; }

/// A cell as JSON: for records and repeated columns.
Result<json::value> json_of(const json::value& cell, const Field& field, bool inside_repeated) {
  if (cell.is_null()) return json::value(nullptr);
  if (field.is_repeated && !inside_repeated) {
    const json::array* items = cell.if_array();
    if (items == nullptr) return fail(Errc::data_loss, fmt::format("{} is no array", field.name));
    json::array out;
    for (const json::value& item : *items) {
      const json::value* value = member(item, "v");
      if (value == nullptr) return fail(Errc::data_loss, fmt::format("{} has an item without value", field.name));
      SERIN_TRY(json::value element, json_of(*value, field, true));
      out.push_back(std::move(element));
    }
    return json::value(std::move(out));
  }
  if (!is_record(field)) return cell;
  const json::value* cells = member(cell, "f");
  const json::array* items = cells == nullptr ? nullptr : cells->if_array();
  if (items == nullptr || items->size() != field.fields.size())
    return fail(Errc::data_loss, fmt::format("{} is no record of {} fields", field.name, field.fields.size()));
  json::object out;
  for (std::size_t i = 0; i < items->size(); ++i) {
    const json::value* value = member((*items)[i], "v");
    if (value == nullptr) return fail(Errc::data_loss, fmt::format("{} has a field without value", field.name));
    SERIN_TRY(json::value element, json_of(*value, field.fields[i], false));
    out[field.fields[i].name] = std::move(element);
  }
  return json::value(std::move(out));
}

Result<SqlValue> value_of(const json::value& cell, const Field& field) {
  if (cell.is_null()) return SqlValue(std::monostate());
  if (field.is_repeated || is_record(field)) {
    SERIN_TRY(const json::value value, json_of(cell, field, false));
    return SqlValue(json::serialize(value));
  }
  const json::string* text = cell.if_string();
  if (text == nullptr) return fail(Errc::data_loss, fmt::format("column {} has a cell that is no text", field.name));
  const auto value = scalar_of(std::string_view(text->data(), text->size()), field.type);
  if (!value) return pass(value.error().in("column " + field.name));
  return value;
}

}  // namespace

json::object parameter_of(std::size_t number, const SqlValue& value) {
  struct Typed {
    std::string_view type;
    std::string text;
  };
  struct Write {
    Typed operator()(std::monostate) const { return {"STRING", {}}; }
    Typed operator()(std::int64_t whole) const { return {"INT64", std::to_string(whole)}; }
    Typed operator()(double real) const { return {"FLOAT64", text_of_double(real)}; }
    Typed operator()(const std::string& text) const {
      return is_text(text) ? Typed{"STRING", text} : Typed{"BYTES", base64_encode(text)};
    }
  };
  SERIN_ASSERT(!std::holds_alternative<std::monostate>(value));
  const Typed typed = std::visit(Write(), value);
  return {{"name", fmt::format("p{}", number)},
          {"parameterType", {{"type", typed.type}}},
          {"parameterValue", {{"value", typed.text}}}};
}

Result<std::vector<Field>> fields_of(const json::value& schema) {
  const json::value* list = member(schema, "fields");
  std::vector<Field> fields;
  if (list == nullptr) return fields;  // a table or a record without columns
  if (!list->is_array()) return fail(Errc::data_loss, "a schema whose fields are no list");
  for (const json::value& item : list->as_array()) {
    const auto text = [&](std::string_view key) {
      const json::value* found = member(item, key);
      return found != nullptr && found->is_string() ? std::string(found->as_string()) : std::string();
    };
    Field field{.name = text("name"), .type = text("type"), .is_repeated = text("mode") == "REPEATED", .fields = {}};
    if (field.name.empty() || field.type.empty())
      return fail(Errc::data_loss, "a schema with a field without name or type");
    SERIN_TRY(field.fields, fields_of(item));
    fields.push_back(std::move(field));
  }
  return fields;
}

Result<SqlRow> row_of(const json::value& row, const std::vector<Field>& fields) {
  const json::value* list = member(row, "f");
  const json::array* cells = list == nullptr ? nullptr : list->if_array();
  if (cells == nullptr || cells->size() != fields.size())
    return fail(Errc::data_loss, fmt::format("a row that has not the {} cells of its schema", fields.size()));
  SqlRow values;
  values.reserve(fields.size());
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const json::value* cell = member((*cells)[i], "v");
    if (cell == nullptr)
      return fail(Errc::data_loss, fmt::format("column {} has a cell without value", fields[i].name));
    SERIN_TRY(SqlValue value, value_of(*cell, fields[i]));
    values.push_back(std::move(value));
  }
  return values;
}

}  // namespace serin::bigquery
