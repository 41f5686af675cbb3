#include <fmt/format.h>

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "serin/base/text.hpp"
#include "serin/watch/cron.hpp"

namespace serin::watch {
namespace {

constexpr std::array month_names{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array day_names{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr std::array<int, 13> longest{0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

struct FieldKind {
  std::string_view name;
  int low;
  int high;
  std::span<const char* const> words;
};
constexpr std::array<FieldKind, 5> kinds{
    FieldKind{"minute", 0, 59, {}}, FieldKind{"hour", 0, 23, {}}, FieldKind{"day of the month", 1, 31, {}},
    FieldKind{"month", 1, 12, month_names}, FieldKind{"day of the week", 0, 7, day_names}};

std::unexpected<Error> bad(const FieldKind& kind, std::string_view text, std::string_view why) {
  return fail(Errc::invalid_argument, fmt::format("{} '{}': {}", kind.name, text, why));
}

std::optional<int> value_of(const FieldKind& kind, std::string_view text) {
  for (std::size_t i = 0; i < kind.words.size(); ++i)
    if (equal_ignoring_case(kind.words[i], text)) return static_cast<int>(i) + kind.low;
  if (text.empty() || text.size() > 2) return std::nullopt;
  for (const char c : text)
    if (c < '0' || c > '9') return std::nullopt;
  const auto number = to_int(text);
  return number && *number >= kind.low && *number <= kind.high ? std::optional(static_cast<int>(*number))
                                                               : std::nullopt;
}

struct Range {
  int low = 0;
  int high = 0;
};

Result<Range> range_of(const FieldKind& kind, std::string_view text) {
  if (text == "*") return Range{kind.low, kind.words.size() == day_names.size() ? 6 : kind.high};
  const std::size_t dash = text.find('-');
  const std::optional<int> low = value_of(kind, text.substr(0, dash));
  std::optional<int> high = dash == std::string_view::npos ? low : value_of(kind, text.substr(dash + 1));
  if (!low || !high)
    return bad(kind, text,
               fmt::format("values are {} to {}{}", kind.low, kind.high,
                           kind.words.empty() ? "" : fmt::format(" or {}, ...", kind.words.front())));
  // "fri-sun": Sunday ends a week as well as it begins one.
  if (kind.words.size() == day_names.size() && *high == 0 && *low > 0) high = 7;
  if (*high < *low) return bad(kind, text, "the range runs backwards; write two, separated by a comma");
  return Range{*low, *high};
}

Result<std::uint64_t> set_of(const FieldKind& kind, std::string_view text) {
  std::uint64_t set = 0;
  for (const std::string_view part : split(text, ',')) {
    const std::size_t slash = part.find('/');
    const std::string_view values = part.substr(0, slash);
    SERIN_TRY(const Range range, range_of(kind, values));
    std::int64_t step = 1;
    if (slash != std::string_view::npos) {
      const auto number = to_int(part.substr(slash + 1));
      if (!number || *number < 1 || *number > kind.high)
        return bad(kind, part, fmt::format("a step is 1 to {}", kind.high));
      // Some read "5/10" as 5-59/10 and some as 5: nobody shall have to know.
      if (values != "*" && values.find('-') == std::string_view::npos)
        return bad(kind, part, fmt::format("a step needs a range: {}-{}/{}", values, kind.high, *number));
      step = *number;
    }
    for (std::int64_t value = range.low; value <= range.high; value += step) set |= std::uint64_t{1} << value;
  }
  return set;
}

Result<std::string_view> written_out(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 7> words{{{"@hourly", "0 * * * *"},
                                                                                {"@daily", "0 0 * * *"},
                                                                                {"@midnight", "0 0 * * *"},
                                                                                {"@weekly", "0 0 * * 0"},
                                                                                {"@monthly", "0 0 1 * *"},
                                                                                {"@yearly", "0 0 1 1 *"},
                                                                                {"@annually", "0 0 1 1 *"}}};
  if (!text.starts_with('@')) return text;
  for (const auto& [word, meaning] : words)
    if (equal_ignoring_case(word, text)) return meaning;
  return fail(Errc::invalid_argument,
              fmt::format("'{}' is none of @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually", text));
}

/// Whether any date of any year matches.
Status check_comes(const Cron& cron) {
  if (cron.either_day) return {};
  for (std::size_t month = 1; month <= 12; ++month)
    if ((cron.months >> month & 1) != 0)
      for (int day = 1; day <= longest.at(month); ++day)
        if ((cron.days >> day & 1) != 0) return {};
  return fail(Errc::invalid_argument, fmt::format("'{}' never comes: no such month has such a day", cron.text));
}

}  // namespace

Result<Cron> parse_cron(std::string_view text) {
  text = trim(text);
  if (text.size() > 1000) return fail(Errc::invalid_argument, "a schedule has at most 1000 characters");
  SERIN_TRY(const std::string_view meaning, written_out(text));
  std::vector<std::string_view> fields;
  for (std::size_t at = 0; (at = meaning.find_first_not_of(" \t", at)) != std::string_view::npos;) {
    const std::size_t end = std::min(meaning.find_first_of(" \t", at), meaning.size());
    fields.push_back(meaning.substr(at, end - at));
    at = end;
  }
  if (fields.size() != kinds.size())
    return fail(
        Errc::invalid_argument,
        fmt::format("'{}' has {} fields; a schedule has five: minute hour day month weekday", text, fields.size()));
  std::array<std::uint64_t, 5> sets{};
  for (std::size_t i = 0; i < sets.size(); ++i) {
    SERIN_TRY(sets.at(i), set_of(kinds.at(i), fields[i]));
  }
  if ((sets[4] >> 7 & 1) != 0) sets[4] |= 1;
  Cron cron{.minutes = sets[0],
            .hours = static_cast<std::uint32_t>(sets[1]),
            .days = static_cast<std::uint32_t>(sets[2]),
            .months = static_cast<std::uint16_t>(sets[3]),
            .weekdays = static_cast<std::uint8_t>(sets[4] & 0x7f),
            .either_day = !fields[2].starts_with('*') && !fields[4].starts_with('*'),
            .around_clock = fields[1].starts_with('*'),
            .text = std::string(text)};
  SERIN_CHECK(check_comes(cron));
  return cron;
}

}  // namespace serin::watch
