#pragma once
#include "serin/config/fleet_spec.hpp"
#include "serin/config/yaml.hpp"

// Shared by the files of this module: one reader a concept, each takes the mapping that describes it.
namespace serin::config {

/// "${bin}/x" with every ${name} replaced; an unknown name is complained about at `key`.
std::string substitute(std::string text, const Substitutions& substitutions, YamlMap& map, std::string_view key);
/// A path as written: absolute, or relative to the file's folder.
std::string absolute_path(const std::string& path, const Substitutions& substitutions);

/// What `target` names, or `base` without such a key.
TargetSpec read_target(YamlMap& map, TargetSpec base);
/// Everything of a release that stands in `map`; the rest comes from `base`. Does not call done().
ReleaseSpec read_release(YamlMap& map, ReleaseSpec base, const Substitutions& substitutions, const TargetSpec& target);
/// The plan that stands in `map`, on top of `base`. Calls done().
rollout::PlanOptions read_plan(YamlMap& map, rollout::PlanOptions base);

}  // namespace serin::config
