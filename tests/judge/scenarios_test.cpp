// Goal: every scenario that is shipped can be read and played, and on each of them our judge does what the guide says.
// Method: a hundred rollouts of each file with a fixed seed.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "serin/trials/trial.hpp"
#include "shell.hpp"

namespace serin::trials {
namespace {

constexpr int runs = 100;

std::vector<std::filesystem::path> files() {
  std::vector<std::filesystem::path> out;
  for (const auto& entry : std::filesystem::directory_iterator(story::source() + "/fleet/scenarios"))
    out.push_back(entry.path());
  std::ranges::sort(out);
  return out;
}

ScenarioFile read(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  const Result<ScenarioFile> file = parse_scenario(text.str(), path.filename().string());
  EXPECT_TRUE(file) << file.error().text();
  return file ? *file : ScenarioFile{};
}

Characteristics play_file(const ScenarioFile& file, const ContenderKind& kind) {
  std::vector<Trial> trials(runs);
  play_some(file.scenario, kind, 1, 0, trials);
  return characterise(trials);
}

TEST(Scenarios, are_named_as_their_files_and_say_what_they_are) {
  EXPECT_GE(files().size(), 20u);
  for (const auto& path : files()) {
    const ScenarioFile file = read(path);
    EXPECT_EQ(file.scenario.name + ".yaml", path.filename().string());
    EXPECT_FALSE(file.scenario.says.empty()) << path;
  }
}

TEST(Scenarios, that_are_healthy_are_left_alone_and_those_that_are_worse_are_found) {
  // What is not found is in the guide: too near to what is tolerable, too clumped, or too late.
  const std::set<std::string> hard{"twice", "five-times-in-bursts", "five-times-from-12m"};
  for (const auto& path : files()) {
    const ScenarioFile file = read(path);
    const Characteristics found = play_file(file, serin_judge(file.judge));
    const std::string text =
        fmt::format("{}: taken back {}, held {}", file.scenario.name, found.rolled_back, found.held);
    if (file.scenario.healthy())
      EXPECT_LE(found.rolled_back, 4) << text << "; of a hundred one is expected at most";
    else if (!hard.contains(file.scenario.name))
      EXPECT_GE(found.rolled_back, 98) << text;
  }
}

TEST(Scenarios, outages_of_both_are_held) {
  for (const char* name : {"outage", "outage-late"}) {
    const ScenarioFile file = read(story::source() + "/fleet/scenarios/" + name + ".yaml");
    EXPECT_GE(play_file(file, serin_judge(file.judge)).held, 95) << name;
  }
}

}  // namespace
}  // namespace serin::trials
