#include <fmt/format.h>

#include "parser.hpp"
#include "serin/base/text.hpp"

namespace serin::google_sql {

Result<Tree> Parser::parse(std::string_view text) {
  SERIN_TRY(std::vector<Token> tokens, tokens_of(text));
  Parser parser(text, std::move(tokens));
  SERIN_TRY(Tree tree, parser.statement());
  parser.take_sign(";");
  if (parser.peek().kind != Token::Kind::end) return parser.unexpected("end of input");
  return tree;
}

Result<ExpressionPtr> Parser::parse_expression(std::string_view text) {
  SERIN_TRY(std::vector<Token> tokens, tokens_of(text));
  Parser parser(text, std::move(tokens));
  SERIN_TRY(ExpressionPtr out, parser.expression());
  if (parser.peek().kind != Token::Kind::end) return parser.unexpected("end of input");
  return out;
}

bool Parser::sees(std::string_view word, std::size_t ahead) const {
  return peek(ahead).kind == Token::Kind::word && equal_ignoring_case(peek(ahead).text, word);
}

bool Parser::sees_sign(std::string_view sign, std::size_t ahead) const {
  return peek(ahead).kind == Token::Kind::sign && peek(ahead).text == sign;
}

bool Parser::take(std::string_view word) {
  if (!sees(word)) return false;
  ++at_;
  return true;
}

bool Parser::take_sign(std::string_view sign) {
  if (!sees_sign(sign)) return false;
  ++at_;
  return true;
}

bool Parser::take_words(std::initializer_list<std::string_view> words) {
  std::size_t ahead = 0;
  for (const std::string_view word : words)
    if (!sees(word, ahead++)) return false;
  at_ += words.size();
  return true;
}

Status Parser::expect(std::string_view word) {
  if (take(word)) return {};
  return unexpected(fmt::format("keyword {}", word));
}

Status Parser::expect_sign(std::string_view sign) {
  if (take_sign(sign)) return {};
  return unexpected(fmt::format("\"{}\"", sign));
}

std::unexpected<Error> Parser::unexpected(std::string_view wanted) const {
  const Token& token = peek();
  std::string got;
  switch (token.kind) {
    case Token::Kind::end: got = "end of statement"; break;
    case Token::Kind::word:
      got = at_reserved() ? fmt::format("keyword {}", token.text) : fmt::format("identifier \"{}\"", token.text);
      break;
    case Token::Kind::quoted: got = fmt::format("identifier `{}`", token.text); break;
    case Token::Kind::integer: got = fmt::format("integer literal \"{}\"", token.text); break;
    case Token::Kind::real: got = fmt::format("floating point literal \"{}\"", token.text); break;
    case Token::Kind::string:
    case Token::Kind::bytes: got = "a string literal"; break;
    case Token::Kind::named: got = fmt::format("parameter @{}", token.text); break;
    case Token::Kind::positional: got = "\"?\""; break;
    case Token::Kind::sign: got = fmt::format("\"{}\"", token.text); break;
  }
  return wrong(token.offset, fmt::format("Syntax error: Expected {} but got {}", wanted, got));
}

std::unexpected<Error> Parser::wrong(std::size_t offset, std::string_view what) const {
  return fail(Errc::invalid_argument, fmt::format("{} at {}", what, place_of(text_, offset)));
}

std::unexpected<Error> Parser::unsupported(std::size_t offset, std::string_view what) const {
  return fail(Errc::unsupported,
              fmt::format("{} is not supported by this emulator, at {}", what, place_of(text_, offset)));
}

Result<std::string> Parser::name(std::string_view what) {
  if (peek().kind != Token::Kind::quoted && (peek().kind != Token::Kind::word || at_reserved()))
    return unexpected(what);
  return tokens_[at_++].text;
}

Result<std::vector<std::string>> Parser::names_in_parentheses() {
  std::vector<std::string> out;
  SERIN_CHECK(expect_sign("("));
  do {
    SERIN_TRY(std::string next, name("a name"));
    out.push_back(std::move(next));
  } while (take_sign(","));
  SERIN_CHECK(expect_sign(")"));
  return out;
}

Result<std::vector<std::string>> Parser::path(bool table) {
  std::vector<std::string> out;
  const auto add = [&](const Token& token) {
    if (!table || token.kind != Token::Kind::quoted) {
      out.push_back(token.text);
      return;
    }
    for (const std::string_view part : split(token.text, '.')) out.emplace_back(part);  // `project.dataset.table`
  };
  if (peek().kind == Token::Kind::word && sees_sign("(", 1)) {
    out.push_back(peek().text);  // IF(...), LEFT(...)
    ++at_;
    return out;
  }
  if (peek().kind != Token::Kind::quoted && (peek().kind != Token::Kind::word || at_reserved()))
    return unexpected(table ? "a table name" : "an expression");
  add(peek());
  ++at_;
  while (table && sees_sign("-") && peek(1).kind == Token::Kind::word) {  // my-project.dataset.table
    out.back() += "-" + peek(1).text;
    at_ += 2;
  }
  while (sees_sign(".") && (peek(1).kind == Token::Kind::word || peek(1).kind == Token::Kind::quoted)) {
    ++at_;
    add(peek());
    ++at_;
  }
  return out;
}

/// [AS] name. Without AS a reserved word is none.
Result<std::string> Parser::alias(bool as_is_needed) {
  if (take("AS")) return name("an alias");
  if (as_is_needed) return "";
  if (peek().kind == Token::Kind::quoted) return name("an alias");
  // Words that follow a table and are no aliases, though they are not reserved.
  if (peek().kind != Token::Kind::word || at_reserved() || sees("PIVOT") || sees("UNPIVOT") || sees("REPLACE"))
    return "";
  return name("an alias");
}

Result<Tree> Parser::statement() {
  Tree tree;
  tree.offset = peek().offset;
  if (sees("SELECT") || sees("WITH") || sees_sign("(")) {
    SERIN_TRY(tree.query, query());
    return tree;
  }
  if (take("INSERT")) {
    SERIN_CHECK(with_insert(tree));
  } else if (take("UPDATE")) {
    SERIN_CHECK(with_update(tree));
  } else if (take("DELETE")) {
    SERIN_CHECK(with_delete(tree));
  } else if (take("MERGE")) {
    SERIN_CHECK(with_merge(tree));
  } else if (take("CREATE")) {
    SERIN_CHECK(with_create(tree));
  } else if (take("DROP")) {
    SERIN_CHECK(with_drop(tree));
  } else if (take("ALTER")) {
    SERIN_CHECK(with_alter(tree));
  } else if (take_words({"TRUNCATE", "TABLE"})) {
    tree.kind = Tree::Kind::truncate;
    SERIN_TRY(tree.target, path(true));
  } else if (take("BEGIN")) {
    tree.kind = Tree::Kind::begin;
    if (!take("TRANSACTION") && peek().kind != Token::Kind::end && !sees_sign(";"))
      return unsupported(tree.offset, "BEGIN ... END blocks");
  } else if (take("COMMIT")) {
    tree.kind = Tree::Kind::commit;
    take("TRANSACTION");
  } else if (take("ROLLBACK")) {
    tree.kind = Tree::Kind::rollback;
    take("TRANSACTION");
  } else {
    for (const std::string_view word : {"DECLARE", "SET", "IF", "LOOP", "WHILE", "CALL", "EXECUTE", "ASSERT", "EXPORT",
                                        "LOAD", "GRANT", "REVOKE", "FOR", "REPEAT", "RAISE", "RETURN", "EXPLAIN"})
      if (sees(word)) return unsupported(tree.offset, fmt::format("The statement {}", word));
    return unexpected("a statement");
  }
  return tree;
}

Result<std::vector<ExpressionPtr>> Parser::values() {
  std::vector<ExpressionPtr> row;
  SERIN_CHECK(expect_sign("("));
  do {
    if (take("DEFAULT")) {
      row.emplace_back();
      continue;
    }
    SERIN_TRY(ExpressionPtr value, expression());
    row.push_back(std::move(value));
  } while (take_sign(","));
  SERIN_CHECK(expect_sign(")"));
  return row;
}

Status Parser::with_insert(Tree& tree) {
  tree.kind = Tree::Kind::insert;
  take("INTO");
  SERIN_TRY(tree.target, path(true));
  if (sees_sign("(") && !sees("SELECT", 1) && !sees("WITH", 1)) {
    SERIN_TRY(tree.columns, names_in_parentheses());
  }
  if (take("VALUES")) {
    do {
      SERIN_TRY(std::vector<ExpressionPtr> row, values());
      tree.rows.push_back(std::move(row));
    } while (take_sign(","));
  } else {
    SERIN_TRY(tree.query, query());
  }
  if (sees("ON")) return wrong(peek().offset, "Syntax error: Expected end of input but got keyword ON");
  return {};
}

Result<std::vector<Assignment>> Parser::assignments() {
  std::vector<Assignment> out;
  do {
    Assignment next;
    next.offset = peek().offset;
    SERIN_TRY(const std::vector<std::string> column, path(false));
    next.column = column.back();  // "t.c" and "c"
    SERIN_CHECK(expect_sign("="));
    if (!take("DEFAULT")) {
      SERIN_TRY(next.value, expression());
    }
    out.push_back(std::move(next));
  } while (take_sign(","));
  return out;
}

Status Parser::with_update(Tree& tree) {
  tree.kind = Tree::Kind::update;
  SERIN_TRY(tree.target, path(true));
  SERIN_TRY(tree.alias, alias(false));
  SERIN_CHECK(expect("SET"));
  SERIN_TRY(tree.assignments, assignments());
  if (take("FROM")) {
    SERIN_TRY(tree.from, sources());
  }
  if (!sees("WHERE")) return wrong(tree.offset, "UPDATE must have a WHERE clause");
  SERIN_CHECK(expect("WHERE"));
  SERIN_TRY(tree.where, expression());
  return {};
}

Status Parser::with_delete(Tree& tree) {
  tree.kind = Tree::Kind::remove;
  take("FROM");
  SERIN_TRY(tree.target, path(true));
  SERIN_TRY(tree.alias, alias(false));
  if (!sees("WHERE")) return wrong(tree.offset, "DELETE must have a WHERE clause");
  SERIN_CHECK(expect("WHERE"));
  SERIN_TRY(tree.where, expression());
  return {};
}

Status Parser::with_merge(Tree& tree) {
  tree.kind = Tree::Kind::merge;
  take("INTO");
  SERIN_TRY(tree.target, path(true));
  SERIN_TRY(tree.alias, alias(false));
  SERIN_CHECK(expect("USING"));
  SERIN_TRY(tree.from, source());
  SERIN_CHECK(expect("ON"));
  SERIN_TRY(tree.where, expression());
  while (sees("WHEN")) {
    SERIN_TRY(When next, when());
    tree.whens.push_back(std::move(next));
  }
  if (tree.whens.empty()) return unexpected("keyword WHEN");
  return {};
}

Result<When> Parser::when() {
  When out;
  out.offset = peek().offset;
  SERIN_CHECK(expect("WHEN"));
  const bool negated = take("NOT");
  SERIN_CHECK(expect("MATCHED"));
  if (negated) {
    out.match = When::Match::not_by_target;
    if (take("BY") && !take("TARGET")) {
      SERIN_CHECK(expect("SOURCE"));
      out.match = When::Match::not_by_source;
    }
  }
  if (take("AND")) {
    SERIN_TRY(out.condition, expression());
  }
  SERIN_CHECK(expect("THEN"));
  if (take("DELETE")) {
    out.action = When::Action::remove;
  } else if (take("UPDATE")) {
    SERIN_CHECK(expect("SET"));
    SERIN_TRY(out.assignments, assignments());
  } else {
    SERIN_CHECK(expect("INSERT"));
    out.action = When::Action::insert;
    if (sees_sign("(")) {
      SERIN_TRY(out.columns, names_in_parentheses());
    }
    if (take("ROW")) {
      out.action = When::Action::insert_row;
    } else {
      SERIN_CHECK(expect("VALUES"));
      SERIN_TRY(out.values, values());
    }
  }
  const bool inserts = out.action == When::Action::insert || out.action == When::Action::insert_row;
  if (inserts != (out.match == When::Match::not_by_target))
    return wrong(out.offset, inserts ? "INSERT is only allowed in WHEN NOT MATCHED"
                                     : "UPDATE and DELETE are not allowed in WHEN NOT MATCHED BY TARGET");
  return out;
}

Result<Column> Parser::definition() {
  Column out;
  SERIN_TRY(out.name, name("a column name"));
  SERIN_TRY(out.type, type());
  for (;;) {
    if (take_words({"NOT", "NULL"})) {
      out.required = true;
    } else if (take("DEFAULT")) {
      const std::size_t start = peek().offset;
      SERIN_TRY(const ExpressionPtr value, expression());
      out.default_sql = trim(text_.substr(start, peek().offset - start));
    } else if (take("OPTIONS")) {
      // OPTIONS(description = 'x') is kept.
      if (sees_sign("(") && sees("description", 1) && sees_sign("=", 2) && peek(3).kind == Token::Kind::string)
        out.description = peek(3).text;
      SERIN_CHECK(options());
    } else {
      return out;
    }
  }
}

Status Parser::definitions(Tree& tree) {
  SERIN_CHECK(expect_sign("("));
  do {
    if (sees("FOREIGN") || sees("CONSTRAINT")) return unsupported(peek().offset, "FOREIGN KEY and CONSTRAINT");
    if (take_words({"PRIMARY", "KEY"})) {
      SERIN_TRY(tree.primary_key, names_in_parentheses());
      if (!take_words({"NOT", "ENFORCED"}))
        return wrong(peek().offset, "Enforced primary keys are not supported: write PRIMARY KEY (...) NOT ENFORCED");
      continue;
    }
    SERIN_TRY(Column column, definition());
    if (take_words({"PRIMARY", "KEY"})) {
      tree.primary_key.push_back(column.name);
      if (!take_words({"NOT", "ENFORCED"}))
        return wrong(peek().offset, "Enforced primary keys are not supported: write PRIMARY KEY NOT ENFORCED");
    }
    tree.definition.push_back(std::move(column));
  } while (take_sign(",") && !sees_sign(")"));
  return expect_sign(")");
}

/// What is in the parentheses of OPTIONS is read over.
Status Parser::options() {
  SERIN_CHECK(expect_sign("("));
  int open = 1;
  while (open > 0) {
    if (peek().kind == Token::Kind::end) return unexpected("\")\"");
    if (sees_sign("(")) ++open;
    if (sees_sign(")")) --open;
    ++at_;
  }
  return {};
}

Status Parser::with_create(Tree& tree) {
  tree.or_replace = take_words({"OR", "REPLACE"});
  if (sees("TEMP") || sees("TEMPORARY")) return unsupported(tree.offset, "CREATE TEMP");
  if (take("SCHEMA")) {
    tree.kind = Tree::Kind::create_schema;
    tree.if_exists = take_words({"IF", "NOT", "EXISTS"});
    SERIN_TRY(tree.target, path(true));
    if (take("OPTIONS")) SERIN_CHECK(options());
    return {};
  }
  if (!take("TABLE")) return unsupported(tree.offset, fmt::format("CREATE {}", peek().text));
  tree.kind = Tree::Kind::create_table;
  tree.if_exists = take_words({"IF", "NOT", "EXISTS"});
  SERIN_TRY(tree.target, path(true));
  if (sees_sign("(")) SERIN_CHECK(definitions(tree));
  return table_options(tree);
}

Status Parser::table_options(Tree& tree) {
  if (sees("LIKE") || sees("COPY") || sees("CLONE"))
    return unsupported(peek().offset, fmt::format("CREATE TABLE {}", peek().text));
  if (take("PARTITION")) {
    SERIN_CHECK(expect("BY"));
    SERIN_TRY(const ExpressionPtr ignored, expression());
  }
  if (take("CLUSTER")) {
    SERIN_CHECK(expect("BY"));
    do {
      SERIN_CHECK(name("a column"));
    } while (take_sign(","));
  }
  if (take("OPTIONS")) SERIN_CHECK(options());
  if (take("AS")) {
    SERIN_TRY(tree.query, query());
  }
  if (tree.definition.empty() && !tree.query) return unexpected("\"(\" or keyword AS");
  return {};
}

Status Parser::with_drop(Tree& tree) {
  if (take("SCHEMA")) {
    tree.kind = Tree::Kind::drop_schema;
  } else if (take("TABLE")) {
    tree.kind = Tree::Kind::drop_table;
  } else {
    return unsupported(tree.offset, fmt::format("DROP {}", peek().text));
  }
  tree.if_exists = take_words({"IF", "EXISTS"});
  SERIN_TRY(tree.target, path(true));
  tree.cascade = take("CASCADE");
  take("RESTRICT");
  return {};
}

Status Parser::with_alter(Tree& tree) {
  if (!take("TABLE")) return unsupported(tree.offset, fmt::format("ALTER {}", peek().text));
  tree.kind = Tree::Kind::add_columns;
  SERIN_TRY(tree.target, path(true));
  if (take_words({"RENAME", "COLUMN"})) {
    tree.kind = Tree::Kind::rename_columns;
    do {
      if (!tree.renames.empty() && !take_words({"RENAME", "COLUMN"})) return unexpected("keyword RENAME");
      SERIN_TRY(std::string from, name("a column name"));
      SERIN_CHECK(expect("TO"));
      SERIN_TRY(std::string to, name("a column name"));
      tree.renames.emplace_back(std::move(from), std::move(to));
    } while (take_sign(","));
    return {};
  }
  do {
    if (!take_words({"ADD", "COLUMN"}))
      return unsupported(peek().offset, "ALTER TABLE other than ADD COLUMN and RENAME COLUMN");
    tree.if_exists = take_words({"IF", "NOT", "EXISTS"});
    SERIN_TRY(Column column, definition());
    tree.definition.push_back(std::move(column));
  } while (take_sign(","));
  return {};
}

}  // namespace serin::google_sql
