#include <fmt/format.h>
#include <openssl/evp.h>

#include <filesystem>

#include "specs.hpp"

namespace serin::config {

std::string substitute(std::string text, const Substitutions& substitutions, YamlMap& map, std::string_view key) {
  std::size_t at = 0;
  while ((at = text.find("${", at)) != std::string::npos) {
    const std::size_t end = text.find('}', at);
    const std::string name = end == std::string::npos ? "" : text.substr(at + 2, end - at - 2);
    const std::string* value = name == "bin" ? &substitutions.bin : name == "here" ? &substitutions.here : nullptr;
    if (value == nullptr) {
      map.complain(key, fmt::format("'{}' has an unknown ${{..}}; known are ${{bin}} and ${{here}}", text));
      return text;
    }
    text.replace(at, end - at + 1, *value);
    at += value->size();
  }
  return text;
}

std::string absolute_path(const std::string& path, const Substitutions& substitutions) {
  const std::filesystem::path given(path);
  return (given.is_absolute() ? given : std::filesystem::path(substitutions.here) / given).lexically_normal().string();
}

namespace {

std::optional<int> read_instances(YamlMap& scaling, std::string_view key, int least, std::optional<int> otherwise) {
  if (!scaling.has(key)) return otherwise;
  const std::int64_t count = scaling.integer(key, least);
  if (count < least || count > 10'000)
    scaling.complain(key, fmt::format("{} must be {} to 10000, not {}", key, least, count));
  return static_cast<int>(count);
}

/// What only a container has.
void read_container(YamlMap& map, ReleaseSpec& release, const Substitutions& substitutions) {
  if (map.has("command")) map.complain("command", "a container has image and args, not a command");
  release.image = map.text("image", release.image);
  if (map.has("image") && (release.image.empty() || release.image.find_first_of(" \t\n") != std::string::npos))
    map.complain("image",
                 fmt::format("'{}' is no image like us-docker.pkg.dev/project/repository/api:v1", release.image));
  release.command = map.texts("args", release.command);
  for (std::string& word : release.command) word = substitute(word, substitutions, map, "args");
  for (auto& [name, secret] : map.text_map("secrets", {})) {
    if (secret.empty() || secret.find_first_of(" \t/") != std::string::npos)
      map.complain("secrets", fmt::format("{}: '{}' is no secret like NAME or NAME:VERSION", name, secret));
    release.secrets[name] = secret;
  }
  for (auto& [name, amount] : map.text_map("resources", {})) {
    if (name != "cpu" && name != "memory" && name != "nvidia.com/gpu")
      map.complain("resources", fmt::format("'{}' is no resource: cpu, memory or nvidia.com/gpu", name));
    release.resources[name] = amount;
  }
  if (auto scaling = map.map("scaling")) {
    release.min_instances = read_instances(*scaling, "min", 0, release.min_instances);
    release.max_instances = read_instances(*scaling, "max", 1, release.max_instances);
    if (release.min_instances.value_or(0) > release.max_instances.value_or(10'000))
      scaling->complain("min", "min must not be above max");
    scaling->done();
  }
}

}  // namespace

ReleaseSpec read_release(YamlMap& map, ReleaseSpec release, const Substitutions& substitutions,
                         const TargetSpec& target) {
  if (!target.is_local()) {
    read_container(map, release, substitutions);
  } else if (map.has("command")) {
    release.command = map.texts("command", {});
    if (release.command.empty()) map.complain("command", "command must name a program");
    for (std::string& word : release.command) word = substitute(word, substitutions, map, "command");
    if (!release.command.empty()) release.command[0] = absolute_path(release.command[0], substitutions);
  }
  // Environment and labels add to the base: a release says what is different about it.
  for (auto& [name, value] : map.text_map("environment", {})) {
    if (name.empty() || name.find_first_of("= \t") != std::string::npos)
      map.complain("environment", fmt::format("'{}' is no name of an environment variable", name));
    release.environment[name] = substitute(value, substitutions, map, "environment");
  }
  for (auto& [name, value] : map.text_map("labels", {})) {
    map.check("labels", check_name("label", name));
    release.labels[name] = value;
  }
  if (target.is_local())
    release.directory = absolute_path(
        substitute(map.text("directory", release.directory), substitutions, map, "directory"), substitutions);
  const std::int64_t replicas = map.integer("replicas", release.replicas);
  if (replicas < 1 || replicas > 64)
    map.complain("replicas", fmt::format("replicas must be 1 to 64, not {}", replicas));
  release.replicas = static_cast<int>(replicas);
  if (auto ready = map.map("ready")) {
    release.ready_path = ready->text("path", release.ready_path);
    if (!release.ready_path.starts_with('/') || release.ready_path.find_first_of(" \t\r\n") != std::string::npos)
      ready->complain("path", fmt::format("'{}' is no path like /ready", release.ready_path));
    release.ready_timeout = ready->duration("timeout", release.ready_timeout);
    if (release.ready_timeout < 1s) ready->complain("timeout", "timeout must be 1s or more");
    ready->done();
  }
  return release;
}

Result<ReleaseSpec> parse_release(std::string_view text, std::string_view file, const ReleaseSpec& base,
                                  const Substitutions& substitutions, const TargetSpec& target) {
  SERIN_TRY(const auto yaml, YamlFile::parse(text, file));
  YamlMap map = yaml->root();
  ReleaseSpec release = read_release(map, base, substitutions, target);
  const auto name = ReleaseName::make(map.required_text("name"));
  map.check("name", name);
  map.done();
  SERIN_CHECK(yaml->status());
  release.name = *name;
  release.digest.clear();
  return release;
}

std::string release_digest(const ReleaseSpec& release, std::string_view program_digest) {
  // Length before each piece, so that no two different releases give the same bytes.
  std::string bytes;
  const auto add = [&](std::string_view piece) { bytes += fmt::format("{}:{}", piece.size(), piece); };
  add(program_digest);
  add(fmt::format("{}", release.command.size()));
  for (const std::string& word : release.command) add(word);
  add(release.directory);
  add(release.ready_path);
  for (const auto* pairs : {&release.environment, &release.labels}) {
    add(fmt::format("{}", pairs->size()));
    for (const auto& [name, value] : *pairs) {
      add(name);
      add(value);
    }
  }
  // Only what there is: a program's digest is what it was before there were containers.
  const auto add_named = [&](std::string_view name, std::string_view value) {
    if (value.empty()) return;
    add(name);
    add(value);
  };
  add_named("image", release.image);
  for (const auto& [name, secret] : release.secrets) add_named("secret " + name, secret);
  for (const auto& [name, amount] : release.resources) add_named("resource " + name, amount);
  if (release.min_instances) add_named("min_instances", std::to_string(*release.min_instances));
  if (release.max_instances) add_named("max_instances", std::to_string(*release.max_instances));
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  SERIN_ASSERT(EVP_Digest(bytes.data(), bytes.size(), hash, &size, EVP_sha256(), nullptr) == 1);
  std::string out = "sha256:";
  for (unsigned int i = 0; i < size; ++i) out += fmt::format("{:02x}", hash[i]);
  return out;
}

}  // namespace serin::config
