#include "serin/checks/judge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ranges>

#include "serin/checks/dialect.hpp"
#include "serin/ports/sql_cell.hpp"

namespace serin::checks {
namespace {

constexpr double smallest_change = 0.001;  // less than 0.1 % is no anomaly, however quiet the past was
constexpr double largest_z = 1000;
constexpr std::int64_t day_s = 86400;

std::optional<double> cell(const SqlTable& table, std::size_t column) {
  if (table.rows.empty() || column >= table.rows.front().size()) return std::nullopt;
  return sql_real(table.rows.front()[column]);
}

Measurement of_extreme(const scan::State& state, Measurement out) {
  if (std::holds_alternative<std::monostate>(state.extreme)) return out;
  out.metric = sql_real(state.extreme);
  if (!out.metric) out.error = "the value is a text, not a number";
  return out;
}

Measurement of_measure(const Check& check, std::span<const scan::State> states, Measurement out) {
  const auto rows = static_cast<double>(out.rows);
  if (check.measure == Measure::row_count) {
    out.metric = rows;
    return out;
  }
  const scan::State& state = states[1];
  if (check.measure == Measure::missing_percent) {
    if (out.rows > 0) out.metric = 100.0 * static_cast<double>(state.count) / rows;
  } else if (check.measure == Measure::mean) {
    if (state.count > 0) out.metric = state.mean;
  } else if (check.measure == Measure::stddev) {
    if (state.count > 1) out.metric = std::sqrt(state.m2 / static_cast<double>(state.count - 1));
  } else {
    return of_extreme(state, std::move(out));
  }
  return out;
}

Measurement of_freshness(const Check& check, std::span<const scan::State> states, std::int64_t now_s, Measurement out) {
  if (states.size() == 4 && states[2].count != states[3].count) {
    out.error = fmt::format("{} values of {} are no time", states[3].count - states[2].count, check.columns.front());
    return out;
  }
  out = of_extreme(states[1], std::move(out));
  if (out.metric) out.metric = static_cast<double>(now_s) - std::floor(*out.metric);
  return out;
}

Measurement of_columns(const Check& check, const SqlTable& table, Engine engine) {
  Measurement out{.rows = static_cast<std::int64_t>(table.rows.size())};
  std::map<std::string, std::string> there;
  for (const SqlRow& row : table.rows)
    if (row.size() > 1 && std::holds_alternative<std::string>(row[0]))
      there[std::get<std::string>(row[0])] =
          std::holds_alternative<std::string>(row[1]) ? std::get<std::string>(row[1]) : "";
  if (there.empty()) {
    out.error = fmt::format("there is no table {}", check.table);
    return out;
  }
  std::vector<std::string> deviations;
  for (const std::string& name : check.required)
    if (!there.contains(name)) deviations.push_back(fmt::format("column {} is missing", name));
  for (const std::string& name : check.forbidden)
    if (there.contains(name)) deviations.push_back(fmt::format("column {} must not be there", name));
  for (const auto& [name, wanted] : check.types) {
    const auto found = there.find(name);
    if (found == there.end()) {
      if (std::ranges::find(check.required, name) == check.required.end())
        deviations.push_back(fmt::format("column {} is missing", name));
    } else if (const std::string is = Dialect{engine}.type_class(found->second); is != wanted) {
      deviations.push_back(fmt::format("column {} is {} ({}), not {}", name, is, found->second, wanted));
    }
  }
  out.metric = static_cast<double>(deviations.size());
  out.note = fmt::format("{}", fmt::join(deviations, ", "));
  return out;
}

double median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  const double upper = *middle;
  if (values.size() % 2 == 1) return upper;
  return (upper + *std::ranges::max_element(values.begin(), middle)) / 2;
}

std::string plain(double value) {
  if (value == std::floor(value) && std::abs(value) < 1e15) return fmt::format("{}", static_cast<std::int64_t>(value));
  return fmt::format("{:.6g}", value);
}

Verdict zoned(const Check& check, Verdict verdict, std::string sentence) {
  verdict.outcome = judge_value(check.zones, *verdict.value, verdict.percent);
  verdict.reason = std::move(sentence);
  return verdict;
}

Verdict not_known_yet(std::optional<double> value, std::string reason) {
  return {.outcome = Outcome::not_evaluated, .value = value, .reason = std::move(reason)};
}

std::int64_t weekday(std::int64_t at_s) { return ((at_s / day_s) % 7 + 7) % 7; }

/// What a change is measured against. Nothing: not enough history.
std::optional<double> reference_of(const Check& check, std::span<const HistoryPoint> history, std::int64_t now_s) {
  if (check.against == Against::same_weekday) {
    for (const HistoryPoint& point : std::views::reverse(history))
      if (const auto days = now_s / day_s - point.at_s / day_s; days == 7) return point.metric;
    return std::nullopt;
  }
  if (history.empty()) return std::nullopt;
  if (check.against == Against::previous) return history.back().metric;
  const auto last = history.last(std::min<std::size_t>(7, history.size()));
  double sum = 0;
  double least = last.front().metric;
  double most = least;
  for (const HistoryPoint& point : last) {
    sum += point.metric;
    least = std::min(least, point.metric);
    most = std::max(most, point.metric);
  }
  if (check.against == Against::smallest_7) return least;
  return check.against == Against::largest_7 ? most : sum / static_cast<double>(last.size());
}

Verdict judge_change(const Check& check, double metric, std::span<const HistoryPoint> history, std::int64_t now_s) {
  const auto before = reference_of(check, history, now_s);
  if (!before) return not_known_yet({}, fmt::format("{}, and no earlier run to compare with", plain(metric)));
  Verdict verdict{.value = metric - *before};
  if (check.in_percent) {
    if (*before == 0 && metric != 0)
      return not_known_yet({}, fmt::format("from 0 to {}: no percentage says that", plain(metric)));
    verdict.value = *before == 0 ? 0 : 100 * (metric - *before) / std::abs(*before);
  }
  std::string sentence = fmt::format("{} after {}: {:+.4g}{}", plain(metric), plain(*before), *verdict.value,
                                     check.in_percent ? " %" : "");
  return zoned(check, std::move(verdict), std::move(sentence));
}

Verdict judge_anomaly(const Check& check, double metric, std::span<const HistoryPoint> history, std::int64_t now_s) {
  std::vector<double> points;
  for (const HistoryPoint& point : std::views::reverse(history)) {
    if (points.size() >= static_cast<std::size_t>(check.points)) break;
    if (!check.weekdays_apart || weekday(point.at_s) == weekday(now_s)) points.push_back(point.metric);
  }
  if (points.size() < static_cast<std::size_t>(check.least_points))
    return not_known_yet(
        {}, fmt::format("{}; {} earlier runs, {} are needed", plain(metric), points.size(), check.least_points));
  std::vector<double> sorted = points;
  const double middle = median(sorted);
  double z = robust_z(metric, std::move(points));
  const bool up = metric > middle;
  if (check.direction != Direction::both && up != (check.direction == Direction::up)) z = 0;
  std::string sentence =
      fmt::format("{} where {} was usual: {:.3g} robust deviations away", plain(metric), plain(middle), z);
  return zoned(check, {.value = z}, std::move(sentence));
}

Verdict without_data(const Check& check) {
  const std::string reason = "no data: no row to look at";
  switch (check.on_no_data) {
    case OnNoData::not_evaluated: return {.outcome = Outcome::not_evaluated, .reason = reason};
    case OnNoData::warn: return {.outcome = Outcome::warn, .reason = reason};
    case OnNoData::fail: return {.outcome = Outcome::fail, .reason = reason};
  }
  return {.reason = reason};
}

bool counts_rows(CheckType type) {
  return type == CheckType::missing || type == CheckType::range || type == CheckType::accepted_values ||
         type == CheckType::pattern || type == CheckType::length || type == CheckType::condition ||
         type == CheckType::reference || type == CheckType::failures;
}

}  // namespace

