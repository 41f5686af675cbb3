#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "serin/base/error.hpp"

namespace serin::fleet {

/// Splits one line of comma separated values into `fields`, whose old content and memory are reused. A field in double
/// quotes may hold commas; "" inside means one quote. Errors: data_loss for a quote that does not end or stands inside
/// an unquoted field. Pure.
Status split_csv_line(std::string_view line, std::vector<std::string>& fields);

/// Lines of a text, one after another, without their line ends; knows the number of the line for messages.
class LineReader {
 public:
  explicit LineReader(std::string_view text) noexcept;  ///< a byte order mark at the start is skipped
  /// False at the end. Empty lines are passed over.
  bool next(std::string_view& line) noexcept;
  [[nodiscard]] std::size_t number() const noexcept { return number_; }  ///< of the last line given, from 1

 private:
  std::string_view rest_;
  std::size_t number_ = 0;
};

}  // namespace serin::fleet
