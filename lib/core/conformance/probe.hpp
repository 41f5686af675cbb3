#pragma once
#include <map>
#include <string>
#include <string_view>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/ports/check.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/http.hpp"

namespace serin::conformance {

/// What an answer to a health probe means, whoever wrote it: our contract, MicroProfile, Spring, health+json, one word,
/// or nothing but a code. A body that says "unhealthy" is down whatever its code; a code that says "I do not know you"
/// or "there is no such path" is unknown. \param said  receives the reason in a sentence. Pure.
[[nodiscard]] health::HealthStatus status_of_answer(const HttpResponse& answer, std::string& said);

struct ProbeTarget {
  std::string origin;                                ///< "http://host:port"
  std::string path = "/ready";                       ///< asked for its health
  std::map<std::string, std::string> expected = {};  ///< fields that /health has to say: {"commit": "abc"}
};

struct Probed {
  health::HealthStatus status = health::HealthStatus::unknown;
  int code = 0;  ///< of HTTP; 0: there was no answer
  Duration took{};
  std::string said;  ///< why, in a sentence; empty when it is up and said nothing more
};

/// Asks once. No answer is unknown; one that is not who was expected is down. Errors: none of its own. Threads: any.
[[nodiscard]] Probed probe_health(HttpClient& http, const Clock& clock, const ProbeTarget& target, Deadline deadline);

}  // namespace serin::conformance
