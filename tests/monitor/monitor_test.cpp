// Goal: a catalogue is read strictly, and what it becomes has the factors, the guards and the drills that were
// promised. Method: texts in, documents out; the fleet's own catalogue and the sources' metric names from the source
// tree.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "serin/monitor/documents.hpp"
#include "serin/monitor/metric_table.hpp"
#include "small_catalogue.hpp"

namespace serin::monitor {
namespace {

using namespace std::chrono_literals;

std::string slurp(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}
std::filesystem::path source() { return std::getenv("SERIN_SOURCE_DIR"); }

std::string text_of(const Catalogue& catalogue, std::string_view path) {
  for (const Document& one : documents(catalogue))
    if (one.path == path) return one.text;
  return {};
}

std::string error_of(const std::string& text) {
  const auto read = load_catalogue(text, "m.yaml");
  return read ? std::string() : read.error().detail();
}

TEST(Catalogue, BurnFactorsAreThoseOfThePublishedTable) {
  const auto of = [](double budget, Duration window, Duration period) {
    return burn_factor({"page", budget, 5min, window}, period);
  };
  EXPECT_NEAR(of(2, 1h, 720h), 14.4, 1e-9);
  EXPECT_NEAR(of(5, 6h, 720h), 6, 1e-9);
  EXPECT_NEAR(of(10, 24h, 720h), 3, 1e-9);
  EXPECT_NEAR(of(10, 72h, 720h), 1, 1e-9);
  EXPECT_NEAR(of(2, 1h, 672h), 13.44, 1e-9);
  EXPECT_NEAR(of(5, 6h, 672h), 5.6, 1e-9);
}

TEST(Catalogue, RulesPrintShortDecimalsAndGuardAgainstZeroTraffic) {
  const auto read = load_catalogue(small_catalogue, "m.yaml");
  ASSERT_TRUE(read) << read.error().detail();
  const std::string rules = text_of(*read, "rules.yaml");
  for (const char* part :
       {"ratio_rate1h{service=\"shop\",slo=\"availability\"} > 0.0144 and slo:errors:ratio_rate5m", "> 0.006 and",
        "> 0.003 and", "> 0.001 and", "[3d])) > 0)", "or vector(0)", "absent(up{service=\"shop\"} == 1)",
        "sum_over_time(slo:errors:ratio_rate5m{service=\"shop\",slo=\"availability\"}[30d])"})
    EXPECT_NE(rules.find(part), std::string::npos) << part << "\n" << rules;
  EXPECT_EQ(rules.find("00000"), std::string::npos);
}

TEST(Catalogue, WhatIsScrapedComesFromTheAgentOrFromTheCatalogueButFromSomewhere) {
  const auto fixed = load_catalogue(small_catalogue, "m.yaml");
  ASSERT_TRUE(fixed) << fixed.error().detail();
  EXPECT_EQ(text_of(*fixed, "prometheus.yaml").find("file_sd"), std::string::npos);
  EXPECT_NE(text_of(*fixed, "prometheus.yaml").find("targets: ['127.0.0.1:8001']"), std::string::npos);
  std::string lost(small_catalogue);
  const std::string line = "    targets: [\"127.0.0.1:8001\"]\n";
  lost.erase(lost.find(line), line.size());
  EXPECT_NE(error_of(lost).find("no address to scrape"), std::string::npos) << error_of(lost);
  const auto told = load_catalogue("targets_file: /state/targets.json\n" + lost, "m.yaml");
  ASSERT_TRUE(told) << told.error().detail();
  const std::string text = text_of(*told, "prometheus.yaml");
  EXPECT_NE(text.find("file_sd_configs:\n      - files: ['/state/targets.json']"), std::string::npos) << text;
  EXPECT_EQ(text.find("shop"), std::string::npos) << text;
  EXPECT_NE(error_of("targets_file: /state/targets\n" + lost).find("is the path of a .json file"), std::string::npos);
}

TEST(Catalogue, TheSameCatalogueGivesTheSameBytes) {
  const auto left = load_catalogue(small_catalogue, "m.yaml");
  const auto right = load_catalogue(small_catalogue, "elsewhere/m.yaml");
  ASSERT_TRUE(left && right);
  const auto a = documents(*left);
  const auto b = documents(*right);
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].text, b[i].text);
    EXPECT_TRUE(is_ours(a[i].text)) << a[i].path;
  }
}

