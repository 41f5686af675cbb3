#include "values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "serin/base/text.hpp"
#include "serin/google/detail_json.hpp"

namespace serin::firestore {
namespace {

namespace json = boost::json;

constexpr int deepest = 20;
constexpr std::int64_t micros_per_second = 1'000'000;

bool is_reserved(std::string_view name) { return name.size() >= 4 && name.starts_with("__") && name.ends_with("__"); }

std::optional<json::object> fields_at(const json::object& content, int depth);

std::optional<json::object> value_at(const json::value& value, int depth, bool in_list) {
  switch (value.kind()) {
    case json::kind::null: return json::object{{"nullValue", nullptr}};
    case json::kind::bool_: return json::object{{"booleanValue", value.get_bool()}};
    case json::kind::int64: return json::object{{"integerValue", std::to_string(value.get_int64())}};
    case json::kind::uint64: return std::nullopt;  // Boost.JSON's kind for what is above 2^63 - 1
    case json::kind::double_: return json::object{{"doubleValue", value.get_double()}};
    case json::kind::string: return json::object{{"stringValue", value.get_string()}};
    case json::kind::array: {
      if (in_list || depth > deepest) return std::nullopt;
      json::array values;
      for (const json::value& item : value.get_array()) {
        auto made = value_at(item, depth + 1, true);
        if (!made) return std::nullopt;
        values.push_back(*std::move(made));
      }
      return json::object{{"arrayValue", json::object{{"values", std::move(values)}}}};
    }
    case json::kind::object: {
      auto fields = fields_at(value.get_object(), depth + 1);
      if (!fields) return std::nullopt;
      return json::object{{"mapValue", json::object{{"fields", *std::move(fields)}}}};
    }
  }
  return std::nullopt;
}

std::optional<json::object> fields_at(const json::object& content, int depth) {
  if (depth > deepest) return std::nullopt;
  json::object fields;
  for (const auto& [name, value] : content) {
    if (name.empty() || is_reserved(name)) return std::nullopt;
    auto made = value_at(value, depth, false);
    if (!made) return std::nullopt;
    fields[name] = *std::move(made);
  }
  return fields;
}

Result<json::value> plain_of(const json::object& value, int depth);

Result<json::value> list_of(const json::object& value, int depth) {
  json::array out;
  for (const json::value& item : google::array_of(value, "arrayValue.values")) {
    if (!item.is_object()) return fail(Errc::data_loss, "an item of a Firestore list is no value");
    SERIN_TRY(json::value plain, plain_of(item.get_object(), depth + 1));
    out.push_back(std::move(plain));
  }
  return json::value(std::move(out));
}

Result<json::object> map_of(const json::object& fields, int depth) {
  json::object out;
  for (const auto& [name, value] : fields) {
    if (!value.is_object())
      return fail(Errc::data_loss, fmt::format("field {} of Firestore is no value", std::string_view(name)));
    SERIN_TRY(out[name], plain_of(value.get_object(), depth + 1));
  }
  return out;
}

Result<json::value> plain_of(const json::object& value, int depth) {
  if (depth > 2 * deepest) return fail(Errc::data_loss, "a Firestore value is deeper than Firestore allows");
  if (value.size() != 1) return fail(Errc::data_loss, "a Firestore value has not one kind");
  const std::string_view kind = value.begin()->key();
  const json::value& content = value.begin()->value();
  if (kind == "nullValue") return json::value(nullptr);
  if (kind == "booleanValue" && content.is_bool()) return content;
  if (kind == "integerValue") {
    const auto number = google::int_of(value, kind);
    if (!number) return fail(Errc::data_loss, "a whole number of Firestore that is none");
    return json::value(*number);
  }
  // As text: NaN and the infinities, which JSON has no number for.
  if (kind == "doubleValue" && (content.is_number() || content.is_string()))
    return content.is_number() ? json::value(content.to_number<double>()) : content;
  if (kind == "arrayValue") return list_of(value, depth);
  if (kind == "mapValue") {
    const json::object* fields = google::object_of(value, "mapValue.fields");
    SERIN_TRY(json::object map, fields == nullptr ? json::object() : map_of(*fields, depth));
    return json::value(std::move(map));
  }
  if (kind == "geoPointValue" && content.is_object()) return content;
  for (const std::string_view text : {"stringValue", "timestampValue", "bytesValue", "referenceValue"})
    if (kind == text && content.is_string()) return content;
  return fail(Errc::data_loss, fmt::format("a Firestore value of kind {} that is not read here", kind));
}

}  // namespace

std::optional<json::object> fields_of(const json::object& content) { return fields_at(content, 1); }

Result<json::object> content_of(const json::object& fields) { return map_of(fields, 0); }

std::string segment_of(std::string_view id) {
  if (id == ".") return "%2E";
  if (id == "..") return "%2E.";
  std::string out;
  for (const char c : id) out += c == '/' ? "%2F" : c == '%' ? "%25" : std::string(1, c);
  return is_reserved(out) ? "%5F" + out.substr(1) : out;
}

std::string id_of(std::string_view segment) { return percent_decode(segment, false); }

Result<std::int64_t> micros_of(std::string_view time) {
  const auto parsed = parse_rfc3339(time);
  if (!parsed) return fail(Errc::data_loss, fmt::format("'{}' is no time of Firestore", time));
  const auto nanoseconds = std::chrono::nanoseconds(parsed->time_since_epoch()).count();
  if (nanoseconds % 1000 != 0) return fail(Errc::data_loss, fmt::format("'{}' has nanoseconds", time));
  return nanoseconds / 1000;
}

std::string time_of_micros(std::int64_t micros) {
  const std::int64_t fraction = ((micros % micros_per_second) + micros_per_second) % micros_per_second;
  const WallTime second = wall_of_unix_ms((micros - fraction) / 1000);
  const std::string text = format_rfc3339(second);  // "...:00.000Z"
  return fmt::format("{}.{:06}Z", text.substr(0, text.find('.')), fraction);
}

}  // namespace serin::firestore
