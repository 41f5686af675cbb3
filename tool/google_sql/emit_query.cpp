#include <fmt/format.h>

#include <algorithm>

#include "emitter.hpp"
#include "serin/base/text.hpp"

namespace serin::google_sql {
namespace {

constexpr int deepest = 60;                 // queries inside of each other
constexpr std::size_t terms_at_once = 400;  // of a compound SELECT; SQLite takes 500

bool has_aggregate(const Expression& node) {
  if (node.kind == Expression::Kind::call && node.window == nullptr) {
    const Function* function = find_function(node.text);
    if (function != nullptr && function->use == Function::Use::aggregate) return true;
  }
  if (node.window)
    for (const OrderTerm& term : node.window->order)
      if (has_aggregate(*term.value)) return true;
  return std::ranges::any_of(node.arguments, [](const ExpressionPtr& part) { return part && has_aggregate(*part); });
}

/// The names that BigQuery gives to columns without one. Of two with one name the second gets a '$', which no name of
/// a user has: the answer of a query may not have such columns, an INSERT may.
void name_columns(std::vector<ScopeColumn>& columns) {
  int unnamed = 0;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    std::string& name = columns[i].name;
    if (name.empty()) name = fmt::format("f{}_", unnamed++);
    for (std::size_t k = 0; k < i; ++k)
      if (equal_ignoring_case(columns[k].name, name)) name += fmt::format("${}", i);
  }
}

std::string list_of(const std::vector<ScopeColumn>& columns) {
  std::string out;
  for (const ScopeColumn& column : columns)
    out += fmt::format("{}{} AS {}", out.empty() ? "" : ", ", column.sql, quoted(column.name));
  return out;
}

/// A number alone after GROUP BY or ORDER BY is the place of a column to SQLite.
std::string no_place(const std::string& sql) {
  const bool is_number = sql.find_first_not_of("0123456789") == std::string::npos;
  return is_number ? "(" + sql + " + 0)" : sql;
}

std::vector<Column> plain_columns(const std::vector<ScopeColumn>& columns) {
  std::vector<Column> out;
  for (const ScopeColumn& column : columns) out.push_back({.name = column.name, .type = column.type});
  return out;
}

}  // namespace

Result<Relation> Emitter::query(const Query& query, const Scope* outer) {
  if (++depth_ > deepest) return wrong(query.offset, "The query is nested too deeply");
  std::string with;
  common_.emplace_back();
  for (const Common& common : query.with) {
    SERIN_TRY(Relation inner, this->query(*common.query, nullptr));
    with += fmt::format("{}{} AS ({})", with.empty() ? "WITH " : ", ", quoted(common.name), inner.sql);
    common_.back().push_back({common.name, std::move(inner.columns)});
  }
  auto out = query.parts.size() > 1  ? compound(query, outer)
             : query.parts[0].nested ? this->query(*query.parts[0].nested, outer)
                                     : select(query.parts[0], outer, &query);
  common_.pop_back();
  --depth_;
  if (!out) return out;
  if (query.parts.size() == 1 && query.parts[0].nested && (!query.order.empty() || query.limit))
    return unsupported(query.offset, "ORDER BY and LIMIT after a query in parentheses");
  if (!with.empty()) out->sql = with + " " + out->sql;
  return out;
}

