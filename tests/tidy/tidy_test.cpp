// Goal: the rules of the house hold in the whole tree. Method: read every source as text and compare it with what CMake
// declared and with the ban list; each ban first proves on an example that it can fail.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>

#include "rules.hpp"
#include "tree.hpp"

namespace serin::tidy {
namespace {

const std::string root = SERIN_SOURCE;

const std::vector<SourceFile>& tree() {
  static const std::vector<SourceFile> files = read_tree(root);
  return files;
}
const std::vector<Module>& modules() {
  static const std::vector<Module> list = read_modules(SERIN_MODULES);
  return list;
}
const Module* module_of(const std::string& path) {
  const Module* found = nullptr;
  for (const Module& module : modules())
    if (path.starts_with(module.folder + "/") && (found == nullptr || module.folder.size() > found->folder.size()))
      found = &module;
  return found;
}
bool contains(const std::vector<std::string>& list, const std::string& word) {
  return std::ranges::find(list, word) != list.end();
}
bool is_test(const std::string& path) {
  return path.ends_with("_test.cpp") || path.ends_with("_bench.cpp") || path.ends_with("_fuzz.cpp") ||
         path.ends_with("_under_test.hpp");
}

TEST(Tree, is_there) {
  EXPECT_GT(tree().size(), 20u) << "no sources found under " << root;
  EXPECT_GT(modules().size(), 5u) << "no modules in " << SERIN_MODULES;
}

TEST(Includes, name_only_modules_that_are_declared) {
  const std::regex include(R"(^\s*#\s*include\s*"serin/([a-z_]+)/)");
  for (const SourceFile& file : tree()) {
    const Module* module = module_of(file.path);
    if (module == nullptr) continue;  // programs and tests declare theirs to the compiler alone
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      std::smatch match;
      if (!std::regex_search(file.lines[i], match, include)) continue;
      const std::string name = match[1];
      const bool declared = name == module->name || contains(module->deps, name) ||
                            (is_test(file.path) && contains(module->test_deps, name));
      EXPECT_TRUE(declared) << file.path << ":" << i + 1 << ": includes serin/" << name << "/ but DEPS of "
                            << module->name << " do not name it";
    }
  }
}

TEST(Includes, of_libraries_are_declared_and_hidden) {
  // (prefix of the include, target that must be in EXTERNAL)
  const std::map<std::string, std::string> libraries{
      {"boost/json", "Boost::json"}, {"sqlite3.h", "SQLite::SQLite3"},   {"yaml-cpp/", "yaml-cpp"},
      {"re2/", "re2::re2"},          {"openssl/", "OpenSSL::Crypto"},    {"zlib.h", "ZLIB::ZLIB"},
      {"boost/url", "Boost::url"},   {"httplib.h", "serin_cpp_httplib"}, {"absl/time/", "absl::time"}};
  for (const SourceFile& file : tree()) {
    const Module* module = module_of(file.path);
    if (module == nullptr || is_test(file.path)) continue;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const std::string& line = file.lines[i];
      const std::string at = file.path + ":" + std::to_string(i + 1);
      for (const auto& [prefix, target] : libraries) {
        if (!line.starts_with("#include <" + prefix)) continue;
        EXPECT_TRUE(contains(module->external, target))
            << at << ": needs EXTERNAL " << target << " in module " << module->name;
      }
      if (line.starts_with("#include <boost/asio") || line.starts_with("#include <boost/beast")) {
        EXPECT_TRUE(module->net) << at << ": Asio and Beast are for NET modules";
        // The coroutine form of pipelines is Asio's awaitable: its headers are the one exception (docs/decisions/0007).
        EXPECT_TRUE(file.path.ends_with(".cpp") || file.path.find("/detail_") != std::string::npos ||
                    file.path.starts_with("lib/adapters/asio/"))
            << at << ": no header shows Asio or Beast (detail_*.hpp are private)";
      }
    }
  }
}

