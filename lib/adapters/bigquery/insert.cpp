#include <fmt/format.h>

#include <algorithm>

#include "serin/base/text.hpp"
#include "sql_writer.hpp"

namespace serin::bigquery {
namespace {

using Kind = SqlToken::Kind;

// By the server's clock, so that a later statement has larger numbers whoever sends it; rows of one statement follow
// each other within the microsecond's thousand.
constexpr std::string_view next_number = "UNIX_MICROS(CURRENT_TIMESTAMP()) * 1000";

struct Conflict {
  std::vector<std::string> key;
  std::vector<SqlTokens> changes;  ///< "column = expression"; empty: DO NOTHING
  SqlTokens where;                 ///< empty: always
};

struct Insert {
  SqlTokens table;
  std::vector<std::string> columns;
  std::vector<std::vector<SqlTokens>> rows;  ///< of VALUES
  SqlTokens select;                          ///< when there are no rows
  bool lists_columns = false;
};

/// Where ON CONFLICT begins outside of all brackets; the size of the statement when it has none.
std::size_t conflict_at(SqlTokens tokens) {
  SqlCursor cursor(tokens);
  for (int depth = 0; !cursor.at_end(); cursor.next()) {
    if (cursor.sees('(')) ++depth;
    if (cursor.sees(')')) --depth;
    SqlCursor ahead = cursor;
    if (depth == 0 && ahead.take_all({"ON", "CONFLICT"})) return cursor.at();
  }
  return tokens.size();
}

bool has_at_top(SqlTokens tokens, std::initializer_list<std::string_view> words) {
  SqlCursor cursor(tokens);
  const auto is_one = [&](const SqlToken& token) {
    return std::ranges::any_of(words, [&](std::string_view word) { return token.is(word); });
  };
  cursor.take_until(is_one);
  return !cursor.at_end() && is_one(cursor.peek());
}

Result<Conflict> read_conflict(SqlTokens tokens) {
  SqlCursor cursor(tokens);
  Conflict conflict;
  cursor.take_all({"ON", "CONFLICT"});
  if (!cursor.sees('('))
    return fail(Errc::unsupported, "ON CONFLICT without its key: BigQuery knows no keys, name the columns");
  SERIN_TRY(const std::vector<SqlTokens> key, take_list(cursor));
  for (const SqlTokens column : key) {
    if (column.size() != 1) return fail(Errc::unsupported, "ON CONFLICT with something else than columns as its key");
    conflict.key.push_back(content_of(column.front()));
  }
  if (cursor.take_all({"DO", "NOTHING"})) return conflict;
  if (!cursor.take_all({"DO", "UPDATE", "SET"}))
    return fail(Errc::unsupported, "ON CONFLICT without DO NOTHING or DO UPDATE SET");
  do {
    conflict.changes.push_back(
        trimmed(cursor.take_until([](const SqlToken& token) { return token.is(',') || token.is("WHERE"); })));
  } while (cursor.take(','));
  if (cursor.take("WHERE")) conflict.where = trimmed(cursor.rest());
  return conflict;
}

Result<Insert> read_insert(SqlTokens tokens) {
  SqlCursor cursor(tokens);
  cursor.take("INSERT");
  if (cursor.sees("OR")) return fail(Errc::unsupported, "INSERT OR ...: write ON CONFLICT(key) instead");
  if (!cursor.take("INTO")) return fail(Errc::invalid_argument, "INSERT without INTO");
  Insert insert;
  const auto begins_rows = [](const SqlToken& token) {
    return token.is('(') || token.is("VALUES") || token.is("SELECT") || token.is("WITH") || token.is("AS") ||
           token.is("DEFAULT");
  };
  insert.table = trimmed(cursor.take_until(begins_rows));
  if (cursor.sees("AS") || cursor.sees("DEFAULT"))
    return fail(Errc::unsupported, fmt::format("INSERT INTO ... {}", cursor.peek().raw));
  if (cursor.sees('(')) {
    insert.lists_columns = true;
    SERIN_TRY(const std::vector<SqlTokens> columns, take_list(cursor));
    for (const SqlTokens column : columns) {
      if (column.size() != 1) return fail(Errc::invalid_argument, "the columns of an INSERT must be names");
      insert.columns.push_back(content_of(column.front()));
    }
  }
  if (!cursor.take("VALUES")) {
    insert.select = trimmed(cursor.rest());
    return insert;
  }
  do {
    SERIN_TRY(std::vector<SqlTokens> row, take_list(cursor));
    if (insert.lists_columns && row.size() != insert.columns.size())
      return fail(Errc::invalid_argument,
                  fmt::format("INSERT has {} columns, but {} values in a row", insert.columns.size(), row.size()));
    insert.rows.push_back(std::move(row));
  } while (cursor.take(','));
  if (!cursor.at_end()) return fail(Errc::invalid_argument, fmt::format("'{}' after VALUES", cursor.peek().raw));
  return insert;
}

std::string names(const std::vector<std::string>& columns, std::string_view prefix = "") {
  std::string out;
  for (const std::string& column : columns)
    out += fmt::format("{}{}{}", out.empty() ? "" : ", ", prefix, quoted_name(column));
  return out;
}

/// The select list of INSERT ... SELECT, and what follows it.
struct Select {
  std::vector<SqlTokens> items;
  SqlTokens from;   ///< FROM, WHERE, GROUP BY
  SqlTokens order;  ///< what follows ORDER BY
};

Result<Select> read_select(SqlTokens tokens) {
  SqlCursor cursor(tokens);
  if (!cursor.take("SELECT")) return fail(Errc::unsupported, "ON CONFLICT after something else than VALUES or SELECT");
  if (cursor.sees("DISTINCT") || has_at_top(tokens, {"UNION", "EXCEPT", "INTERSECT", "LIMIT", "QUALIFY"}))
    return fail(Errc::unsupported, "ON CONFLICT after a SELECT with DISTINCT, UNION, EXCEPT, INTERSECT or LIMIT");
  Select select;
  do {
    select.items.push_back(trimmed(cursor.take_until([](const SqlToken& token) {
      return token.is(',') || token.is("FROM") || token.is("WHERE") || token.is("ORDER");
    })));
  } while (cursor.take(','));
  select.from = trimmed(cursor.take_until([](const SqlToken& token) { return token.is("ORDER"); }));
  if (cursor.take_all({"ORDER", "BY"})) select.order = trimmed(cursor.rest());
  return select;
}

/// "a + b AS c" without its alias: the column of the table gives the name.
SqlTokens without_alias(SqlTokens item) {
  SqlCursor cursor(item);
  const SqlTokens value = cursor.take_until([](const SqlToken& token) { return token.is("AS"); });
  return trimmed(value);
}

/// One INSERT with ON CONFLICT as a MERGE.
class Merge {
 public:
  Merge(const Insert& insert, const Conflict& conflict, SqlWriter& writer, const TranslateOptions& options)
      : insert_(insert), conflict_(conflict), writer_(writer), options_(options) {}

