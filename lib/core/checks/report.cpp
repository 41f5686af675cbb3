#include "serin/checks/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <string_view>

#include "serin/base/text.hpp"

namespace serin::checks {
namespace {

namespace json = boost::json;

struct Face {
  std::string_view mark;
  std::string_view colour;  // ANSI
  int number;               // of check_outcome
};
Face face(Outcome outcome) {
  switch (outcome) {
    case Outcome::pass: return {"ok", "\x1b[32m", 0};
    case Outcome::warn: return {"WARN", "\x1b[33m", 1};
    case Outcome::fail: return {"FAIL", "\x1b[31m", 2};
    case Outcome::error: return {"ERROR", "\x1b[31m", 3};
    case Outcome::not_evaluated: return {"--", "\x1b[2m", 4};
  }
  return {"?", "", 3};
}

std::string painted(std::string_view text, Outcome outcome, Colour colour) {
  if (colour == Colour::no) return std::string(text);
  return fmt::format("{}{}\x1b[0m", face(outcome).colour, text);
}

/// The results that somebody has to look at, the worst first.
std::vector<const CheckResult*> bad_ones(const CheckReport& report) {
  std::vector<const CheckResult*> bad;
  for (const CheckResult& result : report.results)
    if (result.outcome != Outcome::pass && result.outcome != Outcome::not_evaluated) bad.push_back(&result);
  // Their order of the file otherwise: they stand in one vector.
  std::ranges::sort(
      bad, [](const auto* a, const auto* b) { return a->outcome != b->outcome ? a->outcome > b->outcome : a < b; });
  return bad;
}

std::string place(const CheckReport& report, const CheckResult& result) {
  return fmt::format("{}:{}:{}", report.file, result.line, result.column);
}

std::string sample_line(const SampleRows& samples, const std::vector<std::string>& row) {
  std::string out;
  for (std::size_t i = 0; i < row.size() && i < samples.columns.size(); ++i)
    out += fmt::format("{}{}={}", i == 0 ? "" : ", ", samples.columns[i], row[i]);
  return out;
}

std::string details(const CheckReport& report, const CheckResult& result) {
  std::string out = fmt::format("  {}\n", place(report, result));
  for (const GroupResult& group : result.groups)
    out += fmt::format("  {} {}: {}\n", face(group.outcome).mark, group.group, group.reason);
  if (!result.samples.rows.empty()) {
    out += fmt::format("  {} of {}:\n", result.samples.rows.size(), result.samples.total);
    for (std::size_t i = 0; i < result.samples.rows.size() && i < 5; ++i)
      out += fmt::format("    {}\n", sample_line(result.samples, result.samples.rows[i]));
  }
  if (!result.sql.empty()) out += fmt::format("  {}\n", result.sql.substr(0, 400));
  return out;
}

std::string summary(const CheckReport& report) {
  return fmt::format(
      "{} passed, {} warned, {} failed, {} errors, {} not evaluated in {:.2f} s ({} passes, {} queries, {} rows)",
      report.count(Outcome::pass), report.count(Outcome::warn), report.count(Outcome::fail),
      report.count(Outcome::error), report.count(Outcome::not_evaluated), seconds_of(report.took), report.scans,
      report.queries, report.rows_read);
}

json::value number(const std::optional<double>& value) { return value ? json::value(*value) : json::value(nullptr); }

json::object json_of(const CheckResult& result) {
  json::array groups;
  for (const GroupResult& group : result.groups)
    groups.push_back(json::object{{"group", group.group},
                                  {"outcome", std::string(outcome_name(group.outcome))},
                                  {"value", number(group.value)},
                                  {"reason", group.reason}});
  json::array rows;
  for (const auto& row : result.samples.rows) {
    json::object cells;
    for (std::size_t i = 0; i < row.size() && i < result.samples.columns.size(); ++i)
      cells[result.samples.columns[i]] = row[i];
    rows.push_back(std::move(cells));
  }
  json::array tags;
  for (const std::string& tag : result.tags) tags.emplace_back(tag);
  return {{"id", result.id},
          {"name", result.name},
          {"table", result.table},
          {"type", std::string(type_name(result.type))},
          {"outcome", std::string(outcome_name(result.outcome))},
          {"value", number(result.value)},
          {"percent", number(result.percent)},
          {"metric", number(result.metric)},
          {"rows", result.rows},
          {"limits", result.limits},
          {"reason", result.reason},
          {"groups", std::move(groups)},
          {"samples", json::object{{"total", result.samples.total}, {"rows", std::move(rows)}}},
          {"duration_ms", result.took / std::chrono::milliseconds(1)},
          {"sql", result.sql},
          {"owner", result.owner},
          {"tags", std::move(tags)},
          {"line", result.line},
          {"column", result.column}};
}

}  // namespace

std::string report_text(const CheckReport& report, Colour colour) {
  std::string out;
  for (const CheckResult& result : report.results) {
    const std::string limits = result.limits.empty() ? "" : fmt::format("  [{}]", result.limits);
    out += fmt::format("{} {}: {}{}  {:.0f} ms\n",
                       painted(fmt::format("{:<5}", face(result.outcome).mark), result.outcome, colour), result.name,
                       result.reason, limits, seconds_of(result.took) * 1000);
  }
  const auto bad = bad_ones(report);
  if (!bad.empty()) out += "\n";
  for (const CheckResult* result : bad)
    out += fmt::format("{} {}: {}\n{}", painted(face(result->outcome).mark, result->outcome, colour), result->name,
                       result->reason, details(report, *result));
  return out + "\n" + summary(report) + "\n";
}

std::string report_json(const CheckReport& report) {
  json::array results;
  for (const CheckResult& result : report.results) results.push_back(json_of(result));
  return json::serialize(json::object{{"schema_version", 1},
                                      {"run_id", report.run_id},
                                      {"file", report.file},
                                      {"at", format_rfc3339(report.at)},
                                      {"duration_ms", report.took / std::chrono::milliseconds(1)},
                                      {"outcome", std::string(outcome_name(report.worst()))},
                                      {"scans", report.scans},
                                      {"queries", report.queries},
                                      {"rows_read", report.rows_read},
                                      {"results", std::move(results)}}) +
         "\n";
}

std::string report_junit(const CheckReport& report) {
  std::string cases;
  for (const CheckResult& result : report.results) {
    cases += fmt::format("    <testcase name=\"{}\" classname=\"{}\" time=\"{:.3f}\" file=\"{}\" line=\"{}\"",
                         escape_markup(result.name), escape_markup(result.table.empty() ? "sql" : result.table),
                         seconds_of(result.took), escape_markup(report.file), result.line);
    const std::string message = escape_markup(result.reason);
    const std::string body = escape_markup(details(report, result));
    switch (result.outcome) {
      case Outcome::pass: cases += "/>\n"; break;
      case Outcome::warn: cases += fmt::format("><system-out>warning: {}</system-out></testcase>\n", message); break;
      case Outcome::not_evaluated: cases += fmt::format("><skipped message=\"{}\"/></testcase>\n", message); break;
      case Outcome::fail:
        cases += fmt::format("><failure message=\"{}\">{}</failure></testcase>\n", message, body);
        break;
      case Outcome::error: cases += fmt::format("><error message=\"{}\">{}</error></testcase>\n", message, body); break;
    }
  }
  const std::string counts =
      fmt::format("tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{:.3f}\"", report.results.size(),
                  report.count(Outcome::fail), report.count(Outcome::error), report.count(Outcome::not_evaluated),
                  seconds_of(report.took));
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {0}>\n  <testsuite name=\"{1}\" {0} "
      "timestamp=\"{2}\">\n{3}"
      "  </testsuite>\n</testsuites>\n",
      counts, escape_markup(report.file), format_rfc3339(report.at), cases);
}

