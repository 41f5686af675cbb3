#include <fmt/format.h>

#include <array>

#include "emitter.hpp"
#include "serin/base/text.hpp"

namespace serin::google_sql {
namespace {

bool is_time(Kind kind) { return kind == Kind::date || kind == Kind::datetime || kind == Kind::timestamp; }
bool is_number(Kind kind) { return kind == Kind::int64 || kind == Kind::float64 || kind == Kind::numeric; }

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

std::optional<Kind> kind_of_prefix(std::string_view function) {
  if (function.starts_with("DATE_")) return Kind::date;
  if (function.starts_with("DATETIME_")) return Kind::datetime;
  if (function.starts_with("TIMESTAMP_")) return Kind::timestamp;
  return std::nullopt;
}

/// {0}, {,2}, {*}, {|} and {k0} of the table of functions.
std::string filled(std::string_view form, const std::vector<Text>& parts) {
  const auto joined = [&parts](std::string_view between) {
    std::string out;
    for (const Text& part : parts) out += (out.empty() ? "" : std::string(between)) + part.sql;
    return out;
  };
  std::string out;
  for (std::size_t i = 0; i < form.size(); ++i) {
    if (form[i] != '{') {
      out += form[i];
      continue;
    }
    const std::size_t end = form.find('}', i);
    const std::string_view hole = form.substr(i + 1, end - i - 1);
    i = end;
    if (hole == "*") {
      out += joined(", ");
    } else if (hole == "|") {
      out += joined(" || ");
    } else {
      const auto number = static_cast<std::size_t>(hole.back() - '0');
      if (hole.front() == 'k') {
        out += fmt::format("'{}'", kind_name(parts[number].type.kind));
      } else if (hole.front() != ',') {
        out += parts[number].sql;
      } else if (number < parts.size()) {
        out += ", " + parts[number].sql;
      }
    }
  }
  return out;
}

}  // namespace

Result<Text> Emitter::call(const Expression& node, const Scope& scope) {
  if (node.text.starts_with("SAFE.")) return unsupported(node.offset, "The prefix SAFE.");
  bool handled = true;
  SERIN_TRY(Text special, special_call(node, scope, handled));
  if (handled) return special;
  const Function* function = find_function(node.text);
  if (function == nullptr) return unsupported(node.offset, fmt::format("The function {}", node.text));
  return table_call(*function, node, scope);
}

Result<Text> Emitter::special_call(const Expression& node, const Scope& scope, bool& handled) {
  const std::string& name = node.text;
  if (name.starts_with("CURRENT_")) return current(node);
  if (name == "DATE" || name == "TIMESTAMP" || name == "DATETIME") return make_time(node, scope);
  if (const auto kind = kind_of_prefix(name)) {
    if (name.ends_with("_ADD") || name.ends_with("_SUB")) return shift(node, scope, *kind);
    if (name.ends_with("_DIFF")) return difference(node, scope, *kind);
    if (name.ends_with("_TRUNC")) return truncate(node, scope, *kind);
  }
  handled = false;
  return Text{};
}

/// The time zone, if one is named, is UTC: the only one that this emulator has.
Status Emitter::only_utc(const Expression& node) const {
  if (node.kind == Expression::Kind::literal && (node.text == "UTC" || node.text == "+00:00")) return {};
  return unsupported(node.offset, "A time zone other than 'UTC'");
}

Result<Text> Emitter::current(const Expression& node) const {
  const std::string name = node.kind == Expression::Kind::call ? node.text : upper(node.path.back());
  if (!node.arguments.empty()) SERIN_CHECK(only_utc(*node.arguments[0]));
  const std::int64_t micros = std::chrono::floor<std::chrono::microseconds>(options_.now.time_since_epoch()).count();
  if (name == "CURRENT_TIMESTAMP") return Text{std::to_string(micros), {.kind = Kind::timestamp}};
  for (const auto& [word, kind] :
       {std::pair{"CURRENT_DATE", Kind::date}, std::pair{"CURRENT_DATETIME", Kind::datetime}})
    if (name == word)
      return Text{fmt::format("bq_cast('TIMESTAMP', '{}', {}, 0)", kind_name(kind), micros), {.kind = kind}};
  return unsupported(node.offset, name);
}

/// DATE(...), TIMESTAMP(...) and DATETIME(...)
Result<Text> Emitter::make_time(const Expression& node, const Scope& scope) {
  const Kind kind = *kind_of(node.text);
  std::vector<Text> parts;
  for (const ExpressionPtr& argument : node.arguments) {
    SERIN_TRY(Text part, expression(*argument, scope));
    parts.push_back(std::move(part));
  }
  if (kind == Kind::date && parts.size() == 3) {
    for (const Text& part : parts)
      if (!part.type.is(Kind::int64) && part.type.kind != Kind::null)
        return wrong(node.offset, "No matching signature for function DATE: year, month and day are INT64");
    return Text{fmt::format("bq_make_date({}, {}, {})", parts[0].sql, parts[1].sql, parts[2].sql), {.kind = kind}};
  }
  if (parts.size() == 2) SERIN_CHECK(only_utc(*node.arguments[1]));
  if (parts.empty() || parts.size() > 2)
    return unsupported(node.offset, fmt::format("{} with {} arguments", node.text, parts.size()));
  const Type& from = parts[0].type;
  if (from.kind == Kind::null) return Text{"NULL", {.kind = kind}};
  if (from.array || (!is_time(from.kind) && from.kind != Kind::string))
    return wrong(node.offset, fmt::format("No matching signature for function {} for argument types: {}", node.text,
                                          type_name(from)));
  return Text{fmt::format("bq_cast('{}', '{}', {}, 0)", kind_name(from.kind), kind_name(kind), parts[0].sql),
              {.kind = kind}};
}

Result<Text> Emitter::shift(const Expression& node, const Scope& scope, Kind kind) {
  if (node.arguments.size() != 2 || node.arguments[1]->kind != Expression::Kind::interval)
    return wrong(node.offset, fmt::format("{} takes a value and an INTERVAL", node.text));
  SERIN_TRY(const Text value, expression(*node.arguments[0], scope));
  const auto fits = coerced(value, {.kind = kind});
  const Expression& interval = *node.arguments[1];
  SERIN_TRY(const Text amount, expression(*interval.arguments[0], scope));
  if (!fits || (!amount.type.is(Kind::int64) && amount.type.kind != Kind::null))
    return wrong(node.offset, fmt::format("No matching signature for function {} for argument types: {}, INTERVAL {}",
                                          node.text, type_name(value.type), type_name(amount.type)));
  return Text{fmt::format("bq_add('{}', {}, {}({}), '{}')", kind_name(kind), fits->sql,
                          node.text.ends_with("_SUB") ? "-" : "", amount.sql, interval.text),
              {.kind = kind}};
}

Result<Text> Emitter::difference(const Expression& node, const Scope& scope, Kind kind) {
  if (node.arguments.size() != 3 || node.arguments[2]->kind != Expression::Kind::column)
    return wrong(node.offset, fmt::format("{} takes two values and a date part", node.text));
  SERIN_TRY(const Text first, expression(*node.arguments[0], scope));
  SERIN_TRY(const Text second, expression(*node.arguments[1], scope));
  const auto a = coerced(first, {.kind = kind});
  const auto b = coerced(second, {.kind = kind});
  if (!a || !b)
    return wrong(node.offset, fmt::format("No matching signature for function {} for argument types: {}, {}, DATE_PART",
                                          node.text, type_name(first.type), type_name(second.type)));
  return Text{fmt::format("bq_diff('{}', {}, {}, '{}')", kind_name(kind), a->sql, b->sql,
                          upper(node.arguments[2]->path.back())),
              {.kind = Kind::int64}};
}

Result<Text> Emitter::truncate(const Expression& node, const Scope& scope, Kind kind) {
  if (node.arguments.size() < 2 || node.arguments[1]->kind != Expression::Kind::column)
    return wrong(node.offset, fmt::format("{} takes a value and a date part", node.text));
  if (node.arguments.size() > 2) SERIN_CHECK(only_utc(*node.arguments[2]));
  SERIN_TRY(const Text value, expression(*node.arguments[0], scope));
  const auto fits = coerced(value, {.kind = kind});
  if (!fits)
    return wrong(node.offset, fmt::format("No matching signature for function {} for argument types: {}, DATE_PART",
                                          node.text, type_name(value.type)));
  return Text{
      fmt::format("bq_trunc('{}', {}, '{}')", kind_name(kind), fits->sql, upper(node.arguments[1]->path.back())),
      {.kind = kind}};
}

Result<Text> Emitter::extract(const Expression& node, const Scope& scope) {
  SERIN_TRY(const Text value, expression(*node.arguments[0], scope));
  if (value.type.array || (!is_time(value.type.kind) && value.type.kind != Kind::null))
    return wrong(node.offset, fmt::format("EXTRACT does not support values of type {}", type_name(value.type)));
  const Kind kind = node.text == "DATE" ? Kind::date : node.text == "DATETIME" ? Kind::datetime : Kind::int64;
  if (value.type.kind == Kind::null) return Text{"NULL", {.kind = kind}};
  if (kind != Kind::int64)
    return Text{fmt::format("bq_cast('{}', '{}', {}, 0)", kind_name(value.type.kind), kind_name(kind), value.sql),
                {.kind = kind}};
  return Text{fmt::format("bq_extract('{}', {}, '{}')", kind_name(value.type.kind), value.sql, node.text),
              {.kind = kind}};
}

/// Checked and converted as the table says. \param all  the type that all As have
Result<std::vector<Text>> Emitter::arguments(const Function& function, const Expression& node, const Scope& scope,
                                             Type& all) {
  std::vector<Text> parts;
  std::string types;
  for (const ExpressionPtr& argument : node.arguments) {
    SERIN_TRY(Text part, argument->kind == Expression::Kind::star ? Result<Text>(Text{"*", {.kind = Kind::int64}})
                                                                  : expression(*argument, scope));
    types += (types.empty() ? "" : ", ") + type_name(part.type);
    parts.push_back(std::move(part));
  }
  const auto refuse = [&] {
    return wrong(node.offset,
                 fmt::format("No matching signature for function {} for argument types: {}", node.text, types));
  };
  std::vector<Text*> alike;
  std::size_t taken = 0;
  bool optional = false;
  const std::string_view letters = function.arguments;
  for (std::size_t i = 0; i < letters.size(); ++i) {
    if (letters[i] == '|') {
      optional = true;
      continue;
    }
    char letter = letters[i];
    const bool repeats = letter == '*';
    if (repeats) letter = letters[i - 1];
    do {
      if (taken == parts.size()) {
        if (!optional && !repeats) return refuse();
        break;
      }
      Text& part = parts[taken++];
      const auto as = [&](Kind kind) {
        const auto fits = coerced(part, {.kind = kind});
        if (fits) part = *fits;
        return fits.has_value();
      };
      bool good = true;
      const Kind kind = part.type.kind;
      const bool none = kind == Kind::null && !part.type.array;
      switch (letter) {
        case 'n': good = none || (!part.type.array && is_number(kind)); break;
        case 'i': good = as(Kind::int64); break;
        case 'f': good = as(Kind::float64); break;
        case 's': good = as(Kind::string); break;
        case 'S': good = none || part.type.is(Kind::string) || part.type.is(Kind::bytes); break;
        case 'b': good = as(Kind::boolean); break;
        case 'd': good = as(Kind::date); break;
        case 't': good = as(Kind::timestamp); break;
        case 'e': good = as(Kind::datetime); break;
        case 'T': good = none || (!part.type.array && is_time(kind)); break;
        case 'y': good = part.type.array; break;
        case 'A': alike.push_back(&part); break;
        default: break;
      }
      if (!good) return refuse();
    } while (repeats);
  }
  if (taken != parts.size()) return refuse();
  if (!alike.empty()) {
    SERIN_TRY(all, unify(alike, node.offset, "function " + node.text));
  }
  return parts;
}

Result<Text> Emitter::table_call(const Function& function, const Expression& node, const Scope& scope) {
  const bool windowed = node.window != nullptr;
  const bool aggregate = function.use == Function::Use::aggregate;
  if (function.use == Function::Use::scalar && windowed)
    return wrong(node.offset, fmt::format("Function {} does not support an OVER clause", node.text));
  if (function.use == Function::Use::window && !windowed)
    return wrong(node.offset, fmt::format("Analytic function {} cannot be called without an OVER clause", node.text));
  if (windowed && !scope.windows)
    return wrong(node.offset, fmt::format("Analytic function {} not allowed here", node.text));
  if (aggregate && !windowed && !scope.aggregates)
    return wrong(node.offset, fmt::format("Aggregate function {} not allowed here", node.text));
  if (!node.order.empty()) return unsupported(node.offset, "ORDER BY inside of an aggregate");
  if (node.distinct && !aggregate)
    return wrong(node.offset, fmt::format("Function {} does not support DISTINCT", node.text));
  if (node.distinct && (windowed || node.arguments.size() != 1 || function.name == "COUNTIF"))
    return unsupported(node.offset, "DISTINCT in this aggregate");

  Scope inner = scope;
  Grouping* const grouping = scope.grouping;
  if (aggregate && !windowed) {
    inner.aggregates = false;
    inner.windows = false;
    if (grouping != nullptr) ++grouping->inside;
  }
  Type all;
  auto parts = arguments(function, node, inner, all);
  if (aggregate && !windowed && grouping != nullptr) --grouping->inside;
  if (!parts) return pass(parts.error());

  Type type;
  switch (function.result) {
    case 'i': type.kind = Kind::int64; break;
    case 'f': type.kind = Kind::float64; break;
    case 's': type.kind = Kind::string; break;
    case 'b': type.kind = Kind::boolean; break;
    case 'd': type.kind = Kind::date; break;
    case 't': type.kind = Kind::timestamp; break;
    case 'e': type.kind = Kind::datetime; break;
    case 'A': type = all; break;
    case 'y':
      type = (*parts)[0].type;
      if (type.array || type.kind == Kind::structure || type.kind == Kind::bytes)
        return unsupported(node.offset, fmt::format("{} of arrays, structs and BYTES", node.text));
      type.array = true;
      break;
    default: type = (*parts)[0].type; break;
  }
  if (node.distinct) (*parts)[0].sql = "DISTINCT " + (*parts)[0].sql;
  std::string sql = filled(function.sql, *parts);
  if (windowed) {
    SERIN_TRY(const std::string window, over(*node.window, scope));
    sql += window;
  }
  return Text{std::move(sql), std::move(type)};
}

Result<std::string> Emitter::over(const Window& window, const Scope& scope) {
  Scope inner = scope;
  inner.windows = false;
  std::string out;
  for (const ExpressionPtr& key : window.partition) {
    SERIN_TRY(const Text text, expression(*key, inner));
    out += (out.empty() ? "PARTITION BY " : ", ") + text.sql;
  }
  if (!window.order.empty()) {
    SERIN_TRY(const std::string terms, order(window.order, inner));
    out += (out.empty() ? "" : " ") + terms;
  }
  if (!window.frame.empty()) out += " " + window.frame;
  return " OVER (" + out + ")";
}

}  // namespace serin::google_sql
