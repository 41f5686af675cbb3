#pragma once
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "functions.hpp"
#include "translate.hpp"
#include "tree.hpp"

// Private to the module.
namespace serin::google_sql {

/// An expression as SQLite reads it.
struct Text {
  std::string sql;
  Type type;
  /// A literal or a parameter: BigQuery turns such a STRING into a DATE, TIMESTAMP, ... where one is wanted.
  bool pliable = false;
};

/// A query, or what can stand after FROM.
struct Relation {
  std::string sql;
  std::vector<Column> columns;
};

struct ScopeColumn {
  std::string name;
  Type type;
  std::string sql;  ///< how it is read: "t"."c"
};

struct ScopeSource {
  std::string alias;
  std::vector<ScopeColumn> columns;
  int read = -1;          ///< index into the reads of the statement
  bool is_value = false;  ///< UNNEST of scalars: the alias is the value
};

/// What a select list, GROUP BY and aggregates of one SELECT share.
struct Grouping {
  bool active = false;         ///< there is a GROUP BY or an aggregate
  std::set<std::string> keys;  ///< the grouped expressions, as emitted
  int inside = 0;              ///< aggregates around what is emitted
  std::string stray;           ///< the first column that is neither grouped nor aggregated, with its place
};

struct Scope {
  std::vector<ScopeSource> sources;
  std::vector<std::string> shared;  ///< columns of USING
  const Scope* outer = nullptr;
  Grouping* grouping = nullptr;
  const std::vector<ScopeColumn>* aliases = nullptr;  ///< of the select list, where they may be used
  bool aliases_first = false;                         ///< ORDER BY prefers them to columns
  bool aggregates = false;                            ///< may stand here
  bool windows = false;
};

/// Looks names and types up and writes SQLite's SQL. Threads: one; one statement.
class Emitter {
 public:
  Emitter(std::string_view text, const TranslateOptions& options, const Catalog& catalog)
      : text_(text), options_(options), catalog_(catalog) {}
  Result<Statement> statement(const Tree& tree);

 private:
  [[nodiscard]] std::unexpected<Error> wrong(std::size_t offset, std::string_view what) const;
  [[nodiscard]] std::unexpected<Error> unsupported(std::size_t offset, std::string_view what) const;

  // emit_expression.cpp
  Result<Text> expression(const Expression& node, const Scope& scope);
  Result<Text> emit(const Expression& node, const Scope& scope);
  Result<Text> literal_of(const Expression& node) const;
  Result<Text> column(const Expression& node, const Scope& scope);
  Result<Text> column_of(const ScopeSource& source, const ScopeColumn& column, const Expression& node,
                         const Scope& scope, bool is_local);
  Result<Text> parameter(const Expression& node) const;
  Result<Text> unary(const Expression& node, const Scope& scope);
  Result<Text> binary(const Expression& node, const Scope& scope);
  Result<Text> arithmetic(const Expression& node, std::vector<Text> parts) const;
  Result<Text> add_interval(const Expression& node, const Scope& scope);
  Result<Text> logic(const Expression& node, const std::vector<Text>& parts) const;
  Result<Text> comparison(const Expression& node, Text left, Text right);
  Result<Text> membership(const Expression& node, const Scope& scope);
  Result<Text> when(const Expression& node, const Scope& scope);
  Result<Text> cast(const Expression& node, const Scope& scope);
  Result<Text> array(const Expression& node, const Scope& scope);
  Result<Text> structure(const Expression& node, const Scope& scope);
  Result<std::string> condition(const Expression& node, const Scope& scope, std::string_view where);
  /// Both as one type, for comparisons, CASE and the like. Errors: invalid_argument with `what`.
  Result<Type> unify(std::vector<Text*> parts, std::size_t offset, std::string_view what) const;
  /// As the type, when BigQuery converts it without being asked.
  [[nodiscard]] std::optional<Text> coerced(const Text& value, const Type& type) const;

