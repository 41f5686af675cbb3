#include "token.hpp"

#include <fmt/format.h>

#include <array>

namespace serin::google_sql {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
int hex_of(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto byte = [&out](std::uint32_t value) { out += static_cast<char>(static_cast<unsigned char>(value)); };
  if (code < 0x80) return byte(code);
  if (code < 0x800) {
    byte(0xC0 | code >> 6);
  } else if (code < 0x10000) {
    byte(0xE0 | code >> 12);
    byte(0x80 | (code >> 6 & 0x3F));
  } else {
    byte(0xF0 | code >> 18);
    byte(0x80 | (code >> 12 & 0x3F));
    byte(0x80 | (code >> 6 & 0x3F));
  }
  byte(0x80 | (code & 0x3F));
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Result<std::vector<Token>> run() {
    for (;;) {
      SERIN_CHECK(skip_blank());
      const std::size_t start = at_;
      if (at_ == text_.size()) {
        out_.push_back({Token::Kind::end, "", start});
        return std::move(out_);
      }
      Token token{.offset = start};
      SERIN_CHECK(read(token));
      out_.push_back(std::move(token));
    }
  }

 private:
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  [[nodiscard]] std::unexpected<Error> wrong(std::size_t offset, std::string_view what) const {
    return fail(Errc::invalid_argument, fmt::format("Syntax error: {} at {}", what, place_of(text_, offset)));
  }

  Status skip_blank() {
    while (at_ < text_.size()) {
      const char c = peek();
      if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v') {
        ++at_;
      } else if (c == '#' || (c == '-' && peek(1) == '-')) {
        while (at_ < text_.size() && peek() != '\n') ++at_;
      } else if (c == '/' && peek(1) == '*') {
        const std::size_t end = text_.find("*/", at_ + 2);
        if (end == std::string_view::npos) return wrong(at_, "Unclosed comment");
        at_ = end + 2;
      } else {
        break;
      }
    }
    return {};
  }

  Status read(Token& token) {
    const char c = peek();
    if (c == '`') return read_quoted(token);
    if (const std::size_t prefix = string_prefix(); prefix != std::string_view::npos) return read_string(token, prefix);
    if (is_letter(c)) {
      token.kind = Token::Kind::word;
      while (is_letter(peek()) || is_digit(peek())) token.text += text_[at_++];
      return {};
    }
    if (is_digit(c) || (c == '.' && is_digit(peek(1)) && !after_name())) return read_number(token);
    if (c == '@') {
      ++at_;
      token.kind = Token::Kind::named;
      if (peek() == '@') return wrong(token.offset, "System variables are not supported by this emulator:");
      while (is_letter(peek()) || is_digit(peek())) token.text += text_[at_++];
      if (token.text.empty()) return wrong(token.offset, "Illegal input character \"@\"");
      return {};
    }
    if (c == '?') {
      ++at_;
      token.kind = Token::Kind::positional;
      token.text = "?";
      return {};
    }
    return read_sign(token);
  }

  /// ".5" after a name is a path, not a number.
  [[nodiscard]] bool after_name() const {
    return !out_.empty() && (out_.back().kind == Token::Kind::word || out_.back().kind == Token::Kind::quoted) &&
           out_.back().offset + out_.back().text.size() <= at_ && at_ > 0 && text_[at_ - 1] != ' ';
  }

  Status read_sign(Token& token) {
    token.kind = Token::Kind::sign;
    constexpr std::array<std::string_view, 10> two{"<>", "<=", ">=", "!=", "||", "<<", ">>", "=>", "->", "::"};
    for (const std::string_view sign : two)
      if (text_.substr(at_, 2) == sign) {
        token.text = sign;
        at_ += 2;
        return {};
      }
    if (std::string_view("()[]{},.;=<>+-*/|&^~:%").find(peek()) == std::string_view::npos)
      return wrong(at_, fmt::format("Illegal input character \"{}\"", printable(peek())));
    token.text = text_[at_++];
    return {};
  }

  static std::string printable(char c) {
    return c >= ' ' && c < 127 ? std::string(1, c) : fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }

