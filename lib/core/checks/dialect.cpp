#include "serin/checks/dialect.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "serin/base/text.hpp"
#include "serin/ports/sql_address.hpp"

namespace serin::checks {
namespace {

using scan::Kind;

std::string quoted(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    out += c;
    if (c == quote) out += c;
  }
  return out + quote;
}

std::string list_of(const Dialect& dialect, const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + dialect.text(word);
  return out;
}

/// low and high as comparisons joined by OR; `after_all` is what is above every number, for a check without a high.
std::string beyond(const Dialect& dialect, const std::string& expression, double low, double high,
                   std::string_view after_all) {
  std::string out;
  if (std::isfinite(low)) out = fmt::format("{} < {}", expression, dialect.number(low));
  if (std::isfinite(high)) {
    out += fmt::format("{}{} > {}", out.empty() ? "" : " OR ", expression, dialect.number(high));
  } else if (!after_all.empty()) {
    out += fmt::format("{}{} >= {}", out.empty() ? "" : " OR ", expression, after_all);
  }
  return out.empty() ? "1 = 0" : out;
}

/// PostgreSQL's regular expressions, for the subset that means the same there.
Result<std::string> postgres_pattern(std::string_view re2) {
  const auto differs = [&](std::string_view what) {
    return fail(Errc::unsupported,
                fmt::format("pattern '{}': {} means something else on PostgreSQL than in RE2", re2, what));
  };
  std::string out;
  bool in_set = false;
  bool negated_set = false;
  bool dot = false;
  for (std::size_t i = 0; i < re2.size(); ++i) {
    const char c = re2[i];
    if (static_cast<unsigned char>(c) >= 0x80 && in_set) return differs("a set with letters beyond ASCII");
    if (c == '\\') {
      if (++i == re2.size()) return differs("a backslash at the end");
      const char e = re2[i];
      const std::string_view set = e == 'd' ? "0-9" : e == 'w' ? "A-Za-z0-9_" : e == 's' ? "\t\n\f\r " : "";
      if (!set.empty()) {
        out += in_set ? std::string(set) : fmt::format("[{}]", set);
      } else if (std::ispunct(static_cast<unsigned char>(e)) != 0 || e == 'n' || e == 't' || e == 'r' || e == 'f') {
        out += {'\\', e};
      } else {
        return differs(fmt::format("\\{}", e));
      }
      continue;
    }
    if (in_set) {
      if (c == '[') return differs("a named set");
      in_set = c != ']';
    } else if (c == '[') {
      in_set = true;
      negated_set = negated_set || (i + 1 < re2.size() && re2[i + 1] == '^');
    } else if (c == '(' && i + 1 < re2.size() && re2[i + 1] == '?' && re2.substr(i, 3) != "(?:") {
      return differs("a group with flags or a name");
    }
    dot = dot || (c == '.' && !in_set);
    out += c;
  }
  // (?p): a dot does not match the end of a line, as in RE2; but then a negated set does not either, as it does in RE2.
  if (dot && negated_set) return differs("a dot together with a negated set");
  return dot ? "(?p)" + out : out;
}

}  // namespace

std::string Dialect::name(std::string_view text) const {
  const char quote = engine == Engine::bigquery ? '`' : '"';
  std::string out;
  for (const std::string_view part : split(text, '.')) out += (out.empty() ? "" : ".") + quoted(part, quote);
  return out;
}