/// A UNION ALL of SELECTs without a table is a list of values, and may have thousands of rows.
Result<Relation> Emitter::values(const Query& query, const Scope* outer) {
  Relation out;
  std::vector<std::vector<Text>> rows;
  for (const Select& part : query.parts) {
    Scope scope{.outer = outer};
    SERIN_TRY(std::vector<ScopeColumn> columns, items(part, scope));
    name_columns(columns);
    if (rows.empty()) out.columns = plain_columns(columns);
    if (columns.size() != out.columns.size())
      return wrong(part.offset, fmt::format("Queries in UNION ALL have mismatched column count; query 1 has {} column, "
                                            "query {} has {} columns",
                                            out.columns.size(), rows.size() + 1, columns.size()));
    std::vector<Text> row;
    for (ScopeColumn& column : columns) row.push_back({std::move(column.sql), column.type, true});
    rows.push_back(std::move(row));
  }
  for (std::size_t i = 0; i < out.columns.size(); ++i) {
    std::vector<Text*> all;
    for (std::vector<Text>& row : rows) all.push_back(&row[i]);
    SERIN_TRY(out.columns[i].type, unify(all, query.offset, fmt::format("column {} of UNION ALL", i + 1)));
  }
  std::string names;
  for (std::size_t i = 0; i < out.columns.size(); ++i)
    names += fmt::format("{}column{} AS {}", i == 0 ? "" : ", ", i + 1, quoted(out.columns[i].name));
  std::string list;
  for (const std::vector<Text>& row : rows) {
    list += list.empty() ? "(" : ", (";
    for (std::size_t i = 0; i < row.size(); ++i) list += (i == 0 ? "" : ", ") + row[i].sql;
    list += ")";
  }
  out.sql = fmt::format("SELECT {} FROM (VALUES {})", names, list);
  return out;
}

Result<Relation> Emitter::compound(const Query& query, const Scope* outer) {
  const bool only_values =
      std::ranges::all_of(query.operators, [](const std::string& word) { return word == "UNION ALL"; }) &&
      std::ranges::all_of(query.parts, [](const Select& part) {
        return !part.nested && !part.from && part.group.empty() && !part.having && !part.qualify &&
               std::ranges::none_of(part.items,
                                    [](const SelectItem& item) { return !item.value || has_aggregate(*item.value); });
      });
  if (!only_values && query.parts.size() > terms_at_once)
    return unsupported(query.offset, fmt::format("More than {} queries in a UNION", terms_at_once));
  Relation out;
  if (only_values) {
    SERIN_TRY(out, values(query, outer));
  } else {
    std::vector<Relation> parts;
    for (const Select& part : query.parts) {
      SERIN_TRY(Relation next, part.nested ? this->query(*part.nested, outer) : select(part, outer, nullptr));
      parts.push_back(std::move(next));
    }
    out.columns = parts[0].columns;
    for (std::size_t i = 0; i < out.columns.size(); ++i) {
      std::vector<Text> cells;
      for (const Relation& part : parts) {
        if (part.columns.size() != out.columns.size())
          return wrong(query.offset, "Queries in a set operation have mismatched column count");
        cells.push_back({"x", part.columns[i].type});
      }
      std::vector<Text*> all;
      for (Text& cell : cells) all.push_back(&cell);
      SERIN_TRY(out.columns[i].type, unify(all, query.offset, fmt::format("column {} of a set operation", i + 1)));
    }
    for (std::size_t i = 0; i < parts.size(); ++i)
      out.sql += (i == 0 ? "" : " " + query.operators[i - 1] + " ") + "SELECT * FROM (" + parts[i].sql + ")";
  }
  if (!query.order.empty() || query.limit) {
    Scope scope{.outer = outer};
    ScopeSource source;
    for (const Column& column : out.columns) source.columns.push_back({column.name, column.type, quoted(column.name)});
    scope.sources.push_back(std::move(source));
    SERIN_TRY(const std::string terms, order(query.order, scope));
    SERIN_TRY(const std::string most, limit(query, scope));
    out.sql = fmt::format("SELECT * FROM ({}){}{}", out.sql, terms.empty() ? "" : " " + terms, most);
  }
  return out;
}

