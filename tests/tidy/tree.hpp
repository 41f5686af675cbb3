#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace serin::tidy {

struct SourceFile {
  std::string path;                ///< relative to the project
  std::vector<std::string> lines;  ///< comments and string literals kept
};
/// Everything git would list, without build folders. Sources only: .cpp .hpp.
std::vector<SourceFile> read_tree(const std::string& root);

/// What CMake wrote about one serin_module().
struct Module {
  std::string name;
  std::string folder;
  std::vector<std::string> deps;
  std::vector<std::string> external;
  bool net = false;
  std::vector<std::string> test_deps;
};
std::vector<Module> read_modules(const std::string& file);

std::string read_text(const std::string& file);
/// The line without // comments and without the content of string literals, so that words in them do not count.
std::string code_of(std::string_view line);

}  // namespace serin::tidy
