#include "serin/smoke/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "serin/base/text.hpp"
#include "serin/base/time.hpp"

namespace serin::smoke {
namespace {

namespace json = boost::json;

std::ptrdiff_t count(const Report& report, Outcome outcome) {
  return std::ranges::count(report.tests, outcome, &TestResult::outcome);
}

/// For a cell of a table.
std::string for_markdown(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, 1, '\\');
  return text;
}

std::string why(const TestResult& test) {
  if (test.steps.empty()) return "nothing ran";
  const StepResult& last = test.steps.back();
  if (last.outcome == Outcome::pass) return "";
  return fmt::format("{}: {}{}", last.request, last.said, last.tries > 1 ? fmt::format(" ({} tries)", last.tries) : "");
}

std::string totals(const Report& report) {
  return fmt::format("{} passed, {} failed, {} unknown in {}", count(report, Outcome::pass),
                     count(report, Outcome::fail), count(report, Outcome::unknown), format_duration(report.took));
}

}  // namespace

Outcome outcome_of(const Report& report) {
  if (count(report, Outcome::fail) > 0) return Outcome::fail;
  return report.tests.empty() || count(report, Outcome::unknown) > 0 ? Outcome::unknown : Outcome::pass;
}

std::string report_text(const Report& report) {
  std::string out;
  for (const TestResult& test : report.tests) {
    out += fmt::format("{:<8} {:<24} {}  {}\n", outcome_name(test.outcome), test.service, test.name,
                       format_duration(test.took));
    if (const std::string reason = why(test); !reason.empty())
      out += fmt::format("         {}:{}: {}\n", report.file, test.steps.empty() ? test.line : test.steps.back().line,
                         reason);
  }
  return out + "\n" + totals(report) + "\n";
}

std::string report_json(const Report& report) {
  json::array tests;
  for (const TestResult& test : report.tests) {
    json::array steps;
    for (const StepResult& step : test.steps)
      steps.push_back(json::object{{"request", step.request},
                                   {"outcome", std::string(outcome_name(step.outcome))},
                                   {"said", step.said},
                                   {"tries", step.tries},
                                   {"seconds", seconds_of(step.took)},
                                   {"line", step.line}});
    tests.push_back(json::object{{"name", test.name},
                                 {"service", test.service},
                                 {"outcome", std::string(outcome_name(test.outcome))},
                                 {"seconds", seconds_of(test.took)},
                                 {"line", test.line},
                                 {"steps", std::move(steps)}});
  }
  return json::serialize(json::object{{"file", report.file},
                                      {"environment", report.environment},
                                      {"outcome", std::string(outcome_name(outcome_of(report)))},
                                      {"seconds", seconds_of(report.took)},
                                      {"tests", std::move(tests)}}) +
         "\n";
}

std::string report_junit(const Report& report) {
  std::string out = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" "
      "errors=\"{}\" time=\"{:.3f}\">\n",
      escape_markup(report.file), report.tests.size(), count(report, Outcome::fail), count(report, Outcome::unknown),
      seconds_of(report.took));
  for (const TestResult& test : report.tests) {
    out += fmt::format("<testcase classname=\"{}\" name=\"{}\" time=\"{:.3f}\"", escape_markup(test.service),
                       escape_markup(test.name), seconds_of(test.took));
    if (test.outcome == Outcome::pass) {
      out += "/>\n";
      continue;
    }
    const std::string_view element = test.outcome == Outcome::fail ? "failure" : "error";
    out += fmt::format("><{} message=\"{}\"/></testcase>\n", element, escape_markup(why(test)));
  }
  return out + "</testsuite>\n</testsuites>\n";
}

std::string report_github(const Report& report) {
  std::string out;
  for (const TestResult& test : report.tests)
    if (test.outcome != Outcome::pass)
      out += fmt::format("::error file={},line={},title={}::{}\n", escape_annotation(report.file, true),
                         test.steps.empty() ? test.line : test.steps.back().line,
                         escape_annotation(fmt::format("{} {}", outcome_name(test.outcome), test.name), true),
                         escape_annotation(why(test), false));
  return out;
}

std::string report_markdown(const Report& report) {
  std::string out = fmt::format(
      "### Smoke tests{}: {}\n\n{}\n\n| | service | test | took | |\n|---|---|---|---:|---|\n",
      report.environment.empty() ? "" : " of " + report.environment, outcome_name(outcome_of(report)), totals(report));
  for (const TestResult& test : report.tests)
    out += fmt::format("| {} | {} | {} | {} | {} |\n", outcome_name(test.outcome), test.service,
                       for_markdown(test.name), format_duration(test.took), for_markdown(why(test)));
  return out;
}

std::string report_html(const Report& report) {
  std::string out = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Smoke tests: {0}</title>\n"
      "<style>body{{font:16px/1.5 sans-serif;margin:2em auto;max-width:60em;padding:0 1em}}"
      "table{{border-collapse:collapse;width:100%}}td,th{{text-align:left;padding:.3em .6em;border-bottom:1px solid "
      "#ccc;"
      "vertical-align:top}}.pass{{color:#176117}}.fail{{color:#a11212}}.unknown{{color:#7a4b00}}</style>\n"
      "<h1>Smoke tests: <span class=\"{0}\">{0}</span></h1>\n<p>{1}{2}. {3}.</p>\n"
      "<table><tr><th>Outcome<th>Service<th>Test<th>Took<th>What was found</tr>\n",
      outcome_name(outcome_of(report)), escape_markup(report.file),
      report.environment.empty() ? "" : escape_markup(" on " + report.environment), totals(report));
  for (const TestResult& test : report.tests)
    out += fmt::format("<tr><td class=\"{0}\">{0}<td>{1}<td>{2}<td>{3}<td>{4}</tr>\n", outcome_name(test.outcome),
                       escape_markup(test.service), escape_markup(test.name), format_duration(test.took),
                       escape_markup(why(test)));
  return out + "</table></html>\n";
}

}  // namespace serin::smoke