Status Emitter::expand(const SelectItem& item, const Scope& scope, std::vector<ScopeColumn>& out) {
  if (scope.sources.empty()) return wrong(item.offset, "SELECT * must have a FROM clause");
  const std::size_t before = out.size();
  bool found = item.star_of.empty();
  for (const ScopeSource& source : scope.sources) {
    if (!item.star_of.empty() && !equal_ignoring_case(source.alias, item.star_of.front())) continue;
    found = true;
    for (const ScopeColumn& column : source.columns) {
      const auto named = [&](const std::string& name) { return equal_ignoring_case(name, column.name); };
      if (std::ranges::any_of(item.except, named)) continue;
      const bool again = std::ranges::any_of(scope.shared, named) &&
                         std::any_of(out.begin() + static_cast<std::ptrdiff_t>(before), out.end(),
                                     [&](const ScopeColumn& other) { return named(other.name); });
      if (again) continue;
      ScopeColumn next = column;
      const auto replaced = std::ranges::find_if(item.replace, [&](const auto& pair) { return named(pair.first); });
      if (replaced != item.replace.end()) {
        SERIN_TRY(const Text value, expression(*replaced->second, scope));
        next.sql = value.sql;
        next.type = value.type;
      } else {
        Expression reference;
        reference.offset = item.offset;
        SERIN_CHECK(column_of(source, column, reference, scope, true));
      }
      out.push_back(std::move(next));
    }
  }
  if (!found) return wrong(item.offset, fmt::format("Unrecognized name: {}", item.star_of.front()));
  return {};
}

Result<std::vector<ScopeColumn>> Emitter::items(const Select& select, const Scope& scope) {
  std::vector<ScopeColumn> out;
  for (const SelectItem& item : select.items) {
    if (!item.value) {
      SERIN_CHECK(expand(item, scope, out));
      continue;
    }
    SERIN_TRY(Text value, expression(*item.value, scope));
    std::string name = item.alias;
    if (name.empty() && item.value->kind == Expression::Kind::column) name = item.value->path.back();
    out.push_back({std::move(name), std::move(value.type), std::move(value.sql)});
  }
  return out;
}

Result<std::string> Emitter::order(const std::vector<OrderTerm>& terms, const Scope& scope) {
  std::string out;
  for (const OrderTerm& term : terms) {
    SERIN_TRY(const Text value, expression(*term.value, scope));
    const bool is_place = term.value->kind == Expression::Kind::literal && term.value->type.is(Kind::int64);
    out += (out.empty() ? "ORDER BY " : ", ") + (is_place ? value.sql : no_place(value.sql));
    if (term.descending) out += " DESC";
    if (term.nulls_first) out += *term.nulls_first ? " NULLS FIRST" : " NULLS LAST";
  }
  return out;
}

Result<std::string> Emitter::limit(const Query& query, const Scope& scope) {
  std::string out;
  const auto count = [&](const Expression& node) -> Result<std::string> {
    if (node.kind != Expression::Kind::literal && node.kind != Expression::Kind::parameter)
      return wrong(node.offset, "LIMIT and OFFSET expect an integer literal or parameter");
    SERIN_TRY(const Text value, expression(node, scope));
    if (!value.type.is(Kind::int64)) return wrong(node.offset, "LIMIT and OFFSET expect an INT64");
    return value.sql;
  };
  if (query.limit) {
    SERIN_TRY(const std::string most, count(*query.limit));
    out = " LIMIT " + most;
  }
  if (query.skip) {
    SERIN_TRY(const std::string skip, count(*query.skip));
    out += " OFFSET " + skip;
  }
  return out;
}

/// GROUP BY: by expression, by the name of a select item, by its number.
Result<std::string> Emitter::group(const Select& select, Scope& scope, const std::vector<ScopeColumn>& aliases) {
  std::string out;
  std::vector<std::string> keys;
  scope.aliases = &aliases;
  for (const ExpressionPtr& key : select.group) {
    std::string sql;
    if (key->kind == Expression::Kind::literal && key->type.is(Kind::int64)) {
      const auto number = to_int(key->text).value_or(0);
      if (number < 1 || static_cast<std::size_t>(number) > aliases.size())
        return wrong(key->offset, fmt::format("GROUP BY column number {} is out of range", key->text));
      sql = aliases[static_cast<std::size_t>(number) - 1].sql;
    } else {
      SERIN_TRY(const Text value, expression(*key, scope));
      if (value.type.array) return wrong(key->offset, "Grouping by expressions of type ARRAY is not allowed");
      sql = value.sql;
    }
    out += (out.empty() ? " GROUP BY " : ", ") + no_place(sql);
    keys.push_back(std::move(sql));
  }
  scope.aliases = nullptr;
  for (std::string& key : keys) scope.grouping->keys.insert(std::move(key));
  return out;
}

