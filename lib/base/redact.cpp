#include "serin/base/redact.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "serin/base/text.hpp"

namespace serin {
namespace {

constexpr std::string_view hidden = "***";
constexpr std::array<std::string_view, 8> secret_endings = {"password", "passwd", "passphrase", "pwd",
                                                            "secret",   "token",  "key",        "authorization"};

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

bool ends_with(std::string_view name, std::string_view ending) {
  return name.size() >= ending.size() && equal_ignoring_case(name.substr(name.size() - ending.size()), ending);
}

std::size_t find_any(std::string_view text, std::string_view stops, std::size_t from) {
  return std::min(text.find_first_of(stops, from), text.size());
}

std::size_t skip_blanks(std::string_view text, std::size_t at) {
  return std::min(text.find_first_not_of(" \t", at), text.size());
}

/// Length of a quote at `at`: 1, 2 when it is escaped (JSON inside a string), 0 when there is none.
std::size_t quote_at(std::string_view text, std::size_t at) {
  const std::size_t escape = at < text.size() && text[at] == '\\' ? 1 : 0;
  const bool quoted = at + escape < text.size() && (text[at + escape] == '"' || text[at + escape] == '\'');
  return quoted ? escape + 1 : 0;
}

/// Where the quoted value that starts at `at` ends; a quote that is more escaped than the opening one is part of it.
std::size_t quoted_end(std::string_view text, std::size_t at, char quote, std::size_t escapes) {
  std::size_t backslashes = 0;
  for (; at < text.size(); ++at) {
    if (text[at] == quote && (escapes == 0 ? backslashes % 2 == 0 : backslashes <= 1)) {
      return at - backslashes * escapes;
    }
    backslashes = text[at] == '\\' ? backslashes + 1 : 0;
  }
  return text.size();
}

class Redactor {
 public:
  explicit Redactor(std::string_view text) : text_(text) {}

  std::string run() {
    while (at_ < text_.size()) {
      if (text_.substr(at_, 3) == "://") {
        keep_to(at_ + 3);
        user_info();
      } else if (is_name_char(text_[at_])) {
        name();
      } else {
        keep_to(at_ + 1);
      }
    }
    return std::move(out_);
  }

 private:
  void keep_to(std::size_t end) {
    out_.append(text_.substr(at_, end - at_));
    at_ = end;
  }

  void hide_to(std::size_t end) {
    out_.append(hidden);
    at_ = end;
  }

  void user_info() {
    const auto last_at = [this](std::size_t end) { return text_.substr(at_, end - at_).rfind('@'); };
    const std::size_t authority_end = find_any(text_, "/?# \t\r\n\"'<>", at_);
    std::size_t found = last_at(authority_end);
    const std::size_t colon = text_.substr(at_, authority_end - at_).find(':');
    // "u:p/w@host": a password with an unescaped slash; a port would be digits only.
    if (found == std::string_view::npos && colon != std::string_view::npos && at_ >= no_at_before_) {
      const std::size_t word_end = find_any(text_, " \t\r\n\"'<>", at_);
      const std::string_view port = text_.substr(at_ + colon + 1, authority_end - at_ - colon - 1);
      // An empty port is allowed, but a password that begins with a slash looks the same.
      if (port.empty() || port.find_first_not_of("0123456789") != std::string_view::npos) {
        found = last_at(word_end);
        if (found == std::string_view::npos) {
          no_at_before_ = word_end;
        }
      }
    }
    if (found != std::string_view::npos) {
      hide_to(at_ + found);
    }
  }

  void name() {
    std::size_t end = at_;
    while (end < text_.size() && is_name_char(text_[end])) {
      ++end;
    }
    const std::string_view word = text_.substr(at_, end - at_);
    keep_to(end);
    if (equal_ignoring_case(word, "bearer") && skip_blanks(text_, end) > end) {
      keep_to(skip_blanks(text_, end));
      if (at_ < text_.size()) {
        hide_to(find_any(text_, " \t\r\n\"'", at_));
      }
      return;
    }
    const bool secret = std::ranges::any_of(secret_endings, [&](std::string_view e) { return ends_with(word, e); });
    if (!secret) {
      return;
    }
    const std::size_t separator = skip_blanks(text_, end + quote_at(text_, end));
    if (separator >= text_.size() || (text_[separator] != '=' && text_[separator] != ':')) {
      return;
    }
    if (text_.substr(separator, 3) == "://") {
      return;
    }
    keep_to(skip_blanks(text_, separator + 1));
    value(ends_with(word, "authorization"));
  }

  void value(bool whole_line) {
    if (const std::size_t quote = quote_at(text_, at_); quote > 0) {
      const char mark = text_[at_ + quote - 1];
      keep_to(at_ + quote);
      hide_to(quoted_end(text_, at_, mark, quote - 1));
    } else if (at_ < text_.size() && (text_[at_] == '[' || text_[at_] == '{')) {
      hide_to(find_any(text_, "\r\n", at_));
    } else {
      hide_to(find_any(text_, whole_line ? "\r\n\"'" : " \t\r\n&;\"'", at_));
    }
  }

  std::string_view text_;
  std::string out_;
  std::size_t at_ = 0;
  std::size_t no_at_before_ = 0;  // no '@' stands before this: keeps many "://" in one word linear
};

}  // namespace

std::string redact(std::string_view text) {
  // Every form of a secret has one of these; most texts are words.
  if (text.find_first_of(":= \t") == std::string_view::npos) return std::string(text);
  return Redactor(text).run();
}

}  // namespace serin
