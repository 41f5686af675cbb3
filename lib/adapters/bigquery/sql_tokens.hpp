#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "serin/base/error.hpp"

// Private to the module.
namespace serin::bigquery {

/// A piece of a statement as SQLite and PostgreSQL read it. Views into the statement.
struct SqlToken {
  enum class Kind : unsigned char {
    space,      ///< blanks, line ends and comments
    word,       ///< a keyword, a bare name or a number
    text,       ///< 'it''s'
    name,       ///< "a name" or `a name`
    parameter,  ///< $7
    symbol,     ///< one character
  };
  Kind kind = Kind::space;
  std::string_view raw;
  std::size_t number = 0;  ///< of a parameter; >= 1
  /// Whether it is this keyword, in any case.
  [[nodiscard]] bool is(std::string_view keyword) const noexcept;
  [[nodiscard]] bool is(char symbol) const noexcept { return kind == Kind::symbol && raw.front() == symbol; }
};
using SqlTokens = std::span<const SqlToken>;

/// The pieces of a statement, without a gap; a semicolon at its end is dropped.
/// Errors: invalid_argument (a quote or comment without end, a $ without a number of 1 to 65535).
Result<std::vector<SqlToken>> tokens_of(std::string_view sql);

/// The content of a quoted name or text, or the word itself.
[[nodiscard]] std::string content_of(const SqlToken& token);

/// Walks over the tokens that matter, i.e. not over spaces. Past the end every question is answered with no.
class SqlCursor {
 public:
  explicit SqlCursor(SqlTokens tokens) : tokens_(tokens) { skip_spaces(); }
  [[nodiscard]] bool at_end() const noexcept { return at_ >= tokens_.size(); }
  [[nodiscard]] std::size_t at() const noexcept { return at_; }
  /// \pre !at_end()
  [[nodiscard]] const SqlToken& peek() const noexcept { return tokens_[at_]; }
  [[nodiscard]] bool sees(std::string_view keyword) const noexcept { return !at_end() && peek().is(keyword); }
  [[nodiscard]] bool sees(char symbol) const noexcept { return !at_end() && peek().is(symbol); }
  void next() noexcept {
    if (!at_end()) ++at_;
    skip_spaces();
  }
  bool take(std::string_view keyword) noexcept { return sees(keyword) && (next(), true); }
  bool take(char symbol) noexcept { return sees(symbol) && (next(), true); }
  /// Takes all of the keywords or none.
  bool take_all(std::initializer_list<std::string_view> keywords) noexcept;
  /// The tokens up to, and without, the first at this depth of brackets that `stop` says yes to; or all that are left,
  /// or those up to a bracket that closes what is around.
  template <class Stop>
  SqlTokens take_until(Stop stop) {
    const std::size_t begin = at_;
    int depth = 0;
    for (; !at_end(); next()) {
      const SqlToken& token = peek();
      if (depth == 0 && (token.is(')') || stop(token))) break;
      if (token.is('(')) ++depth;
      if (token.is(')')) --depth;
    }
    return tokens_.subspan(begin, at_ - begin);
  }
  /// What is left.
  [[nodiscard]] SqlTokens rest() const noexcept { return tokens_.subspan(at_); }

 private:
  void skip_spaces() noexcept {
    while (at_ < tokens_.size() && tokens_[at_].kind == SqlToken::Kind::space) ++at_;
  }
  SqlTokens tokens_;
  std::size_t at_ = 0;
};

/// "(a, b, c)" as its parts, and moves behind it. Errors: invalid_argument (no bracket, or one without end).
Result<std::vector<SqlTokens>> take_list(SqlCursor& cursor);

/// Without the spaces at both ends.
[[nodiscard]] SqlTokens trimmed(SqlTokens tokens) noexcept;

}  // namespace serin::bigquery