  Result<std::string> text() {
    SERIN_CHECK(read());
    SERIN_TRY(const std::string source, source_text());
    const std::string table = writer_.write(insert_.table);
    const std::string alias = quoted_name(content_of(insert_.table.back()));
    std::string out = fmt::format("MERGE INTO {} AS {} USING ({}) AS excluded ON ", table, alias, source);
    for (const std::string& column : conflict_.key)
      out += fmt::format("{}{}.{} = {}", &column == &conflict_.key.front() ? "" : " AND ", alias, quoted_name(column),
                         new_value(column));
    if (!conflict_.changes.empty()) {
      const std::string where =
          conflict_.where.empty() ? "" : fmt::format(" AND ({})", writer_.write(with_nulls(conflict_.where)));
      out += fmt::format(" WHEN MATCHED{} THEN UPDATE SET ", where);
      for (const SqlTokens& change : conflict_.changes)
        out += (&change == &conflict_.changes.front() ? "" : ", ") + writer_.write(with_nulls(change));
    }
    return out + " WHEN NOT MATCHED THEN " + insertion();
  }

 private:
  Status read() {
    if (!insert_.lists_columns) return fail(Errc::unsupported, "ON CONFLICT needs the INSERT to name its columns");
    if (insert_.rows.empty()) {
      SERIN_TRY(select_, read_select(insert_.select));
      for (SqlTokens& item : select_.items) item = without_alias(item);
      rows_.push_back(select_.items);
      if (select_.items.size() != insert_.columns.size())
        return fail(Errc::invalid_argument, fmt::format("INSERT has {} columns, but its SELECT has {}",
                                                        insert_.columns.size(), select_.items.size()));
    } else {
      rows_ = insert_.rows;
    }
    for (const std::string& column : conflict_.key)
      if (std::ranges::find(insert_.columns, column) == insert_.columns.end())
        return fail(Errc::invalid_argument, fmt::format("the key {} of ON CONFLICT is not inserted", column));
    // NULL has the type INT64 in a column of a source; where it is written into the statement it has any.
    for (std::size_t i = 0; i < insert_.columns.size(); ++i)
      is_null_.push_back(std::ranges::all_of(rows_, [&](const auto& row) { return writer_.is_null(row[i]); }));
    return {};
  }

  [[nodiscard]] bool is_single() const noexcept { return insert_.rows.size() == 1; }

  [[nodiscard]] bool is_null(std::string_view column) const {
    for (std::size_t i = 0; i < insert_.columns.size(); ++i)
      if (equal_ignoring_case(insert_.columns[i], column)) return is_null_[i];
    return false;
  }

  [[nodiscard]] std::string new_value(const std::string& column) const {
    return is_null(column) ? "NULL" : "excluded." + quoted_name(column);
  }

  std::string row_text(const std::vector<SqlTokens>& row) {
    std::string out;
    for (std::size_t i = 0; i < row.size(); ++i)
      if (!is_null_[i])
        out +=
            fmt::format("{}{} AS {}", out.empty() ? "" : ", ", writer_.write(row[i]), quoted_name(insert_.columns[i]));
    return out.empty() ? "1 AS serin_any" : out;
  }

