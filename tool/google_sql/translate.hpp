#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/google_sql/types.hpp"

// GoogleSQL, as far as docs/guide/google-emulator.md says, into what SQLite runs. Nothing here touches a database: what
// tables there are is asked of a Catalog, and the functions that SQLite lacks are in runtime.hpp.
namespace serin::google_sql {

struct TableName {
  std::string project;
  std::string dataset;
  std::string table;
  [[nodiscard]] std::string text() const { return project + ":" + dataset + "." + table; }
  friend auto operator<=>(const TableName&, const TableName&) = default;
};

struct Table {
  TableName name;
  std::string storage;  ///< what SQLite calls it, quoted; or a SELECT in parentheses
  std::vector<Column> columns;
  bool is_view = false;  ///< of INFORMATION_SCHEMA: nothing can be written
};

/// Which tables there are. Threads: the caller's.
class Catalog {
 public:
  virtual ~Catalog() = default;
  /// Names of INFORMATION_SCHEMA views come as table "INFORMATION_SCHEMA.COLUMNS". Errors: not_found, in BigQuery's
  /// words; unsupported.
  [[nodiscard]] virtual Result<Table> find(const TableName& name) const = 0;
};

struct Parameter {
  std::string name;  ///< empty: positional
  Type type;
};

struct TranslateOptions {
  std::string project;                ///< of names without one
  std::string dataset;                ///< of names without one; empty: such names are refused
  std::vector<Parameter> parameters;  ///< ?1 is the first of them
  WallTime now{};                     ///< CURRENT_TIMESTAMP and its like
};

/// One statement of SQLite, with ?N for the Nth parameter.
struct Step {
  enum class Role : std::uint8_t {
    rows,     ///< its rows are the answer
    plain,    ///< makes or removes something of no interest
    inserts,  ///< the rows that it changes are counted
    updates,
    deletes,
    guard  ///< when it has a row, the statement fails with `complaint`
  };
  Role role = Role::rows;
  std::string sql;
  std::string complaint;
};

/// A table that is read, and which of its columns: what a query is billed for.
struct Read {
  TableName table;
  std::string storage;
  std::vector<Column> columns;
};

struct Statement {
  enum class Kind : std::uint8_t {
    select,
    insert,
    update,
    remove,
    merge,
    create_table,
    create_table_as,
    drop_table,
    truncate,
    alter,  ///< columns are added, or renamed
    create_schema,
    drop_schema,
    begin,
    commit,
    rollback
  };
  Kind kind = Kind::select;
  std::vector<Step> steps;
  std::vector<Column> columns;  ///< of the answer; of the table that is made or the columns that are added
  std::vector<Read> reads;
  TableName target;  ///< of everything that changes; a schema has no table
  std::vector<std::string> primary_key;
  std::vector<std::pair<std::string, std::string>> renames;  ///< of columns
  bool if_exists = false;                                    ///< or IF NOT EXISTS
  bool or_replace = false;
  bool cascade = false;
  [[nodiscard]] bool changes() const noexcept { return kind != Kind::select; }
};

/// "CREATE_TABLE_AS_SELECT": BigQuery's word in statistics.query.statementType.
[[nodiscard]] std::string_view statement_type(Statement::Kind kind) noexcept;

/// The statements of a script, without their semicolons. Errors: invalid_argument. Pure.
Result<std::vector<std::string>> split_statements(std::string_view text);

/// One statement. Errors: invalid_argument (BigQuery would refuse it too), unsupported (this emulator does; the
/// sentence names what), not_found (a table). Pure, but for the catalog.
Result<Statement> translate(std::string_view text, const TranslateOptions& options, const Catalog& catalog);

/// `name` as SQLite quotes it.
[[nodiscard]] std::string quoted(std::string_view name);
/// A text as SQLite's literal.
[[nodiscard]] std::string literal(std::string_view text);

}  // namespace serin::google_sql
