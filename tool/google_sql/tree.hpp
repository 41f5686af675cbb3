#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "types.hpp"

// Private to the module: what a statement says, before names are looked up.
namespace serin::google_sql {

struct Query;
struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;

struct OrderTerm {
  ExpressionPtr value;
  bool descending = false;
  std::optional<bool> nulls_first;
};

struct Window {
  std::vector<ExpressionPtr> partition;
  std::vector<OrderTerm> order;
  std::string frame;  ///< as SQLite writes it; empty: the default
};

struct Expression {
  enum class Kind : std::uint8_t {
    literal,  ///< text, type
    null,
    column,     ///< path
    parameter,  ///< text: the name; number: the position when it has none
    unary,      ///< text: NOT, -, +, ~
    binary,     ///< text: the operator; two or more arguments
    is,         ///< text: "IS NULL", "IS NOT TRUE", ...
    between,    ///< value, low, high
    in_list,    ///< value, then the list
    in_query,   ///< value; query
    in_unnest,  ///< value, array
    exists,     ///< query
    scalar,     ///< query
    call,       ///< text: name, arguments
    cast,       ///< value; type; flag: SAFE_CAST
    when,       ///< CASE: [operand], then pairs, then [ELSE]; flag: it has an operand
    array,      ///< elements
    structure,  ///< elements; names
    interval,   ///< value; text: the part
    extract,    ///< value; text: the part
    star        ///< of COUNT(*)
  };
  Kind kind = Kind::null;
  std::size_t offset = 0;
  int depth = 1;
  std::string text;
  Type type;
  std::vector<std::string> path;
  std::vector<ExpressionPtr> arguments;
  std::vector<std::string> names;  ///< of a struct's fields
  std::unique_ptr<Query> query;
  std::unique_ptr<Window> window;
  std::vector<OrderTerm> order;  ///< inside of an aggregate
  bool flag = false;             ///< NOT of in/between/like; SAFE; has an operand; has an ELSE is told by the count
  bool distinct = false;
  bool parenthesised = false;
  std::size_t number = 0;
};

struct SelectItem {
  ExpressionPtr value;  ///< null: a star
  std::string alias;
  std::vector<std::string> star_of;  ///< "t" of "t.*"
  std::vector<std::string> except;
  std::vector<std::pair<std::string, ExpressionPtr>> replace;
  std::size_t offset = 0;
};

struct Source;
using SourcePtr = std::unique_ptr<Source>;
struct Source {
  enum class Kind : std::uint8_t { table, query, unnest, join };
  Kind kind = Kind::table;
  std::size_t offset = 0;
  int depth = 1;
  std::vector<std::string> path;
  std::string alias;
  std::string offset_alias;  ///< WITH OFFSET AS x
  std::unique_ptr<Query> query;
  ExpressionPtr array;
  // join
  std::string join;  ///< "JOIN", "LEFT JOIN", "CROSS JOIN", ...
  SourcePtr left;
  SourcePtr right;
  ExpressionPtr on;
  std::vector<std::string> shared;  ///< USING
};

struct Select {
  bool distinct = false;
  std::vector<SelectItem> items;
  SourcePtr from;
  ExpressionPtr where;
  std::vector<ExpressionPtr> group;
  ExpressionPtr having;
  ExpressionPtr qualify;
  std::unique_ptr<Query> nested;  ///< an operand in parentheses
  std::size_t offset = 0;
};

struct Common {
  std::string name;
  std::unique_ptr<Query> query;
};

struct Query {
  std::vector<Common> with;
  std::vector<Select> parts;
  std::vector<std::string> operators;  ///< "UNION ALL", ... between the parts
  std::vector<OrderTerm> order;
  ExpressionPtr limit;
  ExpressionPtr skip;
  std::size_t offset = 0;
};

struct Assignment {
  std::string column;
  ExpressionPtr value;  ///< null: DEFAULT
  std::size_t offset = 0;
};

/// One WHEN of a MERGE.
struct When {
  enum class Match : std::uint8_t { matched, not_by_target, not_by_source };
  Match match = Match::matched;
  ExpressionPtr condition;
  enum class Action : std::uint8_t { update, remove, insert, insert_row };
  Action action = Action::update;
  std::vector<Assignment> assignments;  ///< update
  std::vector<std::string> columns;     ///< insert
  std::vector<ExpressionPtr> values;    ///< insert; null: DEFAULT
  std::size_t offset = 0;
};

struct Tree {
  enum class Kind : std::uint8_t {
    query,
    insert,
    update,
    remove,
    merge,
    create_table,
    drop_table,
    truncate,
    add_columns,
    rename_columns,
    create_schema,
    drop_schema,
    begin,
    commit,
    rollback
  };
  Kind kind = Kind::query;
  std::vector<std::string> target;
  std::string alias;
  std::unique_ptr<Query> query;                  ///< SELECT, INSERT ... SELECT, CREATE TABLE AS
  std::vector<std::string> columns;              ///< of an INSERT
  std::vector<std::vector<ExpressionPtr>> rows;  ///< of INSERT ... VALUES; null: DEFAULT
  std::vector<Assignment> assignments;           ///< of an UPDATE
  SourcePtr from;                                ///< of UPDATE ... FROM, and USING of a MERGE
  ExpressionPtr where;                           ///< also ON of a MERGE
  std::vector<When> whens;
  std::vector<Column> definition;
  std::vector<std::string> primary_key;
  std::vector<std::pair<std::string, std::string>> renames;
  bool if_exists = false;  ///< or IF NOT EXISTS
  bool or_replace = false;
  bool cascade = false;
  std::size_t offset = 0;
};

}  // namespace serin::google_sql
