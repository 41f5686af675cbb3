#include <fmt/format.h>

#include <algorithm>

#include "emitter.hpp"
#include "parser.hpp"
#include "serin/base/text.hpp"

namespace serin::google_sql {

Result<TableName> Emitter::table_name(const std::vector<std::string>& path, std::size_t offset) const {
  std::vector<std::string> parts = path;
  TableName out{.project = options_.project, .dataset = options_.dataset};
  // dataset.INFORMATION_SCHEMA.COLUMNS: the last two are the table.
  if (parts.size() >= 2 && equal_ignoring_case(parts[parts.size() - 2], "INFORMATION_SCHEMA")) {
    std::string view = "INFORMATION_SCHEMA." + parts.back();
    for (char& c : view)
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    parts.pop_back();
    parts.back() = std::move(view);
  }
  if (parts.size() > 3) return wrong(offset, fmt::format("Invalid table name: {}", parts[0]));
  out.table = parts.back();
  if (parts.size() >= 2) out.dataset = parts[parts.size() - 2];
  if (parts.size() == 3) out.project = parts[0];
  if (out.dataset.empty())
    return fail(Errc::invalid_argument,
                fmt::format("Table \"{}\" must be qualified with a dataset (e.g. dataset.table).", out.table));
  return out;
}

Result<TableName> Emitter::schema_name(const std::vector<std::string>& path, std::size_t offset) const {
  if (path.size() > 2) return wrong(offset, "Invalid dataset name");
  return TableName{.project = path.size() == 2 ? path[0] : options_.project, .dataset = path.back()};
}

ScopeSource Emitter::source_of(const Table& table, std::string alias) {
  ScopeSource out{.alias = std::move(alias)};
  for (const Column& column : table.columns)
    out.columns.push_back({column.name, column.type, quoted(out.alias) + "." + quoted(column.name)});
  if (!table.is_view) {
    out.read = static_cast<int>(reads_.size());
    reads_.push_back({.table = table.name, .storage = table.storage});
  }
  return out;
}

Result<Table> Emitter::target(const Tree& tree) {
  SERIN_TRY(const TableName name, table_name(tree.target, tree.offset));
  SERIN_TRY(Table table, catalog_.find(name));
  if (table.is_view) return wrong(tree.offset, fmt::format("{} cannot be changed", name.text()));
  return table;
}

Result<std::vector<const Column*>> Emitter::columns_of(const Table& table, const std::vector<std::string>& names,
                                                       std::size_t offset) const {
  std::vector<const Column*> out;
  if (names.empty()) {
    for (const Column& column : table.columns) out.push_back(&column);
    return out;
  }
  for (const std::string& name : names) {
    const auto found = std::ranges::find_if(
        table.columns, [&](const Column& column) { return equal_ignoring_case(column.name, name); });
    if (found == table.columns.end())
      return wrong(offset, fmt::format("Column {} is not present in table {}", name, table.name.text()));
    if (std::ranges::find(out, &*found) != out.end())
      return wrong(offset, fmt::format("Duplicate column {} in the column list", name));
    out.push_back(&*found);
  }
  return out;
}

Result<std::string> Emitter::coerce_to(const Column& column, const Text& value, std::size_t offset) const {
  const auto fits = coerced(value, column.type);
  if (fits) return fits->sql;
  return wrong(offset, fmt::format("Value has type {} which cannot be inserted into column {}, which has type {}",
                                   type_name(value.type), column.name, type_name(column.type)));
}

Result<std::string> Emitter::assigned(const Table& table, const Column& column, const Expression* value,
                                      const Scope& scope, std::size_t offset) {
  if (value != nullptr) {
    SERIN_TRY(const Text text, expression(*value, scope));
    return coerce_to(column, text, value->offset);
  }
  if (column.default_sql.empty()) return "NULL";
  SERIN_TRY(const ExpressionPtr otherwise, Parser::parse_expression(column.default_sql));
  SERIN_TRY(const Text text, expression(*otherwise, Scope{}));
  auto fits = coerced(text, column.type);
  if (fits) return fits->sql;
  return wrong(offset, fmt::format("The default of column {} of {} has another type", column.name, table.name.text()));
}

Result<Statement> Emitter::insert(const Tree& tree) {
  SERIN_TRY(const Table table, target(tree));
  SERIN_TRY(const std::vector<const Column*> columns, columns_of(table, tree.columns, tree.offset));
  // Columns that are left out get their default.
  std::vector<const Column*> others;
  for (const Column& column : table.columns)
    if (!column.default_sql.empty() && std::ranges::find(columns, &column) == columns.end()) others.push_back(&column);
  std::string names;
  for (const std::vector<const Column*>* list : {&columns, static_cast<const std::vector<const Column*>*>(&others)})
    for (const Column* column : *list) names += (names.empty() ? "" : ", ") + quoted(column->name);
  std::string extra;
  for (const Column* column : others) {
    SERIN_TRY(const std::string value, assigned(table, *column, nullptr, {}, tree.offset));
    extra += ", " + value;
  }
  std::string rows;
  if (tree.query) {
    SERIN_TRY(const Relation from, query(*tree.query, nullptr));
    if (from.columns.size() != columns.size())
      return wrong(tree.offset, fmt::format("Inserted row has wrong column count; Has {}, expected {}",
                                            from.columns.size(), columns.size()));
    for (std::size_t i = 0; i < columns.size(); ++i) {
      SERIN_TRY(const std::string cell,
                coerce_to(*columns[i], {quoted(from.columns[i].name), from.columns[i].type}, tree.query->offset));
      rows += (rows.empty() ? "SELECT " : ", ") + cell;
    }
    rows += fmt::format("{} FROM ({})", extra, from.sql);
  } else {
    for (const std::vector<ExpressionPtr>& row : tree.rows) {
      if (row.size() != columns.size())
        return wrong(tree.offset, fmt::format("Inserted row has wrong column count; Has {}, expected {}", row.size(),
                                              columns.size()));
      rows += rows.empty() ? "VALUES (" : ", (";
      for (std::size_t i = 0; i < columns.size(); ++i) {
        SERIN_TRY(const std::string cell, assigned(table, *columns[i], row[i].get(), {}, tree.offset));
        rows += (i == 0 ? "" : ", ") + cell;
      }
      rows += extra + ")";
    }
  }
  Statement out{.kind = Statement::Kind::insert, .target = table.name};
  out.steps.push_back({Step::Role::inserts, fmt::format("INSERT INTO {} ({}) {}", table.storage, names, rows), {}});
  return out;
}

Result<std::string> Emitter::set_list(const Table& table, const std::vector<Assignment>& assignments,
                                      const Scope& scope) {
  std::vector<std::string> names;
  for (const Assignment& assignment : assignments) names.push_back(assignment.column);
  SERIN_TRY(const std::vector<const Column*> columns, columns_of(table, names, assignments[0].offset));
  std::string out;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    SERIN_TRY(const std::string value,
              assigned(table, *columns[i], assignments[i].value.get(), scope, assignments[i].offset));
    out += fmt::format("{}{} = {}", i == 0 ? "" : ", ", quoted(columns[i]->name), value);
  }
  return out;
}

