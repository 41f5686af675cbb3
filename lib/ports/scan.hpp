#pragma once
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/ports/sql.hpp"

// What one pass over a table can count at once, as data: whoever asks writes the terms into the statement, the
// database's adapter answers with one state a term. A database interprets each aggregate of a SELECT for each row; a
// native aggregate reads each value once, however many terms look at it.
namespace serin::scan {

/// What a term counts, of the values of its argument. NULL is counted by `missing` and by nothing else.
enum class Kind : std::uint8_t {
  rows,            ///< all rows; has no argument
  present,         ///< not NULL
  truthy,          ///< not NULL and not 0
  missing,         ///< NULL, or one of `words` as text
  outside,         ///< below `low`, above `high`, or no number at all
  not_listed,      ///< as text none of `words`
  no_match,        ///< as text without a match of `pattern` (RE2, anywhere in the text)
  length_outside,  ///< as text shorter than `low` or longer than `high` characters
  smallest,        ///< the smallest value: numbers before texts
  largest,         ///< the largest value
  moments,         ///< how many, their mean, and the sum of squared distances from it
};

struct Term {
  Kind kind = Kind::rows;
  int argument = -1;  ///< which of the aggregate's arguments, from 0; -1 for rows
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  std::vector<std::string> words = {};
  std::string pattern = {};
  friend bool operator==(const Term&, const Term&) = default;
};

/// What a term came to. States of two parts of a table merge to the state of both.
struct State {
  std::int64_t count = 0;
  double mean = 0;        ///< moments only
  double m2 = 0;          ///< moments only: sum of squared distances from the mean
  SqlValue extreme = {};  ///< smallest and largest only
};
/// Adds `more`, the state of rows that are not in `into`. Pure.
/// Source: Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979.
void merge(Kind kind, State& into, const State& more);
/// Less in the order of databases: NULL, numbers by value, texts by bytes. Pure.
[[nodiscard]] bool less(const SqlValue& a, const SqlValue& b);

/// The name of the aggregate: name('terms', argument 0, argument 1, ...) gives one text with the states.
constexpr std::string_view function_name = "serin_scan";
/// The name of the function match(text, 'pattern'): 1, 0, or NULL for NULL.
constexpr std::string_view match_name = "serin_match";
/// The most arguments besides the terms.
constexpr std::size_t most_arguments = 100;

[[nodiscard]] std::string encode(std::span<const Term> terms);
/// Errors: invalid_argument for anything that encode() does not write.
[[nodiscard]] Result<std::vector<Term>> decode(std::string_view text);
[[nodiscard]] std::string encode_states(std::span<const State> states);
/// Errors: data_loss for anything that encode_states() does not write.
[[nodiscard]] Result<std::vector<State>> decode_states(std::string_view text);

}  // namespace serin::scan
