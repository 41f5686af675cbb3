#pragma once
#include <string>

#include "serin/base/error.hpp"
#include "serin/config/fleet_spec.hpp"
#include "verb.hpp"

namespace serin::tool {

/// The service of that name. Errors: not_found, with a suggestion.
Result<const config::ServiceSpec*> find_service(const config::FleetSpec& fleet, const std::string& name);
/// The release with its digest, made from the program's bytes as they are now.
/// Errors: not_found (the program), permission_denied.
Result<ReleaseSpec> with_digest(ReleaseSpec release);
/// A release by its name in the fleet's file, or from a file of its own, without a digest. Errors: not_found, naming
/// what there is; invalid_argument with file:line:column.
Result<ReleaseSpec> find_release(VerbContext& context, const config::FleetSpec& fleet,
                                 const config::ServiceSpec& service, const std::string& name_or_file,
                                 const std::string& bin);

}  // namespace serin::tool
