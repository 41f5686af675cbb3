#include "dialect.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "serin/base/text.hpp"
#include "sql_writer.hpp"

namespace serin::bigquery {
namespace {

using Kind = SqlToken::Kind;

// Reserved by GoogleSQL, and ordinary names elsewhere, unless one of the words that follow says otherwise.
// Source: the list of reserved keywords in GoogleSQL's lexical structure.
struct Reserved {
  std::string_view word;
  std::array<std::string_view, 3> keyword_before;
};
constexpr std::array<Reserved, 15> reserved{{{"at", {"time"}},
                                             {"rows", {"between", "unbounded", "current"}},
                                             {"range", {"between", "unbounded", "current"}},
                                             {"groups", {"between", "unbounded", "current"}},
                                             {"hash", {}},
                                             {"enum", {}},
                                             {"proto", {}},
                                             {"lookup", {}},
                                             {"new", {}},
                                             {"contains", {}},
                                             {"define", {}},
                                             {"treat", {}},
                                             {"lateral", {}},
                                             {"within", {}},
                                             {"fetch", {"first", "next"}}}};

bool is_name_here(const SqlToken& token, const SqlToken* next) {
  const auto found = std::ranges::find_if(reserved, [&](const Reserved& each) { return token.is(each.word); });
  if (found == reserved.end()) return false;
  if (next == nullptr) return true;
  if (next->is('(')) return false;  // a function of that name
  const bool is_frame = next->kind == Kind::word && std::isdigit(static_cast<unsigned char>(next->raw.front())) != 0;
  if (is_frame && !found->keyword_before[0].empty()) return false;
  return std::ranges::none_of(found->keyword_before,
                              [&](std::string_view word) { return !word.empty() && next->is(word); });
}

const SqlToken* next_of(SqlTokens tokens, std::size_t at) {
  for (++at; at < tokens.size(); ++at)
    if (tokens[at].kind != Kind::space) return &tokens[at];
  return nullptr;
}

std::string escaped(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    switch (c) {
      case '\n': out += "\\n"; continue;
      case '\r': out += "\\r"; continue;
      case '\0': out += "\\000"; continue;
      default: break;
    }
    if (c == '\\' || c == quote) out += '\\';
    out += c;
  }
  return out + quote;
}

bool has_where(SqlTokens tokens) {
  SqlCursor cursor(tokens);
  cursor.take_until([](const SqlToken& token) { return token.is("WHERE"); });
  return cursor.sees("WHERE");
}

Result<GoogleSql> write_statement(SqlTokens tokens, SqlWriter& writer, const TranslateOptions& options) {
  SqlCursor cursor(tokens);
  if (cursor.at_end()) return fail(Errc::invalid_argument, "the statement is empty");
  if (cursor.sees("INSERT")) return write_insert(tokens, writer, options);
  if (cursor.sees("CREATE") || cursor.sees("ALTER") || cursor.sees("DROP"))
    return write_definition(tokens, writer, options);
  if (cursor.sees("UPDATE") || cursor.sees("DELETE"))
    return GoogleSql{.text = writer.write(tokens) + (has_where(tokens) ? "" : " WHERE TRUE"),
                     .kind = StatementKind::write};
  if (cursor.sees("MERGE") || cursor.sees("TRUNCATE"))
    return GoogleSql{.text = writer.write(tokens), .kind = StatementKind::write};
  return GoogleSql{.text = writer.write(tokens), .kind = StatementKind::read};
}

/// The end of the literal, quoted name or comment of GoogleSQL that begins at `at`; `at` when none does.
std::size_t end_of_google_quote(std::string_view sql, std::size_t at) {
  const std::string_view rest = sql.substr(at);
  if (rest.starts_with("--") || rest.starts_with("#")) return std::min(sql.find('\n', at), sql.size());
  if (rest.starts_with("/*")) {
    const std::size_t end = sql.find("*/", at + 2);
    return end == std::string_view::npos ? sql.size() : end + 2;
  }
  if (rest.front() != '\'' && rest.front() != '"' && rest.front() != '`') return at;
  const std::string_view triple = rest.substr(0, 3);
  const bool is_triple = triple.size() == 3 && triple[0] != '`' && triple[1] == triple[0] && triple[2] == triple[0];
  const std::string_view close = is_triple ? triple : rest.substr(0, 1);
  for (std::size_t i = at + close.size(); i < sql.size(); ++i) {
    if (sql[i] == '\\') {
      ++i;
      continue;
    }
    if (sql.substr(i).starts_with(close)) return i + close.size();
  }
  return sql.size();
}

StatementKind kind_of(std::string_view sql) {
  std::size_t at = 0;
  while (at < sql.size()) {
    const std::size_t end = end_of_google_quote(sql, at);
    if (end == at && std::isspace(static_cast<unsigned char>(sql[at])) == 0 && sql[at] != '(') break;
    at = end == at ? at + 1 : end;
  }
  std::size_t end = at;
  while (end < sql.size() && std::isalpha(static_cast<unsigned char>(sql[end])) != 0) ++end;
  const std::string_view word = sql.substr(at, end - at);
  for (const std::string_view read : {"SELECT", "WITH", "FROM"})
    if (equal_ignoring_case(word, read)) return StatementKind::read;
  for (const std::string_view define : {"CREATE", "ALTER", "DROP"})
    if (equal_ignoring_case(word, define)) return StatementKind::define;
  return StatementKind::write;
}

}  // namespace

