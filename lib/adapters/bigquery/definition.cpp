#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "serin/base/text.hpp"
#include "sql_writer.hpp"

namespace serin::bigquery {
namespace {

using Kind = SqlToken::Kind;

struct TypeName {
  std::string_view portable;
  std::string_view google;
};
constexpr std::array<TypeName, 28> types{{{"INTEGER", "INT64"},       {"INT", "INT64"},
                                          {"BIGINT", "INT64"},        {"SMALLINT", "INT64"},
                                          {"INT64", "INT64"},         {"REAL", "FLOAT64"},
                                          {"DOUBLE", "FLOAT64"},      {"FLOAT", "FLOAT64"},
                                          {"FLOAT64", "FLOAT64"},     {"TEXT", "STRING"},
                                          {"VARCHAR", "STRING"},      {"CHAR", "STRING"},
                                          {"STRING", "STRING"},       {"BLOB", "BYTES"},
                                          {"BYTEA", "BYTES"},         {"BYTES", "BYTES"},
                                          {"BOOLEAN", "BOOL"},        {"BOOL", "BOOL"},
                                          {"NUMERIC", "NUMERIC"},     {"DECIMAL", "NUMERIC"},
                                          {"TIMESTAMP", "TIMESTAMP"}, {"TIMESTAMPTZ", "TIMESTAMP"},
                                          {"DATE", "DATE"},           {"DATETIME", "DATETIME"},
                                          {"TIME", "TIME"},           {"JSON", "JSON"},
                                          {"JSONB", "JSON"},          {"BIGNUMERIC", "BIGNUMERIC"}}};

Result<std::string> take_type(SqlCursor& cursor, std::string_view column) {
  const auto found = cursor.at_end() ? types.end() : std::ranges::find_if(types, [&](const TypeName& type) {
    return cursor.peek().is(type.portable);
  });
  if (found == types.end())
    return fail(Errc::unsupported,
                fmt::format("column {} has {}: BigQuery needs a type that it knows", column,
                            cursor.at_end() ? "no type" : fmt::format("the type '{}'", cursor.peek().raw)));
  const bool is_double = cursor.sees("DOUBLE");
  cursor.next();
  if (is_double) cursor.take("PRECISION");
  if (cursor.sees('(')) {
    SERIN_TRY([[maybe_unused]] const auto length, take_list(cursor));  // VARCHAR(20): a STRING has no length
  }
  return std::string(found->google);
}

struct Column {
  std::string name;
  std::string type;
  std::string fallback;  ///< of DEFAULT
  bool is_required = false;
  bool is_numbered = false;
};

bool begins_constraint(const SqlToken& token) {
  for (const std::string_view word : {"NOT", "NULL", "PRIMARY", "UNIQUE", "DEFAULT", "CHECK", "REFERENCES", "COLLATE",
                                      "GENERATED", "AUTOINCREMENT", "CONSTRAINT", "OPTIONS"})
    if (token.is(word)) return true;
  return false;
}

Status take_constraint(SqlCursor& cursor, SqlWriter& writer, Column& column) {
  if (cursor.take_all({"NOT", "NULL"})) {
    column.is_required = true;
  } else if (cursor.take_all({"PRIMARY", "KEY"})) {
    if (!cursor.take("ASC")) cursor.take("DESC");
  } else if (cursor.take("AUTOINCREMENT")) {
    column.is_numbered = true;
  } else if (cursor.take("DEFAULT")) {
    column.fallback = writer.write(trimmed(cursor.take_until(begins_constraint)));
  } else if (!cursor.take("NULL") && !cursor.take("UNIQUE")) {
    return fail(Errc::unsupported,
                fmt::format("column {}: BigQuery has no {}", column.name, content_of(cursor.peek())));
  }
  return {};
}

Result<std::string> write_column(SqlTokens tokens, SqlWriter& writer) {
  SqlCursor cursor(tokens);
  if (cursor.at_end()) return fail(Errc::invalid_argument, "a column of the table has no name");
  Column column{.name = content_of(cursor.peek())};
  cursor.next();
  SERIN_TRY(column.type, take_type(cursor, column.name));
  while (!cursor.at_end()) SERIN_CHECK(take_constraint(cursor, writer, column));
  std::string out = quoted_name(column.name) + " " + column.type;
  if (!column.fallback.empty()) out += " DEFAULT " + column.fallback;
  if (column.is_required) out += " NOT NULL";
  if (column.is_numbered) out += fmt::format(" OPTIONS(description = {})", quoted_text(numbered_mark));
  return out;
}

/// PRIMARY KEY(...) and UNIQUE(...) of a table. BigQuery enforces neither, and its optimizer trusts those it is told
/// of: a key that is not kept would give wrong answers.
Result<bool> is_dropped(SqlTokens item) {
  SqlCursor cursor(item);
  if (cursor.sees("PRIMARY") || cursor.sees("UNIQUE")) return true;
  for (const std::string_view word : {"CHECK", "FOREIGN", "CONSTRAINT", "EXCLUDE"})
    if (cursor.sees(word)) return fail(Errc::unsupported, fmt::format("BigQuery has no {} in a table", word));
  return false;
}

Result<GoogleSql> write_create_table(SqlCursor& cursor, SqlWriter& writer, bool if_needed) {
  const bool given = cursor.take_all({"IF", "NOT", "EXISTS"});
  const SqlTokens table = trimmed(cursor.take_until([](const SqlToken& token) { return token.is('('); }));
  GoogleSql statement{.kind = StatementKind::define};
  statement.text = fmt::format("CREATE TABLE {}{} (", given || if_needed ? "IF NOT EXISTS " : "", writer.write(table));
  for (const SqlToken& token : table)
    if (token.kind != Kind::space) statement.created += content_of(token);
  SERIN_TRY(const std::vector<SqlTokens> items, take_list(cursor));
  std::string columns;
  for (const SqlTokens item : items) {
    SERIN_TRY(const bool dropped, is_dropped(item));
    if (dropped) continue;
    SERIN_TRY(const std::string column, write_column(item, writer));
    columns += (columns.empty() ? "" : ", ") + column;
  }
  cursor.take_all({"WITHOUT", "ROWID"});
  if (!cursor.at_end())
    return fail(Errc::unsupported, fmt::format("'{}' after the columns of a table", cursor.peek().raw));
  statement.text += columns + ")";
  return statement;
}

Result<GoogleSql> write_alter_table(SqlTokens all, SqlCursor& cursor, SqlWriter& writer, bool if_needed) {
  const SqlTokens table = trimmed(cursor.take_until([](const SqlToken& token) {
    return token.is("ADD") || token.is("RENAME") || token.is("DROP") || token.is("ALTER") || token.is("SET");
  }));
  if (!cursor.take("ADD")) return GoogleSql{.text = writer.write(all), .kind = StatementKind::define};
  cursor.take("COLUMN");
  const bool given = cursor.take_all({"IF", "NOT", "EXISTS"});
  SERIN_TRY(const std::string column, write_column(cursor.rest(), writer));
  return GoogleSql{.text = fmt::format("ALTER TABLE {} ADD COLUMN {}{}", writer.write(table),
                                       given || if_needed ? "IF NOT EXISTS " : "", column),
                   .kind = StatementKind::define};
}

}  // namespace

Result<GoogleSql> write_definition(SqlTokens tokens, SqlWriter& writer, const TranslateOptions& options) {
  SqlCursor cursor(tokens);
  if (cursor.take_all({"CREATE", "TABLE"})) return write_create_table(cursor, writer, options.if_needed);
  if (cursor.take_all({"ALTER", "TABLE"})) return write_alter_table(tokens, cursor, writer, options.if_needed);
  // An index makes nothing right or wrong, only fast; BigQuery reads columns instead.
  if (cursor.take_all({"CREATE", "INDEX"}) || cursor.take_all({"DROP", "INDEX"}))
    return GoogleSql{.kind = StatementKind::nothing};
  if (cursor.take_all({"CREATE", "UNIQUE", "INDEX"})) return fail(Errc::unsupported, "BigQuery has no unique index");
  return GoogleSql{.text = writer.write(tokens), .kind = StatementKind::define};
}

}  // namespace serin::bigquery
