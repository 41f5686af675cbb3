#include "runtime.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "civil.hpp"
#include "serin/base/text.hpp"

namespace serin::google_sql {
namespace {

using Values = std::span<const SqlValue>;

bool any_null(Values values) {
  return std::ranges::any_of(values, [](const SqlValue& v) { return std::holds_alternative<std::monostate>(v); });
}
std::int64_t integer(const SqlValue& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  if (const auto* number = std::get_if<double>(&value)) return static_cast<std::int64_t>(*number);
  return 0;
}
double real(const SqlValue& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return static_cast<double>(*number);
  if (const auto* number = std::get_if<double>(&value)) return *number;
  return 0;
}
std::string text(const SqlValue& value) {
  if (const auto* words = std::get_if<std::string>(&value)) return *words;
  return "";
}
std::unexpected<Error> wrong(std::string what) { return fail(Errc::invalid_argument, std::move(what)); }
SqlValue boolean(bool value) { return static_cast<std::int64_t>(value ? 1 : 0); }

Result<SqlValue> finite(double value, std::string_view function) {
  if (std::isfinite(value)) return value;
  return wrong(fmt::format("Floating point error in function: {}", function));
}

Result<SqlValue> math(Values arguments) {
  const std::string name = text(arguments[0]);
  if (any_null(arguments)) return std::monostate();
  const double x = real(arguments[1]);
  const bool two = arguments.size() > 2;
  const double y = two ? real(arguments[2]) : 0;
  if (name == "ROUND" || name == "TRUNC") {
    const double scale = two ? std::pow(10.0, y) : 1;
    if (!std::isfinite(scale) || scale == 0) return x;
    return (name == "ROUND" ? std::round(x * scale) : std::trunc(x * scale)) / scale;
  }
  if (name == "FLOOR") return std::floor(x);
  if (name == "CEIL") return std::ceil(x);
  if (name == "SQRT") return finite(std::sqrt(x), "SQRT");
  if (name == "EXP") return finite(std::exp(x), "EXP");
  if (name == "POW") return finite(std::pow(x, y), "POW");
  return finite(two ? std::log(x) / std::log(y) : std::log(x), "LOG");
}

Result<SqlValue> divide(Values arguments) {
  if (any_null(arguments)) return std::monostate();
  const double by = real(arguments[1]);
  if (by == 0) return wrong(fmt::format("division by zero: {} / 0", print_float(real(arguments[0]))));
  return real(arguments[0]) / by;
}

Result<SqlValue> div(Values arguments) {
  if (any_null(arguments)) return std::monostate();
  const std::int64_t by = integer(arguments[1]);
  if (by == 0) return wrong("division by zero");
  return by == -1 ? static_cast<std::int64_t>(-static_cast<std::uint64_t>(integer(arguments[0])))
                  : integer(arguments[0]) / by;
}

Result<SqlValue> mod(Values arguments) {
  if (any_null(arguments)) return std::monostate();
  const std::int64_t by = integer(arguments[1]);
  if (by == 0) return wrong("division by zero");
  return by == -1 ? 0 : integer(arguments[0]) % by;
}

Result<SqlValue> floor_div(Values arguments) {
  if (any_null(arguments)) return std::monostate();
  const std::int64_t value = integer(arguments[0]);
  const std::int64_t by = integer(arguments[1]);
  return value / by - (value % by < 0 ? 1 : 0);
}

RE2::Options quiet() {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(8 << 20);
  return options;
}

Result<SqlValue> regexp_contains(Values arguments) {
  if (any_null(arguments)) return std::monostate();
  const RE2 pattern(text(arguments[1]), quiet());
  if (!pattern.ok()) return wrong("Cannot parse regular expression: " + pattern.error());
  return boolean(RE2::PartialMatch(text(arguments[0]), pattern));
}

Result<SqlValue> regexp_extract(Values arguments) {
  if (any_null(arguments)) return std::monostate();
  const RE2 pattern(text(arguments[1]), quiet());
  if (!pattern.ok()) return wrong("Cannot parse regular expression: " + pattern.error());
  if (pattern.NumberOfCapturingGroups() > 1)
    return wrong("Regular expressions passed into extraction functions must not have more than 1 capturing group");
  const std::string subject = text(arguments[0]);
  std::array<re2::StringPiece, 2> groups;
  if (!pattern.Match(subject, 0, subject.size(), RE2::UNANCHORED, groups.data(), 2)) return std::monostate();
  const auto& wanted = groups[pattern.NumberOfCapturingGroups() == 1 ? 1 : 0];
  if (wanted.data() == nullptr) return std::monostate();
  return std::string(wanted.data(), wanted.size());
}

Result<SqlValue> regexp_replace(Values arguments) {
  if (any_null(arguments)) return std::monostate();
  const RE2 pattern(text(arguments[1]), quiet());
  if (!pattern.ok()) return wrong("Cannot parse regular expression: " + pattern.error());
  std::string out = text(arguments[0]);
  std::string why;
  if (!pattern.CheckRewriteString(text(arguments[2]), &why)) return wrong("Invalid REGEXP_REPLACE pattern: " + why);
  RE2::GlobalReplace(&out, pattern, text(arguments[2]));
  return out;
}

Result<SqlValue> to_base64(Values arguments) {
  if (any_null(arguments)) return std::monostate();
  return base64_encode(text(arguments[0]));
}

Result<SqlValue> cast(Values arguments) {
  const auto from = kind_of(text(arguments[0]));
  const auto to = kind_of(text(arguments[1]));
  if (!from || !to) return wrong("bq_cast: unknown type");
  auto out = cast_value(*from, *to, arguments[2]);
  if (!out && integer(arguments[3]) != 0) return std::monostate();
  return out;
}

Result<SqlValue> make_date(Values arguments) {
  if (any_null(arguments)) return std::monostate();
  std::string date =
      fmt::format("{:04}-{:02}-{:02}", integer(arguments[0]), integer(arguments[1]), integer(arguments[2]));
  if (!parse_date(date)) return wrong("Input calculates to invalid date: " + date);
  return date;
}

Result<SqlValue> unix_date(Values arguments) {
  if (any_null(arguments)) return std::monostate();
  SERIN_TRY(const std::int64_t days, parse_date(text(arguments[0])));
  return days;
}

Result<SqlValue> date_of_days(Values arguments) {
  if (any_null(arguments)) return std::monostate();
  return cast_value(Kind::timestamp, Kind::date, integer(arguments[0]) * micros_per_day);
}

/// The functions of time take the type first; the rest is in civil.cpp.
template <auto function>
Result<SqlValue> with_kind(Values arguments) {
  if (any_null(arguments)) return std::monostate();
  const auto kind = kind_of(text(arguments[0]));
  if (!kind) return wrong("unknown type");
  return function(*kind, arguments.subspan(1));
}

constexpr std::array functions{
    RuntimeFunction{"bq_math", 2, 3, math},
    RuntimeFunction{"bq_divide", 2, 2, divide},
    RuntimeFunction{"bq_div", 2, 2, div},
    RuntimeFunction{"bq_mod", 2, 2, mod},
    RuntimeFunction{"bq_floor_div", 2, 2, floor_div},
    RuntimeFunction{"bq_regexp_contains", 2, 2, regexp_contains},
    RuntimeFunction{"bq_regexp_extract", 2, 2, regexp_extract},
    RuntimeFunction{"bq_regexp_replace", 3, 3, regexp_replace},
    RuntimeFunction{"bq_to_base64", 1, 1, to_base64},
    RuntimeFunction{"bq_cast", 4, 4, cast},
    RuntimeFunction{"bq_make_date", 3, 3, make_date},
    RuntimeFunction{"bq_unix_date", 1, 1, unix_date},
    RuntimeFunction{"bq_date_of_days", 1, 1, date_of_days},
    RuntimeFunction{"bq_add", 4, 4, with_kind<add_time>},
    RuntimeFunction{"bq_diff", 4, 4, with_kind<difference_of_times>},
    RuntimeFunction{"bq_trunc", 3, 3, with_kind<truncate_time>},
    RuntimeFunction{"bq_extract", 3, 3, with_kind<extract_of_time>},
    RuntimeFunction{"bq_format", 3, 4, with_kind<format_of_time>},
    RuntimeFunction{"bq_parse", 3, 4, with_kind<parse_of_time>},
};

double mean_of(Values values) {
  double sum = 0;
  for (const SqlValue& value : values) sum += real(value);
  return sum / static_cast<double>(values.size());
}

/// Two passes: the difference of large sums would lose its digits.
template <bool sample, bool root>
Result<SqlValue> variance(Values values, const SqlValue& parameter) {
  static_cast<void>(parameter);
  const std::size_t least = sample ? 2 : 1;
  if (values.size() < least) return std::monostate();
  const double mean = mean_of(values);
  double sum = 0;
  for (const SqlValue& value : values) sum += (real(value) - mean) * (real(value) - mean);
  const double out = sum / static_cast<double>(values.size() - (sample ? 1 : 0));
  return root ? std::sqrt(out) : out;
}

Result<SqlValue> percentile_disc(Values values, const SqlValue& parameter) {
  if (values.empty() || std::holds_alternative<std::monostate>(parameter)) return std::monostate();
  const double share = real(parameter);
  if (share < 0 || share > 1) return wrong("PERCENTILE_DISC: the percentile must be between 0 and 1");
  std::vector<SqlValue> sorted(values.begin(), values.end());
  std::ranges::sort(sorted, [](const SqlValue& a, const SqlValue& b) {
    if (const auto* words = std::get_if<std::string>(&a)) return *words < text(b);
    return real(a) < real(b);
  });
  const double rank = std::ceil(share * static_cast<double>(sorted.size()));
  return sorted[rank < 1 ? 0 : static_cast<std::size_t>(rank) - 1];
}

Result<SqlValue> percentile_cont(Values values, const SqlValue& parameter) {
  if (values.empty() || std::holds_alternative<std::monostate>(parameter)) return std::monostate();
  const double share = real(parameter);
  if (share < 0 || share > 1) return wrong("PERCENTILE_CONT: the percentile must be between 0 and 1");
  std::vector<double> sorted;
  for (const SqlValue& value : values) sorted.push_back(real(value));
  std::ranges::sort(sorted);
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<std::size_t>(at);
  const std::size_t high = std::min(low + 1, sorted.size() - 1);
  return std::lerp(sorted[low], sorted[high], at - std::floor(at));
}

constexpr std::array aggregates{
    RuntimeAggregate{"bq_var_pop", 1, variance<false, false>},
    RuntimeAggregate{"bq_var_samp", 1, variance<true, false>},
    RuntimeAggregate{"bq_stddev_pop", 1, variance<false, true>},
    RuntimeAggregate{"bq_stddev_samp", 1, variance<true, true>},
    RuntimeAggregate{"bq_percentile_disc", 2, percentile_disc},
    RuntimeAggregate{"bq_percentile_cont", 2, percentile_cont},
};

}  // namespace

std::span<const RuntimeFunction> runtime_functions() noexcept { return functions; }
std::span<const RuntimeAggregate> runtime_aggregates() noexcept { return aggregates; }

std::string print_float(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  std::string out = fmt::format("{}", value);
  if (out.find_first_of(".e") == std::string::npos) out += ".0";
  return out;
}

std::string print_numeric(double value) {
  std::string out = fmt::format("{:.9f}", value);
  while (out.ends_with('0')) out.pop_back();
  if (out.ends_with('.')) out.pop_back();
  return out == "-0" ? "0" : out;
}

}  // namespace serin::google_sql
