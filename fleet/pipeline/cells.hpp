#pragma once
#include <cstddef>
#include <optional>
#include <string>

#include "serin/ports/sql.hpp"

// Private to the fleet's sources.
namespace serin::fleet {

/// Reads the cells of one row in order. A cell of another type is remembered and told by done(), so that a damaged
/// row is never taken for zeros and empty texts.
class Cells {
 public:
  explicit Cells(const SqlRow& row) : row_(row) {}
  std::string text() {
    const auto* value = std::get_if<std::string>(next());
    return value != nullptr ? *value : (wrong("a text"), std::string());
  }
  std::int64_t whole() {
    const auto* value = std::get_if<std::int64_t>(next());
    return value != nullptr ? *value : (wrong("a whole number"), 0);
  }
  double real() {
    const SqlValue* value = next();
    if (const auto* number = std::get_if<double>(value)) return *number;
    if (const auto* number = std::get_if<std::int64_t>(value)) return static_cast<double>(*number);
    wrong("a number");
    return 0;
  }
  std::optional<double> maybe_real() {
    if (next_is_null()) return std::nullopt;
    return real();
  }
  std::optional<std::int64_t> maybe_whole() {
    if (next_is_null()) return std::nullopt;
    return whole();
  }
  std::string text_or_empty() { return next_is_null() ? std::string() : text(); }

  /// Errors: data_loss, naming the first cell that was something else.
  [[nodiscard]] Status done() const {
    if (complaint_.empty()) return {};
    return fail(Errc::data_loss, complaint_);
  }

 private:
  const SqlValue* next() {
    static const SqlValue nothing;
    return at_ < row_.size() ? &row_[at_++] : (++at_, &nothing);
  }
  bool next_is_null() {
    if (at_ >= row_.size() || !std::holds_alternative<std::monostate>(row_[at_])) return false;
    ++at_;
    return true;
  }
  void wrong(const char* expected) {
    if (complaint_.empty()) complaint_ = "cell " + std::to_string(at_) + " of a row is not " + expected;
  }
  const SqlRow& row_;
  std::size_t at_ = 0;
  std::string complaint_;
};

/// Milliseconds since 1970 now, as tables keep them; a text as a parameter.
[[nodiscard]] inline SqlValue sql_text(std::string_view text) { return std::string(text); }

}  // namespace serin::fleet