Result<Statement> Emitter::update(const Tree& tree) {
  SERIN_TRY(const Table table, target(tree));
  const std::string alias = tree.alias.empty() ? tree.target.back() : tree.alias;
  Scope scope;
  scope.sources.push_back(source_of(table, alias));
  std::string from;
  if (tree.from) {
    SERIN_TRY(from, source(*tree.from, scope, nullptr));
    from = " FROM " + from;
  }
  SERIN_TRY(const std::string sets, set_list(table, tree.assignments, scope));
  SERIN_TRY(const std::string where, condition(*tree.where, scope, "WHERE clause"));
  Statement out{.kind = Statement::Kind::update, .target = table.name};
  out.steps.push_back(
      {Step::Role::updates,
       fmt::format("UPDATE {} AS {} SET {}{} WHERE {}", table.storage, quoted(alias), sets, from, where),
       {}});
  return out;
}

Result<Statement> Emitter::remove(const Tree& tree) {
  SERIN_TRY(const Table table, target(tree));
  const std::string alias = tree.alias.empty() ? tree.target.back() : tree.alias;
  Scope scope;
  scope.sources.push_back(source_of(table, alias));
  SERIN_TRY(const std::string where, condition(*tree.where, scope, "WHERE clause"));
  Statement out{.kind = Statement::Kind::remove, .target = table.name};
  out.steps.push_back(
      {Step::Role::deletes, fmt::format("DELETE FROM {} AS {} WHERE {}", table.storage, quoted(alias), where), {}});
  return out;
}

