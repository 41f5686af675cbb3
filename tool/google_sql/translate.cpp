#include "translate.hpp"

#include <fmt/format.h>

#include "emitter.hpp"
#include "parser.hpp"
#include "serin/base/text.hpp"

namespace serin::google_sql {

std::string quoted(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    out += c;
    if (c == '"') out += c;
  }
  return out + "\"";
}

std::string literal(std::string_view text) {
  // A zero byte ends a statement for SQLite.
  if (text.find('\0') != std::string_view::npos) {
    std::string out = "CAST(X'";
    for (const char c : text) out += fmt::format("{:02X}", static_cast<unsigned char>(c));
    return out + "' AS TEXT)";
  }
  std::string out = "'";
  for (const char c : text) {
    out += c;
    if (c == '\'') out += c;
  }
  return out + "'";
}

std::string_view statement_type(Statement::Kind kind) noexcept {
  switch (kind) {
    case Statement::Kind::select: return "SELECT";
    case Statement::Kind::insert: return "INSERT";
    case Statement::Kind::update: return "UPDATE";
    case Statement::Kind::remove: return "DELETE";
    case Statement::Kind::merge: return "MERGE";
    case Statement::Kind::create_table: return "CREATE_TABLE";
    case Statement::Kind::create_table_as: return "CREATE_TABLE_AS_SELECT";
    case Statement::Kind::drop_table: return "DROP_TABLE";
    case Statement::Kind::truncate: return "TRUNCATE_TABLE";
    case Statement::Kind::alter: return "ALTER_TABLE";
    case Statement::Kind::create_schema: return "CREATE_SCHEMA";
    case Statement::Kind::drop_schema: return "DROP_SCHEMA";
    case Statement::Kind::begin: return "BEGIN_TRANSACTION";
    case Statement::Kind::commit: return "COMMIT_TRANSACTION";
    case Statement::Kind::rollback: return "ROLLBACK_TRANSACTION";
  }
  return "SELECT";
}

Result<std::vector<std::string>> split_statements(std::string_view text) {
  SERIN_TRY(const std::vector<Token> tokens, tokens_of(text));
  std::vector<std::string> out;
  std::size_t start = 0;
  bool empty = true;
  const auto cut = [&](std::size_t end) {
    // Blanks in front keep the places that errors name those of the whole text.
    if (!empty) {
      std::string statement(text.substr(0, start));
      for (char& c : statement)
        if (c != '\n') c = ' ';
      out.push_back(statement + std::string(text.substr(start, end - start)));
    }
    start = end;
    empty = true;
  };
  for (const Token& token : tokens) {
    if (token.kind == Token::Kind::end) {
      cut(text.size());
    } else if (token.kind == Token::Kind::sign && token.text == ";") {
      cut(token.offset);
      start = token.offset + 1;
    } else {
      empty = false;
    }
  }
  if (out.empty()) return fail(Errc::invalid_argument, "Syntax error: Unexpected end of statement");
  return out;
}

Result<Statement> Emitter::statement(const Tree& tree) {
  Statement out;
  switch (tree.kind) {
    case Tree::Kind::query: {
      SERIN_TRY(Relation answer, query(*tree.query, nullptr));
      for (Column& column : answer.columns) {
        if (column.name.find('$') != std::string::npos)
          return fail(Errc::invalid_argument,
                      fmt::format("Duplicate column names in the result are not supported. Found duplicate(s): {}",
                                  column.name.substr(0, column.name.find('$'))));
        if (column.type.kind == Kind::null) column.type.kind = Kind::int64;
        if (column.type.kind == Kind::structure) return unsupported(tree.offset, "A STRUCT in the answer of a query");
      }
      out.columns = std::move(answer.columns);
      out.steps.push_back({Step::Role::rows, std::move(answer.sql), {}});
      break;
    }
    case Tree::Kind::insert: {
      SERIN_TRY(out, insert(tree));
      break;
    }
    case Tree::Kind::update: {
      SERIN_TRY(out, update(tree));
      break;
    }
    case Tree::Kind::remove: {
      SERIN_TRY(out, remove(tree));
      break;
    }
    case Tree::Kind::merge: {
      SERIN_TRY(out, merge(tree));
      break;
    }
    case Tree::Kind::begin: out.kind = Statement::Kind::begin; break;
    case Tree::Kind::commit: out.kind = Statement::Kind::commit; break;
    case Tree::Kind::rollback: out.kind = Statement::Kind::rollback; break;
    case Tree::Kind::create_table:
    case Tree::Kind::drop_table:
    case Tree::Kind::truncate:
    case Tree::Kind::add_columns:
    case Tree::Kind::rename_columns:
    case Tree::Kind::create_schema:
    case Tree::Kind::drop_schema: {
      SERIN_TRY(out, define(tree));
      break;
    }
  }
  out.reads = std::move(reads_);
  return out;
}

Result<Statement> translate(std::string_view text, const TranslateOptions& options, const Catalog& catalog) {
  SERIN_TRY(const Tree tree, Parser::parse(text));
  return Emitter(text, options, catalog).statement(tree);
}

}  // namespace serin::google_sql
