#include "target.hpp"

#include "local_target.hpp"
#include "releases.hpp"

namespace serin::tool {

std::vector<control::FailedRequest> Target::failures(std::int64_t, std::int64_t) { return {}; }

Result<std::unique_ptr<Target>> make_target(RealContext& context, Session& session,
                                            const config::ServiceSpec& service) {
  if (service.target.is_local()) return make_local_target(context, session, service);
  return fail(Errc::unsupported, "this build runs services on this machine only");
}

Result<Session*> session_for(RealContext& context, const std::string& service) {
  SERIN_TRY(const config::FleetSpec fleet, context.fleet());
  SERIN_TRY(const config::ServiceSpec* const found, find_service(fleet, service));
  return found->target.is_local() ? context.session() : context.make_session();
}

}  // namespace serin::tool
