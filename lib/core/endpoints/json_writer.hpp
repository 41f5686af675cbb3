#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "serin/ports/log.hpp"

namespace serin::endpoints {

// Private to the module.

/// Writes JSON as it is told to, into one string. Not a document of Boost.JSON: an answer of a hundred checks would be
/// a thousand small allocations, and its numbers come out as 1.5E0. What is no UTF-8 becomes U+FFFD. Threads: one.
class JsonWriter {
 public:
  JsonWriter() { out_.reserve(4096); }
  JsonWriter& open(char bracket);   // '{' or '['
  JsonWriter& close(char bracket);  // '}' or ']'
  JsonWriter& key(std::string_view name);
  JsonWriter& text(std::string_view value);
  JsonWriter& integer(std::int64_t value);
  /// Whole numbers without a fraction; what JSON has no number for is null.
  JsonWriter& number(double value);
  JsonWriter& boolean(bool value);
  JsonWriter& null();
  JsonWriter& value(const LogField::Value& value);
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  void separate();
  void quoted(std::string_view text);
  std::string out_;
  bool comma_ = false;  // something stands before what comes next
};

}  // namespace serin::endpoints