TEST(Arrows, point_inwards) {
  const auto layer = [](const Module& module) -> std::string {
    if (module.folder == "lib/base") return "base";
    if (module.folder == "lib/ports") return "ports";
    if (module.folder == "lib/sim") return "sim";
    if (module.folder.starts_with("lib/core/")) return "core";
    // What adapters may stand on: this machine, processes on it, a pool, HTTP's bytes. A technology never knows
    // another.
    if (module.folder == "lib/adapters/system") return "machine";
    if (module.folder == "lib/adapters/pool") return "machine";
    if (module.folder == "lib/adapters/wire") return "machine";
    if (module.folder == "lib/adapters/process") return "process";
    // Policies of core around coroutines; nothing in core or in another adapter may stand on it.
    if (module.folder == "lib/adapters/asio") return "coroutines";
    // Google's services: what a failure means stands in the body of an answer, so the retries stand here too
    // (docs/decisions/0009). One folder for what all clients have in common, others for clients on top of it.
    static const std::set<std::string> google{"lib/adapters/google",      "lib/adapters/bigquery",
                                              "lib/adapters/pubsub",      "lib/adapters/firestore",
                                              "lib/adapters/google_data", "lib/adapters/cloud_run"};
    if (google.contains(module.folder)) return "google";
    if (module.folder.starts_with("lib/adapters/")) return "adapters";
    return module.folder.substr(0, module.folder.find('/'));  // tool, fleet
  };
  const std::map<std::string, std::set<std::string>> may{
      {"base", {}},
      {"ports", {"base"}},
      {"sim", {"base", "ports"}},
      {"core", {"base", "ports", "core"}},
      {"machine", {"base", "ports"}},
      {"process", {"base", "ports", "machine"}},
      {"adapters", {"base", "ports", "machine", "process"}},
      {"coroutines", {"base", "ports", "core"}},
      {"google", {"base", "ports", "core", "machine", "google"}},
      {"tool", {"base", "ports", "core", "machine", "process", "adapters", "google", "tool"}},
      {"fleet", {"base", "ports", "core", "machine", "process", "adapters", "google", "fleet"}},
  };
  std::map<std::string, std::string> layers;
  for (const Module& module : modules()) layers[module.name] = layer(module);
  for (const Module& module : modules())
    for (const std::string& dep : module.deps)
      EXPECT_TRUE(may.at(layers.at(module.name)).contains(layers.at(dep)))
          << module.name << " (" << layers[module.name] << ") must not depend on " << dep << " (" << layers[dep] << ")";
}

/// Lines without what all of them have in front.
std::vector<std::string> dedented(std::vector<std::string> lines) {
  std::size_t common = std::string::npos;
  for (const std::string& line : lines)
    if (!line.empty()) common = std::min(common, line.find_first_not_of(' '));
  for (std::string& line : lines)
    if (!line.empty()) line.erase(0, common);
  return lines;
}

/// How many programs a guide shows; each as it is.
void expect_code_of(const std::string& guide, std::size_t programs) {
  std::ifstream file(root + guide);
  std::map<std::string, std::vector<std::string>> shown;
  std::string marked;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("<!-- examples/")) marked = line.substr(5, line.find(" -->") - 5);
    if (inside && line == "```") marked.clear();
    inside = (inside || (line == "```cpp" && !marked.empty())) && line != "```";
    if (inside && line != "```cpp") shown[marked].push_back(line);
  }
  EXPECT_EQ(shown.size(), programs) << guide;
  for (const auto& [path, lines] : shown) {
    std::ifstream program(root + "/" + path);
    std::vector<std::string> code;
    std::vector<std::string> part;
    bool in_snippet = false;
    for (std::string line; std::getline(program, line);) {
      if (line.find("// snippet") != std::string::npos) {
        if (in_snippet) std::ranges::copy(dedented(std::exchange(part, {})), std::back_inserter(code));
        in_snippet = !in_snippet;
      } else if (in_snippet) {
        part.push_back(line);
      }
    }
    EXPECT_EQ(lines, code) << path;
  }
}