Result<Relation> Emitter::select(const Select& select, const Scope* outer, const Query* ordered) {
  Scope scope{.outer = outer};
  std::string from;
  if (select.from) {
    SERIN_TRY(from, source(*select.from, scope, outer));
    from = " FROM " + from;
  }
  std::string where;
  if (select.where) {
    SERIN_TRY(where, condition(*select.where, scope, "WHERE clause"));
    where = " WHERE " + where;
  }
  Grouping grouping;
  grouping.active = !select.group.empty() || (select.having != nullptr);
  for (const SelectItem& item : select.items)
    if (item.value && has_aggregate(*item.value)) grouping.active = true;
  if (ordered != nullptr)
    for (const OrderTerm& term : ordered->order)
      if (has_aggregate(*term.value)) grouping.active = true;

  const auto aggregated = [](const SelectItem& item) { return item.value && has_aggregate(*item.value); };
  if (select.having && select.group.empty() && std::ranges::none_of(select.items, aggregated))
    return unsupported(select.having->offset, "HAVING without GROUP BY or an aggregate in the SELECT list");

  // Once to learn what the names in GROUP BY mean, then checked against it.
  std::string group_by;
  scope.aggregates = true;
  scope.windows = true;
  if (!select.group.empty()) {
    SERIN_TRY(std::vector<ScopeColumn> meant, items(select, scope));
    Scope plain = scope;
    plain.aggregates = false;
    plain.windows = false;
    plain.grouping = &grouping;
    const bool active = std::exchange(grouping.active, false);
    SERIN_TRY(group_by, group(select, plain, meant));
    grouping.active = active;
  }
  scope.grouping = &grouping;
  SERIN_TRY(std::vector<ScopeColumn> columns, items(select, scope));
  const auto stray = [&](std::string_view where_it_is) -> Status {
    if (grouping.stray.empty()) return {};
    return fail(Errc::invalid_argument, fmt::format("{} {}", where_it_is, grouping.stray));
  };
  SERIN_CHECK(stray("SELECT list expression"));
  name_columns(columns);

  std::string having;
  if (select.having) {
    Scope after = scope;
    after.aliases = &columns;
    after.windows = false;
    SERIN_TRY(having, condition(*select.having, after, "HAVING clause"));
    SERIN_CHECK(stray("HAVING clause expression"));
    having = " HAVING " + having;
  }
  Relation out{.columns = plain_columns(columns)};
  std::string list = list_of(columns);
  if (list.empty()) return wrong(select.offset, "SELECT list is empty");
  if (select.qualify) {
    Scope after = scope;
    after.aliases = &columns;
    SERIN_TRY(const std::string keep, condition(*select.qualify, after, "QUALIFY clause"));
    std::string names;
    for (const ScopeColumn& column : columns) names += (names.empty() ? "" : ", ") + quoted(column.name);
    out.sql = fmt::format("SELECT {}{} FROM (SELECT {}, {} AS \"$keep\"{}{}{}{}) WHERE \"$keep\"",
                          select.distinct ? "DISTINCT " : "", names, list, keep, from, where, group_by, having);
  } else {
    out.sql =
        fmt::format("SELECT {}{}{}{}{}{}", select.distinct ? "DISTINCT " : "", list, from, where, group_by, having);
  }
  if (ordered == nullptr) return out;

  std::vector<ScopeColumn> named = columns;
  for (ScopeColumn& column : named) column.sql = quoted(column.name);
  Scope last = scope;
  last.aliases = &named;
  last.aliases_first = true;
  if (select.qualify) last.sources.clear();  // they are inside of the query that was filtered
  SERIN_TRY(const std::string terms, order(ordered->order, last));
  SERIN_CHECK(stray("ORDER BY clause expression"));
  SERIN_TRY(const std::string most, limit(*ordered, last));
  if (!terms.empty()) out.sql += " " + terms;
  out.sql += most;
  return out;
}