Measurement measure_states(const Check& check, std::span<const scan::State> states, std::int64_t now_s) {
  Measurement out{.rows = states[0].count};
  switch (check.type) {
    case CheckType::row_count: out.metric = static_cast<double>(out.rows); break;
    case CheckType::missing:
    case CheckType::range:
    case CheckType::accepted_values:
    case CheckType::pattern:
    case CheckType::length:
    case CheckType::condition:
      if (out.rows > 0) out.metric = static_cast<double>(states[1].count);
      out.bad_rows = states[1].count;
      break;
    // No failure among no rows is no failure: how long ago anybody looked is the health view's question.
    case CheckType::failures:
      out.metric = static_cast<double>(states[1].count);
      out.bad_rows = states[1].count;
      break;
    case CheckType::freshness: return of_freshness(check, states, now_s, std::move(out));
    case CheckType::distribution:
    case CheckType::change:
    case CheckType::anomaly: return of_measure(check, states, std::move(out));
    case CheckType::unique:
    case CheckType::reference:
    case CheckType::schema:
    case CheckType::coverage:
    case CheckType::sql: out.error = "this check is no part of a scan"; break;
  }
  return out;
}

Measurement measure_table(const Check& check, const SqlTable& table, Engine engine) {
  if (check.type == CheckType::schema) return of_columns(check, table, engine);
  const auto first = cell(table, 0);
  const auto second = cell(table, 1);
  Measurement out;
  if (check.type == CheckType::sql) {
    if (table.rows.size() != 1 || table.rows.front().size() != 1) {
      out.error = fmt::format("the query must give one value, not {} rows of {} columns", table.rows.size(),
                              table.rows.empty() ? table.columns.size() : table.rows.front().size());
    } else if (!first && !std::holds_alternative<std::monostate>(table.rows.front()[0])) {
      out.error = "the query must give a number, not a text";
    }
    out.metric = out.error.empty() ? first : std::nullopt;
    return out;
  }
  if (!first) {
    out.error = "the query gave no count";
    return out;
  }
  out.rows = static_cast<std::int64_t>(*first);
  if (out.rows == 0) return out;
  if (check.type == CheckType::coverage) {
    out.metric = 100 * second.value_or(0) / *first;
    out.note = fmt::format("{} of {} expected are there", plain(second.value_or(0)), out.rows);
  } else if (check.type == CheckType::unique) {
    const double keys = second.value_or(0);
    const double repeated = cell(table, 2).value_or(0);
    const double affected = cell(table, 3).value_or(0);
    switch (check.unique) {
      case UniqueMetric::extra_rows: out.metric = *first - keys; break;
      case UniqueMetric::distinct_duplicates: out.metric = repeated; break;
      case UniqueMetric::affected_rows: out.metric = affected; break;
      case UniqueMetric::uniqueness_ratio: out.metric = (*first - affected) / *first; break;
    }
    out.bad_rows = static_cast<std::int64_t>(affected);
    out.note = fmt::format("{} extra rows, {} values repeated", plain(*first - keys), plain(repeated));
  } else {
    out.metric = second;
    if (check.type == CheckType::reference) out.bad_rows = static_cast<std::int64_t>(second.value_or(0));
  }
  return out;
}

