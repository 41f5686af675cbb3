#include <fmt/format.h>

#include <algorithm>

#include "serin/control/control_store.hpp"

namespace serin::control {

Status StorePlatform::start(const ServiceName& service, const ReleaseSpec& release, Deadline) {
  if (std::ranges::find(services_, service) == services_.end())
    return fail(Errc::not_found, fmt::format("the fleet has no service '{}'", service));
  SERIN_CHECK(store_.check_alive());
  return store_.want_running(service, release);
}

Status StorePlatform::stop(const ServiceName& service, const ReleaseName& release, Deadline) {
  // Also when no agent lives: the next one will see it.
  return store_.want_stopped(service, release);
}

Result<std::vector<Replica>> StorePlatform::replicas(const ServiceName& service, const ReleaseName& release, Deadline) {
  SERIN_CHECK(store_.check_alive());  // what nobody looks at any more is not known
  SERIN_TRY(const std::optional<DesiredRelease> desired, store_.find(service, release));
  if (!desired) return fail(Errc::not_found, fmt::format("{} never had a release '{}'", service, release));
  SERIN_TRY(const std::vector<ObservedReplica> all, store_.replicas());
  std::vector<Replica> replicas;
  for (const ObservedReplica& seen : all)
    if (seen.service == service && seen.release == release) replicas.push_back(seen.replica);
  return replicas;
}

Result<TrafficWindow> StoreTraffic::read(const ServiceName& service, std::int64_t after, Deadline) {
  SERIN_CHECK(store_.check_alive());
  return store_.traffic(service, after);
}

}  // namespace serin::control
