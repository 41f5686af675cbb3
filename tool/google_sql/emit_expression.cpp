#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "emitter.hpp"
#include "runtime.hpp"
#include "serin/base/text.hpp"
#include "token.hpp"

namespace serin::google_sql {
namespace {

constexpr std::size_t most_expressions = 2'000'000;   // of a statement, each time that one is written
constexpr std::size_t largest_expression = 4u << 20;  // bytes

bool is_number(Kind kind) { return kind == Kind::int64 || kind == Kind::float64 || kind == Kind::numeric; }
bool is_time(Kind kind) { return kind == Kind::date || kind == Kind::datetime || kind == Kind::timestamp; }
Text boolean(std::string sql) { return {std::move(sql), {.kind = Kind::boolean}}; }

bool same(const Type& a, const Type& b) {
  if (a.kind != b.kind || a.array != b.array || a.fields.size() != b.fields.size()) return false;
  for (std::size_t i = 0; i < a.fields.size(); ++i)
    if (!same(a.fields[i].type, b.fields[i].type)) return false;
  return true;
}

}  // namespace

std::unexpected<Error> Emitter::wrong(std::size_t offset, std::string_view what) const {
  return fail(Errc::invalid_argument, fmt::format("{} at {}", what, place_of(text_, offset)));
}

std::unexpected<Error> Emitter::unsupported(std::size_t offset, std::string_view what) const {
  return fail(Errc::unsupported,
              fmt::format("{} is not supported by this emulator, at {}", what, place_of(text_, offset)));
}

/// With the bookkeeping of GROUP BY: an expression that is grouped may use any column inside.
Result<Text> Emitter::expression(const Expression& node, const Scope& scope) {
  Grouping* const grouping = scope.grouping;
  const std::string stray = grouping == nullptr ? "" : grouping->stray;
  if (++expressions_ > most_expressions) return wrong(node.offset, "The query is too complex");
  SERIN_TRY(Text out, emit(node, scope));
  // Some functions name an argument twice: inside of each other they would grow without end.
  if (out.sql.size() > largest_expression) return wrong(node.offset, "The expression is too large");
  if (grouping != nullptr && grouping->keys.contains(out.sql)) grouping->stray = stray;
  return out;
}

Result<Text> Emitter::emit(const Expression& node, const Scope& scope) {
  switch (node.kind) {
    case Expression::Kind::literal: return literal_of(node);
    case Expression::Kind::null: return Text{"NULL", {}};
    case Expression::Kind::column: return column(node, scope);
    case Expression::Kind::parameter: return parameter(node);
    case Expression::Kind::unary: return unary(node, scope);
    case Expression::Kind::binary: return binary(node, scope);
    case Expression::Kind::is: {
      SERIN_TRY(Text value, expression(*node.arguments[0], scope));
      if (node.arguments.size() == 1) return boolean(fmt::format("({} {})", value.sql, node.text));
      SERIN_TRY(Text other, expression(*node.arguments[1], scope));
      SERIN_CHECK(unify({&value, &other}, node.offset, "operator IS DISTINCT FROM"));
      return boolean(fmt::format("({} {} {})", value.sql, node.text, other.sql));
    }
    case Expression::Kind::between: {
      SERIN_TRY(Text value, expression(*node.arguments[0], scope));
      SERIN_TRY(Text low, expression(*node.arguments[1], scope));
      SERIN_TRY(Text high, expression(*node.arguments[2], scope));
      SERIN_CHECK(unify({&value, &low, &high}, node.offset, "operator BETWEEN"));
      return boolean(fmt::format("({} {}BETWEEN {} AND {})", value.sql, node.flag ? "NOT " : "", low.sql, high.sql));
    }
    case Expression::Kind::in_list:
    case Expression::Kind::in_query:
    case Expression::Kind::in_unnest: return membership(node, scope);
    case Expression::Kind::exists: {
      SERIN_TRY(const Relation inner, query(*node.query, &scope));
      return boolean(fmt::format("EXISTS ({})", inner.sql));
    }
    case Expression::Kind::scalar: {
      SERIN_TRY(const Relation inner, query(*node.query, &scope));
      if (inner.columns.size() != 1)
        return wrong(node.offset, "Scalar subquery cannot have more than one column unless using SELECT AS STRUCT");
      return Text{fmt::format("({})", inner.sql), inner.columns[0].type};
    }
    case Expression::Kind::call: return call(node, scope);
    case Expression::Kind::cast: return cast(node, scope);
    case Expression::Kind::when: return when(node, scope);
    case Expression::Kind::array: return array(node, scope);
    case Expression::Kind::structure: return structure(node, scope);
    case Expression::Kind::extract: return extract(node, scope);
    case Expression::Kind::interval: return unsupported(node.offset, "INTERVAL outside of date arithmetic");
    case Expression::Kind::star: return wrong(node.offset, "* is only allowed in COUNT(*)");
  }
  return wrong(node.offset, "Unknown expression");
}

Result<Text> Emitter::literal_of(const Expression& node) const {
  Text out{node.text, node.type, true};
  switch (node.type.kind) {
    case Kind::string: out.sql = google_sql::literal(node.text); break;
    case Kind::bytes: {
      out.sql = "X'";
      for (const char c : node.text) out.sql += fmt::format("{:02X}", static_cast<unsigned char>(c));
      out.sql += "'";
      break;
    }
    case Kind::int64:
      if (node.text.starts_with("0x")) {
        if (node.text.size() > 18) return wrong(node.offset, fmt::format("Invalid integer literal: {}", node.text));
      } else if (!to_int(node.text)) {
        return wrong(node.offset, fmt::format("Invalid integer literal: {}", node.text));
      }
      break;
    case Kind::float64:
      if (node.text.find_first_of("eE.") == std::string::npos) out.sql += ".0";
      break;
    default: break;
  }
  return out;
}

Result<Text> Emitter::column_of(const ScopeSource& source, const ScopeColumn& column, const Expression& node,
                                const Scope& scope, bool is_local) {
  if (source.read >= 0) {
    std::vector<Column>& read = reads_[static_cast<std::size_t>(source.read)].columns;
    if (std::ranges::find(read, column.name, &Column::name) == read.end())
      read.push_back({.name = column.name, .type = column.type});
  }
  Grouping* const grouping = scope.grouping;
  if (is_local && grouping != nullptr && grouping->active && grouping->inside == 0 &&
      !grouping->keys.contains(column.sql) && grouping->stray.empty())
    grouping->stray = fmt::format("references column {} which is neither grouped nor aggregated at {}", column.name,
                                  place_of(text_, node.offset));
  return Text{column.sql, column.type};
}

Result<Text> Emitter::column(const Expression& node, const Scope& scope) {
  const std::string& last = node.path.back();
  if (node.path.size() > 2) return unsupported(node.offset, "Access to fields of a column");
  for (const Scope* at = &scope; at != nullptr; at = at->outer) {
    const bool is_local = at == &scope;
    const auto alias = [&]() -> const ScopeColumn* {
      if (node.path.size() != 1 || at->aliases == nullptr) return nullptr;
      for (const ScopeColumn& known : *at->aliases)
        if (equal_ignoring_case(known.name, last)) return &known;
      return nullptr;
    };
    if (at->aliases_first)
      if (const ScopeColumn* known = alias()) return Text{known->sql, known->type};
    const ScopeSource* found_in = nullptr;
    const ScopeColumn* found = nullptr;
    for (const ScopeSource& source : at->sources) {
      if (node.path.size() == 2 && !equal_ignoring_case(source.alias, node.path.front())) continue;
      for (const ScopeColumn& candidate : source.columns) {
        if (!equal_ignoring_case(candidate.name, last)) continue;
        const bool shared =
            std::ranges::any_of(at->shared, [&](const std::string& name) { return equal_ignoring_case(name, last); });
        if (found != nullptr && !(shared && node.path.size() == 1))
          return wrong(node.offset, fmt::format("Column name {} is ambiguous", last));
        if (found != nullptr) continue;
        found_in = &source;
        found = &candidate;
      }
    }
    if (found != nullptr) return column_of(*found_in, *found, node, scope, is_local);
    if (const ScopeColumn* known = alias()) return Text{known->sql, known->type};
  }
  if (node.path.size() == 1) {
    if (last.size() > 8 && equal_ignoring_case(last.substr(0, 8), "CURRENT_")) return current(node);
    return wrong(node.offset, fmt::format("Unrecognized name: {}", last));
  }
  for (const Scope* at = &scope; at != nullptr; at = at->outer)
    for (const ScopeSource& source : at->sources)
      if (equal_ignoring_case(source.alias, node.path.front()))
        return wrong(node.offset, fmt::format("Name {} not found inside {}", last, node.path.front()));
  return wrong(node.offset, fmt::format("Unrecognized name: {}", node.path.front()));
}

Result<Text> Emitter::parameter(const Expression& node) const {
  const auto& known = options_.parameters;
  if (node.text.empty()) {
    if (node.number >= known.size() || !known[node.number].name.empty())
      return wrong(node.offset, fmt::format("Query parameter number {} is not defined", node.number + 1));
    return Text{fmt::format("?{}", node.number + 1), known[node.number].type, true};
  }
  for (std::size_t i = 0; i < known.size(); ++i)
    if (equal_ignoring_case(known[i].name, node.text)) return Text{fmt::format("?{}", i + 1), known[i].type, true};
  return wrong(node.offset, fmt::format("Query parameter '{}' not found", node.text));
}

Result<Text> Emitter::unary(const Expression& node, const Scope& scope) {
  if (node.text == "NOT") {
    SERIN_TRY(std::string value, condition(*node.arguments[0], scope, "operator NOT"));
    return boolean(fmt::format("(NOT {})", value));
  }
  const Expression& inner = *node.arguments[0];
  // The smallest INT64 is not the negative of a literal that fits.
  if (node.text == "-" && inner.kind == Expression::Kind::literal && inner.text == "9223372036854775808")
    return Text{"(-9223372036854775807 - 1)", {.kind = Kind::int64}, true};
  SERIN_TRY(Text value, expression(inner, scope));
  if (value.type.array || (value.type.kind != Kind::null && !is_number(value.type.kind)))
    return wrong(node.offset, fmt::format("No matching signature for operator {} for argument types: {}", node.text,
                                          type_name(value.type)));
  if (node.text == "+") return value;
  return Text{fmt::format("({}{})", node.text, value.sql), value.type, value.pliable};
}

Result<std::string> Emitter::condition(const Expression& node, const Scope& scope, std::string_view where) {
  SERIN_TRY(Text value, expression(node, scope));
  if (value.type.array || (value.type.kind != Kind::boolean && value.type.kind != Kind::null))
    return wrong(node.offset, fmt::format("{} should return type BOOL, but returns {}", where, type_name(value.type)));
  return value.sql;
}

Result<Text> Emitter::binary(const Expression& node, const Scope& scope) {
  if (node.arguments.back()->kind == Expression::Kind::interval) return add_interval(node, scope);
  if (node.text == "AND" || node.text == "OR") {
    std::string sql;
    for (const ExpressionPtr& argument : node.arguments) {
      SERIN_TRY(const std::string part, condition(*argument, scope, "operator " + node.text));
      sql += (sql.empty() ? "(" : " " + node.text + " ") + part;
    }
    return boolean(sql + ")");
  }
  std::vector<Text> parts;
  for (const ExpressionPtr& argument : node.arguments) {
    SERIN_TRY(Text part, expression(*argument, scope));
    parts.push_back(std::move(part));
  }
  if (node.text == "=" || node.text == "<>" || node.text == "<" || node.text == "<=" || node.text == ">" ||
      node.text == ">=" || node.text == "LIKE")
    return comparison(node, std::move(parts[0]), std::move(parts[1]));
  return arithmetic(node, std::move(parts));
}

Result<Text> Emitter::comparison(const Expression& node, Text left, Text right) {
  if (node.text == "LIKE") {
    for (const Text* side : {&left, &right})
      if (!side->type.is(Kind::string) && side->type.kind != Kind::null)
        return wrong(node.offset, fmt::format("No matching signature for operator LIKE for argument types: {}, {}",
                                              type_name(left.type), type_name(right.type)));
    return boolean(fmt::format("({} {}LIKE {} ESCAPE '\\')", left.sql, node.flag ? "NOT " : "", right.sql));
  }
  SERIN_CHECK(unify({&left, &right}, node.offset, "operator " + node.text));
  return boolean(fmt::format("({} {} {})", left.sql, node.text, right.sql));
}

Result<Text> Emitter::arithmetic(const Expression& node, std::vector<Text> parts) const {
  const auto refuse = [&] {
    std::string types;
    for (const Text& part : parts) types += (types.empty() ? "" : ", ") + type_name(part.type);
    return wrong(node.offset,
                 fmt::format("No matching signature for operator {} for argument types: {}", node.text, types));
  };
  Kind kind = Kind::int64;
  if (node.text == "||") {
    kind = Kind::null;
    for (const Text& part : parts) {
      if (part.type.array) return unsupported(node.offset, "|| of arrays");
      if (part.type.kind == Kind::null) continue;
      if (part.type.kind != Kind::string && part.type.kind != Kind::bytes) return refuse();
      if (kind != Kind::null && kind != part.type.kind) return refuse();
      kind = part.type.kind;
    }
    if (kind == Kind::null) kind = Kind::string;
  } else {
    const bool bits = node.text != "+" && node.text != "-" && node.text != "*" && node.text != "/";
    for (const Text& part : parts) {
      // DATE + 1 is a number of days.
      if (part.type.is(Kind::date) && parts.size() == 2 && &part == parts.data() && parts[1].type.is(Kind::int64) &&
          (node.text == "+" || node.text == "-"))
        return Text{
            fmt::format("bq_add('DATE', {}, {}({}), 'DAY')", part.sql, node.text == "-" ? "-" : "", parts[1].sql),
            part.type};
      if (part.type.array || (part.type.kind != Kind::null && !is_number(part.type.kind))) return refuse();
      if (bits && part.type.kind != Kind::int64 && part.type.kind != Kind::null) return refuse();
      if (part.type.kind == Kind::float64) kind = Kind::float64;
      if (part.type.kind == Kind::numeric && kind == Kind::int64) kind = Kind::numeric;
    }
    if (node.text == "/" && kind == Kind::int64) kind = Kind::float64;
    if (node.text == "^") return unsupported(node.offset, "The operator ^");
  }
  std::string sql = parts[0].sql;
  for (std::size_t i = 1; i < parts.size(); ++i)
    sql = node.text == "/" ? fmt::format("bq_divide({}, {})", sql, parts[i].sql)
                           : fmt::format("{} {} {}", sql, node.text, parts[i].sql);
  return Text{"(" + sql + ")", {.kind = kind}};
}

/// date + INTERVAL 1 DAY
Result<Text> Emitter::add_interval(const Expression& node, const Scope& scope) {
  if (node.arguments.size() != 2 || (node.text != "+" && node.text != "-"))
    return unsupported(node.offset, "INTERVAL outside of date arithmetic");
  SERIN_TRY(Text value, expression(*node.arguments[0], scope));
  if (value.type.array || !is_time(value.type.kind))
    return wrong(node.offset, fmt::format("No matching signature for operator {} for argument types: {}, INTERVAL",
                                          node.text, type_name(value.type)));
  const Expression& interval = *node.arguments[1];
  SERIN_TRY(Text amount, expression(*interval.arguments[0], scope));
  if (!amount.type.is(Kind::int64)) return unsupported(interval.offset, "An INTERVAL that is no INT64");
  // A DATE becomes a DATETIME: the interval may have hours.
  if (value.type.is(Kind::date)) value = *coerced(value, {.kind = Kind::datetime});
  return Text{fmt::format("bq_add('{}', {}, {}({}), '{}')", kind_name(value.type.kind), value.sql,
                          node.text == "-" ? "-" : "", amount.sql, interval.text),
              value.type};
}

std::optional<Text> Emitter::coerced(const Text& value, const Type& type) const {
  if (same(value.type, type) || (value.type.kind == Kind::null && !value.type.array))
    return Text{value.sql, type, value.pliable};
  if (value.type.array || type.array) return std::nullopt;
  const Kind from = value.type.kind;
  const Kind to = type.kind;
  if (from == Kind::int64 && (to == Kind::float64 || to == Kind::numeric))
    return Text{fmt::format("CAST({} AS REAL)", value.sql), type, value.pliable};
  if (from == Kind::numeric && to == Kind::float64) return Text{value.sql, type, value.pliable};
  if (from == Kind::float64 && to == Kind::numeric && value.pliable) return Text{value.sql, type, true};
  const bool text_to_other = from == Kind::string && value.pliable &&
                             (is_time(to) || to == Kind::time || to == Kind::bytes || to == Kind::json);
  const bool widens = (from == Kind::date && (to == Kind::datetime || to == Kind::timestamp)) ||
                      (from == Kind::datetime && to == Kind::timestamp);
  if (!text_to_other && !widens) return std::nullopt;
  return Text{fmt::format("bq_cast('{}', '{}', {}, 0)", kind_name(from), kind_name(to), value.sql), type, true};
}

Result<Type> Emitter::unify(std::vector<Text*> parts, std::size_t offset, std::string_view what) const {
  Type common;
  const auto refuse = [&] {
    std::string types;
    for (const Text* part : parts) types += (types.empty() ? "" : ", ") + type_name(part->type);
    return wrong(offset, fmt::format("No matching signature for {} for argument types: {}", what, types));
  };
  // Parts that are no literals decide first.
  for (const bool pliable : {false, true})
    for (const Text* part : parts) {
      if (part->pliable != pliable || (part->type.kind == Kind::null && !part->type.array)) continue;
      if (common.kind == Kind::null && !common.array) {
        common = part->type;
      } else if (!coerced(*part, common)) {
        const Text as_common{"x", common, true};
        if (!coerced(as_common, part->type)) return refuse();
        common = part->type;
      }
    }
  for (Text* part : parts) {
    auto fits = coerced(*part, common);
    if (!fits) return refuse();
    *part = std::move(*fits);
  }
  return common;
}

Result<Text> Emitter::membership(const Expression& node, const Scope& scope) {
  SERIN_TRY(Text value, expression(*node.arguments[0], scope));
  const std::string_view negation = node.flag ? "NOT " : "";
  if (node.kind == Expression::Kind::in_query) {
    SERIN_TRY(const Relation inner, query(*node.query, &scope));
    if (inner.columns.size() != 1) return wrong(node.offset, "Subquery of type IN must have only one output column");
    Text other{"x", inner.columns[0].type};
    Text mine = value;
    SERIN_CHECK(unify({&mine, &other}, node.offset, "operator IN"));
    if (other.sql != "x") return unsupported(node.offset, "IN with a subquery whose type has to be converted");
    return boolean(fmt::format("({} {}IN ({}))", mine.sql, negation, inner.sql));
  }
  if (node.kind == Expression::Kind::in_unnest) {
    SERIN_TRY(Text list, expression(*node.arguments[1], scope));
    if (!list.type.array) return wrong(node.offset, "Operand of UNNEST must be an ARRAY");
    Type element = list.type;
    element.array = false;
    if (element.kind == Kind::structure || element.kind == Kind::bytes)
      return unsupported(node.offset, "IN UNNEST of structs or BYTES");
    Text other{"value", element, list.pliable};
    Text mine = value;
    SERIN_CHECK(unify({&mine, &other}, node.offset, "operator IN UNNEST"));
    return boolean(fmt::format("({} {}IN (SELECT {} FROM json_each({})))", mine.sql, negation, other.sql, list.sql));
  }
  std::vector<Text> parts{std::move(value)};
  for (std::size_t i = 1; i < node.arguments.size(); ++i) {
    SERIN_TRY(Text part, expression(*node.arguments[i], scope));
    parts.push_back(std::move(part));
  }
  std::vector<Text*> all;
  for (Text& part : parts) all.push_back(&part);
  SERIN_CHECK(unify(all, node.offset, "operator IN"));
  std::string list;
  for (std::size_t i = 1; i < parts.size(); ++i) list += (i == 1 ? "" : ", ") + parts[i].sql;
  return boolean(fmt::format("({} {}IN ({}))", parts[0].sql, negation, list));
}

Result<Text> Emitter::when(const Expression& node, const Scope& scope) {
  std::vector<Text> conditions;
  std::vector<Text> results;
  Text operand;
  std::size_t at = 0;
  if (node.flag) {
    SERIN_TRY(operand, expression(*node.arguments[at++], scope));
  }
  while (at + 1 < node.arguments.size()) {
    SERIN_TRY(Text condition_of, expression(*node.arguments[at], scope));
    if (!node.flag && condition_of.type.kind != Kind::boolean && condition_of.type.kind != Kind::null)
      return wrong(node.arguments[at]->offset, "CASE condition should return type BOOL");
    SERIN_TRY(Text result, expression(*node.arguments[at + 1], scope));
    conditions.push_back(std::move(condition_of));
    results.push_back(std::move(result));
    at += 2;
  }
  const bool otherwise = at < node.arguments.size();
  if (otherwise) {
    SERIN_TRY(Text last, expression(*node.arguments[at], scope));
    results.push_back(std::move(last));
  }
  if (node.flag) {
    std::vector<Text*> compared{&operand};
    for (Text& condition_of : conditions) compared.push_back(&condition_of);
    SERIN_CHECK(unify(compared, node.offset, "CASE"));
  }
  std::vector<Text*> all;
  for (Text& result : results) all.push_back(&result);
  SERIN_TRY(const Type type, unify(all, node.offset, "CASE"));
  std::string sql = node.flag ? "(CASE " + operand.sql : "(CASE";
  for (std::size_t i = 0; i < conditions.size(); ++i)
    sql += fmt::format(" WHEN {} THEN {}", conditions[i].sql, results[i].sql);
  if (otherwise) sql += " ELSE " + results.back().sql;
  return Text{sql + " END)", type};
}

Result<Text> Emitter::cast(const Expression& node, const Scope& scope) {
  SERIN_TRY(Text value, expression(*node.arguments[0], scope));
  const Type& to = node.type;
  if (same(value.type, to)) return value;
  if (value.type.kind == Kind::null && !value.type.array) return Text{"NULL", to};
  if (value.type.array || to.array || to.kind == Kind::structure || value.type.kind == Kind::structure)
    return unsupported(node.offset, fmt::format("CAST from {} to {}", type_name(value.type), type_name(to)));
  if (!can_cast(value.type.kind, to.kind))
    return wrong(node.offset, fmt::format("Invalid cast from {} to {}", type_name(value.type), type_name(to)));
  return Text{fmt::format("bq_cast('{}', '{}', {}, {})", kind_name(value.type.kind), kind_name(to.kind), value.sql,
                          node.flag ? 1 : 0),
              to};
}

Result<Text> Emitter::array(const Expression& node, const Scope& scope) {
  std::vector<Text> parts;
  for (const ExpressionPtr& argument : node.arguments) {
    SERIN_TRY(Text part, expression(*argument, scope));
    if (part.type.array) return wrong(node.offset, "Arrays of arrays are not supported");
    parts.push_back(std::move(part));
  }
  Type type = node.type;
  if (node.flag) {
    for (Text& part : parts) {
      auto fits = coerced(part, node.type);
      if (!fits)
        return wrong(node.offset, fmt::format("Array element type {} does not coerce to {}", type_name(part.type),
                                              type_name(node.type)));
      part = std::move(*fits);
    }
  } else {
    std::vector<Text*> all;
    for (Text& part : parts) all.push_back(&part);
    SERIN_TRY(type, unify(all, node.offset, "ARRAY"));
  }
  std::string sql;
  for (const Text& part : parts)
    sql += (sql.empty() ? "" : ", ") + (part.type.kind == Kind::structure ? "json(" + part.sql + ")" : part.sql);
  type.array = true;
  return Text{"json_array(" + sql + ")", type};
}

Result<Text> Emitter::structure(const Expression& node, const Scope& scope) {
  Type type{.kind = Kind::structure};
  std::string sql;
  if (node.flag && node.type.fields.size() != node.arguments.size())
    return wrong(node.offset, "STRUCT type has another number of fields than the constructor has values");
  for (std::size_t i = 0; i < node.arguments.size(); ++i) {
    SERIN_TRY(Text part, expression(*node.arguments[i], scope));
    Column field{.name = node.names[i], .type = part.type};
    if (node.flag) {
      field = node.type.fields[i];
      auto fits = coerced(part, field.type);
      if (!fits)
        return wrong(node.arguments[i]->offset, fmt::format("Struct field {} has type {} which does not coerce to {}",
                                                            i + 1, type_name(part.type), type_name(field.type)));
      part = std::move(*fits);
    }
    sql += (sql.empty() ? "" : ", ") + part.sql;
    type.fields.push_back(std::move(field));
  }
  return Text{"json_array(" + sql + ")", type};
}

}  // namespace serin::google_sql