Result<std::string> Emitter::source(const Source& source, Scope& scope, const Scope* outer) {
  switch (source.kind) {
    case Source::Kind::table: return table(source, scope);
    case Source::Kind::unnest: return unnest(source, scope);
    case Source::Kind::join: return join(source, scope, outer);
    case Source::Kind::query: {
      SERIN_TRY(const Relation inner, query(*source.query, nullptr));
      ScopeSource entry{.alias = source.alias};
      const std::string alias = source.alias.empty() ? fmt::format("$q{}", scope.sources.size()) : source.alias;
      for (const Column& column : inner.columns)
        entry.columns.push_back({column.name, column.type, quoted(alias) + "." + quoted(column.name)});
      scope.sources.push_back(std::move(entry));
      return fmt::format("({}) AS {}", inner.sql, quoted(alias));
    }
  }
  return wrong(source.offset, "Unknown table");
}

Result<std::string> Emitter::table(const Source& source, Scope& scope) {
  const std::string alias = source.alias.empty() ? source.path.back() : source.alias;
  for (const ScopeSource& other : scope.sources)
    if (equal_ignoring_case(other.alias, alias))
      return wrong(source.offset, fmt::format("Duplicate table alias {} in the same FROM clause", alias));
  if (source.path.size() == 1)
    for (auto level = common_.rbegin(); level != common_.rend(); ++level)
      for (const Relation& common : *level) {
        if (!equal_ignoring_case(common.sql, source.path[0])) continue;
        ScopeSource entry{.alias = alias};
        for (const Column& column : common.columns)
          entry.columns.push_back({column.name, column.type, quoted(alias) + "." + quoted(column.name)});
        scope.sources.push_back(std::move(entry));
        return fmt::format("{} AS {}", quoted(common.sql), quoted(alias));
      }
  SERIN_TRY(const TableName name, table_name(source.path, source.offset));
  SERIN_TRY(const Table found, catalog_.find(name));
  scope.sources.push_back(source_of(found, alias));
  return fmt::format("{} AS {}", found.storage, quoted(alias));
}

void Emitter::add_offset(const Source& source, ScopeSource& entry, std::string sql) const {
  if (!source.offset_alias.empty())
    entry.columns.push_back({source.offset_alias, {.kind = Kind::int64}, std::move(sql)});
}

/// UNNEST([...]): one row of VALUES an element. SQLite's functions take 127 arguments, VALUES any number.
Result<std::string> Emitter::unnest_literal(const Source& source, Scope& scope) {
  const Expression& list = *source.array;
  SERIN_TRY(const Text whole, expression(list, scope));  // for its checks and its type
  Type element = whole.type;
  element.array = false;
  const std::string alias = source.alias.empty() ? fmt::format("$u{}", scope.sources.size()) : source.alias;
  const bool has_fields = element.kind == Kind::structure;
  std::string rows;
  for (std::size_t i = 0; i < list.arguments.size(); ++i) {
    const Expression& value = *list.arguments[i];
    rows += (rows.empty() ? "(" : ", (") + std::to_string(i);
    if (has_fields && value.kind != Expression::Kind::structure)
      return unsupported(value.offset, "Structs in UNNEST([...]) that are not written out");
    const std::size_t width = has_fields ? element.fields.size() : 1;
    if (has_fields && value.arguments.size() != width)
      return wrong(value.offset, "The structs of an array have different numbers of fields");
    for (std::size_t k = 0; k < width; ++k) {
      SERIN_TRY(Text cell, expression(has_fields ? *value.arguments[k] : value, scope));
      const auto fits = coerced(cell, has_fields ? element.fields[k].type : element);
      if (!fits) return wrong(value.offset, "The elements of an array have different types");
      rows += ", " + fits->sql;
    }
    rows += ")";
  }
  ScopeSource entry{.alias = source.alias};
  std::string names = "column1 AS \"$n\"";
  const auto add = [&](const std::string& name, const Type& type, std::size_t number) {
    const std::string inner = fmt::format("c{}", number);
    names += fmt::format(", column{} AS {}", number + 2, inner);
    entry.columns.push_back({name, type, quoted(alias) + "." + inner});
  };
  if (has_fields) {
    for (std::size_t k = 0; k < element.fields.size(); ++k) add(element.fields[k].name, element.fields[k].type, k);
  } else {
    add(source.alias, element, 0);
    entry.is_value = true;
  }
  add_offset(source, entry, quoted(alias) + ".\"$n\"");
  scope.sources.push_back(std::move(entry));
  return fmt::format("(SELECT {} FROM (VALUES {})) AS {}", names, rows, quoted(alias));
}