std::string Dialect::text(std::string_view words) const {
  if (engine != Engine::bigquery) return quoted(words, '\'');
  std::string out = "'";
  for (const char c : words) {
    if (c == '\\' || c == '\'') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::string Dialect::number(double value) const {
  if (value == std::floor(value) && std::abs(value) < 9e15) return std::to_string(static_cast<std::int64_t>(value));
  return fmt::format("{}", value);
}

std::string Dialect::as_text(const std::string& expression) const {
  return fmt::format("CAST({} AS {})", expression, engine == Engine::bigquery ? "STRING" : "TEXT");
}

std::string Dialect::as_real(const std::string& expression) const {
  switch (engine) {
    case Engine::sqlite: return fmt::format("CAST({} AS REAL)", expression);
    case Engine::postgres: return fmt::format("CAST({} AS DOUBLE PRECISION)", expression);
    case Engine::bigquery: return fmt::format("CAST({} AS FLOAT64)", expression);
  }
  return expression;
}

std::string Dialect::epoch_seconds(const std::string& expression, TimeUnit unit) const {
  if (unit == TimeUnit::unix_s) return expression;
  if (unit == TimeUnit::unix_ms) {
    // Rounded down in every engine; the times of tables are after 1970.
    return engine == Engine::bigquery ? fmt::format("DIV({}, 1000)", expression) : fmt::format("{} / 1000", expression);
  }
  switch (engine) {
    // strftime knows offsets, so that texts with different ones compare by the moment they mean.
    case Engine::sqlite: return fmt::format("CAST(strftime('%s', {}) AS INTEGER)", expression);
    case Engine::postgres:
      return fmt::format("CAST(FLOOR(EXTRACT(EPOCH FROM CAST({} AS TIMESTAMPTZ))) AS BIGINT)", expression);
    case Engine::bigquery: return fmt::format("UNIX_SECONDS(SAFE_CAST({} AS TIMESTAMP))", expression);
  }
  return expression;
}

std::string Dialect::condition(const scan::Term& term, const std::string& expression) const {
  switch (term.kind) {
    case Kind::rows:
    case Kind::smallest:
    case Kind::largest:
    case Kind::moments: return "";
    case Kind::present: return expression + " IS NOT NULL";
    case Kind::truthy: return fmt::format("({})", expression);
    case Kind::missing:
      if (term.words.empty()) return expression + " IS NULL";
      return fmt::format("({} IS NULL OR {} IN ({}))", expression, as_text(expression), list_of(*this, term.words));
    case Kind::outside: {
      // '+' takes the column's affinity away: SQLite would otherwise compare numbers with texts as texts. Every text is
      // above every number there, so a text is always outside.
      const bool lite = engine == Engine::sqlite;
      return fmt::format("({})",
                         beyond(*this, lite ? "+" + expression : expression, term.low, term.high, lite ? "''" : ""));
    }
    case Kind::not_listed: return fmt::format("{} NOT IN ({})", as_text(expression), list_of(*this, term.words));
    case Kind::no_match:
      if (engine == Engine::sqlite)
        return fmt::format("NOT {}({}, {})", scan::match_name, as_text(expression), text(term.pattern));
      if (engine == Engine::bigquery)
        return fmt::format("NOT REGEXP_CONTAINS({}, {})", as_text(expression), text(term.pattern));
      return fmt::format("{} !~ {}", as_text(expression), text(pattern(term.pattern).value_or(term.pattern)));
    case Kind::length_outside: {
      const std::string_view function = engine == Engine::sqlite ? "length" : "CHAR_LENGTH";
      return fmt::format("({})",
                         beyond(*this, fmt::format("{}({})", function, as_text(expression)), term.low, term.high, ""));
    }
  }
  return "";
}

std::string Dialect::count_if(const std::string& condition) const {
  if (engine == Engine::bigquery) return fmt::format("COUNTIF({})", condition);
  return fmt::format("COUNT(*) FILTER (WHERE {})", condition);
}

std::vector<std::string> Dialect::select(const scan::Term& term, const std::string& expression,
                                         const std::string& from_where) const {
  switch (term.kind) {
    case Kind::rows: return {"COUNT(*)"};
    case Kind::present: return {fmt::format("COUNT({})", expression)};
    case Kind::smallest: return {fmt::format("MIN({})", expression)};
    case Kind::largest: return {fmt::format("MAX({})", expression)};
    case Kind::moments: {
      const std::string count = fmt::format("COUNT({})", expression);
      const std::string mean = fmt::format("AVG({})", as_real(expression));
      if (engine != Engine::sqlite)
        return {count, mean, fmt::format("VAR_POP({}) * COUNT({})", as_real(expression), expression)};
      // SQLite has no variance, and the difference of large sums would lose its digits: the mean is found first.
      const std::string apart = fmt::format("({} - (SELECT {}{}))", as_real(expression), mean, from_where);
      return {count, mean, fmt::format("SUM({0} * {0})", apart)};
    }
    case Kind::truthy:
    case Kind::missing:
    case Kind::outside:
    case Kind::not_listed:
    case Kind::no_match:
    case Kind::length_outside: break;
  }
  return {count_if(condition(term, expression))};
}

std::string Dialect::columns_query(std::string_view table) const {
  if (engine == Engine::sqlite) return fmt::format("SELECT name, type FROM pragma_table_info({})", text(table));
  const std::size_t dot = table.rfind('.');
  const std::string_view last = dot == std::string_view::npos ? table : table.substr(dot + 1);
  const std::string_view first = dot == std::string_view::npos ? std::string_view() : table.substr(0, dot);
  const std::string prefix = engine == Engine::bigquery && !first.empty() ? name(first) + "." : "";
  std::string out =
      fmt::format("SELECT column_name, data_type FROM {}{} WHERE table_name = {}", prefix,
                  engine == Engine::bigquery ? "INFORMATION_SCHEMA.COLUMNS" : "information_schema.columns", text(last));
  if (engine == Engine::postgres)
    out += first.empty() ? " AND table_schema = ANY (current_schemas(false))" : " AND table_schema = " + text(first);
  return out + " ORDER BY ordinal_position";
}

std::string Dialect::type_class(std::string_view declared) const {
  std::string word(declared);
  std::ranges::transform(word, word.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto has = [&](std::string_view part) { return word.find(part) != std::string::npos; };
  if (has("interval")) return "text";
  if (has("time") || has("date")) return "time";
  if (has("int") || has("serial")) return "integer";
  if (has("bool")) return "boolean";
  if (has("char") || has("clob") || has("text") || has("string") || has("uuid") || has("json")) return "text";
  if (has("real") || has("floa") || has("doub") || has("numeric") || has("decimal")) return "number";
  return "bytes";
}

Result<std::string> Dialect::pattern(std::string_view re2) const {
  re2::RE2::Options quiet;
  quiet.set_log_errors(false);
  const re2::RE2 compiled(re2::StringPiece(re2.data(), re2.size()), quiet);
  if (!compiled.ok()) return fail(Errc::invalid_argument, fmt::format("pattern '{}': {}", re2, compiled.error()));
  if (engine != Engine::postgres) return std::string(re2);
  return postgres_pattern(re2);
}

std::optional<Engine> engine_of_address(std::string_view address) noexcept {
  if (address.starts_with("sqlite:")) return Engine::sqlite;
  if (is_postgres_address(address)) return Engine::postgres;
  if (address.starts_with("bigquery://")) return Engine::bigquery;
  return std::nullopt;
}

Result<std::string> with_parameters(std::string_view sql, const std::map<std::string, std::string>& values,
                                    const Dialect& dialect) {
  std::string out;
  char quote = '\0';
  for (std::size_t i = 0; i < sql.size(); ++i) {
    const char c = sql[i];
    if (quote != '\0') {
      quote = c == quote ? '\0' : quote;
    } else if (c == '\'' || c == '"' || c == '`') {
      quote = c;
    } else if (c == ':' && i + 1 < sql.size() && std::isdigit(static_cast<unsigned char>(sql[i + 1])) == 0) {
      // A digit: the slice a[1:2] of an array.
      std::size_t end = i + 1;
      while (end < sql.size() && (std::isalnum(static_cast<unsigned char>(sql[end])) != 0 || sql[end] == '_')) ++end;
      const std::string word(sql.substr(i + 1, end - i - 1));
      if (word.empty()) {
        // "::" of PostgreSQL: both colons and what follows stay.
        out += sql.substr(i, 2);
        ++i;
        continue;
      }
      const auto found = values.find(word);
      if (found == values.end()) {
        std::vector<std::string> known;
        for (const auto& [key, value] : values) known.push_back(key);
        const auto near = nearest_word(word, known);
        return fail(Errc::invalid_argument, fmt::format("the parameter :{} has no value{}", word,
                                                        near ? fmt::format("; did you mean :{}?", *near) : ""));
      }
      out += dialect.text(found->second);
      i = end - 1;
      continue;
    }
    out += c;
  }
  return out;
}

}  // namespace serin::checks
