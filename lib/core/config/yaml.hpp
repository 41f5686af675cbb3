#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"

namespace serin::config {

class YamlMap;

enum class YamlKind : std::uint8_t { absent, scalar, list, map };
/// Where something stands in its file; both count from 1.
struct YamlPosition {
  int line = 1;
  int column = 1;
};

/// One YAML text. Reading goes on after an error with default values; the first error is kept and wins at the end, so
/// that code that reads a file is a list of fields and not a ladder of checks. Threads: one.
class YamlFile {
 public:
  /// Errors: invalid_argument "file:line:column: sentence" when the text is not YAML or not one mapping.
  static Result<std::unique_ptr<YamlFile>> parse(std::string_view text, std::string_view file);
  ~YamlFile();
  [[nodiscard]] YamlMap root();
  /// The first error of reading, with its position; success when all was well.
  [[nodiscard]] Status status() const;
  /// All errors of reading, in the order of the file; the first hundred that were found. A value that could not be read
  /// is replaced by its default, so an error may be followed by one about that.
  [[nodiscard]] std::vector<std::string> mistakes() const;

 private:
  friend class YamlMap;
  struct Parts;
  explicit YamlFile(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

/// A mapping whose keys are known: whoever reads it asks for each by name and then calls done().
/// It refers to its file, which outlives it. Threads: one.
class YamlMap {
 public:
  ~YamlMap();
  YamlMap(YamlMap&&) noexcept;

  [[nodiscard]] bool has(std::string_view key);
  /// What stands at `key`, for values that may be written in a short and in a long form.
  [[nodiscard]] YamlKind kind(std::string_view key);
  [[nodiscard]] YamlPosition position() const;
  /// The value as text, or `otherwise` when absent.
  std::string text(std::string_view key, std::string otherwise);
  std::string required_text(std::string_view key);
  double number(std::string_view key, double otherwise);
  std::int64_t integer(std::string_view key, std::int64_t otherwise);
  bool flag(std::string_view key, bool otherwise);
  Duration duration(std::string_view key, Duration otherwise);
  /// One of `choices`; the position in them. An unknown word is an error with a suggestion.
  std::size_t choice(std::string_view key, const std::vector<std::string>& choices, std::size_t otherwise);
  std::vector<std::string> texts(std::string_view key, std::vector<std::string> otherwise);
  std::vector<double> numbers(std::string_view key, std::vector<double> otherwise);
  /// A mapping of any keys to texts.
  std::map<std::string, std::string> text_map(std::string_view key, std::map<std::string, std::string> otherwise);
  /// A mapping of known keys; nothing when absent.
  std::optional<YamlMap> map(std::string_view key);
  /// A mapping of names to mappings, in the order of the file; an empty value counts as an empty mapping.
  std::vector<std::pair<std::string, YamlMap>> named_maps(std::string_view key);
  /// A list of mappings.
  std::vector<YamlMap> maps(std::string_view key);

  /// Every key that nobody asked for is an error, with a suggestion from those that were asked for.
  void done();
  /// Records an error at the value of `key` (or at the mapping itself when the key is absent).
  void complain(std::string_view key, std::string_view sentence);
  /// Records the error of a check at the value of `key`; success is ignored.
  template <class T>
  void check(std::string_view key, const Result<T>& result) {
    if (!result) complain(key, result.error().detail());
  }

 private:
  friend class YamlFile;
  struct Parts;
  explicit YamlMap(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace serin::config