  // emit_call.cpp
  Result<Text> call(const Expression& node, const Scope& scope);
  Result<Text> special_call(const Expression& node, const Scope& scope, bool& handled);
  Result<Text> current(const Expression& node) const;
  Result<Text> make_time(const Expression& node, const Scope& scope);
  Result<Text> shift(const Expression& node, const Scope& scope, Kind kind);
  Result<Text> difference(const Expression& node, const Scope& scope, Kind kind);
  Result<Text> truncate(const Expression& node, const Scope& scope, Kind kind);
  Result<Text> extract(const Expression& node, const Scope& scope);
  Result<Text> table_call(const Function& function, const Expression& node, const Scope& scope);
  Result<std::vector<Text>> arguments(const Function& function, const Expression& node, const Scope& scope, Type& all);
  Result<std::string> over(const Window& window, const Scope& scope);
  Status only_utc(const Expression& node) const;

  // emit_query.cpp
  Result<Relation> query(const Query& query, const Scope* outer);
  Result<Relation> select(const Select& select, const Scope* outer, const Query* ordered);
  Result<Relation> values(const Query& query, const Scope* outer);
  Result<Relation> compound(const Query& query, const Scope* outer);
  Status expand(const SelectItem& item, const Scope& scope, std::vector<ScopeColumn>& out);
  Result<std::vector<ScopeColumn>> items(const Select& select, const Scope& scope);
  Result<std::string> order(const std::vector<OrderTerm>& terms, const Scope& scope);
  Result<std::string> limit(const Query& query, const Scope& scope);
  Result<std::string> group(const Select& select, Scope& scope, const std::vector<ScopeColumn>& aliases);
  /// Adds the tables of a FROM to the scope and returns the clause.
  Result<std::string> source(const Source& source, Scope& scope, const Scope* outer);
  Result<std::string> table(const Source& source, Scope& scope);
  Result<std::string> unnest(const Source& source, Scope& scope);
  Result<std::string> unnest_literal(const Source& source, Scope& scope);
  Result<std::string> join(const Source& source, Scope& scope, const Scope* outer);
  void add_offset(const Source& source, ScopeSource& entry, std::string sql) const;

  // emit_change.cpp
  Result<TableName> table_name(const std::vector<std::string>& path, std::size_t offset) const;
  Result<TableName> schema_name(const std::vector<std::string>& path, std::size_t offset) const;
  Result<Table> target(const Tree& tree);
  Result<Statement> insert(const Tree& tree);
  Result<Statement> update(const Tree& tree);
  Result<Statement> remove(const Tree& tree);
  Result<Statement> define(const Tree& tree);
  /// A value for a column: coerced, or an error. \param value  null: the column's default
  Result<std::string> assigned(const Table& table, const Column& column, const Expression* value, const Scope& scope,
                               std::size_t offset);
  Result<std::string> coerce_to(const Column& column, const Text& value, std::size_t offset) const;
  Result<std::vector<const Column*>> columns_of(const Table& table, const std::vector<std::string>& names,
                                                std::size_t offset) const;
  Result<std::string> set_list(const Table& table, const std::vector<Assignment>& assignments, const Scope& scope);
  [[nodiscard]] ScopeSource source_of(const Table& table, std::string alias);

  // emit_merge.cpp
  Result<Statement> merge(const Tree& tree);
  struct Merge;
  Status matched(Merge& merge);
  Status not_by_source(Merge& merge);
  Status inserts(Merge& merge);
  Status act(Merge& merge, const When& when, std::size_t number, std::string_view pairs);

  std::string_view text_;
  const TranslateOptions& options_;
  const Catalog& catalog_;
  std::vector<Read> reads_;
  std::vector<std::vector<Relation>> common_;  // of the WITHs around; a relation's sql is its name
  int depth_ = 0;
  std::size_t expressions_ = 0;  // written so far
};

}  // namespace serin::google_sql
