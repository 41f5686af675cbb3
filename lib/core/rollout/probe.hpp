#pragma once
#include <vector>

#include "serin/base/name.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/http.hpp"
#include "serin/ports/platform.hpp"

namespace serin::rollout {

/// Asks each replica at its own address who it is and whether it is ready, before any user reaches it.
/// `/health` has to be 200 and, as far as it says so (JSON with "service", "version", "commit", "revision"), name this
/// service, this release and the version and commit of its labels: a stale program or another service under this name
/// is refused. `/health/deep`, where there is one, must not be 5xx: a program that is ready and cannot do its work is
/// refused too. A program whose /health has all fields of the health contract is held to all of it (core/conformance).
/// A program without them (404) is asked for its readiness only.
/// Errors: rejected, naming the replica, what it said and what it should have said. Threads: any.
Status probe(HttpClient& http, const Clock& clock, const ServiceName& service, const ReleaseSpec& release,
             const std::vector<Replica>& replicas, Deadline deadline);

}  // namespace serin::rollout
