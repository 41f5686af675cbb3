#include <fmt/format.h>

#include <array>

#include "parser.hpp"
#include "serin/base/text.hpp"

namespace serin::google_sql {
namespace {

constexpr int deepest = 100;  // of expressions and queries inside of each other

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

}  // namespace

ExpressionPtr Parser::make(Expression::Kind kind, std::size_t offset) const {
  auto node = std::make_unique<Expression>();
  node->kind = kind;
  node->offset = offset;
  return node;
}

/// With its depth, which is bounded: whoever walks the tree does so by recursion.
Result<ExpressionPtr> Parser::made(ExpressionPtr node) const {
  for (const ExpressionPtr& argument : node->arguments)
    if (argument) node->depth = std::max(node->depth, argument->depth + 1);
  if (node->depth > deepest) return wrong(node->offset, "The expression is nested too deeply");
  return node;
}

Result<ExpressionPtr> Parser::expression() {
  const Deeper deeper(depth_);
  if (depth_ > deepest) return wrong(peek().offset, "The expression is nested too deeply");
  return all_of("OR", &Parser::conjunction);
}

/// A chain of one operator is one node: its depth does not grow with its length.
Result<ExpressionPtr> Parser::all_of(std::string_view word, Result<ExpressionPtr> (Parser::*part)()) {
  SERIN_TRY(ExpressionPtr first, (this->*part)());
  if (!sees(word)) return first;
  ExpressionPtr node = make(Expression::Kind::binary, first->offset);
  node->text = word;
  node->arguments.push_back(std::move(first));
  while (take(word)) {
    SERIN_TRY(ExpressionPtr next, (this->*part)());
    node->arguments.push_back(std::move(next));
  }
  return made(std::move(node));
}

Result<ExpressionPtr> Parser::conjunction() { return all_of("AND", &Parser::negation); }

Result<ExpressionPtr> Parser::negation() {
  const std::size_t offset = peek().offset;
  if (!take("NOT")) return comparison();
  const Deeper deeper(depth_);
  if (depth_ > deepest) return wrong(offset, "The expression is nested too deeply");
  SERIN_TRY(ExpressionPtr value, negation());
  ExpressionPtr node = make(Expression::Kind::unary, offset);
  node->text = "NOT";
  node->arguments.push_back(std::move(value));
  return made(std::move(node));
}

Result<ExpressionPtr> Parser::comparison() {
  SERIN_TRY(ExpressionPtr left, binary(0));
  return compared(std::move(left));
}

Result<ExpressionPtr> Parser::compared(ExpressionPtr left) {
  const std::size_t offset = peek().offset;
  for (const std::string_view sign : {"=", "<>", "!=", "<=", ">=", "<", ">"}) {
    if (!take_sign(sign)) continue;
    SERIN_TRY(ExpressionPtr right, binary(0));
    ExpressionPtr node = make(Expression::Kind::binary, left->offset);
    node->text = sign == "!=" ? "<>" : sign;
    node->arguments.push_back(std::move(left));
    node->arguments.push_back(std::move(right));
    return made(std::move(node));
  }
  if (take("IS")) {
    const bool negated = take("NOT");
    ExpressionPtr node = make(Expression::Kind::is, left->offset);
    if (sees("DISTINCT")) {
      SERIN_CHECK(expect("DISTINCT"));
      SERIN_CHECK(expect("FROM"));
      SERIN_TRY(ExpressionPtr right, binary(0));
      node->text = negated ? "IS" : "IS NOT";
      node->arguments.push_back(std::move(left));
      node->arguments.push_back(std::move(right));
      return made(std::move(node));
    }
    const std::string word = upper(peek().text);
    if (word != "NULL" && word != "TRUE" && word != "FALSE") return unexpected("NULL, TRUE or FALSE");
    ++at_;
    node->text = fmt::format("IS {}{}", negated ? "NOT " : "", word);
    node->arguments.push_back(std::move(left));
    return made(std::move(node));
  }
  const bool negated = sees("NOT") && (sees("IN", 1) || sees("LIKE", 1) || sees("BETWEEN", 1));
  if (negated) ++at_;
  if (take("BETWEEN")) {
    SERIN_TRY(ExpressionPtr low, binary(0));
    SERIN_CHECK(expect("AND"));
    SERIN_TRY(ExpressionPtr high, binary(0));
    ExpressionPtr node = make(Expression::Kind::between, offset);
    node->flag = negated;
    node->arguments.push_back(std::move(left));
    node->arguments.push_back(std::move(low));
    node->arguments.push_back(std::move(high));
    return made(std::move(node));
  }
  if (take("LIKE")) {
    if (sees("ANY") || sees("ALL") || sees("SOME")) return unsupported(offset, "LIKE ANY and LIKE ALL");
    SERIN_TRY(ExpressionPtr pattern, binary(0));
    ExpressionPtr node = make(Expression::Kind::binary, left->offset);
    node->text = "LIKE";
    node->flag = negated;
    node->arguments.push_back(std::move(left));
    node->arguments.push_back(std::move(pattern));
    return made(std::move(node));
  }
  if (take("IN")) return in(std::move(left), negated);
  return left;
}

Result<ExpressionPtr> Parser::in(ExpressionPtr left, bool negated) {
  const std::size_t offset = left->offset;
  ExpressionPtr node = make(Expression::Kind::in_list, offset);
  node->flag = negated;
  node->arguments.push_back(std::move(left));
  if (take("UNNEST")) {
    SERIN_CHECK(expect_sign("("));
    SERIN_TRY(ExpressionPtr array, expression());
    SERIN_CHECK(expect_sign(")"));
    node->kind = Expression::Kind::in_unnest;
    node->arguments.push_back(std::move(array));
    return made(std::move(node));
  }
  SERIN_CHECK(expect_sign("("));
  if (sees("SELECT") || sees("WITH")) {
    SERIN_TRY(node->query, query());
    SERIN_CHECK(expect_sign(")"));
    node->kind = Expression::Kind::in_query;
    return made(std::move(node));
  }
  SERIN_TRY(std::vector<ExpressionPtr> values, list(")"));
  if (values.empty()) return unexpected("an expression");
  for (ExpressionPtr& value : values) node->arguments.push_back(std::move(value));
  return made(std::move(node));
}

/// The operators from | (0) down to * (5), each level left associative.
Result<ExpressionPtr> Parser::binary(int level) {
  constexpr std::array<std::array<std::string_view, 3>, 6> levels{
      {{"|", "", ""}, {"^", "", ""}, {"&", "", ""}, {"<<", ">>", ""}, {"+", "-", ""}, {"*", "/", "||"}}};
  if (level == static_cast<int>(levels.size())) return unary();
  SERIN_TRY(ExpressionPtr left, binary(level + 1));
  for (;;) {
    std::string_view found;
    for (const std::string_view sign : levels[static_cast<std::size_t>(level)])
      if (!sign.empty() && take_sign(sign)) {
        found = sign;
        break;
      }
    if (found.empty()) return left;
    SERIN_TRY(ExpressionPtr right, binary(level + 1));
    if (left->kind == Expression::Kind::binary && left->text == found && !left->parenthesised) {
      left->arguments.push_back(std::move(right));
      SERIN_TRY(left, made(std::move(left)));
      continue;
    }
    ExpressionPtr node = make(Expression::Kind::binary, left->offset);
    node->text = found;
    node->arguments.push_back(std::move(left));
    node->arguments.push_back(std::move(right));
    SERIN_TRY(left, made(std::move(node)));
  }
}

Result<ExpressionPtr> Parser::unary() {
  const std::size_t offset = peek().offset;
  const Deeper deeper(depth_);
  if (depth_ > deepest) return wrong(offset, "The expression is nested too deeply");
  for (const std::string_view sign : {"-", "+", "~"}) {
    if (!take_sign(sign)) continue;
    SERIN_TRY(ExpressionPtr value, unary());
    ExpressionPtr node = make(Expression::Kind::unary, offset);
    node->text = sign;
    node->arguments.push_back(std::move(value));
    return made(std::move(node));
  }
  SERIN_TRY(ExpressionPtr value, primary());
  if (sees_sign("[")) return unsupported(peek().offset, "Access to array elements");
  if (sees_sign(".") && value->kind != Expression::Kind::column)
    return unsupported(peek().offset, "Access to fields of an expression");
  return value;
}

Result<ExpressionPtr> Parser::primary() {
  const Token& token = peek();
  const std::size_t offset = token.offset;
  switch (token.kind) {
    case Token::Kind::integer:
    case Token::Kind::real:
    case Token::Kind::string:
    case Token::Kind::bytes: {
      ExpressionPtr node = make(Expression::Kind::literal, offset);
      node->text = token.text;
      node->type.kind = token.kind == Token::Kind::integer  ? google_sql::Kind::int64
                        : token.kind == Token::Kind::real   ? google_sql::Kind::float64
                        : token.kind == Token::Kind::string ? google_sql::Kind::string
                                                            : google_sql::Kind::bytes;
      ++at_;
      return node;
    }
    case Token::Kind::named:
    case Token::Kind::positional: {
      ExpressionPtr node = make(Expression::Kind::parameter, offset);
      if (token.kind == Token::Kind::named) node->text = token.text;
      if (token.kind == Token::Kind::positional) node->number = positions_++;
      ++at_;
      return node;
    }
    case Token::Kind::sign:
      if (token.text == "(") return parenthesised();
      if (token.text == "[") return array();
      return unexpected("an expression");
    case Token::Kind::word:
    case Token::Kind::quoted: return word();
    case Token::Kind::end: return unexpected("an expression");
  }
  return unexpected("an expression");
}

Result<ExpressionPtr> Parser::word() {
  const std::size_t offset = peek().offset;
  if (peek().kind == Token::Kind::word) {
    const std::string first = upper(peek().text);
    if (first == "NULL" || first == "TRUE" || first == "FALSE") {
      ++at_;
      ExpressionPtr node = make(first == "NULL" ? Expression::Kind::null : Expression::Kind::literal, offset);
      if (first == "NULL") return node;
      node->type.kind = google_sql::Kind::boolean;
      node->text = first == "TRUE" ? "1" : "0";
      return node;
    }
    if (first == "CASE") return case_of();
    if (first == "INTERVAL") return interval();
    if (peek(1).kind == Token::Kind::string) return typed_literal();
    if (first == "EXISTS" && sees_sign("(", 1)) {
      at_ += 1;
      return subquery(Expression::Kind::exists, offset);
    }
    if ((first == "CAST" || first == "SAFE_CAST") && sees_sign("(", 1)) {
      at_ += 2;
      return cast(first == "SAFE_CAST");
    }
    if (first == "EXTRACT" && sees_sign("(", 1)) return extract();
    if (first == "ARRAY" && (sees_sign("[", 1) || sees_sign("<", 1) || sees_sign("(", 1))) return array();
    if (first == "STRUCT" && (sees_sign("(", 1) || sees_sign("<", 1))) return structure();
    if (at_reserved() && first != "IF" && first != "LEFT" && first != "RIGHT") return unexpected("an expression");
  }
  SERIN_TRY(std::vector<std::string> parts, path(false));
  if (sees_sign("(")) return call(parts, offset);
  ExpressionPtr node = make(Expression::Kind::column, offset);
  node->path = std::move(parts);
  return node;
}

/// DATE '2026-01-01' and the like.
Result<ExpressionPtr> Parser::typed_literal() {
  const std::size_t offset = peek().offset;
  const auto kind = kind_of(peek().text);
  if (!kind) return unexpected("an expression");
  ++at_;
  ExpressionPtr literal = make(Expression::Kind::literal, offset);
  literal->type.kind = google_sql::Kind::string;
  literal->text = peek().text;
  ++at_;
  ExpressionPtr node = make(Expression::Kind::cast, offset);
  node->type.kind = *kind;
  node->arguments.push_back(std::move(literal));
  return made(std::move(node));
}

Result<ExpressionPtr> Parser::parenthesised() {
  const std::size_t offset = peek().offset;
  if (sees("SELECT", 1) || sees("WITH", 1)) return subquery(Expression::Kind::scalar, offset);
  SERIN_CHECK(expect_sign("("));
  SERIN_TRY(ExpressionPtr value, expression());
  if (sees_sign(",")) {
    // (a, b) is a struct without names.
    ExpressionPtr node = make(Expression::Kind::structure, offset);
    node->arguments.push_back(std::move(value));
    node->names.emplace_back();
    while (take_sign(",")) {
      SERIN_TRY(ExpressionPtr next, expression());
      node->arguments.push_back(std::move(next));
      node->names.emplace_back();
    }
    SERIN_CHECK(expect_sign(")"));
    return made(std::move(node));
  }
  SERIN_CHECK(expect_sign(")"));
  value->parenthesised = true;
  return value;
}

Result<ExpressionPtr> Parser::cast(bool safe) {
  const std::size_t offset = peek().offset;
  SERIN_TRY(ExpressionPtr value, expression());
  SERIN_CHECK(expect("AS"));
  ExpressionPtr node = make(Expression::Kind::cast, offset);
  SERIN_TRY(node->type, type());
  if (sees("FORMAT")) return unsupported(peek().offset, "CAST with FORMAT");
  SERIN_CHECK(expect_sign(")"));
  node->flag = safe;
  node->arguments.push_back(std::move(value));
  return made(std::move(node));
}

Result<ExpressionPtr> Parser::case_of() {
  ExpressionPtr node = make(Expression::Kind::when, peek().offset);
  SERIN_CHECK(expect("CASE"));
  if (!sees("WHEN")) {
    node->flag = true;
    SERIN_TRY(ExpressionPtr operand, expression());
    node->arguments.push_back(std::move(operand));
  }
  if (!sees("WHEN")) return unexpected("keyword WHEN");
  while (take("WHEN")) {
    SERIN_TRY(ExpressionPtr condition, expression());
    SERIN_CHECK(expect("THEN"));
    SERIN_TRY(ExpressionPtr value, expression());
    node->arguments.push_back(std::move(condition));
    node->arguments.push_back(std::move(value));
  }
  if (take("ELSE")) {
    SERIN_TRY(ExpressionPtr otherwise, expression());
    node->arguments.push_back(std::move(otherwise));
  }
  SERIN_CHECK(expect("END"));
  return made(std::move(node));
}

Result<ExpressionPtr> Parser::interval() {
  ExpressionPtr node = make(Expression::Kind::interval, peek().offset);
  SERIN_CHECK(expect("INTERVAL"));
  SERIN_TRY(ExpressionPtr amount, unary());
  SERIN_TRY(const std::string part, name("a date part"));
  if (sees("TO")) return unsupported(peek().offset, "INTERVAL with a range of parts");
  node->text = upper(part);
  node->arguments.push_back(std::move(amount));
  return made(std::move(node));
}

Result<ExpressionPtr> Parser::extract() {
  ExpressionPtr node = make(Expression::Kind::extract, peek().offset);
  at_ += 2;
  SERIN_TRY(const std::string part, name("a date part"));
  if (sees_sign("(")) return unsupported(peek().offset, "EXTRACT of WEEK with a first day");
  SERIN_CHECK(expect("FROM"));
  SERIN_TRY(ExpressionPtr value, expression());
  if (sees("AT")) return unsupported(peek().offset, "EXTRACT with AT TIME ZONE");
  SERIN_CHECK(expect_sign(")"));
  node->text = upper(part);
  node->arguments.push_back(std::move(value));
  return made(std::move(node));
}

}  // namespace serin::google_sql
