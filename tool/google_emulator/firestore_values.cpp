#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>

#include "firestore.hpp"
#include "serin/base/text.hpp"

namespace serin::google_emulator {
namespace {

/// Null, booleans, numbers, timestamps, texts, bytes, references, places, arrays, maps: in this order.
int rank_of(std::string_view type) {
  constexpr std::array order{std::string_view("nullValue"),      std::string_view("booleanValue"),
                             std::string_view("integerValue"),   std::string_view("timestampValue"),
                             std::string_view("stringValue"),    std::string_view("bytesValue"),
                             std::string_view("referenceValue"), std::string_view("geoPointValue"),
                             std::string_view("arrayValue"),     std::string_view("mapValue")};
  if (type == "doubleValue") type = "integerValue";
  return static_cast<int>(std::ranges::find(order, type) - order.begin());
}

/// The only member of a value: its type and what it holds.
std::pair<std::string_view, const json::value*> content(const json::value& value) {
  static const json::value nothing;
  const json::object* object = value.if_object();
  if (object == nullptr || object->empty()) return {"nullValue", &nothing};
  const auto& [name, inner] = *object->begin();
  return {name, &inner};
}

double number_of(const json::value& value) {
  const std::string text = scalar_text(value);
  return text == "NaN" ? std::nan("") : to_double(text).value_or(0);
}

template <class T>
int sign(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

const json::array& list_of(const json::value& value) {
  static const json::array none;
  const json::object* object = value.if_object();
  const json::array* list = object == nullptr ? nullptr : array_at(*object, "values");
  return list == nullptr ? none : *list;
}

bool contains(const json::array& list, const json::value& wanted) {
  return std::ranges::any_of(list, [&](const json::value& v) { return compare_values(v, wanted) == 0; });
}

std::expected<bool, Failure> field_filter(const json::object& document, const json::object& filter) {
  const json::object* field = object_at(filter, "field");
  const json::object* fields = object_at(document, "fields");
  const std::string path = field == nullptr ? "" : text_at(*field, "fieldPath");
  json::value name;
  const json::value* found = nullptr;
  if (path == "__name__") {
    name = json::object{{"referenceValue", text_at(document, "name")}};
    found = &name;
  } else if (fields != nullptr) {
    found = find_field(*fields, field_path(path));
  }
  if (found == nullptr) return false;
  const json::value* given = filter.if_contains("value");
  const json::value wanted = given == nullptr ? json::value() : *given;
  const std::string op = text_at(filter, "op");
  const auto [type, inner] = content(*found);
  const bool comparable = rank_of(type) == rank_of(content(wanted).first);
  const int order = compare_values(*found, wanted);
  if (op == "EQUAL" || op == "5") return order == 0;
  if (op == "NOT_EQUAL" || op == "6") return order != 0 && type != "nullValue";
  if (op == "LESS_THAN" || op == "1") return comparable && order < 0;
  if (op == "LESS_THAN_OR_EQUAL" || op == "2") return comparable && order <= 0;
  if (op == "GREATER_THAN" || op == "3") return comparable && order > 0;
  if (op == "GREATER_THAN_OR_EQUAL" || op == "4") return comparable && order >= 0;
  if (op == "ARRAY_CONTAINS" || op == "7") return type == "arrayValue" && contains(list_of(*inner), wanted);
  if (op == "IN" || op == "8") return contains(list_of(*content(wanted).second), *found);
  if (op == "NOT_IN" || op == "10") return type != "nullValue" && !contains(list_of(*content(wanted).second), *found);
  if (op == "ARRAY_CONTAINS_ANY" || op == "9")
    return type == "arrayValue" && std::ranges::any_of(list_of(*content(wanted).second), [&](const json::value& v) {
             return contains(list_of(*inner), v);
           });
  return bad(fmt::format("Invalid filter operator: {}", op));
}

}  // namespace

std::vector<std::string> field_path(std::string_view text) {
  std::vector<std::string> out(1);
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '`') {
      quoted = !quoted;
    } else if (c == '\\' && quoted && i + 1 < text.size()) {
      out.back() += text[++i];
    } else if (c == '.' && !quoted) {
      out.emplace_back();
    } else {
      out.back() += c;
    }
  }
  return out;
}

