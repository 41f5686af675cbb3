#include "sql_tokens.hpp"

#include <fmt/format.h>

#include <cctype>

#include "serin/base/text.hpp"

namespace serin::bigquery {
namespace {

using Kind = SqlToken::Kind;
constexpr std::size_t most_parameters = 65'535;

bool is_blank(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }
bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }
// Letters beyond ASCII are letters of names in both databases.
bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

/// The end of what begins at `at` with a quote; a doubled one is a part of it.
Result<std::size_t> end_of_quoted(std::string_view sql, std::size_t at) {
  const char quote = sql[at];
  for (std::size_t i = at + 1; i < sql.size(); ++i) {
    if (sql[i] != quote) continue;
    if (i + 1 < sql.size() && sql[i + 1] == quote) {
      ++i;
      continue;
    }
    return i + 1;
  }
  return fail(Errc::invalid_argument, fmt::format("a {} at character {} of the statement has no end", quote, at + 1));
}

Result<std::size_t> end_of_space(std::string_view sql, std::size_t at) {
  if (sql.substr(at).starts_with("--")) {
    const std::size_t end = sql.find('\n', at);
    return end == std::string_view::npos ? sql.size() : end;
  }
  if (sql.substr(at).starts_with("/*")) {
    const std::size_t end = sql.find("*/", at + 2);
    if (end == std::string_view::npos) return fail(Errc::invalid_argument, "a comment of the statement has no end");
    return end + 2;
  }
  std::size_t end = at;
  while (end < sql.size() && is_blank(sql[end])) ++end;
  return end;
}

Result<SqlToken> parameter_at(std::string_view sql, std::size_t at) {
  std::size_t end = at + 1;
  while (end < sql.size() && is_digit(sql[end])) ++end;
  const auto number = to_int(sql.substr(at + 1, end - at - 1));
  if (!number || *number < 1 || static_cast<std::size_t>(*number) > most_parameters)
    return fail(Errc::invalid_argument, fmt::format("'{}' is no parameter; they are written $1, $2, ...",
                                                    sql.substr(at, std::max<std::size_t>(end - at, 2))));
  return SqlToken{
      .kind = Kind::parameter, .raw = sql.substr(at, end - at), .number = static_cast<std::size_t>(*number)};
}

/// \pre at < sql.size()
Result<SqlToken> token_at(std::string_view sql, std::size_t at) {
  const char c = sql[at];
  if (c == '$') return parameter_at(sql, at);
  if (c == '\'' || c == '"' || c == '`') {
    SERIN_TRY(const std::size_t end, end_of_quoted(sql, at));
    return SqlToken{.kind = c == '\'' ? Kind::text : Kind::name, .raw = sql.substr(at, end - at)};
  }
  SERIN_TRY(const std::size_t space, end_of_space(sql, at));
  if (space > at) return SqlToken{.kind = Kind::space, .raw = sql.substr(at, space - at)};
  if (!is_word(c)) return SqlToken{.kind = Kind::symbol, .raw = sql.substr(at, 1)};
  std::size_t end = at + 1;
  while (end < sql.size() && is_word(sql[end])) ++end;
  return SqlToken{.kind = Kind::word, .raw = sql.substr(at, end - at)};
}

}  // namespace

bool SqlToken::is(std::string_view keyword) const noexcept {
  return kind == Kind::word && equal_ignoring_case(raw, keyword);
}

Result<std::vector<SqlToken>> tokens_of(std::string_view sql) {
  std::string_view text = trim(sql);
  while (text.ends_with(';')) text = trim(text.substr(0, text.size() - 1));
  std::vector<SqlToken> tokens;
  for (std::size_t at = 0; at < text.size();) {
    SERIN_TRY(const SqlToken token, token_at(text, at));
    tokens.push_back(token);
    at += token.raw.size();
  }
  return tokens;
}

std::string content_of(const SqlToken& token) {
  if (token.kind != Kind::text && token.kind != Kind::name) return std::string(token.raw);
  const char quote = token.raw.front();
  std::string out;
  for (std::size_t i = 1; i + 1 < token.raw.size(); ++i) {
    out += token.raw[i];
    if (token.raw[i] == quote) ++i;  // the second of a pair
  }
  return out;
}

bool SqlCursor::take_all(std::initializer_list<std::string_view> keywords) noexcept {
  SqlCursor ahead = *this;
  for (const std::string_view keyword : keywords)
    if (!ahead.take(keyword)) return false;
  *this = ahead;
  return true;
}

Result<std::vector<SqlTokens>> take_list(SqlCursor& cursor) {
  if (!cursor.take('(')) return fail(Errc::invalid_argument, "the statement lacks a ( where a list begins");
  std::vector<SqlTokens> parts;
  for (;;) {
    parts.push_back(trimmed(cursor.take_until([](const SqlToken& token) { return token.is(','); })));
    if (cursor.take(')')) return parts;
    if (!cursor.take(',')) return fail(Errc::invalid_argument, "a ( of the statement has no end");
  }
}

SqlTokens trimmed(SqlTokens tokens) noexcept {
  while (!tokens.empty() && tokens.front().kind == Kind::space) tokens = tokens.subspan(1);
  while (!tokens.empty() && tokens.back().kind == Kind::space) tokens = tokens.first(tokens.size() - 1);
  return tokens;
}

}  // namespace serin::bigquery