TEST(Catalogue, WhatCannotFireIsRefusedWithItsPlace) {
  struct Case {
    std::string more;
    std::string_view sentence;
  };
  const std::string alert = "alerts: {A: {severity: page, summary: s, ";
  for (const Case& one :
       {Case{alert + "metric: nobody_total, more_than: 1, within: 5m}}", "nobody_total is exported by nobody"},
        Case{alert + "metric: http_requests_total, more_than: 1}}", "is a counter, this needs a gauge"},
        Case{alert + "metric: health_check_stuck, more_than: 0, within: 5m}}", "is a gauge, this needs a counter"},
        Case{alert + "metric: health_check_stuck, where: {colour: red}, more_than: 0}}", "has no label colour"},
        Case{alert + "metric: check_outcome, more_than: 3, below: 2}}", "or it cannot fire"},
        Case{alert + "metric: health_check_stuck}}", "is missing: more_than"},
        Case{alert + "metric: health_check_stuck, older_than: 1h}}", "needs a timestamp"},
        Case{alert + "metric: health_check_stuck, more_than: 1, more_then: 1}}", "more_then"}})
    EXPECT_NE(error_of(std::string(small_catalogue) + one.more).find(one.sentence), std::string::npos)
        << one.more << "\n"
        << error_of(std::string(small_catalogue) + one.more);
  std::string loose(small_catalogue);
  loose.replace(loose.find("99.9"), 4, "90.0");
  EXPECT_NE(error_of(loose).find("144 % errors: it cannot fire"), std::string::npos) << error_of(loose);
  EXPECT_EQ(error_of(loose).substr(0, 9), "m.yaml:8:") << error_of(loose);
  std::string lost(small_catalogue);
  lost.replace(lost.find("page: all"), 9, "page: nix");
  EXPECT_NE(error_of(lost).find("which is no receiver"), std::string::npos) << error_of(lost);
}

TEST(Catalogue, TheFleetsAlertsAreAllProvedBothWays) {
  const auto read = load_catalogue(slurp(source() / "fleet/monitoring.yaml"), "fleet/monitoring.yaml");
  ASSERT_TRUE(read) << read.error().detail();
  const Drills made = drills(*read);
  EXPECT_EQ(made.unproved, std::vector<std::string>());
  EXPECT_EQ(made.alerts, 6 + 8 + 7 * 2);
  EXPECT_EQ(read->services.size(), 6U);
}

TEST(Catalogue, ServicesMayTellSomebodyElse) {
  std::string text(small_catalogue);
  text.replace(text.find("{all:"), 5, "{sales: {webhook: \"http://127.0.0.1:8/\"}, all:");
  text += "    notify: {ticket: sales}\n";
  const auto read = load_catalogue(text, "m.yaml");
  ASSERT_TRUE(read) << read.error().detail();
  for (const RouteCase& one : route_cases(*read))
    EXPECT_EQ(one.receiver, one.service == "shop" && one.severity == "ticket" ? "sales" : "all") << one.severity;
}

TEST(Documents, OnlyWhatIsSaidCounts) {
  EXPECT_TRUE(same_document("# one\na: 1  \n\nb: 2\n", "a: 1\nb: 2"));
  EXPECT_FALSE(same_document("a: 1\n", " a: 1\n"));
  EXPECT_FALSE(is_ours("groups: []\n"));
}

// Names in .counter("..."), .gauge("...") and .histogram("...").
std::set<std::string> exported_names(const std::string& text) {
  std::set<std::string> out;
  for (const std::string_view kind : {".counter(", ".gauge(", ".histogram("})
    for (std::size_t at = text.find(kind); at != std::string::npos; at = text.find(kind, at + 1)) {
      const std::size_t quote = text.find_first_not_of(" \n", at + kind.size());
      if (quote == std::string::npos || text[quote] != '"') continue;
      out.insert(text.substr(quote + 1, text.find('"', quote + 1) - quote - 1));
    }
  return out;
}

TEST(MetricTable, IsWhatTheSourcesExport) {
  std::string all;
  for (const char* folder : {"lib", "fleet"})
    for (const auto& entry : std::filesystem::recursive_directory_iterator(source() / folder)) {
      const std::string name = entry.path().filename().string();
      if (!name.ends_with(".cpp") || name.ends_with("_test.cpp") || name.ends_with("_bench.cpp")) continue;
      if (entry.path().string().contains("/core/monitor/")) continue;
      const std::string text = slurp(entry.path());
      for (const std::string& exported : exported_names(text))
        EXPECT_NE(find_metric(exported), nullptr) << entry.path() << " exports " << exported;
      all += text;
    }
  for (const MetricRow& row : metric_table()) {
    EXPECT_NE(all.find(fmt::format("\"{}\"", row.name)), std::string::npos) << row.name << " is exported by nobody";
    EXPECT_NE(all.find(row.help), std::string::npos) << row.name << " has another help";
  }
}

TEST(MetricTable, TheGuideListsEveryMetricWithUnitAndHelp) {
  const std::string guide = slurp(source() / "docs/guide/monitoring.md");
  for (const MetricRow& row : metric_table()) {
    const std::string line =
        fmt::format("| `{}` | {} | {} | {} | {} |", row.name, row.type, row.unit, row.labels, row.help);
    EXPECT_NE(guide.find(line), std::string::npos) << line;
  }
}

TEST(Dashboard, EveryPanelAsksForWhatIsExported) {
  const auto read = load_catalogue(small_catalogue, "m.yaml");
  ASSERT_TRUE(read);
  const std::string text = text_of(*read, "dashboards/fleet.json");
  const std::string rules = text_of(*read, "rules.yaml");
  int asked = 0;
  for (std::size_t at = text.find("{service=~"); at != std::string::npos; at = text.find("{service=~", at + 1)) {
    const std::size_t begin = text.find_last_of(" ([\"", at) + 1;
    std::string name = text.substr(begin, at - begin);
    if (name.ends_with("_bucket")) name.resize(name.size() - 7);
    EXPECT_TRUE(find_metric(name) != nullptr || rules.contains("record: " + name)) << name;
    ++asked;
  }
  EXPECT_GE(asked, 15);
}

}  // namespace
}  // namespace serin::monitor
