#include <fmt/format.h>

#include "parser.hpp"
#include "serin/base/text.hpp"

namespace serin::google_sql {
namespace {

constexpr int deepest = 100;  // types inside of each other

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

}  // namespace

Result<ExpressionPtr> Parser::array() {
  ExpressionPtr node = make(Expression::Kind::array, peek().offset);
  if (take("ARRAY")) {
    if (sees_sign("(")) return unsupported(node->offset, "ARRAY(subquery)");
    if (take_sign("<")) {
      SERIN_TRY(node->type, type());
      SERIN_CHECK(expect_sign(">"));
      node->flag = true;
    }
  }
  SERIN_CHECK(expect_sign("["));
  SERIN_TRY(node->arguments, list("]"));
  return made(std::move(node));
}

Result<ExpressionPtr> Parser::structure() {
  ExpressionPtr node = make(Expression::Kind::structure, peek().offset);
  SERIN_CHECK(expect("STRUCT"));
  if (sees_sign("<")) {
    --at_;
    SERIN_TRY(node->type, type());
    node->flag = true;
  }
  SERIN_CHECK(expect_sign("("));
  do {
    SERIN_TRY(ExpressionPtr value, expression());
    std::string field = value->kind == Expression::Kind::column ? value->path.back() : "";
    if (take("AS")) {
      SERIN_TRY(field, name("a field name"));
    }
    node->arguments.push_back(std::move(value));
    node->names.push_back(std::move(field));
  } while (take_sign(","));
  SERIN_CHECK(expect_sign(")"));
  return made(std::move(node));
}

Result<ExpressionPtr> Parser::subquery(Expression::Kind kind, std::size_t offset) {
  ExpressionPtr node = make(kind, offset);
  SERIN_CHECK(expect_sign("("));
  SERIN_TRY(node->query, query());
  SERIN_CHECK(expect_sign(")"));
  return node;
}

Result<std::vector<ExpressionPtr>> Parser::list(std::string_view end) {
  std::vector<ExpressionPtr> out;
  if (take_sign(end)) return out;
  do {
    SERIN_TRY(ExpressionPtr value, expression());
    out.push_back(std::move(value));
  } while (take_sign(","));
  SERIN_CHECK(expect_sign(end));
  return out;
}

Result<ExpressionPtr> Parser::call(const std::vector<std::string>& function, std::size_t offset) {
  ExpressionPtr node = make(Expression::Kind::call, offset);
  for (const std::string& part : function) node->text += (node->text.empty() ? "" : ".") + upper(part);
  SERIN_CHECK(expect_sign("("));
  if (sees_sign("*") && node->text == "COUNT") {
    ++at_;
    node->arguments.push_back(make(Expression::Kind::star, offset));
  } else if (!sees_sign(")")) {
    node->distinct = take("DISTINCT");
    do {
      SERIN_TRY(ExpressionPtr value, sees("SELECT") ? subquery(Expression::Kind::scalar, offset) : expression());
      if (sees_sign("=>")) return unsupported(peek().offset, "Named arguments");
      node->arguments.push_back(std::move(value));
    } while (take_sign(","));
    if (sees("IGNORE") || sees("RESPECT")) return unsupported(peek().offset, "IGNORE NULLS and RESPECT NULLS");
    if (sees("HAVING")) return unsupported(peek().offset, "HAVING MAX and HAVING MIN");
    if (sees("ORDER")) {
      SERIN_TRY(node->order, order());
    }
    if (sees("LIMIT")) return unsupported(peek().offset, "LIMIT inside of an aggregate");
  }
  SERIN_CHECK(expect_sign(")"));
  if (sees("OVER")) SERIN_CHECK(over(*node));
  return made(std::move(node));
}

Status Parser::over(Expression& call) {
  SERIN_CHECK(expect("OVER"));
  if (!sees_sign("(")) return unsupported(peek().offset, "Named windows");
  SERIN_CHECK(expect_sign("("));
  call.window = std::make_unique<Window>();
  if (take("PARTITION")) {
    SERIN_CHECK(expect("BY"));
    do {
      SERIN_TRY(ExpressionPtr value, expression());
      call.window->partition.push_back(std::move(value));
    } while (take_sign(","));
  }
  if (sees("ORDER")) {
    SERIN_TRY(call.window->order, order());
  }
  if (sees("ROWS") || sees("RANGE")) {
    SERIN_TRY(call.window->frame, frame());
  }
  return expect_sign(")");
}

Result<std::string> Parser::frame() {
  std::string out = upper(peek().text);
  ++at_;
  const auto bound = [this]() -> Result<std::string> {
    if (take("CURRENT")) {
      SERIN_CHECK(expect("ROW"));
      return "CURRENT ROW";
    }
    std::string text = "UNBOUNDED";
    if (!take("UNBOUNDED")) {
      if (peek().kind != Token::Kind::integer) return unexpected("a bound of the window frame");
      text = peek().text;
      ++at_;
    }
    if (take("PRECEDING")) return text + " PRECEDING";
    if (take("FOLLOWING")) return text + " FOLLOWING";
    return unexpected("keyword PRECEDING or FOLLOWING");
  };
  if (!take("BETWEEN")) {
    SERIN_TRY(const std::string start, bound());
    return out + " " + start;
  }
  SERIN_TRY(const std::string start, bound());
  SERIN_CHECK(expect("AND"));
  SERIN_TRY(const std::string end, bound());
  return out + " BETWEEN " + start + " AND " + end;
}

Result<Type> Parser::type() {
  const Deeper deeper(depth_);
  if (depth_ > deepest) return wrong(peek().offset, "The type is nested too deeply");
  Type out;
  const std::size_t offset = peek().offset;
  if (take("ARRAY")) {
    SERIN_CHECK(expect_sign("<"));
    SERIN_TRY(out, type());
    if (out.array) return wrong(offset, "Arrays of arrays are not supported");
    // ">>" of ARRAY<STRUCT<...>> is one sign to the lexer.
    if (sees_sign(">>")) {
      tokens_[at_].text = ">";
    } else {
      SERIN_CHECK(expect_sign(">"));
    }
    out.array = true;
    return out;
  }
  if (take("STRUCT")) {
    out.kind = google_sql::Kind::structure;
    SERIN_CHECK(expect_sign("<"));
    do {
      Column field;
      if (peek(1).kind == Token::Kind::word) {
        SERIN_TRY(field.name, name("a field name"));
      }
      SERIN_TRY(field.type, type());
      out.fields.push_back(std::move(field));
    } while (take_sign(","));
    if (sees_sign(">>")) {
      tokens_[at_].text = ">";
    } else {
      SERIN_CHECK(expect_sign(">"));
    }
    return out;
  }
  SERIN_TRY(const std::string word, name("a type"));
  const auto kind = kind_of(word);
  if (!kind || *kind == google_sql::Kind::structure) return wrong(offset, fmt::format("Type not found: {}", word));
  out.kind = *kind;
  if (take_sign("(")) {  // STRING(20), NUMERIC(10, 2): the bounds are not enforced
    while (!sees_sign(")") && peek().kind != Token::Kind::end) ++at_;
    SERIN_CHECK(expect_sign(")"));
  }
  return out;
}

}  // namespace serin::google_sql