const json::value* find_field(const json::object& fields, const std::vector<std::string>& path) {
  const json::object* at = &fields;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const json::value* found = at->if_contains(path[i]);
    if (found == nullptr || i + 1 == path.size()) return found;
    const json::object* value = found->if_object();
    const json::object* map = value == nullptr ? nullptr : object_at(*value, "mapValue");
    at = map == nullptr ? nullptr : object_at(*map, "fields");
    if (at == nullptr) return nullptr;
  }
  return nullptr;
}

void set_field(json::object& fields, const std::vector<std::string>& path, const json::value* value) {
  json::object* at = &fields;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    json::value& next = (*at)[path[i]];
    if (!next.is_object() || !next.get_object().contains("mapValue"))
      next = json::object{{"mapValue", json::object{{"fields", json::object()}}}};
    at = &make_object(make_object(next.get_object(), "mapValue"), "fields");
  }
  if (value == nullptr) {
    at->erase(path.back());
  } else {
    (*at)[path.back()] = *value;
  }
}

int compare_values(const json::value& a, const json::value& b) {
  const auto [type, x] = content(a);
  const auto [other, y] = content(b);
  if (const int ranks = sign(rank_of(type), rank_of(other)); ranks != 0) return ranks;
  if (type == "nullValue") return 0;
  if (type == "integerValue" && other == "integerValue")
    return sign(to_int(scalar_text(*x)).value_or(0), to_int(scalar_text(*y)).value_or(0));
  if (type == "integerValue" || type == "doubleValue") return sign(number_of(*x), number_of(*y));
  if (type == "timestampValue") {
    const auto first = parse_rfc3339(scalar_text(*x));
    const auto second = parse_rfc3339(scalar_text(*y));
    if (first && second) return sign(*first, *second);
  }
  if (type == "arrayValue") {
    const json::array& left = list_of(*x);
    const json::array& right = list_of(*y);
    for (std::size_t i = 0; i < left.size() && i < right.size(); ++i)
      if (const int order = compare_values(left[i], right[i]); order != 0) return order;
    return sign(left.size(), right.size());
  }
  if (type == "mapValue") return sign(json::serialize(*x), json::serialize(*y));
  return sign(scalar_text(*x), scalar_text(*y));
}

std::expected<bool, Failure> passes(const json::object& document, const json::object& filter) {
  if (const json::object* field = object_at(filter, "fieldFilter")) return field_filter(document, *field);
  if (const json::object* unary = object_at(filter, "unaryFilter")) {
    const json::object* field = object_at(*unary, "field");
    const json::object* fields = object_at(document, "fields");
    const json::value* found =
        field == nullptr || fields == nullptr ? nullptr : find_field(*fields, field_path(text_at(*field, "fieldPath")));
    if (found == nullptr) return false;
    const auto [type, inner] = content(*found);
    const bool is_nan = type == "doubleValue" && std::isnan(number_of(*inner));
    const std::string op = text_at(*unary, "op");
    if (op == "IS_NULL" || op == "3") return type == "nullValue";
    if (op == "IS_NOT_NULL" || op == "5") return type != "nullValue";
    if (op == "IS_NAN" || op == "2") return is_nan;
    if (op == "IS_NOT_NAN" || op == "4") return !is_nan;
    return bad(fmt::format("Invalid filter operator: {}", op));
  }
  if (const json::object* composite = object_at(filter, "compositeFilter")) {
    const std::string op = text_at(*composite, "op");
    const bool any = op == "OR" || op == "2";
    if (const json::array* filters = array_at(*composite, "filters"))
      for (const json::value& value : *filters) {
        const json::object* inner = value.if_object();
        if (inner == nullptr) return bad("A filter is no object");
        auto one = passes(document, *inner);
        if (!one) return one;
        if (*one == any) return any;
      }
    return !any;
  }
  return bad("A filter is neither a fieldFilter, a unaryFilter nor a compositeFilter");
}

json::value sum_of_values(const json::value& a, const json::value& b) {
  const auto [type, x] = content(a);
  const auto [other, y] = content(b);
  const bool left = type == "integerValue" || type == "doubleValue";
  if (!left) return b;  // what is no number counts as nothing
  if (type == "integerValue" && other == "integerValue") {
    std::int64_t sum = 0;
    if (__builtin_add_overflow(to_int(scalar_text(*x)).value_or(0), to_int(scalar_text(*y)).value_or(0), &sum))
      sum = to_int(scalar_text(*x)).value_or(0) > 0 ? INT64_MAX : INT64_MIN;
    return json::object{{"integerValue", std::to_string(sum)}};
  }
  return json::object{{"doubleValue", number_of(*x) + number_of(*y)}};
}

}  // namespace serin::google_emulator
