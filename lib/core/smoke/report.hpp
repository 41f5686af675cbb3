#pragma once
#include <string>
#include <vector>

#include "serin/smoke/run.hpp"

namespace serin::smoke {

struct Report {
  std::string file;
  std::string environment;
  std::vector<TestResult> tests;  ///< in the order of the file
  Duration took{};
};

/// fail when one failed, else unknown when one is, else pass; nothing that ran is unknown, too. Pure.
[[nodiscard]] Outcome outcome_of(const Report& report);
// Five ways to tell it. Pure.
[[nodiscard]] std::string report_text(const Report& report);
[[nodiscard]] std::string report_json(const Report& report);
/// JUnit's XML, as CI systems read it; unknown is an error there, and a failure a failure.
[[nodiscard]] std::string report_junit(const Report& report);
/// Workflow commands of GitHub: "::error file=smoke.yaml,line=12,title=...::..."; empty when all passed.
[[nodiscard]] std::string report_github(const Report& report);
/// Markdown for a job's summary.
[[nodiscard]] std::string report_markdown(const Report& report);
/// One page without scripts and without anything from elsewhere.
[[nodiscard]] std::string report_html(const Report& report);

}  // namespace serin::smoke
