#include "promtool.hpp"

#include <fmt/format.h>
#include <stdlib.h>

#include <filesystem>

#include "program.hpp"
#include "serin/system/files.hpp"

namespace serin::tool {
namespace {
constexpr int missing = 127;  // what a shell says of a command that it does not find
}

MonitorTools::MonitorTools(std::string folder) : folder_(std::move(folder)) {}

MonitorTools::~MonitorTools() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

Result<std::unique_ptr<MonitorTools>> MonitorTools::make(const std::vector<monitor::Document>& documents) {
  std::string name = (std::filesystem::temp_directory_path() / "serin-monitor-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) return fail(Errc::unavailable, name + ": the folder cannot be made");
  std::unique_ptr<MonitorTools> made(new MonitorTools(name));
  for (const monitor::Document& one : documents) {
    const std::string file = name + "/" + one.path;
    SERIN_CHECK(make_folders(std::filesystem::path(file).parent_path().string()));
    SERIN_CHECK(write_file(file, one.text));
  }
  return made;
}

Result<MonitorTools::Ran> MonitorTools::run(const std::vector<std::string>& command) {
  std::vector<std::string> words{"/bin/sh", "-c",
                                 R"(cd "$1" || exit 1; shift; command -v "$1" >/dev/null || exit 127; exec "$@" 2>&1)",
                                 "sh", folder_};
  words.insert(words.end(), command.begin(), command.end());
  SERIN_TRY(ProgramResult result, run_program(words));
  if (result.exit_code == missing)
    return fail(Errc::unavailable,
                fmt::format("{} is not installed, so its checks are unknown; Debian: apt-get install {}",
                            command.front(), command.front() == "promtool" ? "prometheus" : "prometheus-alertmanager"));
  return Ran{.well = result.exit_code == 0, .output = std::move(result.output)};
}

}  // namespace serin::tool