std::string quoted_name(std::string_view name) { return escaped(name, '`'); }
std::string quoted_text(std::string_view text) { return escaped(text, '\''); }

std::string SqlWriter::write_parameter(std::size_t number) {
  highest_ = std::max(highest_, number);
  const bool known = number <= parameters_.size();
  if (known && std::holds_alternative<std::monostate>(parameters_[number - 1])) return "NULL";
  return fmt::format("@p{}", number);
}

std::string SqlWriter::write(SqlTokens tokens) {
  struct Level {
    bool selects = false;
    bool has_from = false;
  };
  std::vector<Level> levels(1);
  std::string out;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const SqlToken& token = tokens[i];
    if (token.is('(')) levels.emplace_back();
    if (token.is(')') && levels.size() > 1) levels.pop_back();
    Level& level = levels.back();
    if (token.is("SELECT")) level = {.selects = true};
    if (token.is("FROM")) level.has_from = true;
    // A row to filter: GoogleSQL has no WHERE without FROM.
    if (token.is("WHERE") && level.selects && !level.has_from) out += "FROM (SELECT 1) ";
    switch (token.kind) {
      case Kind::space: out += token.raw.starts_with("--") || token.raw.starts_with("/*") ? " " : token.raw; break;
      case Kind::text: out += quoted_text(content_of(token)); break;
      case Kind::name: out += quoted_name(content_of(token)); break;
      case Kind::parameter: out += write_parameter(token.number); break;
      case Kind::word:
        out += is_name_here(token, next_of(tokens, i)) ? quoted_name(token.raw) : std::string(token.raw);
        break;
      case Kind::symbol: out += token.raw; break;
    }
  }
  return out;
}

bool SqlWriter::is_null(SqlTokens tokens) {
  const SqlTokens inner = trimmed(tokens);
  if (inner.size() != 1) return false;
  const SqlToken& token = inner.front();
  if (token.kind == Kind::parameter) return write_parameter(token.number) == "NULL";
  return token.is("NULL");
}

Status SqlWriter::done() const {
  if (highest_ == parameters_.size()) return {};
  return fail(Errc::invalid_argument, fmt::format("the statement has parameters up to ${}, but {} values were given",
                                                  highest_, parameters_.size()));
}

Result<GoogleSql> translated(std::string_view sql, const TranslateOptions& options) {
  SERIN_TRY(const std::vector<SqlToken> tokens, tokens_of(sql));
  SqlWriter writer(options.parameters);
  SERIN_TRY(GoogleSql statement, write_statement(trimmed(tokens), writer, options));
  SERIN_CHECK(writer.done());
  return statement;
}

Result<GoogleSql> with_named_parameters(std::string_view sql, std::span<const SqlValue> parameters) {
  GoogleSql statement{.text = {}, .kind = kind_of(sql)};
  SqlWriter writer(parameters);
  for (std::size_t at = 0; at < sql.size();) {
    std::size_t end = end_of_google_quote(sql, at);
    std::size_t digits = at + 1;
    while (sql[at] == '$' && digits < sql.size() && std::isdigit(static_cast<unsigned char>(sql[digits])) != 0)
      ++digits;
    if (end == at && digits > at + 1) {
      SERIN_TRY(const std::vector<SqlToken> parameter, tokens_of(sql.substr(at, digits - at)));
      statement.text += writer.write(parameter);
      at = digits;
      continue;
    }
    end = std::max(end, at + 1);
    statement.text += sql.substr(at, end - at);
    at = end;
  }
  if (trim(sql).empty()) return fail(Errc::invalid_argument, "the statement is empty");
  SERIN_CHECK(writer.done());
  return statement;
}

std::optional<std::string> insert_target(std::string_view sql) {
  const auto tokens = tokens_of(sql);
  if (!tokens) return std::nullopt;
  SqlCursor cursor(*tokens);
  if (!cursor.take_all({"INSERT", "INTO"}) || cursor.at_end()) return std::nullopt;
  std::string table = content_of(cursor.peek());
  cursor.next();
  while (cursor.take('.') && !cursor.at_end()) {
    table += "." + content_of(cursor.peek());
    cursor.next();
  }
  if (!cursor.sees('(')) return std::nullopt;
  return table;
}

}  // namespace serin::bigquery
