#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/config/yaml.hpp"
#include "serin/guard/target_policy.hpp"

namespace serin::policy {

struct NamedPolicy {
  std::string target;  ///< "warehouse", or with a star at its end "http:*"
  guard::TargetPolicy policy;
};

/// The section `resilience:` of a file. A value.
class Policies {
 public:
  explicit Policies(std::vector<NamedPolicy> targets = {}) : targets_(std::move(targets)) {}
  /// The policy of this very name, or else the one whose star fits with the longest text before it; null: none fits.
  [[nodiscard]] const NamedPolicy* find(std::string_view target) const;
  [[nodiscard]] const std::vector<NamedPolicy>& targets() const noexcept { return targets_; }

 private:
  std::vector<NamedPolicy> targets_;
};

/// Reads the section from a file that has others too. Mistakes are recorded in the map's file; who reads it asks for
/// its status() or mistakes().
Policies read_policies(config::YamlMap& root);

/// A file that holds the section and nothing else. Errors: invalid_argument with every mistake, a line each, in the
/// order of the file: "file:line:column: warehouse.retry.max_attempts must be from 1 (no retry) to 1000, not 0".
[[nodiscard]] Result<Policies> parse_policies(std::string_view text, std::string_view file);

}  // namespace serin::policy
