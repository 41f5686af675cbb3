#include <fmt/format.h>

#include <array>

#include "civil.hpp"
#include "serin/base/text.hpp"

namespace serin::google_sql {
namespace {

constexpr std::array months{"January", "February", "March",     "April",   "May",      "June",
                            "July",    "August",   "September", "October", "November", "December"};
constexpr std::array weekdays{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

std::int64_t part_of(std::int64_t micros, std::string_view part) {
  const std::array<SqlValue, 2> arguments{micros, std::string(part)};
  const auto out = extract_of_time(Kind::timestamp, arguments);
  return out ? std::get<std::int64_t>(*out) : 0;
}

std::unexpected<Error> no_element(char element) {
  return fail(Errc::invalid_argument, fmt::format("The format element %{} is not supported by this emulator", element));
}

Result<std::string> element(char letter, std::int64_t micros) {
  const auto number = [micros](std::string_view part, int width) {
    return fmt::format("{:0{}}", part_of(micros, part), width);
  };
  switch (letter) {
    case 'Y': return number("YEAR", 4);
    case 'y': return fmt::format("{:02}", part_of(micros, "YEAR") % 100);
    case 'm': return number("MONTH", 2);
    case 'd': return number("DAY", 2);
    case 'H': return number("HOUR", 2);
    case 'M': return number("MINUTE", 2);
    case 'S': return number("SECOND", 2);
    case 'j': return number("DAYOFYEAR", 3);
    case 'F': return fmt::format("{}-{}-{}", number("YEAR", 4), number("MONTH", 2), number("DAY", 2));
    case 'T': return fmt::format("{}:{}:{}", number("HOUR", 2), number("MINUTE", 2), number("SECOND", 2));
    case 'R': return fmt::format("{}:{}", number("HOUR", 2), number("MINUTE", 2));
    case 'B': return std::string(months[static_cast<std::size_t>(part_of(micros, "MONTH")) - 1]);
    case 'b': return std::string(months[static_cast<std::size_t>(part_of(micros, "MONTH")) - 1]).substr(0, 3);
    case 'A': return std::string(weekdays[static_cast<std::size_t>(part_of(micros, "DAYOFWEEK")) - 1]);
    case 'a': return std::string(weekdays[static_cast<std::size_t>(part_of(micros, "DAYOFWEEK")) - 1]).substr(0, 3);
    case 'Z': return std::string("UTC");
    case 'z': return std::string("+0000");
    case '%': return std::string("%");
    default: return no_element(letter);
  }
}

/// What PARSE_... has read so far.
struct Reading {
  std::string_view text;
  std::size_t at = 0;
  std::int64_t year = 1970;
  std::int64_t month = 1;
  std::int64_t day = 1;
  std::int64_t seconds = 0;
  std::int64_t micros = 0;

  bool number(std::int64_t& out, std::size_t width) {
    const std::size_t start = at;
    std::int64_t value = 0;
    while (at < text.size() && at - start < width && text[at] >= '0' && text[at] <= '9')
      value = value * 10 + (text[at++] - '0');
    out = value;
    return at > start;
  }
  bool sign(char c) {
    if (at >= text.size() || text[at] != c) return false;
    ++at;
    return true;
  }
  bool part_of_day(std::int64_t seconds_each, std::int64_t most) {
    std::int64_t value = 0;
    if (!number(value, 2) || value > most) return false;
    seconds += value * seconds_each;
    return true;
  }
  bool fraction() {
    if (!sign('.')) return true;
    const std::size_t start = at;
    if (!number(micros, 6)) return false;
    for (std::size_t n = at - start; n < 6; ++n) micros *= 10;
    return true;
  }
};

bool read(Reading& in, char letter, bool& known) {
  switch (letter) {
    case 'Y': return in.number(in.year, 4);
    case 'm': return in.number(in.month, 2);
    case 'd': return in.number(in.day, 2);
    case 'H': return in.part_of_day(3600, 23);
    case 'M': return in.part_of_day(60, 59);
    case 'S': return in.part_of_day(1, 59);
    case 'F':
      return read(in, 'Y', known) && in.sign('-') && read(in, 'm', known) && in.sign('-') && read(in, 'd', known);
    case 'T':
      return read(in, 'H', known) && in.sign(':') && read(in, 'M', known) && in.sign(':') && read(in, 'S', known);
    case 'R': return read(in, 'H', known) && in.sign(':') && read(in, 'M', known);
    case 'Z': return in.sign('Z') || (in.sign('U') && in.sign('T') && in.sign('C'));
    case '%': return in.sign('%');
    default: known = false; return false;
  }
}

std::string text_of(const SqlValue& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text == nullptr ? "" : *text;
}

}  // namespace

Result<SqlValue> format_of_time(Kind kind, std::span<const SqlValue> arguments) {
  const std::string form = text_of(arguments[0]);
  if (arguments.size() > 2 && text_of(arguments[2]) != "UTC")
    return fail(Errc::invalid_argument, "A time zone other than 'UTC' is not supported by this emulator");
  SERIN_TRY(const std::int64_t micros, micros_of(kind, arguments[1]));
  std::string out;
  for (std::size_t i = 0; i < form.size(); ++i) {
    if (form[i] != '%' || i + 1 == form.size()) {
      out += form[i];
      continue;
    }
    if (form.compare(i, 4, "%E*S") == 0) {
      out += clock_text(((micros % micros_per_day) + micros_per_day) % micros_per_day).substr(6);
      i += 3;
      continue;
    }
    SERIN_TRY(const std::string piece, element(form[++i], micros));
    out += piece;
  }
  return out;
}

Result<SqlValue> parse_of_time(Kind kind, std::span<const SqlValue> arguments) {
  const std::string form = text_of(arguments[0]);
  const std::string subject = text_of(arguments[1]);
  Reading in{.text = subject};
  bool good = true;
  for (std::size_t i = 0; good && i < form.size(); ++i) {
    if (form[i] == ' ') {
      while (in.sign(' ')) {
      }
    } else if (form[i] != '%' || i + 1 == form.size()) {
      good = in.sign(form[i]);
    } else if (form.compare(i, 4, "%E*S") == 0) {
      good = in.part_of_day(1, 59) && in.fraction();
      i += 3;
    } else {
      bool known = true;
      good = read(in, form[++i], known);
      if (!known) return no_element(form[i]);
    }
  }
  const auto day = good && in.at == subject.size()
                       ? parse_moment(fmt::format("{:04}-{:02}-{:02}", in.year, in.month, in.day))
                       : std::nullopt;
  if (!day) return fail(Errc::invalid_argument, fmt::format("Failed to parse input string \"{}\"", subject));
  return time_of(kind, *day + in.seconds * micros_per_second + in.micros);
}

}  // namespace serin::google_sql
