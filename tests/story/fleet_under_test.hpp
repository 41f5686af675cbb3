#pragma once
#include <boost/json.hpp>
#include <string>

#include "shell.hpp"

namespace serin::story {

inline std::string text_of(const boost::json::value& value) { return std::string(value.as_string()); }

/// The reference fleet with its state in a temporary folder; taken down, and checked to be gone, with the object.
class Fleet {
 public:
  Fleet() = default;
  /// Described by another file.
  explicit Fleet(std::string file) : file_(std::move(file)) {}
  ~Fleet() { serin({"down"}); }
  [[nodiscard]] std::vector<std::string> command(std::initializer_list<std::string> words) const {
    std::vector<std::string> argv{bin() + "/serin", "--fleet", file_, "--state", state()};
    argv.insert(argv.end(), words);
    return argv;
  }
  Outcome serin(std::initializer_list<std::string> words, std::chrono::seconds limit = 120s) const {
    return run(command(words), limit);
  }
  [[nodiscard]] std::string state() const { return folder_.path(); }
  /// The service's entry of `serin status --json`.
  [[nodiscard]] boost::json::object service(const std::string& name) const {
    const Outcome outcome = serin({"status", "--json"});
    for (const auto& entry : boost::json::parse(outcome.out).at("services").as_array())
      if (text_of(entry.at("name")) == name) return entry.as_object();
    return {};
  }
  /// "v1=100 v2=0": the releases with a weight and theirs, as the router has them.
  [[nodiscard]] std::string split(const std::string& name) const {
    std::string out;
    for (const auto& release : service(name).at("releases").as_array()) {
      const double weight = release.at("weight").to_number<double>();
      if (weight > 0)
        out += std::string(release.at("name").as_string()) + "=" + std::to_string(static_cast<int>(weight + 0.5)) + " ";
    }
    if (!out.empty()) out.pop_back();
    return out;
  }

 private:
  std::string file_ = source() + "/fleet/fleet.yaml";
  Folder folder_;
};

}  // namespace serin::story
