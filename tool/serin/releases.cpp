#include "releases.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "serin/base/text.hpp"
#include "serin/system/files.hpp"

namespace serin::tool {

Result<const config::ServiceSpec*> find_service(const config::FleetSpec& fleet, const std::string& name) {
  if (const config::ServiceSpec* service = fleet.find(name)) return service;
  std::vector<std::string> names;
  for (const config::ServiceSpec& service : fleet.services) names.push_back(service.name.str());
  const std::optional<std::string> near = nearest_word(name, names);
  return fail(Errc::not_found, fmt::format("{} has no service '{}'{}", fleet.file, name,
                                           near ? fmt::format("; did you mean '{}'?", *near)
                                                : fmt::format("; it has {}", fmt::join(names, ", "))));
}

Result<ReleaseSpec> with_digest(ReleaseSpec release) {
  const Result<std::string> program = file_digest(release.command.front());
  if (!program)
    return fail(program.error().code(), fmt::format("release '{}': its program {} cannot be read: {}", release.name,
                                                    release.command.front(), program.error().detail()));
  release.digest = config::release_digest(release, *program);
  return release;
}

Result<ReleaseSpec> find_release(VerbContext& context, const config::FleetSpec& fleet,
                                 const config::ServiceSpec& service, const std::string& name_or_file,
                                 const std::string& bin) {
  if (service.release.name.str() == name_or_file) return service.release;
  std::vector<std::string> names{service.release.name.str()};
  for (const ReleaseSpec& release : service.releases) {
    if (release.name.str() == name_or_file) return release;
    names.push_back(release.name.str());
  }
  std::error_code error;
  const std::filesystem::path file = std::filesystem::absolute(name_or_file, error);
  if (!error && std::filesystem::is_regular_file(file, error)) {
    SERIN_TRY(const std::string text, context.read_file(file.string()));
    return config::parse_release(text, name_or_file, service.release, {.bin = bin, .here = file.parent_path().string()},
                                 service.target);
  }
  const std::optional<std::string> near = nearest_word(name_or_file, names);
  return fail(Errc::not_found,
              fmt::format("'{}' is neither a release of {} in {} ({}) nor a file{}", name_or_file, service.name,
                          fleet.file, fmt::join(names, ", "), near ? fmt::format("; did you mean '{}'?", *near) : ""));
}

}  // namespace serin::tool
