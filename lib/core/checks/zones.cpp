#include "serin/checks/zones.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <utility>

#include "serin/base/text.hpp"

namespace serin::checks {
namespace {

constexpr std::array names{std::pair{Outcome::pass, std::string_view("pass")},
                           std::pair{Outcome::not_evaluated, std::string_view("not_evaluated")},
                           std::pair{Outcome::warn, std::string_view("warn")},
                           std::pair{Outcome::error, std::string_view("error")},
                           std::pair{Outcome::fail, std::string_view("fail")}};

std::unexpected<Error> bad_zone(std::string_view text) {
  return fail(Errc::invalid_argument,
              fmt::format("'{}' is no comparison like '> 5', '>= 1%', '= 0' or 'not between 1 and 5'", text));
}

/// A number with or without '%'; whether it had one is remembered in the zone, and mixing them is a mistake.
std::optional<double> bound(std::string_view text, bool& percent) {
  text = trim(text);
  percent = text.ends_with('%');
  if (percent) text = trim(text.substr(0, text.size() - 1));
  const auto value = to_double(text);
  return value && std::isfinite(*value) ? value : std::nullopt;
}

Result<Zone> parse_between(std::string_view text, std::string_view rest, Zone zone) {
  rest = trim(rest);
  if (rest.starts_with('(') || rest.starts_with('[')) {
    zone.low_inside = rest.front() == '[';
    rest.remove_prefix(1);
    if (!rest.ends_with(')') && !rest.ends_with(']')) return bad_zone(text);
    zone.high_inside = rest.back() == ']';
    rest.remove_suffix(1);
  }
  const std::size_t middle = rest.find(" and ");
  if (middle == std::string_view::npos) return bad_zone(text);
  bool low_percent = false;
  bool high_percent = false;
  const auto low = bound(rest.substr(0, middle), low_percent);
  const auto high = bound(rest.substr(middle + 5), high_percent);
  if (!low || !high || low_percent != high_percent) return bad_zone(text);
  if (*low > *high)
    return fail(Errc::invalid_argument, fmt::format("'{}': the first number must not be above the second", text));
  zone.low = *low;
  zone.high = *high;
  zone.percent = low_percent;
  return zone;
}

}  // namespace

std::string_view outcome_name(Outcome outcome) noexcept {
  for (const auto& [value, name] : names)
    if (value == outcome) return name;
  return "error";
}

std::optional<Outcome> outcome_of_name(std::string_view name) noexcept {
  for (const auto& [value, word] : names)
    if (word == name) return value;
  return std::nullopt;
}

bool Zone::contains(double value) const noexcept {
  const bool above = low_inside ? value >= low : value > low;
  const bool below = high_inside ? value <= high : value < high;
  return (above && below) != outside;
}

Result<Zone> parse_zone(std::string_view text) {
  Zone zone{.text = std::string(trim(text))};
  std::string_view rest = trim(text);
  if (rest.starts_with("not between ")) {
    zone.outside = true;
    return parse_between(text, rest.substr(12), zone);
  }
  if (rest.starts_with("between ")) return parse_between(text, rest.substr(8), zone);
  // The longer sign first: "<=" begins with "<".
  for (const std::string_view sign : {">=", "<=", "!=", "<>", "==", ">", "<", "="}) {
    if (!rest.starts_with(sign)) continue;
    const auto value = bound(rest.substr(sign.size()), zone.percent);
    if (!value) return bad_zone(text);
    if (sign.front() == '>') {
      zone.low = *value;
      zone.low_inside = sign == ">=";
    } else if (sign == "<" || sign == "<=") {
      zone.high = *value;
      zone.high_inside = sign == "<=";
    } else {
      zone.low = zone.high = *value;
      zone.outside = sign == "!=" || sign == "<>";
    }
    return zone;
  }
  return bad_zone(text);
}

Outcome judge_value(const Zones& zones, double value, std::optional<double> percent) noexcept {
  for (const auto& [zone, outcome] : {std::pair{&zones.fail, Outcome::fail}, std::pair{&zones.warn, Outcome::warn}}) {
    if (!*zone) continue;
    if ((*zone)->percent && !percent) return Outcome::error;
    if ((*zone)->contains((*zone)->percent ? *percent : value)) return outcome;
  }
  return std::isnan(value) ? Outcome::error : Outcome::pass;
}

std::string zones_text(const Zones& zones) {
  std::string out;
  if (zones.warn) out = "warn " + zones.warn->text;
  if (zones.fail) out += (out.empty() ? "fail " : ", fail ") + zones.fail->text;
  return out;
}

}  // namespace serin::checks
