#include "filter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>

#include "serin/base/text.hpp"

namespace serin::google_emulator {
namespace {

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_.-+/@").find(c) != std::string_view::npos;
}

/// Words, quoted texts and signs of a filter.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}
  void blank() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
  }
  [[nodiscard]] bool at_end() const { return at_ == text_.size(); }
  [[nodiscard]] char peek() const { return at_end() ? '\0' : text_[at_]; }
  bool take(std::string_view sign) {
    if (!text_.substr(at_).starts_with(sign)) return false;
    at_ += sign.size();
    return true;
  }
  bool take_word(std::string_view word) {
    const std::size_t before = at_;
    if (this->word() == word) return true;
    at_ = before;
    return false;
  }
  std::string word() {
    const std::size_t start = at_;
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    return std::string(text_.substr(start, at_ - start));
  }
  /// "..." or a word; false when neither is there.
  bool value(std::string& out) {
    blank();
    if (peek() != '"' && peek() != '\'') {
      // Times have colons.
      const std::size_t start = at_;
      while (at_ < text_.size() && (is_word(text_[at_]) || text_[at_] == ':')) ++at_;
      out = text_.substr(start, at_ - start);
      return at_ > start;
    }
    const char quote = text_[at_++];
    while (!at_end() && peek() != quote) {
      if (peek() == '\\' && at_ + 1 < text_.size()) ++at_;
      out += text_[at_++];
    }
    if (at_end()) return false;
    ++at_;
    return true;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

int severity(std::string_view name) {
  constexpr std::array names{"DEFAULT", "DEBUG",    "INFO",  "NOTICE",   "WARNING",
                             "ERROR",   "CRITICAL", "ALERT", "EMERGENCY"};
  for (std::size_t i = 0; i < names.size(); ++i)
    if (equal_ignoring_case(name, names[i])) return static_cast<int>(i) * 100;
  return static_cast<int>(to_int(name).value_or(-1));
}

int order_of(std::string_view field, const std::string& a, const std::string& b) {
  if (field == "severity") return severity(a) - severity(b);
  const auto x = to_double(a);
  const auto y = to_double(b);
  if (x && y) return *x < *y ? -1 : *y < *x ? 1 : 0;
  const auto s = parse_rfc3339(a);
  const auto t = parse_rfc3339(b);
  if (s && t) return *s < *t ? -1 : *t < *s ? 1 : 0;
  return a.compare(b);
}

bool holds(const FilterTerm& term, const std::optional<std::string>& value) {
  if (!value) return term.op == "!=";
  if (term.function == "starts_with") return value->starts_with(term.value) == (term.op == "=");
  if (term.function == "ends_with") return value->ends_with(term.value) == (term.op == "=");
  if (term.function == "has_substring") return (value->find(term.value) != std::string::npos) == (term.op == "=");
  if (term.op == ":") return value->find(term.value) != std::string::npos;
  const int order = order_of(term.field, *value, term.value);
  if (term.op == "=") return order == 0;
  if (term.op == "!=") return order != 0;
  if (term.op == "<") return order < 0;
  if (term.op == "<=") return order <= 0;
  if (term.op == ">") return order > 0;
  return order >= 0;
}

}  // namespace

std::optional<std::string> value_at(const json::object& resource, std::string_view field) {
  const json::value* direct = resource.if_contains(field);
  if (direct != nullptr && !direct->is_object() && !direct->is_array()) return scalar_text(*direct);
  for (std::size_t dot = field.find('.'); dot != std::string_view::npos; dot = field.find('.', dot + 1)) {
    std::string_view head = field.substr(0, dot);
    // metric.label.zone is an old spelling of metric.labels.zone.
    const json::object* inner = object_at(resource, head);
    if (inner == nullptr && head == "label") inner = object_at(resource, "labels");
    if (inner == nullptr) continue;
    if (auto found = value_at(*inner, field.substr(dot + 1))) return found;
  }
  return std::nullopt;
}

std::expected<std::vector<FilterTerm>, Failure> parse_filter(std::string_view text) {
  std::vector<FilterTerm> out;
  Reader in(text);
  for (in.blank(); !in.at_end(); in.blank()) {
    if (!out.empty()) {
      in.take_word("AND");
      in.blank();
    }
    if (in.peek() == '(' || in.take_word("OR"))
      return refuse(501, "UNIMPLEMENTED", "notImplemented",
                    "OR and parentheses in a filter are not supported by this emulator");
    FilterTerm term;
    term.negated = in.take_word("NOT");
    in.blank();
    term.field = in.word();
    in.blank();
    for (const std::string_view sign : {"!=", "<=", ">=", "=", "<", ">", ":"})
      if (in.take(sign)) {
        term.op = sign;
        break;
      }
    if (term.field.empty() || term.op.empty()) return bad(fmt::format("Unparseable filter: {}", text));
    in.blank();
    for (const std::string_view function : {"starts_with", "ends_with", "has_substring"})
      if (in.take_word(function)) term.function = function;
    if (!term.function.empty() && (in.blank(), !in.take("("))) return bad(fmt::format("Unparseable filter: {}", text));
    if (!in.value(term.value)) return bad(fmt::format("Unparseable filter: {}", text));
    in.blank();
    if (!term.function.empty() && !in.take(")")) return bad(fmt::format("Unparseable filter: {}", text));
    if (in.peek() == '(')
      return refuse(501, "UNIMPLEMENTED", "notImplemented",
                    "This function of a filter is not supported by this emulator");
    out.push_back(std::move(term));
  }
  return out;
}

bool passes(const json::object& resource, const std::vector<FilterTerm>& terms) {
  return std::ranges::all_of(
      terms, [&](const FilterTerm& term) { return holds(term, value_at(resource, term.field)) != term.negated; });
}

}  // namespace serin::google_emulator