Result<std::string> Emitter::unnest(const Source& source, Scope& scope) {
  if (source.array->kind == Expression::Kind::array && !source.array->arguments.empty())
    return unnest_literal(source, scope);
  SERIN_TRY(const Text array, expression(*source.array, scope));
  if (!array.type.array) return wrong(source.offset, "Values referenced in UNNEST must be arrays");
  const std::string alias = source.alias.empty() ? fmt::format("$u{}", scope.sources.size()) : source.alias;
  const std::string value = quoted(alias) + ".value";
  const auto typed = [](const Type& type, const std::string& sql) {
    // JSON has one kind of number, and no bytes.
    if (type.kind == Kind::float64 || type.kind == Kind::numeric) return fmt::format("CAST({} AS REAL)", sql);
    if (type.kind == Kind::bytes) return fmt::format("bq_cast('STRING', 'BYTES', {}, 0)", sql);
    return sql;
  };
  ScopeSource entry{.alias = source.alias};
  Type element = array.type;
  element.array = false;
  if (element.kind == Kind::structure) {
    for (std::size_t i = 0; i < element.fields.size(); ++i)
      entry.columns.push_back({element.fields[i].name, element.fields[i].type,
                               typed(element.fields[i].type, fmt::format("json_extract({}, '$[{}]')", value, i))});
  } else {
    entry.is_value = true;
    entry.columns.push_back({source.alias, element, typed(element, value)});
  }
  add_offset(source, entry, quoted(alias) + ".key");
  scope.sources.push_back(std::move(entry));
  return fmt::format("json_each({}) AS {}", array.sql, quoted(alias));
}

Result<std::string> Emitter::join(const Source& source, Scope& scope, const Scope* outer) {
  SERIN_TRY(const std::string left, this->source(*source.left, scope, outer));
  const std::size_t width = scope.sources.size();
  SERIN_TRY(std::string right, this->source(*source.right, scope, outer));
  if (source.right->kind == Source::Kind::join) right = "(" + right + ")";
  std::string out = fmt::format("{} {} {}", left, source.join, right);
  if (source.on) {
    SERIN_TRY(const std::string on, condition(*source.on, scope, "JOIN ON clause"));
    return out + " ON " + on;
  }
  if (source.shared.empty()) return out;
  std::string conditions;
  for (const std::string& name : source.shared) {
    const auto find = [&](std::size_t from, std::size_t to) -> const ScopeColumn* {
      for (std::size_t i = from; i < to; ++i)
        for (const ScopeColumn& column : scope.sources[i].columns)
          if (equal_ignoring_case(column.name, name)) return &column;
      return nullptr;
    };
    const ScopeColumn* a = find(0, width);
    const ScopeColumn* b = find(width, scope.sources.size());
    if (a == nullptr || b == nullptr)
      return wrong(source.offset, fmt::format("Column {} in USING clause not found on both sides of the join", name));
    conditions += fmt::format("{}{} = {}", conditions.empty() ? " ON " : " AND ", a->sql, b->sql);
    if (source.join != "JOIN" && source.join != "LEFT JOIN")
      return unsupported(source.offset, "USING with a RIGHT or FULL JOIN");
    scope.shared.push_back(name);
  }
  return out + conditions;
}

}  // namespace serin::google_sql
