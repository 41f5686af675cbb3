#include "serin/ports/scan.hpp"

#include <fmt/format.h>

#include <optional>

#include "serin/base/text.hpp"
#include "serin/ports/sql_cell.hpp"

namespace serin::scan {
namespace {

// Each piece is "length:bytes", so that no byte of a pattern or of a value has to be escaped.
void put(std::string& out, std::string_view piece) {
  out += std::to_string(piece.size());
  out += ':';
  out += piece;
}

/// Takes pieces off the front of a text; after a mistake it only gives nothing.
class Pieces {
 public:
  explicit Pieces(std::string_view text) : rest_(text) {}
  std::optional<std::string_view> next() {
    const std::size_t colon = rest_.find(':');
    if (colon == std::string_view::npos || colon > 10) return std::nullopt;
    const auto size = to_int(rest_.substr(0, colon));
    if (!size || *size < 0 || static_cast<std::size_t>(*size) > rest_.size() - colon - 1) return std::nullopt;
    const std::string_view piece = rest_.substr(colon + 1, static_cast<std::size_t>(*size));
    rest_.remove_prefix(colon + 1 + piece.size());
    return piece;
  }
  std::optional<std::int64_t> integer() {
    const auto piece = next();
    return piece ? to_int(*piece) : std::nullopt;
  }
  std::optional<double> number() {
    const auto piece = next();
    if (!piece) return std::nullopt;
    if (*piece == "inf") return std::numeric_limits<double>::infinity();
    if (*piece == "-inf") return -std::numeric_limits<double>::infinity();
    return to_double(*piece);
  }
  [[nodiscard]] bool empty() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

int rank(const SqlValue& value) {
  if (std::holds_alternative<std::monostate>(value)) return 0;
  return std::holds_alternative<std::string>(value) ? 2 : 1;
}

}  // namespace

bool less(const SqlValue& a, const SqlValue& b) {
  if (rank(a) != rank(b)) return rank(a) < rank(b);
  if (rank(a) == 2) return std::get<std::string>(a) < std::get<std::string>(b);
  // Two whole numbers are compared as such: beyond 2^53 neighbours would become equal.
  if (std::holds_alternative<std::int64_t>(a) && std::holds_alternative<std::int64_t>(b))
    return std::get<std::int64_t>(a) < std::get<std::int64_t>(b);
  return sql_real(a).value_or(0) < sql_real(b).value_or(0);
}

void merge(Kind kind, State& into, const State& more) {
  if (kind == Kind::smallest || kind == Kind::largest) {
    const bool empty = std::holds_alternative<std::monostate>(into.extreme);
    const bool nothing = std::holds_alternative<std::monostate>(more.extreme);
    const bool better = kind == Kind::smallest ? less(more.extreme, into.extreme) : less(into.extreme, more.extreme);
    if (!nothing && (empty || better)) into.extreme = more.extreme;
    return;
  }
  if (kind == Kind::moments && more.count > 0) {
    const auto before = static_cast<double>(into.count);
    const auto added = static_cast<double>(more.count);
    const double delta = more.mean - into.mean;
    into.mean += delta * added / (before + added);
    into.m2 += more.m2 + delta * delta * before * added / (before + added);
  }
  into.count += more.count;
}

std::string encode(std::span<const Term> terms) {
  std::string out;
  for (const Term& term : terms) {
    put(out, std::to_string(static_cast<int>(term.kind)));
    put(out, std::to_string(term.argument));
    put(out, fmt::format("{}", term.low));
    put(out, fmt::format("{}", term.high));
    put(out, term.pattern);
    put(out, std::to_string(term.words.size()));
    for (const std::string& word : term.words) put(out, word);
  }
  return out;
}

Result<std::vector<Term>> decode(std::string_view text) {
  std::vector<Term> terms;
  Pieces pieces(text);
  const auto bad = [] { return fail(Errc::invalid_argument, "the terms of a scan cannot be read"); };
  while (!pieces.empty()) {
    Term term;
    const auto kind = pieces.integer();
    const auto argument = pieces.integer();
    const auto low = pieces.number();
    const auto high = pieces.number();
    const auto pattern = pieces.next();
    const auto words = pieces.integer();
    if (!kind || !argument || !low || !high || !pattern || !words) return bad();
    if (*kind < 0 || *kind > static_cast<int>(Kind::moments) || *argument < -1 || *argument >= 128) return bad();
    if ((*kind != 0) == (*argument < 0)) return bad();
    term.kind = static_cast<Kind>(*kind);
    term.argument = static_cast<int>(*argument);
    term.low = *low;
    term.high = *high;
    term.pattern = *pattern;
    for (std::int64_t i = 0; i < *words; ++i) {
      const auto word = pieces.next();
      if (!word) return bad();
      term.words.emplace_back(*word);
    }
    terms.push_back(std::move(term));
  }
  return terms;
}

std::string encode_states(std::span<const State> states) {
  std::string out;
  for (const State& state : states) {
    put(out, std::to_string(state.count));
    put(out, fmt::format("{}", state.mean));
    put(out, fmt::format("{}", state.m2));
    if (const auto* whole = std::get_if<std::int64_t>(&state.extreme)) {
      put(out, "i" + std::to_string(*whole));
    } else if (const auto* real = std::get_if<double>(&state.extreme)) {
      put(out, fmt::format("d{}", *real));
    } else if (const auto* words = std::get_if<std::string>(&state.extreme)) {
      put(out, "t" + *words);
    } else {
      put(out, "n");
    }
  }
  return out;
}

Result<std::vector<State>> decode_states(std::string_view text) {
  std::vector<State> states;
  Pieces pieces(text);
  const auto bad = [] { return fail(Errc::data_loss, "the states of a scan cannot be read"); };
  while (!pieces.empty()) {
    const auto count = pieces.integer();
    const auto mean = pieces.number();
    const auto m2 = pieces.number();
    const auto extreme = pieces.next();
    if (!count || !mean || !m2 || !extreme || extreme->empty()) return bad();
    State state{.count = *count, .mean = *mean, .m2 = *m2};
    const std::string_view rest = extreme->substr(1);
    if (extreme->front() == 'i') {
      const auto whole = to_int(rest);
      if (!whole) return bad();
      state.extreme = *whole;
    } else if (extreme->front() == 'd') {
      const auto real = to_double(rest);
      if (!real) return bad();
      state.extreme = *real;
    } else if (extreme->front() == 't') {
      state.extreme = std::string(rest);
    }
    states.push_back(std::move(state));
  }
  return states;
}

}  // namespace serin::scan
