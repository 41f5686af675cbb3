#pragma once
#include <boost/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "serin/base/error.hpp"

// Reading JSON that somebody else wrote, strictly: a field of the wrong type is an error that names the field.
// Private to the fleet's sources; public headers show no JSON type.
namespace serin::fleet {

/// Errors: invalid_argument, unless the text is one JSON object.
Result<boost::json::object> parse_object(std::string_view text);

/// A non-empty text. Errors: invalid_argument, naming the field.
Result<std::string> required_text(const boost::json::object& object, std::string_view field);
/// Nothing when absent or null. Errors: invalid_argument, when it is something else than a text.
Result<std::optional<std::string>> optional_text(const boost::json::object& object, std::string_view field);
/// Any JSON number; nothing when absent or null.
Result<std::optional<double>> optional_number(const boost::json::object& object, std::string_view field);
Result<std::optional<std::int64_t>> optional_int(const boost::json::object& object, std::string_view field);
/// `fallback` when absent or null. Accepts true, false, and the same as texts (message attributes are texts).
Result<bool> flag_or(const boost::json::object& object, std::string_view field, bool fallback);
/// A real calendar day, "2026-01-21". Errors: invalid_argument, naming the field.
Result<std::string> required_date(const boost::json::object& object, std::string_view field);

}  // namespace serin::fleet
