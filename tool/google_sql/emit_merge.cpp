#include <fmt/format.h>

#include <algorithm>

#include "emitter.hpp"
#include "serin/base/text.hpp"

// MERGE as steps: the source into a temporary table, which rows match and what is to become of each, then one UPDATE,
// DELETE or INSERT for every WHEN. All conditions are looked at before anything changes, as BigQuery does.
namespace serin::google_sql {

struct Emitter::Merge {
  const Tree& tree;
  Table table;
  std::string alias;
  std::string source_alias;
  Scope target;  ///< only the table
  Scope source;  ///< only the source, read from its copy
  Scope both;
  Statement out;
};

namespace {

constexpr std::string_view copy = "temp.\"$source\"";
constexpr std::string_view pairs_of_both = "temp.\"$pairs\"";
constexpr std::string_view lone_targets = "temp.\"$lone\"";

void plain(Statement& statement, std::string sql) {
  statement.steps.push_back({Step::Role::plain, std::move(sql), {}});
}

}  // namespace

Result<Statement> Emitter::merge(const Tree& tree) {
  SERIN_TRY(Table table, target(tree));
  Merge merge{.tree = tree, .table = std::move(table)};
  merge.alias = tree.alias.empty() ? tree.target.back() : tree.alias;
  merge.out.kind = Statement::Kind::merge;
  merge.out.target = merge.table.name;

  Scope original;
  SERIN_TRY(const std::string from, this->source(*tree.from, original, nullptr));
  const ScopeSource& seen = original.sources[0];
  merge.source_alias = seen.alias.empty() ? "$s" : seen.alias;
  std::string list;
  ScopeSource copied{.alias = seen.alias, .is_value = seen.is_value};
  for (std::size_t i = 0; i < seen.columns.size(); ++i) {
    const ScopeColumn& column = seen.columns[i];
    Expression reference;
    SERIN_TRY(const Text text, column_of(seen, column, reference, original, true));
    list += fmt::format("{}{} AS c{}", i == 0 ? "" : ", ", text.sql, i);
    copied.columns.push_back({column.name, column.type, fmt::format("{}.c{}", quoted(merge.source_alias), i)});
  }
  for (const std::string_view temporary : {copy, pairs_of_both, lone_targets})
    plain(merge.out, fmt::format("DROP TABLE IF EXISTS {}", temporary));
  plain(merge.out, fmt::format("CREATE TABLE {} AS SELECT {} FROM {}", copy, list, from));

  merge.target.sources.push_back(source_of(merge.table, merge.alias));
  merge.source.sources.push_back(copied);
  merge.both.sources = {merge.target.sources[0], copied};
  SERIN_CHECK(matched(merge));
  SERIN_CHECK(not_by_source(merge));
  SERIN_CHECK(inserts(merge));
  for (const std::string_view temporary : {copy, pairs_of_both, lone_targets})
    plain(merge.out, fmt::format("DROP TABLE IF EXISTS {}", temporary));
  return std::move(merge.out);
}

/// "CASE WHEN c0 THEN 0 WHEN c1 THEN 1 END": which WHEN takes a row.
Status Emitter::matched(Merge& merge) {
  SERIN_TRY(const std::string on, condition(*merge.tree.where, merge.both, "MERGE ON clause"));
  std::string choice;
  for (std::size_t i = 0; i < merge.tree.whens.size(); ++i) {
    const When& when = merge.tree.whens[i];
    if (when.match != When::Match::matched) continue;
    std::string condition_of = "1";
    if (when.condition) {
      SERIN_TRY(condition_of, condition(*when.condition, merge.both, "WHEN clause"));
    }
    choice += fmt::format(" WHEN {} THEN {}", condition_of, i);
  }
  plain(merge.out,
        fmt::format(
            "CREATE TABLE {} AS SELECT {}._rowid_ AS t, {}._rowid_ AS s, {} AS w FROM {} AS {} JOIN {} AS {} ON {}",
            pairs_of_both, quoted(merge.alias), quoted(merge.source_alias),
            choice.empty() ? "NULL" : "CASE" + choice + " END", merge.table.storage, quoted(merge.alias), copy,
            quoted(merge.source_alias), on));
  if (choice.empty()) return {};
  merge.out.steps.push_back(
      {Step::Role::guard,
       fmt::format("SELECT 1 FROM {} WHERE w IS NOT NULL GROUP BY t HAVING count(*) > 1 LIMIT 1", pairs_of_both),
       "UPDATE/MERGE must match at most one source row for each target row"});
  for (std::size_t i = 0; i < merge.tree.whens.size(); ++i)
    if (merge.tree.whens[i].match == When::Match::matched)
      SERIN_CHECK(act(merge, merge.tree.whens[i], i, pairs_of_both));
  return {};
}

Status Emitter::act(Merge& merge, const When& when, std::size_t number, std::string_view pairs) {
  if (when.action == When::Action::remove) {
    merge.out.steps.push_back({Step::Role::deletes,
                               fmt::format("DELETE FROM {} WHERE _rowid_ IN (SELECT t FROM {} WHERE w = {})",
                                           merge.table.storage, pairs, number),
                               {}});
    return {};
  }
  const bool has_source = pairs == pairs_of_both;
  SERIN_TRY(const std::string sets, set_list(merge.table, when.assignments, has_source ? merge.both : merge.target));
  const std::string join = has_source ? fmt::format(" JOIN {} AS {} ON {}._rowid_ = \"$p\".s", copy,
                                                    quoted(merge.source_alias), quoted(merge.source_alias))
                                      : "";
  merge.out.steps.push_back(
      {Step::Role::updates,
       fmt::format("UPDATE {} AS {} SET {} FROM {} AS \"$p\"{} WHERE {}._rowid_ = \"$p\".t AND \"$p\".w = {}",
                   merge.table.storage, quoted(merge.alias), sets, pairs, join, quoted(merge.alias), number),
       {}});
  return {};
}

Status Emitter::not_by_source(Merge& merge) {
  std::string choice;
  for (std::size_t i = 0; i < merge.tree.whens.size(); ++i) {
    const When& when = merge.tree.whens[i];
    if (when.match != When::Match::not_by_source) continue;
    std::string condition_of = "1";
    if (when.condition) {
      SERIN_TRY(condition_of, condition(*when.condition, merge.target, "WHEN clause"));
    }
    choice += fmt::format(" WHEN {} THEN {}", condition_of, i);
  }
  if (choice.empty()) return {};
  plain(merge.out,
        fmt::format("CREATE TABLE {} AS SELECT _rowid_ AS t, CASE{} END AS w FROM {} AS {} WHERE _rowid_ NOT IN "
                    "(SELECT t FROM {})",
                    lone_targets, choice, merge.table.storage, quoted(merge.alias), pairs_of_both));
  for (std::size_t i = 0; i < merge.tree.whens.size(); ++i)
    if (merge.tree.whens[i].match == When::Match::not_by_source)
      SERIN_CHECK(act(merge, merge.tree.whens[i], i, lone_targets));
  return {};
}

Status Emitter::inserts(Merge& merge) {
  std::string earlier;  // a row goes to the first WHEN that takes it
  for (const When& when : merge.tree.whens) {
    if (when.match != When::Match::not_by_target) continue;
    std::string condition_of = "1";
    if (when.condition) {
      SERIN_TRY(condition_of, condition(*when.condition, merge.source, "WHEN clause"));
    }
    SERIN_TRY(const std::vector<const Column*> columns, columns_of(merge.table, when.columns, when.offset));
    const bool row = when.action == When::Action::insert_row;
    const std::vector<ScopeColumn>& from = merge.source.sources[0].columns;
    const std::size_t given = row ? from.size() : when.values.size();
    if (given != columns.size())
      return wrong(when.offset,
                   fmt::format("Inserted row has wrong column count; Has {}, expected {}", given, columns.size()));
    std::string names;
    std::string values;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      names += (names.empty() ? "" : ", ") + quoted(columns[i]->name);
      std::string value;
      if (row) {
        SERIN_TRY(value, coerce_to(*columns[i], {from[i].sql, from[i].type}, when.offset));
      } else {
        SERIN_TRY(value, assigned(merge.table, *columns[i], when.values[i].get(), merge.source, when.offset));
      }
      values += (values.empty() ? "" : ", ") + value;
    }
    for (const Column& column : merge.table.columns) {
      if (column.default_sql.empty() || std::ranges::find(columns, &column) != columns.end()) continue;
      SERIN_TRY(const std::string value, assigned(merge.table, column, nullptr, {}, when.offset));
      names += ", " + quoted(column.name);
      values += ", " + value;
    }
    merge.out.steps.push_back(
        {Step::Role::inserts,
         fmt::format("INSERT INTO {} ({}) SELECT {} FROM {} AS {} WHERE {}._rowid_ NOT IN (SELECT s FROM {}) AND {}{}",
                     merge.table.storage, names, values, copy, quoted(merge.source_alias), quoted(merge.source_alias),
                     pairs_of_both, condition_of, earlier),
         {}});
    earlier += fmt::format(" AND {} IS NOT TRUE", condition_of);
  }
  return {};
}

}  // namespace serin::google_sql
