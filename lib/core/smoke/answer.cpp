#include "answer.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <re2/re2.h>

#include <algorithm>
#include <boost/json.hpp>

#include "serin/base/text.hpp"

namespace serin::smoke {
namespace {

namespace json = boost::json;

constexpr std::size_t shown = 300;          // characters of a body
constexpr std::size_t shortest_secret = 4;  // a shorter one would blacken the text and is no secret

std::string cut(std::string_view text) {
  std::string out(text.substr(0, shown));
  std::ranges::replace_if(
      out, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return text.size() > shown ? out + "..." : out;
}

std::optional<json::value> document(const HttpResponse& answer) {
  boost::system::error_code error;
  json::value value = json::parse(answer.body, error);
  if (error) return std::nullopt;
  return value;
}

std::optional<std::string> text_at(const json::value& document, const std::string& pointer) {
  boost::system::error_code error;
  const json::value* found = document.find_pointer(pointer, error);
  if (found == nullptr || error) return std::nullopt;
  if (found->is_string()) return std::string(found->as_string());
  if (found->is_double()) return fmt::format("{}", found->as_double());  // 0.5, not 5E-1
  return json::serialize(*found);
}

bool holds(const JsonExpectation& expected, const std::string& got) {
  if (expected.relation == "~") {
    return RE2::PartialMatch(got, RE2(expected.value, RE2::Quiet));
  }
  const auto left = to_double(got);
  const auto right = to_double(expected.value);
  const auto order = left && right ? *left <=> *right : std::partial_ordering(got <=> expected.value);
  if (expected.relation == "==") return order == 0;
  if (expected.relation == "!=") return order != 0;
  if (expected.relation == "<") return order < 0;
  if (expected.relation == "<=") return order <= 0;
  if (expected.relation == ">") return order > 0;
  return order >= 0;
}

std::string wrong_json(const Expectation& expected, const HttpResponse& answer) {
  if (expected.json.empty() && expected.present.empty()) return {};
  const auto root = document(answer);
  if (!root) return fmt::format("the body is not JSON: {}", cut(answer.body));
  for (const JsonExpectation& each : expected.json) {
    const auto got = text_at(*root, each.pointer);
    if (!got)
      return fmt::format("there is nothing at {}, expected {} {}: {}", each.pointer, each.relation, each.value,
                         cut(answer.body));
    if (!holds(each, *got))
      return fmt::format("{} is {}, expected {} {}", each.pointer, cut(*got), each.relation, each.value);
  }
  for (const std::string& pointer : expected.present)
    if (!text_at(*root, pointer)) return fmt::format("there is nothing at {}: {}", pointer, cut(answer.body));
  return {};
}

}  // namespace

std::string wrong_with(const Expectation& expected, const HttpResponse& answer, Duration took) {
  if (std::ranges::find(expected.statuses, answer.status) == expected.statuses.end())
    return fmt::format("status is {}, expected {}: {}", answer.status, fmt::join(expected.statuses, " or "),
                       cut(answer.body));
  for (const auto& [name, part] : expected.headers) {
    const auto value = answer.headers.find(name);
    if (!value) return fmt::format("header {} is missing, expected {}", name, part);
    if (value->find(part) == std::string_view::npos)
      return fmt::format("header {} is '{}', expected {} in it", name, cut(*value), part);
  }
  if (std::string wrong = wrong_json(expected, answer); !wrong.empty()) return wrong;
  if (!expected.contains.empty() && answer.body.find(expected.contains) == std::string::npos)
    return fmt::format("'{}' is not in the body: {}", expected.contains, cut(answer.body));
  if (!expected.matches.empty() && !RE2::PartialMatch(answer.body, RE2(expected.matches, RE2::Quiet)))
    return fmt::format("the body does not match {}: {}", expected.matches, cut(answer.body));
  if (expected.within && took > *expected.within)
    return fmt::format("it took {}, expected at most {}", format_duration(took), format_duration(*expected.within));
  return {};
}

std::optional<std::string> found_at(const std::string& place, const HttpResponse& answer) {
  constexpr std::string_view header = "header:";
  if (place.starts_with(header)) {
    const auto value = answer.headers.find(place.substr(header.size()));
    return value ? std::optional(std::string(*value)) : std::nullopt;
  }
  const auto root = document(answer);
  return root ? text_at(*root, place) : std::nullopt;
}

Result<std::string> filled_in(const std::string& text, const std::map<std::string, std::string>& variables,
                              const std::map<std::string, std::string>& secrets) {
  constexpr std::string_view secret = "secret:";
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t open = text.find("${", at);
    const std::size_t close = open == std::string::npos ? open : text.find('}', open);
    if (close == std::string::npos) return out + text.substr(at);
    out += text.substr(at, open - at);
    const std::string name = text.substr(open + 2, close - open - 2);
    const bool is_secret = name.starts_with(secret);
    const auto& known = is_secret ? secrets : variables;
    const auto found = known.find(is_secret ? name.substr(secret.size()) : name);
    if (found == known.end())
      return fail(Errc::not_found,
                  fmt::format("{} is not known{}", text.substr(open, close - open + 1),
                              is_secret ? "" : "; no earlier step captured it and --set does not give it"));
    out += found->second;
    at = close + 1;
  }
  return out;
}

std::string redacted(std::string text, const std::map<std::string, std::string>& secrets) {
  for (const auto& [name, value] : secrets) {
    if (value.size() < shortest_secret) continue;
    const std::string mask = "<" + name + ">";
    for (std::size_t at = 0; (at = text.find(value, at)) != std::string::npos; at += mask.size())
      text.replace(at, value.size(), mask);
  }
  return text;
}

}  // namespace serin::smoke