TEST(Guide, shows_only_code_that_is_compiled_and_run) {
  // Goal: a guide's code cannot rot. Method: what stands behind a marker is what stands between `// snippet` lines.
  expect_code_of("/docs/guide/resilience.md", 12);
  expect_code_of("/docs/guide/http.md", 2);
  expect_code_of("/docs/guide/pool.md", 1);
  expect_code_of("/docs/guide/google.md", 1);
}

class Bans : public testing::TestWithParam<Ban> {};

TEST_P(Bans, hold_everywhere) {
  const Ban& ban = GetParam();
  const std::regex pattern(ban.pattern);
  ASSERT_TRUE(std::regex_search(code_of(ban.example), pattern)) << "this ban cannot fail";
  ASSERT_FALSE(std::regex_search(code_of(ban.innocent), pattern)) << "this ban hits the innocent";
  for (const SourceFile& file : tree()) {
    if (file.path == "tests/tidy/rules.cpp") continue;  // holds the examples
    if (std::ranges::any_of(ban.allowed, [&](const std::string& prefix) { return file.path.starts_with(prefix); }))
      continue;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const std::string& line = file.lines[i];
      const std::string code = ban.name == "later" ? line : code_of(line);
      // A private constructor leaves no other way than unique_ptr<X>(new X(..)); the pointer is owned in the same
      // expression.
      if (ban.name == "new" && code.find("_ptr<") != std::string::npos) continue;
      // libFuzzer hands out bytes, parsers take text.
      if (ban.name == "reinterpret" && file.path.ends_with("_fuzz.cpp")) continue;
      EXPECT_FALSE(std::regex_search(code, pattern))
          << file.path << ":" << i + 1 << ": " << line << "\n  use " << ban.instead;
    }
  }
}
INSTANTIATE_TEST_SUITE_P(List, Bans, testing::ValuesIn(bans()), [](const auto& ban) {
  std::string name = ban.param.name;
  std::ranges::replace(name, '-', '_');
  return name;
});

TEST(Files, are_of_a_size_that_one_can_read) {
  for (const SourceFile& file : tree()) {
    EXPECT_LE(file.lines.size(), 500u) << file.path << ": one file, one idea";
    for (std::size_t i = 0; i < file.lines.size(); ++i)
      EXPECT_LE(file.lines[i].size(), 140u) << file.path << ":" << i + 1 << ": line too long";
  }
}

TEST(Architecture, the_module_table_is_what_cmake_says) {
  const std::string text = read_text(root + "/ARCHITECTURE.md");
  for (const Module& module : modules()) {
    std::vector<std::string> deps = module.deps;
    std::ranges::sort(deps);
    const std::string row = fmt::format("| `{}` | {} |", module.folder, fmt::join(deps, " "));
    EXPECT_NE(text.find(row), std::string::npos) << "ARCHITECTURE.md lacks this row:\n" << row << " what it is for |";
  }
  // And the other way round: no row for a folder that is gone, and none that was forgotten beside a newer one.
  const std::regex row_start(R"(\n\| `([a-z_/]+)` \|)");
  std::set<std::string> seen;
  for (std::sregex_iterator it(text.begin(), text.end(), row_start), end; it != end; ++it) {
    const std::string folder = (*it)[1];
    EXPECT_TRUE(seen.insert(folder).second) << "ARCHITECTURE.md has two rows for " << folder;
    // An optional module is not in every build, but its folder is.
    EXPECT_TRUE(std::ranges::any_of(modules(), [&](const Module& module) { return module.folder == folder; }) ||
                std::ifstream(root + "/" + folder + "/CMakeLists.txt").good())
        << "ARCHITECTURE.md speaks of " << folder << ", which is no module";
  }
}

}  // namespace
}  // namespace serin::tidy
