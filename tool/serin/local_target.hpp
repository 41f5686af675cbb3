#pragma once
#include "target.hpp"

namespace serin::tool {

/// Programs of this machine behind HAProxy, looked after by `serin agent`. \param session  outlives it
/// \param service  the same. Errors: none, but for a bug in its options.
Result<std::unique_ptr<Target>> make_local_target(RealContext& context, Session& session,
                                                  const config::ServiceSpec& service);

}  // namespace serin::tool
