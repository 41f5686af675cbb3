#pragma once
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "token.hpp"
#include "tree.hpp"

// Private to the module.
namespace serin::google_sql {

/// Reads one statement by recursive descent; how deep is bounded. What the grammar of BigQuery knows and this emulator
/// does not ends as Errc::unsupported, everything else as Errc::invalid_argument. Threads: one.
class Parser {
 public:
  static Result<Tree> parse(std::string_view text);
  /// Of a column's DEFAULT.
  static Result<ExpressionPtr> parse_expression(std::string_view text);

 private:
  Parser(std::string_view text, std::vector<Token> tokens) : text_(text), tokens_(std::move(tokens)) {}

  // Looking and taking.
  [[nodiscard]] const Token& peek(std::size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  [[nodiscard]] bool sees(std::string_view word, std::size_t ahead = 0) const;
  [[nodiscard]] bool sees_sign(std::string_view sign, std::size_t ahead = 0) const;
  bool take(std::string_view word);
  bool take_sign(std::string_view sign);
  bool take_words(std::initializer_list<std::string_view> words);
  Status expect(std::string_view word);
  Status expect_sign(std::string_view sign);
  [[nodiscard]] std::unexpected<Error> unexpected(std::string_view wanted) const;
  [[nodiscard]] std::unexpected<Error> wrong(std::size_t offset, std::string_view what) const;
  [[nodiscard]] std::unexpected<Error> unsupported(std::size_t offset, std::string_view what) const;
  [[nodiscard]] bool at_reserved() const;
  Result<std::string> name(std::string_view what);
  Result<std::vector<std::string>> names_in_parentheses();
  /// a.b.c, `a.b`.c, a-b.c; a dash only where a table is named.
  Result<std::vector<std::string>> path(bool table);
  Result<std::string> alias(bool as_is_needed);

  // Expressions.
  Result<ExpressionPtr> expression();
  Result<ExpressionPtr> all_of(std::string_view word, Result<ExpressionPtr> (Parser::*part)());
  Result<ExpressionPtr> conjunction();
  Result<ExpressionPtr> negation();
  Result<ExpressionPtr> comparison();
  Result<ExpressionPtr> compared(ExpressionPtr left);
  Result<ExpressionPtr> in(ExpressionPtr left, bool negated);
  Result<ExpressionPtr> binary(int level);
  Result<ExpressionPtr> unary();
  Result<ExpressionPtr> primary();
  Result<ExpressionPtr> word();
  Result<ExpressionPtr> typed_literal();
  Result<ExpressionPtr> parenthesised();
  Result<ExpressionPtr> cast(bool safe);
  Result<ExpressionPtr> case_of();
  Result<ExpressionPtr> interval();
  Result<ExpressionPtr> extract();
  Result<ExpressionPtr> array();
  Result<ExpressionPtr> structure();
  Result<ExpressionPtr> call(const std::vector<std::string>& function, std::size_t offset);
  Status over(Expression& call);
  Result<std::string> frame();
  Result<ExpressionPtr> subquery(Expression::Kind kind, std::size_t offset);
  Result<std::vector<ExpressionPtr>> list(std::string_view end);
  Result<Type> type();
  [[nodiscard]] ExpressionPtr make(Expression::Kind kind, std::size_t offset) const;
  Result<ExpressionPtr> made(ExpressionPtr node) const;

  // Queries.
  Result<std::unique_ptr<Query>> query();
  Result<Select> select();
  Result<Select> operand();
  Result<SelectItem> item();
  Status star(SelectItem& item);
  Result<SourcePtr> sources();
  Result<SourcePtr> joined(SourcePtr left);
  Result<SourcePtr> source();
  Result<std::vector<OrderTerm>> order();

  // Statements.
  Result<Tree> statement();
  Status with_insert(Tree& tree);
  Status with_update(Tree& tree);
  Status with_delete(Tree& tree);
  Status with_merge(Tree& tree);
  Result<When> when();
  Status with_create(Tree& tree);
  Status table_options(Tree& tree);
  Status with_drop(Tree& tree);
  Status with_alter(Tree& tree);
  Status definitions(Tree& tree);
  Result<Column> definition();
  Status options();
  Result<std::vector<Assignment>> assignments();
  Result<std::vector<ExpressionPtr>> values();

  struct Deeper {
    explicit Deeper(int& depth_in) : depth(depth_in) { ++depth; }
    ~Deeper() { --depth; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;
    int& depth;
  };

  std::string_view text_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  std::size_t positions_ = 0;  // of '?' so far
  int depth_ = 0;
};

}  // namespace serin::google_sql
