#include "json.hpp"

#include <fmt/format.h>

#include "serin/base/time.hpp"

namespace serin::fleet {
namespace json = boost::json;
namespace {

const json::value* find(const json::object& object, std::string_view field) {
  const auto it = object.find(json::string_view(field.data(), field.size()));
  return it == object.end() || it->value().is_null() ? nullptr : &it->value();
}
std::unexpected<Error> wrong(std::string_view field, std::string_view expected) {
  return fail(Errc::invalid_argument, fmt::format("field '{}' must be {}", field, expected));
}

}  // namespace

Result<json::object> parse_object(std::string_view text) {
  json::error_code error;
  json::value value = json::parse(json::string_view(text.data(), text.size()), error);
  if (error) return fail(Errc::invalid_argument, "not JSON: " + error.message());
  if (!value.is_object()) return fail(Errc::invalid_argument, "not a JSON object");
  return std::move(value.get_object());
}

Result<std::string> required_text(const json::object& object, std::string_view field) {
  const json::value* value = find(object, field);
  if (value == nullptr) return fail(Errc::invalid_argument, fmt::format("field '{}' is missing", field));
  if (!value->is_string() || value->get_string().empty()) return wrong(field, "a text");
  return std::string(value->get_string().begin(), value->get_string().end());
}

Result<std::optional<std::string>> optional_text(const json::object& object, std::string_view field) {
  const json::value* value = find(object, field);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) return wrong(field, "a text");
  return std::string(value->get_string().begin(), value->get_string().end());
}

Result<std::optional<double>> optional_number(const json::object& object, std::string_view field) {
  const json::value* value = find(object, field);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number()) return wrong(field, "a number");
  return value->to_number<double>();
}

Result<std::optional<std::int64_t>> optional_int(const json::object& object, std::string_view field) {
  const json::value* value = find(object, field);
  if (value == nullptr) return std::nullopt;
  if (!value->is_int64()) return wrong(field, "a whole number");
  return value->get_int64();
}

Result<bool> flag_or(const json::object& object, std::string_view field, bool fallback) {
  const json::value* value = find(object, field);
  if (value == nullptr) return fallback;
  if (value->is_bool()) return value->get_bool();
  if (value->is_string() && value->get_string() == "true") return true;
  if (value->is_string() && value->get_string() == "false") return false;
  return wrong(field, "true or false");
}

Result<std::string> required_date(const json::object& object, std::string_view field) {
  SERIN_TRY(std::string text, required_text(object, field));
  if (auto date = parse_date(text); !date) return wrong(field, "a date like 2026-01-21, not '" + text + "'");
  return text;
}

}  // namespace serin::fleet