std::string report_html(const CheckReport& report) {
  std::string rows;
  for (const CheckResult& result : report.results) {
    std::string more;
    for (const auto& row : result.samples.rows) more += "<br>" + escape_markup(sample_line(result.samples, row));
    if (!result.samples.rows.empty()) more = fmt::format("<br>{} in all:{}", result.samples.total, more);
    rows +=
        fmt::format("<tr class=\"{0}\"><td>{0}</td><td>{1}</td><td>{2}{3}</td><td>{4}</td><td>{5:.0f} ms</td></tr>\n",
                    outcome_name(result.outcome), escape_markup(result.name), escape_markup(result.reason), more,
                    escape_markup(result.limits), seconds_of(result.took) * 1000);
  }
  return fmt::format(
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Data checks: {0}</title><style>"
      "body{{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 "
      "1rem}}table{{border-collapse:"
      "collapse;width:100%}}td,th{{text-align:left;padding:.4rem .6rem;border-bottom:1px solid "
      "#8884;vertical-align:top}}"
      ".pass td:first-child{{color:#187a2f}}.warn td:first-child{{color:#9a6200}}.fail td:first-child,"
      ".error td:first-child{{color:#b3261e;font-weight:600}}</style></head><body><h1>{0}</h1><p>{1}, {2}</p>"
      "<table><tr><th>Outcome</th><th>Check</th><th>Found</th><th>Limits</th><th>Time</th></tr>\n{3}</table></body></"
      "html>\n",
      escape_markup(report.file), format_rfc3339(report.at), summary(report), rows);
}

std::string report_github(const CheckReport& report) {
  constexpr int most = 10;  // GitHub keeps so many of a kind from one step
  std::string out;
  int errors = 0;
  int warnings = 0;
  for (const CheckResult* result : bad_ones(report)) {
    const bool warning = result->outcome == Outcome::warn;
    int& shown = warning ? warnings : errors;
    if (++shown >= most) continue;
    out += fmt::format("::{} file={},line={},col={},title={}::{}\n", warning ? "warning" : "error",
                       escape_annotation(report.file, true), result->line, result->column,
                       escape_annotation(result->name, true), escape_annotation(result->reason, false));
  }
  if (errors >= most) out += fmt::format("::error title=Data checks::and {} more failed\n", errors - most + 1);
  if (warnings >= most) out += fmt::format("::warning title=Data checks::and {} more warned\n", warnings - most + 1);
  return out;
}

void record_metrics(const CheckReport& report, metrics::Registry& registry) {
  for (const CheckResult& result : report.results) {
    const metrics::Labels labels{{"check", result.name}, {"table", result.table}};
    if (result.value) registry.gauge("check_value", "What a data check measured", labels).set(*result.value);
    registry.gauge("check_outcome", "0 pass, 1 warn, 2 fail, 3 error, 4 not evaluated", labels)
        .set(face(result.outcome).number);
    registry.gauge("check_last_run_timestamp_seconds", "When a data check ran last", labels)
        .set(static_cast<double>(unix_ms(report.at)) / 1000);
    registry.gauge("check_duration_seconds", "How long a data check's statement took", labels)
        .set(seconds_of(result.took));
  }
}

}  // namespace serin::checks
