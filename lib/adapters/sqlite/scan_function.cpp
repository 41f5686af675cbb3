#include "scan_function.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "serin/ports/scan.hpp"

namespace serin::sqlite {
namespace {

using scan::Kind;

constexpr double two_to_63 = 9223372036854775808.0;

/// A bound that compares exactly with whole numbers too.
struct Bounds {
  explicit Bounds(const scan::Term& term) : low(term.low), high(term.high) {
    // Whole x < low exactly when x < ceil(low); what no int64 reaches lets all of them in or none.
    const double first = std::ceil(low);
    const double last = std::floor(high);
    none = first >= two_to_63 || last < -two_to_63;
    least = first <= -two_to_63 ? std::numeric_limits<std::int64_t>::min()
            : none              ? 0
                                : static_cast<std::int64_t>(first);
    most = last >= two_to_63 ? std::numeric_limits<std::int64_t>::max() : none ? 0 : static_cast<std::int64_t>(last);
  }
  [[nodiscard]] bool outside(std::int64_t x) const { return none || x < least || x > most; }
  [[nodiscard]] bool outside(double x) const { return x < low || x > high; }
  double low, high;
  std::int64_t least = 0, most = 0;
  bool none = false;
};

/// Characters of UTF-8, up to the first NUL as SQLite's length() counts.
std::size_t characters(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) {
    if (c == '\0') break;
    count += (static_cast<unsigned char>(c) & 0xc0) != 0x80 ? 1 : 0;
  }
  return count;
}

/// One term, ready to run.
struct Counter {
  explicit Counter(scan::Term term_) : term(std::move(term_)), bounds(term) {
    if (term.kind == Kind::no_match) pattern = std::make_unique<re2::RE2>(term.pattern, re2::RE2::Quiet);
    std::ranges::sort(term.words);
  }
  [[nodiscard]] bool listed(std::string_view word) const {
    // A handful of words is found faster by looking at all of them.
    if (term.words.size() <= 8) return std::ranges::find(term.words, word) != term.words.end();
    return std::ranges::binary_search(term.words, word);
  }
  scan::Term term;
  Bounds bounds;
  std::unique_ptr<re2::RE2> pattern;
  scan::State state = {};
};

/// One value of a row, read from SQLite at most once in each form.
class Value {
 public:
  explicit Value(sqlite3_value* value) : value_(value), type_(sqlite3_value_type(value)) {}
  [[nodiscard]] int type() const { return type_; }
  [[nodiscard]] std::int64_t whole() const { return sqlite3_value_int64(value_); }
  [[nodiscard]] double real() const { return sqlite3_value_double(value_); }
  std::string_view text() {
    if (have_text_) return text_;
    have_text_ = true;
    if (type_ == SQLITE_INTEGER) {
      // What SQLite would print, without its detour through its own memory.
      const auto [end, error] = std::to_chars(digits_, digits_ + sizeof digits_, whole());
      return text_ = std::string_view(digits_, static_cast<std::size_t>(end - digits_));
    }
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_value_text(value_));
    if (bytes != nullptr) text_ = std::string_view(bytes, static_cast<std::size_t>(sqlite3_value_bytes(value_)));
    return text_;
  }

 private:
  sqlite3_value* value_;
  int type_;
  bool have_text_ = false;
  std::string_view text_ = {};
  char digits_[24];
};

SqlValue copy_of(Value& value) {
  if (value.type() == SQLITE_INTEGER) return value.whole();
  if (value.type() == SQLITE_FLOAT) return value.real();
  return std::string(value.text());
}

void take_extreme(Counter& counter, Value& value) {
  SqlValue& best = counter.state.extreme;
  // The common case without a copy: whole numbers among whole numbers.
  if (const auto* whole = std::get_if<std::int64_t>(&best); whole != nullptr && value.type() == SQLITE_INTEGER) {
    const std::int64_t x = value.whole();
    if (counter.term.kind == Kind::smallest ? x < *whole : x > *whole) best = x;
    return;
  }
  scan::State one{.extreme = copy_of(value)};
  scan::merge(counter.term.kind, counter.state, one);
}

void take_moments(scan::State& state, double x) {
  ++state.count;
  const double delta = x - state.mean;
  state.mean += delta / static_cast<double>(state.count);
  state.m2 += delta * (x - state.mean);
}

bool counts(const Counter& counter, Value& value) {
  switch (counter.term.kind) {
    case Kind::rows:
    case Kind::present: return true;
    case Kind::truthy: return value.type() == SQLITE_INTEGER ? value.whole() != 0 : value.real() != 0;
    case Kind::missing: return !counter.term.words.empty() && counter.listed(value.text());
    case Kind::outside:
      if (value.type() == SQLITE_INTEGER) return counter.bounds.outside(value.whole());
      return value.type() != SQLITE_FLOAT || counter.bounds.outside(value.real());
    case Kind::not_listed: return !counter.listed(value.text());
    case Kind::no_match: {
      const std::string_view text = value.text();
      return !re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *counter.pattern);
    }
    case Kind::length_outside: return counter.bounds.outside(static_cast<std::int64_t>(characters(value.text())));
    case Kind::smallest:
    case Kind::largest:
    case Kind::moments: return false;
  }
  return false;
}