  Status read_number(Token& token) {
    token.kind = Token::Kind::integer;
    if (peek() == '0' && (peek(1) == 'x' || peek(1) == 'X')) {
      at_ += 2;
      token.text = "0x";
      while (hex_of(peek()) >= 0) token.text += text_[at_++];
      if (token.text.size() == 2) return wrong(token.offset, "Invalid integer literal");
    } else {
      while (is_digit(peek())) token.text += text_[at_++];
      if (peek() == '.') {
        token.kind = Token::Kind::real;
        token.text += text_[at_++];
        while (is_digit(peek())) token.text += text_[at_++];
      }
      const bool exponent = peek() == 'e' || peek() == 'E';
      const bool sign = exponent && (peek(1) == '+' || peek(1) == '-');
      if (exponent && is_digit(peek(sign ? 2 : 1))) {
        token.kind = Token::Kind::real;
        token.text += text_[at_++];
        if (sign) token.text += text_[at_++];
        while (is_digit(peek())) token.text += text_[at_++];
      }
    }
    if (is_letter(peek())) return wrong(at_, "Missing whitespace between literal and alias");
    return {};
  }

  Status read_quoted(Token& token) {
    token.kind = Token::Kind::quoted;
    for (++at_; peek() != '`'; ++at_) {
      if (at_ >= text_.size() || peek() == '\n') return wrong(token.offset, "Unclosed identifier literal");
      if (peek() == '\\' && at_ + 1 < text_.size()) ++at_;
      token.text += peek();
    }
    ++at_;
    if (token.text.empty()) return wrong(token.offset, "Invalid empty identifier");
    return {};
  }

  /// How many letters (r, b, rb, br) stand before the quote here; npos: no string starts here.
  [[nodiscard]] std::size_t string_prefix() const {
    for (std::size_t n = 0; n <= 2; ++n) {
      if (peek(n) == '\'' || peek(n) == '"') return n;
      if (std::string_view("rRbB").find(peek(n)) == std::string_view::npos || peek(n) == '\0') break;
    }
    return std::string_view::npos;
  }

  Status read_string(Token& token, std::size_t prefix) {
    bool raw = false;
    token.kind = Token::Kind::string;
    for (; prefix > 0; --prefix, ++at_) {
      if (peek() == 'r' || peek() == 'R') raw = true;
      if (peek() == 'b' || peek() == 'B') token.kind = Token::Kind::bytes;
    }
    const char quote = peek();
    const bool triple = peek(1) == quote && peek(2) == quote;
    at_ += triple ? 3 : 1;
    for (;;) {
      if (at_ >= text_.size() || (!triple && peek() == '\n')) return wrong(token.offset, "Unclosed string literal");
      if (peek() == quote && (!triple || (peek(1) == quote && peek(2) == quote))) break;
      if (peek() != '\\') {
        token.text += text_[at_++];
      } else if (raw) {
        token.text += text_[at_++];
        if (at_ < text_.size()) token.text += text_[at_++];
      } else {
        SERIN_CHECK(read_escape(token));
      }
    }
    at_ += triple ? 3 : 1;
    return {};
  }

  Status read_escape(Token& token) {
    const std::size_t start = at_++;
    const char c = peek();
    ++at_;
    constexpr std::string_view from = "abfnrtv\\?\"'`";
    constexpr std::string_view to = "\a\b\f\n\r\t\v\\?\"'`";
    if (const std::size_t known = from.find(c); known != std::string_view::npos && c != '\0') {
      token.text += to[known];
      return {};
    }
    const std::size_t digits = c == 'x' || c == 'X' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (digits == 0) return wrong(start, fmt::format("Illegal escape sequence: \\{}", printable(c)));
    std::uint32_t code = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      const int digit = hex_of(peek());
      if (digit < 0) return wrong(start, "Illegal escape sequence");
      code = code << 4 | static_cast<std::uint32_t>(digit);
      ++at_;
    }
    if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return wrong(start, "Illegal escape sequence");
    if (digits == 2 && token.kind == Token::Kind::bytes) {
      token.text += static_cast<char>(static_cast<unsigned char>(code));
    } else {
      append_utf8(token.text, code);
    }
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<Token> out_;
};

}  // namespace

Result<std::vector<Token>> tokens_of(std::string_view text) { return Lexer(text).run(); }

std::string place_of(std::string_view text, std::size_t offset) {
  std::size_t line = 1;
  std::size_t column = 1;
  for (std::size_t i = 0; i < offset && i < text.size(); ++i) {
    if (text[i] == '\n') {
      ++line;
      column = 1;
    } else {
      ++column;
    }
  }
  return fmt::format("[{}:{}]", line, column);
}

}  // namespace serin::google_sql
