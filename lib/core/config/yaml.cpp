#include "serin/config/yaml.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "serin/base/text.hpp"

namespace serin::config {
namespace {

constexpr std::size_t most_mistakes = 100;

}  // namespace

struct YamlFile::Parts {
  std::string file;
  YAML::Node root;
  struct Mistake {
    int line;
    int column;
    std::string text;
  };
  std::vector<Mistake> mistakes = {};

  void complain(const YAML::Mark& mark, std::string_view sentence) {
    // yaml-cpp counts from 0, people from 1.
    std::string text = fmt::format("{}:{}:{}: {}", file, mark.line + 1, mark.column + 1, sentence);
    // One mistake can be met twice: when a value is asked for, and when it is used.
    if (mistakes.size() < most_mistakes && std::ranges::find(mistakes, text, &Mistake::text) == mistakes.end())
      mistakes.push_back({.line = mark.line, .column = mark.column, .text = std::move(text)});
  }
  [[nodiscard]] Status status() const {
    if (mistakes.empty()) return {};
    return fail(Errc::invalid_argument, mistakes.front().text);
  }
};

struct YamlMap::Parts {
  YamlFile::Parts* file;
  YAML::Node node;
  std::string what;  ///< where this mapping stands, for sentences: "services.prediction-worker"
  std::vector<std::string> asked;
  bool valid = true;

