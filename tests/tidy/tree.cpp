#include "tree.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace serin::tidy {
namespace {

std::vector<std::string> split_list(const std::string& text, char separator) {
  std::vector<std::string> out;
  std::stringstream stream(text);
  for (std::string piece; std::getline(stream, piece, separator);)
    if (!piece.empty()) out.push_back(piece);
  return out;
}

}  // namespace

std::string read_text(const std::string& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<SourceFile> read_tree(const std::string& root) {
  std::vector<SourceFile> out;
  for (const char* top : {"lib", "tool", "fleet", "tests", "examples", "bench", "cmake"}) {
    const std::filesystem::path folder = std::filesystem::path(root) / top;
    if (!std::filesystem::exists(folder)) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      const std::string extension = entry.path().extension().string();
      if (!entry.is_regular_file() || (extension != ".cpp" && extension != ".hpp")) continue;
      SourceFile file{std::filesystem::relative(entry.path(), root).string(), {}};
      std::ifstream stream(entry.path());
      for (std::string line; std::getline(stream, line);) file.lines.push_back(line);
      out.push_back(std::move(file));
    }
  }
  std::ranges::sort(out, {}, &SourceFile::path);
  return out;
}

std::vector<Module> read_modules(const std::string& file) {
  std::vector<Module> out;
  std::stringstream stream(read_text(file));
  for (std::string line; std::getline(stream, line);) {
    std::vector<std::string> fields;
    std::stringstream columns(line + "|");
    for (std::string field; std::getline(columns, field, '|');) fields.push_back(field);
    if (fields.size() < 6) continue;
    out.push_back({fields[0], fields[1], split_list(fields[2], ','), split_list(fields[3], ','), fields[4] == "TRUE",
                   split_list(fields[5], ',')});
  }
  return out;
}

std::string code_of(std::string_view line) {
  std::string out;
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (!quoted && line.substr(i).starts_with("//")) break;
    if (line[i] == '"' && (i == 0 || line[i - 1] != '\\') && !(i > 0 && line[i - 1] == '\'')) {
      quoted = !quoted;
      out += '"';
    } else if (!quoted) {
      out += line[i];
    }
  }
  return out;
}

}  // namespace serin::tidy
