#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/http.hpp"

namespace serin::conformance {

struct ConformanceOptions {
  std::string service = {};       ///< the name it has to say; empty: any
  std::string key = {};           ///< shows details (`Authorization: Bearer`); empty: they are not asked for
  Duration answer_within = 1s;    ///< of every single answer, whatever its dependencies do; > 0
  bool dependency_hangs = false;  ///< one of its critical checks never returns: it must say so, in time and whole
};

/// One rule of the contract and what was seen.
struct Finding {
  std::string rule;  ///< a sentence: "GET /health answers 200"
  bool kept = false;
  std::string seen;  ///< what contradicts it; empty when kept
};

/// Asks a service everything that the health contract promises: fields, codes, the sums of its counts, how long each
/// answer takes, HEAD, wrong methods, unknown paths, headers, and that nobody without the key learns an error's text.
/// About twenty requests; changes nothing. A service that cannot be reached breaks the first rule, and the rules that
/// could not be looked at are not listed as kept.
/// \param origin  "http://host:port"
/// Errors: none of its own, every trouble is a finding. Threads: any.
[[nodiscard]] std::vector<Finding> check_contract(HttpClient& http, const Clock& clock, std::string_view origin,
                                                  const ConformanceOptions& options, Deadline deadline);
/// The rules that are broken, "GET /health answers 200: answered 404; ...". Empty: all are kept. Pure.
[[nodiscard]] std::string broken(const std::vector<Finding>& findings);
/// Whether the body of a /health answer claims this contract: a JSON object with all of its fields. Pure.
[[nodiscard]] bool claims_contract(std::string_view health_body);

}  // namespace serin::conformance
