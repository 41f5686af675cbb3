#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "serin/base/error.hpp"
#include "serin/ports/sql.hpp"

// Private to the module.
namespace serin::bigquery {

enum class StatementKind : std::uint8_t {
  read,
  write,
  define,   ///< tables: outside of every transaction, because BigQuery has it only there
  nothing,  ///< an index: BigQuery has none
};

struct GoogleSql {
  std::string text;
  StatementKind kind = StatementKind::read;
  std::string created;  ///< the table that a CREATE TABLE makes; empty otherwise
};

struct TranslateOptions {
  std::span<const SqlValue> parameters;        ///< of $1, $2, ...
  std::optional<std::string> numbered_column;  ///< of the table that an INSERT writes to: filled by the statement
  bool if_needed = false;  ///< CREATE TABLE and ADD COLUMN get IF NOT EXISTS: a transaction's that is done again
};

/// A statement in the words that SQLite and PostgreSQL share, in GoogleSQL's:
/// - $1 becomes @p1, and NULL where the value is NULL, because a parameter of BigQuery must have a type;
/// - INSERT ... ON CONFLICT becomes MERGE; of several new rows with one key the last one counts;
/// - types by their BigQuery names; keys, UNIQUE and WITHOUT ROWID go, because BigQuery enforces none; a column that
///   is AUTOINCREMENT is marked in its description and filled by whoever inserts;
/// - texts and names in BigQuery's quotes; names that only BigQuery reserves are quoted;
/// - UPDATE and DELETE of a whole table get WHERE TRUE, a SELECT without FROM one row to filter.
/// Not translated: a / between whole numbers, which BigQuery divides with a fraction.
/// Errors: invalid_argument (a statement that cannot be read, a parameter without value), unsupported (RETURNING, OR
/// IGNORE, CHECK, REFERENCES, ...: named in the sentence). Pure.
Result<GoogleSql> translated(std::string_view sql, const TranslateOptions& options);

/// A statement that is GoogleSQL already; only $1 becomes @p1. Pure.
Result<GoogleSql> with_named_parameters(std::string_view sql, std::span<const SqlValue> parameters);

/// The table of an INSERT that lists its columns: it may have a numbered column that has to be filled.
[[nodiscard]] std::optional<std::string> insert_target(std::string_view sql);

/// Stands in the description of a column that numbers its rows.
inline constexpr std::string_view numbered_mark = "numbered by whoever inserts";

}  // namespace serin::bigquery