Verdict judge_age(Duration age, const FreshnessLimits& limits) {
  const Duration counted = std::max(age, Duration::zero());
  Verdict verdict{.value = std::floor(seconds_of(counted))};
  const std::string sentence =
      fmt::format("newest row is {} old", format_duration(std::chrono::floor<std::chrono::seconds>(counted)));
  if (age < -limits.skew) {
    verdict.outcome = Outcome::warn;
    verdict.reason = fmt::format("the newest row is {} in the future", format_duration(-age));
  } else if (age > limits.error_after) {
    verdict.outcome = Outcome::fail;
    verdict.reason = fmt::format("{}, more than {}", sentence, format_duration(limits.error_after));
  } else if (age > limits.warn_after) {
    verdict.outcome = Outcome::warn;
    verdict.reason = fmt::format("{}, more than {}", sentence, format_duration(limits.warn_after));
  } else {
    verdict.outcome = Outcome::pass;
    verdict.reason = sentence;
  }
  return verdict;
}

double robust_z(double value, std::vector<double> history) {
  const double middle = median(history);
  const double distance = std::abs(value - middle);
  if (distance <= smallest_change * std::abs(middle)) return 0;
  for (double& point : history) point = std::abs(point - middle);
  const double spread = median(history);
  if (spread == 0) return largest_z;
  return std::min(largest_z, 0.6745 * distance / spread);
}

Verdict judge(const Check& check, const Measurement& measured, std::span<const HistoryPoint> history,
              std::int64_t now_s) {
  if (!measured.error.empty()) return {.outcome = Outcome::error, .reason = measured.error};
  if (!measured.metric) return without_data(check);
  const double metric = *measured.metric;
  if (!std::isfinite(metric)) return {.outcome = Outcome::error, .reason = "the value is not finite"};
  if (check.type == CheckType::change) return judge_change(check, metric, history, now_s);
  if (check.type == CheckType::anomaly) return judge_anomaly(check, metric, history, now_s);
  if (check.type == CheckType::freshness)
    return judge_age(duration_of_seconds(metric),
                     {.warn_after = check.warn_after, .error_after = check.error_after, .skew = check.skew});
  Verdict verdict{.value = metric};
  std::string sentence = measured.note.empty() ? plain(metric) : measured.note;
  if (counts_rows(check.type)) {
    verdict.percent = measured.rows > 0 ? 100 * metric / static_cast<double>(measured.rows) : 0.0;
    sentence = fmt::format("{} of {} rows ({:.3g} %)", plain(metric), measured.rows, *verdict.percent);
  } else if (check.type == CheckType::coverage) {
    sentence += fmt::format(" ({:.1f} %)", metric);
  } else if (check.type == CheckType::unique && check.unique == UniqueMetric::uniqueness_ratio) {
    sentence = fmt::format("a ratio of {:.6g}, {}", metric, measured.note);
  } else if (check.type == CheckType::schema && measured.note.empty()) {
    sentence = "all columns as wanted";
  }
  return zoned(check, std::move(verdict), std::move(sentence));
}

}  // namespace serin::checks