/// The counters of one group of rows, those of one argument together.
class Scan {
 public:
  static std::unique_ptr<Scan> make(std::string_view text, int arguments) {
    auto terms = scan::decode(text);
    if (!terms) return nullptr;
    auto scan = std::make_unique<Scan>();
    scan->by_argument_.resize(static_cast<std::size_t>(arguments));
    for (scan::Term& term : *terms) {
      if (term.argument >= arguments) return nullptr;
      scan->counters_.emplace_back(std::move(term));
      if (scan->counters_.back().pattern && !scan->counters_.back().pattern->ok()) return nullptr;
    }
    for (std::size_t i = 0; i < scan->counters_.size(); ++i)
      if (scan->counters_[i].term.argument >= 0)
        scan->by_argument_[static_cast<std::size_t>(scan->counters_[i].term.argument)].push_back(i);
    return scan;
  }
  void take(sqlite3_value** values) {
    ++rows_;
    for (std::size_t i = 0; i < by_argument_.size(); ++i) {
      Value value(values[i]);
      for (const std::size_t index : by_argument_[i]) take_one(counters_[index], value);
    }
  }
  [[nodiscard]] std::string states() const {
    std::vector<scan::State> states;
    for (const Counter& counter : counters_) {
      states.push_back(counter.state);
      if (counter.term.kind == Kind::rows) states.back().count = rows_;
    }
    return scan::encode_states(states);
  }

 private:
  static void take_one(Counter& counter, Value& value) {
    if (value.type() == SQLITE_NULL) {
      counter.state.count += counter.term.kind == Kind::missing ? 1 : 0;
    } else if (counter.term.kind == Kind::moments) {
      take_moments(counter.state, value.real());
    } else if (counter.term.kind == Kind::smallest || counter.term.kind == Kind::largest) {
      take_extreme(counter, value);
    } else {
      counter.state.count += counts(counter, value) ? 1 : 0;
    }
  }
  std::vector<Counter> counters_;
  std::vector<std::vector<std::size_t>> by_argument_;
  std::int64_t rows_ = 0;
};

std::string_view text_of(sqlite3_value* value) {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_value_text(value));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_value_bytes(value))};
}

/// SQLite keeps zeroed bytes for each group; the first pointer's worth of them is ours.
Scan** place_of(sqlite3_context* context, int size) {
  return static_cast<Scan**>(sqlite3_aggregate_context(context, size));
}

void step(sqlite3_context* context, int count, sqlite3_value** values) {
  try {
    Scan** place = place_of(context, sizeof(Scan*));
    if (place == nullptr) return sqlite3_result_error_nomem(context);
    if (*place == nullptr) *place = Scan::make(text_of(values[0]), count - 1).release();
    if (*place == nullptr) return sqlite3_result_error(context, "serin_scan: the terms cannot be read", -1);
    (*place)->take(values + 1);
  } catch (...) {
    // Memory is all that can run out here, and C code is above us.
    sqlite3_result_error_nomem(context);
  }
}

void finish(sqlite3_context* context) {
  Scan** place = place_of(context, 0);
  if (place == nullptr || *place == nullptr) return sqlite3_result_null(context);
  const std::unique_ptr<Scan> owned(*place);
  *place = nullptr;
  try {
    const std::string text = owned->states();
    sqlite3_result_blob64(context, text.data(), text.size(), SQLITE_TRANSIENT);
  } catch (...) {
    sqlite3_result_error_nomem(context);
  }
}

void destroy_pattern(void* pattern) { const std::unique_ptr<re2::RE2> owned(static_cast<re2::RE2*>(pattern)); }

void match(sqlite3_context* context, int, sqlite3_value** values) {
  if (sqlite3_value_type(values[0]) == SQLITE_NULL) return sqlite3_result_null(context);
  auto* pattern = static_cast<re2::RE2*>(sqlite3_get_auxdata(context, 1));
  std::unique_ptr<re2::RE2> made;
  try {
    if (pattern == nullptr) {
      const std::string_view text = text_of(values[1]);
      made = std::make_unique<re2::RE2>(re2::StringPiece(text.data(), text.size()), re2::RE2::Quiet);
      pattern = made.get();
    }
    if (!pattern->ok()) return sqlite3_result_error(context, pattern->error().c_str(), -1);
    const std::string_view text = text_of(values[0]);
    sqlite3_result_int(context, re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *pattern) ? 1 : 0);
    // Last: SQLite may destroy it at once, when the pattern is no constant.
    if (made) sqlite3_set_auxdata(context, 1, made.release(), destroy_pattern);
  } catch (...) {
    sqlite3_result_error_nomem(context);
  }
}

}  // namespace

Status add_scan_functions(sqlite3* database) {
  const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC;
  const int scan = sqlite3_create_function_v2(database, std::string(scan::function_name).c_str(), -1, flags, nullptr,
                                              nullptr, step, finish, nullptr);
  const int matching = sqlite3_create_function_v2(database, std::string(scan::match_name).c_str(), 2, flags, nullptr,
                                                  match, nullptr, nullptr, nullptr);
  if (scan != SQLITE_OK || matching != SQLITE_OK) return fail(Errc::internal, "SQLite took no function of ours");
  return {};
}

}  // namespace serin::sqlite
