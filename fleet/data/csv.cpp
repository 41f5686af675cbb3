#include "csv.hpp"

#include <algorithm>

namespace serin::fleet {

Status split_csv_line(std::string_view line, std::vector<std::string>& fields) {
  std::size_t count = 0;
  std::size_t at = 0;
  for (;;) {
    if (fields.size() <= count) fields.emplace_back();
    std::string& field = fields[count++];
    field.clear();
    if (at < line.size() && line[at] == '"') {
      for (++at;; ++at) {
        if (at >= line.size()) return fail(Errc::data_loss, "a quoted field does not end on its line");
        if (line[at] != '"') {
          field += line[at];
        } else if (at + 1 < line.size() && line[at + 1] == '"') {
          field += '"';
          ++at;
        } else {
          ++at;
          break;
        }
      }
      if (at < line.size() && line[at] != ',') return fail(Errc::data_loss, "text after the end of a quoted field");
    } else {
      const auto end = std::min(line.find(',', at), line.size());
      field = line.substr(at, end - at);
      if (field.find('"') != std::string::npos) return fail(Errc::data_loss, "a quote inside an unquoted field");
      at = end;
    }
    if (at >= line.size()) break;
    ++at;  // the comma
  }
  fields.resize(count);
  return {};
}

LineReader::LineReader(std::string_view text) noexcept : rest_(text) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (rest_.starts_with(byte_order_mark)) rest_.remove_prefix(byte_order_mark.size());
}

bool LineReader::next(std::string_view& line) noexcept {
  while (!rest_.empty()) {
    const auto end = rest_.find('\n');
    line = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    ++number_;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) return true;
  }
  return false;
}

}  // namespace serin::fleet
