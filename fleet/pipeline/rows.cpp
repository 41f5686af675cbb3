#include "rows.hpp"

#include <fmt/format.h>

namespace serin::fleet {
namespace {

constexpr std::size_t most_rows = 100;

std::string tuples(std::size_t rows, std::size_t columns) {
  std::string out;
  std::size_t number = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    out += row == 0 ? "(" : ", (";
    for (std::size_t column = 0; column < columns; ++column)
      out += fmt::format("{}${}", column == 0 ? "" : ", ", ++number);
    out += ")";
  }
  return out;
}

}  // namespace

Status RowWriter::add(SqlRow row) {
  SqlRow key;
  for (const std::size_t column : into_.key) key.push_back(row.at(column));
  if (rows_ == most_rows || (!key.empty() && keys_.contains(key))) SERIN_CHECK(finish());
  if (!key.empty()) keys_.insert(std::move(key));
  values_.insert(values_.end(), std::make_move_iterator(row.begin()), std::make_move_iterator(row.end()));
  ++rows_;
  return {};
}

Status RowWriter::finish() {
  if (rows_ == 0) return {};
  const std::string statement =
      fmt::format("{} {}{}", into_.insert, tuples(rows_, values_.size() / rows_), into_.conflict);
  SERIN_CHECK(session_.execute(statement, values_));
  values_.clear();
  keys_.clear();
  rows_ = 0;
  return {};
}

}  // namespace serin::fleet
