#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "parser.hpp"
#include "serin/base/text.hpp"

namespace serin::google_sql {
namespace {

constexpr int deepest = 100;

// GoogleSQL's reserved words: none of them is a name without backticks.
constexpr std::array reserved{
    "ALL",     "AND",      "ANY",     "ARRAY",     "AS",        "ASC",    "AT",      "BETWEEN",   "BY",
    "CASE",    "CAST",     "COLLATE", "CREATE",    "CROSS",     "CUBE",   "CURRENT", "DEFAULT",   "DEFINE",
    "DESC",    "DISTINCT", "ELSE",    "END",       "ENUM",      "ESCAPE", "EXCEPT",  "EXCLUDE",   "EXISTS",
    "EXTRACT", "FALSE",    "FETCH",   "FOLLOWING", "FOR",       "FROM",   "FULL",    "GROUP",     "GROUPING",
    "GROUPS",  "HASH",     "HAVING",  "IF",        "IGNORE",    "IN",     "INNER",   "INTERSECT", "INTERVAL",
    "INTO",    "IS",       "JOIN",    "LATERAL",   "LEFT",      "LIKE",   "LIMIT",   "LOOKUP",    "MERGE",
    "NATURAL", "NEW",      "NO",      "NOT",       "NULL",      "NULLS",  "OF",      "ON",        "OR",
    "ORDER",   "OUTER",    "OVER",    "PARTITION", "PRECEDING", "PROTO",  "QUALIFY", "RANGE",     "RECURSIVE",
    "RESPECT", "RIGHT",    "ROLLUP",  "ROWS",      "SELECT",    "SET",    "SOME",    "STRUCT",    "TABLESAMPLE",
    "THEN",    "TO",       "TREAT",   "TRUE",      "UNBOUNDED", "UNION",  "UNNEST",  "USING",     "WHEN",
    "WHERE",   "WINDOW",   "WITH",    "WITHIN"};

}  // namespace

bool Parser::at_reserved() const {
  return peek().kind == Token::Kind::word &&
         std::ranges::any_of(reserved, [&](std::string_view word) { return equal_ignoring_case(word, peek().text); });
}

Result<std::unique_ptr<Query>> Parser::query() {
  const Deeper deeper(depth_);
  if (depth_ > deepest) return wrong(peek().offset, "The query is nested too deeply");
  auto out = std::make_unique<Query>();
  out->offset = peek().offset;
  if (take("WITH")) {
    if (sees("RECURSIVE")) return unsupported(peek().offset, "WITH RECURSIVE");
    do {
      Common common;
      SERIN_TRY(common.name, name("a name"));
      SERIN_CHECK(expect("AS"));
      SERIN_CHECK(expect_sign("("));
      SERIN_TRY(common.query, query());
      SERIN_CHECK(expect_sign(")"));
      out->with.push_back(std::move(common));
    } while (take_sign(","));
  }
  SERIN_TRY(Select first, operand());
  out->parts.push_back(std::move(first));
  while (sees("UNION") || sees("INTERSECT") || sees("EXCEPT")) {
    const std::string word = sees("UNION") ? "UNION" : sees("INTERSECT") ? "INTERSECT" : "EXCEPT";
    ++at_;
    if (word == "UNION" && take("ALL")) {
      out->operators.emplace_back("UNION ALL");
    } else {
      SERIN_CHECK(expect("DISTINCT"));
      out->operators.push_back(word);
    }
    SERIN_TRY(Select next, operand());
    out->parts.push_back(std::move(next));
  }
  if (sees("ORDER")) {
    SERIN_TRY(out->order, order());
  }
  if (take("LIMIT")) {
    SERIN_TRY(out->limit, expression());
    if (take("OFFSET")) {
      SERIN_TRY(out->skip, expression());
    }
  }
  return out;
}

Result<Select> Parser::operand() {
  if (!sees_sign("(")) return select();
  Select out;
  out.offset = peek().offset;
  SERIN_CHECK(expect_sign("("));
  SERIN_TRY(out.nested, query());
  SERIN_CHECK(expect_sign(")"));
  return out;
}

Result<Select> Parser::select() {
  Select out;
  out.offset = peek().offset;
  SERIN_CHECK(expect("SELECT"));
  out.distinct = take("DISTINCT");
  if (!out.distinct) take("ALL");
  if (sees("AS") && (sees("STRUCT", 1) || sees("VALUE", 1)))
    return unsupported(peek().offset, "SELECT AS STRUCT and SELECT AS VALUE");
  do {
    if (!out.items.empty() && (sees("FROM") || peek().kind == Token::Kind::end || sees_sign(")"))) break;
    SERIN_TRY(SelectItem next, item());
    out.items.push_back(std::move(next));
  } while (take_sign(","));
  if (take("FROM")) {
    SERIN_TRY(out.from, sources());
  }
  if (take("WHERE")) {
    if (!out.from) return wrong(out.offset, "Query without FROM clause cannot have a WHERE clause");
    SERIN_TRY(out.where, expression());
  }
  if (take("GROUP")) {
    SERIN_CHECK(expect("BY"));
    if (sees("ROLLUP") || sees("CUBE") || sees("GROUPING") || sees("ALL"))
      return unsupported(peek().offset, "GROUP BY ROLLUP, CUBE, GROUPING SETS and ALL");
    do {
      SERIN_TRY(ExpressionPtr key, expression());
      out.group.push_back(std::move(key));
    } while (take_sign(","));
  }
  if (take("HAVING")) {
    SERIN_TRY(out.having, expression());
  }
  if (take("QUALIFY")) {
    SERIN_TRY(out.qualify, expression());
  }
  if (sees("WINDOW")) return unsupported(peek().offset, "Named windows");
  return out;
}

Result<SelectItem> Parser::item() {
  SelectItem out;
  out.offset = peek().offset;
  if (take_sign("*")) {
    SERIN_CHECK(star(out));
    return out;
  }
  if ((peek().kind == Token::Kind::word || peek().kind == Token::Kind::quoted) && sees_sign(".", 1) &&
      sees_sign("*", 2)) {
    out.star_of.push_back(peek().text);
    at_ += 3;
    SERIN_CHECK(star(out));
    return out;
  }
  SERIN_TRY(out.value, expression());
  SERIN_TRY(out.alias, alias(false));
  return out;
}

Status Parser::star(SelectItem& item) {
  if (sees("EXCEPT") && sees_sign("(", 1)) {
    ++at_;
    SERIN_TRY(item.except, names_in_parentheses());
  }
  if (take("REPLACE")) {
    SERIN_CHECK(expect_sign("("));
    do {
      SERIN_TRY(ExpressionPtr value, expression());
      SERIN_CHECK(expect("AS"));
      SERIN_TRY(std::string column, name("a column"));
      item.replace.emplace_back(std::move(column), std::move(value));
    } while (take_sign(","));
    SERIN_CHECK(expect_sign(")"));
  }
  return {};
}

Result<std::vector<OrderTerm>> Parser::order() {
  std::vector<OrderTerm> out;
  SERIN_CHECK(expect("ORDER"));
  SERIN_CHECK(expect("BY"));
  do {
    OrderTerm term;
    SERIN_TRY(term.value, expression());
    if (take("DESC")) {
      term.descending = true;
    } else {
      take("ASC");
    }
    if (take("NULLS")) {
      if (take("FIRST")) {
        term.nulls_first = true;
      } else {
        SERIN_CHECK(expect("LAST"));
        term.nulls_first = false;
      }
    }
    out.push_back(std::move(term));
  } while (take_sign(","));
  return out;
}

Result<SourcePtr> Parser::sources() {
  SERIN_TRY(SourcePtr left, source());
  SERIN_TRY(left, joined(std::move(left)));
  while (take_sign(",")) {
    SERIN_TRY(SourcePtr right, source());
    auto both = std::make_unique<Source>();
    both->kind = Source::Kind::join;
    both->offset = left->offset;
    both->join = "CROSS JOIN";
    both->depth = left->depth + 1;
    both->left = std::move(left);
    both->right = std::move(right);
    if (both->depth > deepest) return wrong(both->offset, "Too many tables are joined");
    SERIN_TRY(left, joined(std::move(both)));
  }
  return left;
}

Result<SourcePtr> Parser::joined(SourcePtr left) {
  for (;;) {
    std::string word;
    if (sees("NATURAL")) return unsupported(peek().offset, "NATURAL JOIN");
    if (sees("PIVOT") || sees("UNPIVOT")) return unsupported(peek().offset, "PIVOT and UNPIVOT");
    for (const std::string_view kind : {"INNER", "LEFT", "RIGHT", "FULL", "CROSS"})
      if (take(kind)) {
        word = std::string(kind) + " ";
        take("OUTER");
        break;
      }
    if (word.empty() && !sees("JOIN")) return left;
    SERIN_CHECK(expect("JOIN"));
    auto both = std::make_unique<Source>();
    both->kind = Source::Kind::join;
    both->offset = peek().offset;
    both->join = (word == "INNER " ? "" : word) + "JOIN";
    both->depth = left->depth + 1;
    if (both->depth > deepest) return wrong(both->offset, "Too many tables are joined");
    both->left = std::move(left);
    SERIN_TRY(both->right, source());
    if (take("ON")) {
      SERIN_TRY(both->on, expression());
    } else if (take("USING")) {
      SERIN_TRY(both->shared, names_in_parentheses());
    } else if (both->join != "CROSS JOIN" && both->right->kind != Source::Kind::unnest) {
      return unexpected("keyword ON or USING");
    }
    left = std::move(both);
  }
}

Result<SourcePtr> Parser::source() {
  const Deeper deeper(depth_);
  if (depth_ > deepest) return wrong(peek().offset, "The query is nested too deeply");
  auto out = std::make_unique<Source>();
  out->offset = peek().offset;
  if (take("UNNEST")) {
    out->kind = Source::Kind::unnest;
    SERIN_CHECK(expect_sign("("));
    SERIN_TRY(out->array, expression());
    SERIN_CHECK(expect_sign(")"));
    SERIN_TRY(out->alias, alias(false));
    if (sees("WITH") && sees("OFFSET", 1)) {
      at_ += 2;
      SERIN_TRY(out->offset_alias, alias(false));
      if (out->offset_alias.empty()) out->offset_alias = "offset";
    }
    return out;
  }
  if (sees_sign("(")) {
    if (sees("SELECT", 1) || sees("WITH", 1)) {
      SERIN_CHECK(expect_sign("("));
      out->kind = Source::Kind::query;
      SERIN_TRY(out->query, query());
      SERIN_CHECK(expect_sign(")"));
      SERIN_TRY(out->alias, alias(false));
      return out;
    }
    // ((a JOIN b ON ...) JOIN c ...)
    SERIN_CHECK(expect_sign("("));
    SERIN_TRY(out, sources());
    SERIN_CHECK(expect_sign(")"));
    return out;
  }
  SERIN_TRY(out->path, path(true));
  if (sees_sign("(")) return unsupported(out->offset, "Table functions");
  SERIN_TRY(out->alias, alias(false));
  if (sees("FOR") && sees("SYSTEM_TIME", 1)) return unsupported(peek().offset, "FOR SYSTEM_TIME AS OF");
  if (sees("TABLESAMPLE")) return unsupported(peek().offset, "TABLESAMPLE");
  return out;
}

}  // namespace serin::google_sql