  Result<std::string> source_text() {
    if (is_single()) return "SELECT " + row_text(rows_.front());
    std::string all;
    if (insert_.rows.empty()) {
      const std::string order = select_.order.empty() ? "" : fmt::format("ORDER BY {}", writer_.write(select_.order));
      // A WHERE without FROM filters one row.
      const std::string_view row = !select_.from.empty() && select_.from.front().is("WHERE") ? "FROM (SELECT 1) " : "";
      all = fmt::format("SELECT {}, ROW_NUMBER() OVER ({}) AS serin_row {}{}", row_text(rows_.front()), order, row,
                        writer_.write(select_.from));
    } else {
      for (std::size_t i = 0; i < rows_.size(); ++i)
        all += fmt::format("{}SELECT {}, {} AS serin_row", i == 0 ? "" : " UNION ALL ", row_text(rows_[i]), i + 1);
    }
    std::vector<std::string> key;
    for (const std::string& column : conflict_.key)
      if (!is_null(column)) key.push_back(column);
    if (key.empty()) return all;
    // Of several new rows with one key the last one counts, as if they came one after the other.
    return fmt::format(
        "SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY {} ORDER BY serin_row DESC) AS serin_last FROM ({})) "
        "WHERE serin_last = 1",
        names(key), all);
  }

  /// The tokens with NULL for excluded.x where every new row has NULL.
  SqlTokens with_nulls(SqlTokens tokens) {
    static constexpr SqlToken null{.kind = Kind::word, .raw = "NULL"};
    std::vector<SqlToken> out;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      if (tokens[i].is("excluded") && i + 2 < tokens.size() && tokens[i + 1].is('.') &&
          is_null(content_of(tokens[i + 2]))) {
        out.push_back(null);
        i += 2;
      } else {
        out.push_back(tokens[i]);
      }
    }
    kept_.push_back(std::move(out));
    return kept_.back();
  }

  [[nodiscard]] std::string insertion() const {
    std::string columns = names(insert_.columns);
    std::string values;
    for (const std::string& column : insert_.columns) values += (values.empty() ? "" : ", ") + new_value(column);
    if (options_.numbered_column && !is_listed(*options_.numbered_column)) {
      columns = quoted_name(*options_.numbered_column) + ", " + columns;
      values = fmt::format("{}{}, {}", next_number, is_single() ? "" : " + excluded.serin_row", values);
    }
    return fmt::format("INSERT ({}) VALUES ({})", columns, values);
  }
  [[nodiscard]] bool is_listed(const std::string& column) const {
    return std::ranges::any_of(insert_.columns,
                               [&](const std::string& each) { return equal_ignoring_case(each, column); });
  }

  const Insert& insert_;
  const Conflict& conflict_;
  SqlWriter& writer_;
  const TranslateOptions& options_;
  std::vector<std::vector<SqlTokens>> rows_;
  std::vector<bool> is_null_;  ///< by column
  Select select_;
  std::vector<std::vector<SqlToken>> kept_;
};

/// An INSERT without ON CONFLICT, with the column that numbers the rows.
std::string numbered_insert(const Insert& insert, SqlWriter& writer, const std::string& column) {
  std::string out =
      fmt::format("INSERT INTO {} ({}, {}) ", writer.write(insert.table), quoted_name(column), names(insert.columns));
  if (insert.rows.empty())
    return out + fmt::format("SELECT {} + ROW_NUMBER() OVER (), serin_new.* FROM ({}) AS serin_new", next_number,
                             writer.write(insert.select));
  out += "VALUES ";
  for (std::size_t i = 0; i < insert.rows.size(); ++i) {
    out += fmt::format("{}({} + {}", i == 0 ? "" : ", ", next_number, i);
    for (const SqlTokens value : insert.rows[i]) out += ", " + writer.write(value);
    out += ")";
  }
  return out;
}

}  // namespace

Result<GoogleSql> write_insert(SqlTokens tokens, SqlWriter& writer, const TranslateOptions& options) {
  if (has_at_top(tokens, {"RETURNING"})) return fail(Errc::unsupported, "BigQuery has no RETURNING");
  const std::size_t end = conflict_at(tokens);
  SERIN_TRY(const Insert insert, read_insert(tokens.first(end)));
  if (insert.table.empty()) return fail(Errc::invalid_argument, "INSERT INTO without a table");
  GoogleSql statement{.kind = StatementKind::write};
  if (end < tokens.size()) {
    SERIN_TRY(const Conflict conflict, read_conflict(tokens.subspan(end)));
    SERIN_TRY(statement.text, Merge(insert, conflict, writer, options).text());
    return statement;
  }
  const bool is_numbered = options.numbered_column && insert.lists_columns &&
                           std::ranges::none_of(insert.columns, [&](const std::string& column) {
                             return equal_ignoring_case(column, *options.numbered_column);
                           });
  statement.text = is_numbered ? numbered_insert(insert, writer, *options.numbered_column) : writer.write(tokens);
  return statement;
}

}  // namespace serin::bigquery