/// CREATE, DROP, ALTER, TRUNCATE: what is to be; the catalog's owner does it.
Result<Statement> Emitter::define(const Tree& tree) {
  Statement out{.columns = tree.definition,
                .primary_key = tree.primary_key,
                .renames = tree.renames,
                .if_exists = tree.if_exists,
                .or_replace = tree.or_replace,
                .cascade = tree.cascade};
  if (tree.kind == Tree::Kind::create_schema || tree.kind == Tree::Kind::drop_schema) {
    out.kind = tree.kind == Tree::Kind::create_schema ? Statement::Kind::create_schema : Statement::Kind::drop_schema;
    SERIN_TRY(out.target, schema_name(tree.target, tree.offset));
    return out;
  }
  SERIN_TRY(out.target, table_name(tree.target, tree.offset));
  if (out.target.table.find('.') != std::string::npos) return wrong(tree.offset, "INFORMATION_SCHEMA is read only");
  for (const Column& column : out.columns) {
    const auto same = [&](const Column& other) { return equal_ignoring_case(other.name, column.name); };
    if (std::ranges::count_if(out.columns, same) > 1)
      return wrong(tree.offset, fmt::format("Duplicate column name {}", column.name));
    if (column.type.array || column.type.kind == Kind::structure)
      return unsupported(tree.offset, fmt::format("A column of type {}", type_name(column.type)));
    SERIN_CHECK(assigned({.name = out.target}, column, nullptr, {}, tree.offset));
  }
  for (const std::string& key : out.primary_key)
    if (std::ranges::none_of(out.columns, [&](const Column& c) { return equal_ignoring_case(c.name, key); }))
      return wrong(tree.offset, fmt::format("Primary key column {} is not in the table", key));
  switch (tree.kind) {
    case Tree::Kind::drop_table: out.kind = Statement::Kind::drop_table; return out;
    case Tree::Kind::truncate: {
      out.kind = Statement::Kind::truncate;
      SERIN_TRY(const Table table, target(tree));
      out.steps.push_back({Step::Role::deletes, "DELETE FROM " + table.storage, {}});
      return out;
    }
    case Tree::Kind::add_columns:
    case Tree::Kind::rename_columns: out.kind = Statement::Kind::alter; return out;
    default: break;
  }
  out.kind = Statement::Kind::create_table;
  if (!tree.query) return out;
  out.kind = Statement::Kind::create_table_as;
  if (!tree.definition.empty()) return unsupported(tree.offset, "CREATE TABLE AS with a list of columns");
  SERIN_TRY(Relation from, query(*tree.query, nullptr));
  for (Column& column : from.columns)
    if (column.type.kind == Kind::null) column.type.kind = Kind::int64;
  out.columns = std::move(from.columns);
  out.steps.push_back({Step::Role::inserts, std::move(from.sql), {}});
  return out;
}

}  // namespace serin::google_sql
