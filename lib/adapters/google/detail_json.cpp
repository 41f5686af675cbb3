#include "serin/google/detail_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>

#include "serin/base/text.hpp"

namespace serin::google {
namespace json = boost::json;

Result<json::value> parse_json(std::string_view text, std::string_view what) {
  boost::system::error_code error;
  json::parse_options options;
  options.max_depth = 64;
  json::value value = json::parse(text, error, {}, options);
  if (error) return fail(Errc::data_loss, fmt::format("{} is no JSON: {}", what, error.message()));
  return value;
}

Result<json::object> parse_object(std::string_view text, std::string_view what) {
  if (trim(text).empty()) return json::object();
  SERIN_TRY(json::value value, parse_json(text, what));
  if (!value.is_object()) return fail(Errc::data_loss, fmt::format("{} is no JSON object", what));
  return std::move(value.get_object());
}

const json::value* member(const json::object& object, std::string_view path) {
  const json::object* inside = &object;
  for (;;) {
    const std::size_t dot = path.find('.');
    const json::value* found = inside->if_contains(path.substr(0, dot));
    if (found == nullptr || found->is_null()) return nullptr;
    if (dot == std::string_view::npos) return found;
    inside = found->if_object();
    if (inside == nullptr) return nullptr;
    path.remove_prefix(dot + 1);
  }
}

std::string text_of(const json::object& object, std::string_view path) {
  const json::value* found = member(object, path);
  if (found == nullptr || !found->is_string()) return {};
  return std::string(std::string_view(found->get_string()));
}

std::optional<std::int64_t> int_of(const json::object& object, std::string_view path) {
  const json::value* found = member(object, path);
  if (found == nullptr) return std::nullopt;
  if (found->is_string()) return to_int(std::string_view(found->get_string()));
  boost::system::error_code error;
  const auto number = found->to_number<std::int64_t>(error);
  return error ? std::nullopt : std::optional(number);
}

std::optional<double> double_of(const json::object& object, std::string_view path) {
  const json::value* found = member(object, path);
  if (found == nullptr) return std::nullopt;
  if (found->is_string()) return to_double(std::string_view(found->get_string()));
  boost::system::error_code error;
  const auto number = found->to_number<double>(error);
  return error ? std::nullopt : std::optional(number);
}

bool flag_of(const json::object& object, std::string_view path) {
  const json::value* found = member(object, path);
  return found != nullptr && found->is_bool() && found->get_bool();
}

const json::object* object_of(const json::object& object, std::string_view path) {
  const json::value* found = member(object, path);
  return found == nullptr ? nullptr : found->if_object();
}

const json::array& array_of(const json::object& object, std::string_view path) {
  static const json::array none;
  const json::value* found = member(object, path);
  return found == nullptr || !found->is_array() ? none : found->get_array();
}

std::optional<WallTime> time_of(const json::object& object, std::string_view path) {
  const Result<WallTime> time = parse_rfc3339(text_of(object, path));
  return time ? std::optional(*time) : std::nullopt;
}

std::optional<Duration> parse_proto_duration(std::string_view text) {
  constexpr Duration longest = std::chrono::days(1);
  if (!text.ends_with('s')) return std::nullopt;
  text.remove_suffix(1);
  // Digits and one point only: what a number's reader takes besides ("inf", "1e9") is no duration.
  const bool is_plain = text.find_first_not_of("0123456789.") == std::string_view::npos;
  const std::optional<double> seconds = is_plain ? to_double(text) : std::nullopt;
  if (!seconds) return std::nullopt;
  return std::min(longest, duration_of_seconds(*seconds));
}

}  // namespace serin::google