  /// The value, or nothing when absent. An explicit null ("key:") counts as absent.
  std::optional<YAML::Node> find(std::string_view key) {
    asked.emplace_back(key);
    if (!valid) return std::nullopt;
    for (const auto& pair : node)
      if (pair.first.IsScalar() && pair.first.Scalar() == key && !pair.second.IsNull()) return pair.second;
    return std::nullopt;
  }
  [[nodiscard]] std::string at(std::string_view key) const {
    return what.empty() ? std::string(key) : fmt::format("{}.{}", what, key);
  }
  std::optional<std::string> scalar(std::string_view key, std::string_view kind) {
    const auto value = find(key);
    if (!value) return std::nullopt;
    if (value->IsScalar()) return value->Scalar();
    file->complain(value->Mark(),
                   fmt::format("{} must be {}, not {}", at(key), kind, value->IsMap() ? "a mapping" : "a list"));
    return std::nullopt;
  }
  std::unique_ptr<Parts> child(const YAML::Node& value, std::string where) {
    auto parts = std::make_unique<Parts>(Parts{file, value, std::move(where), {}});
    parts->valid = value.IsMap();
    if (!value.IsMap() && !value.IsNull())
      file->complain(value.Mark(), fmt::format("{} must be a mapping", parts->what));
    if (parts->valid) parts->refuse_duplicates();
    return parts;
  }
  void refuse_duplicates() {
    std::set<std::string> seen;
    for (const auto& pair : node) {
      if (!pair.first.IsScalar()) {
        file->complain(pair.first.Mark(), "a key must be a word");
      } else if (!seen.insert(pair.first.Scalar()).second) {
        file->complain(pair.first.Mark(), fmt::format("{} stands here twice", at(pair.first.Scalar())));
      }
    }
  }
};

YamlFile::YamlFile(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
YamlFile::~YamlFile() = default;

Result<std::unique_ptr<YamlFile>> YamlFile::parse(std::string_view text, std::string_view file) {
  auto parts = std::make_unique<Parts>(Parts{std::string(file), {}});
  try {
    parts->root = YAML::Load(std::string(text));
  } catch (const YAML::Exception& error) {
    parts->complain(error.mark, error.msg);
    return pass(parts->status().error());
  }
  if (!parts->root.IsMap())
    return fail(Errc::invalid_argument, fmt::format("{}:1:1: must be a YAML mapping of keys to values", file));
  return std::unique_ptr<YamlFile>(new YamlFile(std::move(parts)));
}

YamlMap YamlFile::root() {
  auto parts = std::make_unique<YamlMap::Parts>(YamlMap::Parts{parts_.get(), parts_->root, "", {}});
  parts->refuse_duplicates();
  return YamlMap(std::move(parts));
}

Status YamlFile::status() const { return parts_->status(); }

std::vector<std::string> YamlFile::mistakes() const {
  std::multimap<std::pair<int, int>, std::string> sorted;  // those of one place stay in the order they were found in
  for (const Parts::Mistake& mistake : parts_->mistakes)
    sorted.emplace(std::pair(mistake.line, mistake.column), mistake.text);
  std::vector<std::string> out;
  out.reserve(sorted.size());
  for (const auto& [place, text] : sorted) out.push_back(text);
  return out;
}

YamlMap::YamlMap(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
YamlMap::~YamlMap() = default;
YamlMap::YamlMap(YamlMap&&) noexcept = default;

bool YamlMap::has(std::string_view key) { return parts_->find(key).has_value(); }

YamlKind YamlMap::kind(std::string_view key) {
  const auto value = parts_->find(key);
  if (!value) return YamlKind::absent;
  return value->IsMap() ? YamlKind::map : value->IsSequence() ? YamlKind::list : YamlKind::scalar;
}

YamlPosition YamlMap::position() const {
  const YAML::Mark mark = parts_->node.Mark();
  return {.line = mark.line + 1, .column = mark.column + 1};
}

std::string YamlMap::text(std::string_view key, std::string otherwise) {
  return parts_->scalar(key, "a text").value_or(std::move(otherwise));
}

std::string YamlMap::required_text(std::string_view key) {
  if (!has(key)) complain(key, fmt::format("{} is missing", parts_->at(key)));
  return text(key, "");
}

double YamlMap::number(std::string_view key, double otherwise) {
  const auto word = parts_->scalar(key, "a number");
  if (!word) return otherwise;
  const auto value = to_double(*word);
  if (value && std::isfinite(*value)) return *value;
  complain(key, fmt::format("{} must be a number, not '{}'", parts_->at(key), *word));
  return otherwise;
}

std::int64_t YamlMap::integer(std::string_view key, std::int64_t otherwise) {
  const auto word = parts_->scalar(key, "a whole number");
  if (!word) return otherwise;
  if (const auto value = to_int(*word)) return *value;
  complain(key, fmt::format("{} must be a whole number, not '{}'", parts_->at(key), *word));
  return otherwise;
}

bool YamlMap::flag(std::string_view key, bool otherwise) {
  const auto word = parts_->scalar(key, "true or false");
  if (!word) return otherwise;
  if (*word == "true") return true;
  if (*word != "false") complain(key, fmt::format("{} must be true or false, not '{}'", parts_->at(key), *word));
  return *word == "false" ? false : otherwise;
}

Duration YamlMap::duration(std::string_view key, Duration otherwise) {
  const auto word = parts_->scalar(key, "a duration");
  if (!word) return otherwise;
  const auto value = parse_duration(*word);
  if (value) return *value;
  complain(key, fmt::format("{}: {}", parts_->at(key), value.error().detail()));
  return otherwise;
}

std::size_t YamlMap::choice(std::string_view key, const std::vector<std::string>& choices, std::size_t otherwise) {
  const auto word = parts_->scalar(key, "a word");
  if (!word) return otherwise;
  const auto found = std::ranges::find(choices, *word);
  if (found != choices.end()) return static_cast<std::size_t>(found - choices.begin());
  std::string sentence =
      fmt::format("{} must be one of {}, not '{}'", parts_->at(key), fmt::join(choices, ", "), *word);
  if (const auto near = nearest_word(*word, choices)) sentence += fmt::format("; did you mean '{}'?", *near);
  complain(key, sentence);
  return otherwise;
}

std::vector<std::string> YamlMap::texts(std::string_view key, std::vector<std::string> otherwise) {
  const auto value = parts_->find(key);
  if (!value) return otherwise;
  std::vector<std::string> out;
  bool good = value->IsSequence();
  if (good)
    for (const auto& item : *value) {
      good = good && item.IsScalar();
      if (item.IsScalar()) out.push_back(item.Scalar());
    }
  if (good) return out;
  parts_->file->complain(value->Mark(), fmt::format("{} must be a list of texts", parts_->at(key)));
  return otherwise;
}

std::vector<double> YamlMap::numbers(std::string_view key, std::vector<double> otherwise) {
  const auto value = parts_->find(key);
  if (!value) return otherwise;
  std::vector<double> out;
  bool good = value->IsSequence();
  if (good)
    for (const auto& item : *value) {
      const auto number = item.IsScalar() ? to_double(item.Scalar()) : std::nullopt;
      good = good && number && std::isfinite(*number);
      if (number) out.push_back(*number);
    }
  if (good) return out;
  parts_->file->complain(value->Mark(), fmt::format("{} must be a list of numbers", parts_->at(key)));
  return otherwise;
}

std::map<std::string, std::string> YamlMap::text_map(std::string_view key,
                                                     std::map<std::string, std::string> otherwise) {
  const auto value = parts_->find(key);
  if (!value) return otherwise;
  const auto child = parts_->child(*value, parts_->at(key));
  if (!child->valid) return otherwise;
  std::map<std::string, std::string> out;
  for (const auto& pair : child->node) {
    if (!pair.first.IsScalar()) continue;
    if (!pair.second.IsScalar() && !pair.second.IsNull()) {
      parts_->file->complain(pair.second.Mark(), fmt::format("{} must be a text", child->at(pair.first.Scalar())));
      continue;
    }
    out[pair.first.Scalar()] = pair.second.IsNull() ? "" : pair.second.Scalar();
  }
  return out;
}

std::optional<YamlMap> YamlMap::map(std::string_view key) {
  const auto value = parts_->find(key);
  if (!value) return std::nullopt;
  return YamlMap(parts_->child(*value, parts_->at(key)));
}

std::vector<std::pair<std::string, YamlMap>> YamlMap::named_maps(std::string_view key) {
  std::vector<std::pair<std::string, YamlMap>> out;
  const auto value = parts_->find(key);
  if (!value) return out;
  const auto child = parts_->child(*value, parts_->at(key));
  if (!child->valid) return out;
  for (const auto& pair : child->node) {
    if (!pair.first.IsScalar()) continue;
    const std::string name = pair.first.Scalar();
    out.emplace_back(name, YamlMap(child->child(pair.second, child->at(name))));
  }
  return out;
}

std::vector<YamlMap> YamlMap::maps(std::string_view key) {
  std::vector<YamlMap> out;
  const auto value = parts_->find(key);
  if (!value) return out;
  if (!value->IsSequence()) {
    parts_->file->complain(value->Mark(), fmt::format("{} must be a list", parts_->at(key)));
    return out;
  }
  for (const auto& item : *value)
    out.push_back(YamlMap(parts_->child(item, fmt::format("{}[{}]", parts_->at(key), out.size()))));
  return out;
}

void YamlMap::done() {
  if (!parts_->valid) return;
  for (const auto& pair : parts_->node) {
    if (!pair.first.IsScalar()) continue;
    const std::string& key = pair.first.Scalar();
    if (std::ranges::find(parts_->asked, key) != parts_->asked.end()) continue;
    std::string sentence = fmt::format("unknown key '{}'", parts_->at(key));
    if (const auto near = nearest_word(key, parts_->asked)) {
      sentence += fmt::format("; did you mean '{}'?", *near);
    } else {
      std::vector<std::string> known = parts_->asked;
      std::ranges::sort(known);
      known.erase(std::ranges::unique(known).begin(), known.end());
      sentence += fmt::format("; known here: {}", fmt::join(known, ", "));
    }
    parts_->file->complain(pair.first.Mark(), sentence);
  }
}

void YamlMap::complain(std::string_view key, std::string_view sentence) {
  YAML::Mark mark = parts_->node.Mark();
  if (parts_->valid)
    for (const auto& pair : parts_->node)
      if (pair.first.IsScalar() && pair.first.Scalar() == key) mark = pair.second.Mark();
  parts_->file->complain(mark, sentence);
}

}  // namespace serin::config
