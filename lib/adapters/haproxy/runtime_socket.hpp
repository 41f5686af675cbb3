#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/haproxy/weights.hpp"
#include "serin/ports/clock.hpp"

namespace serin::haproxy {

/// The counters of one row of `show stat`.
struct Counters {
  std::int64_t requests = 0;      ///< req_tot: of a frontend
  std::int64_t answers = 0;       ///< sum of hrsp_*: of a frontend
  std::int64_t in_flight = 0;     ///< scur: of a backend
  std::int64_t retries = 0;       ///< wretr: of a server, attempts that failed there and were tried there again
  std::int64_t redispatches = 0;  ///< wredis: ... and were tried elsewhere
};
/// By "<proxy>/<name>", where name is FRONTEND, BACKEND or a server's.
using Statistics = std::map<std::string, Counters, std::less<>>;

/// Errors: data_loss, when the text is not what `show stat` prints. Pure.
Result<Statistics> parse_statistics(std::string_view csv);
/// By service. Errors: data_loss, when the text is not what `show servers state` prints. Pure.
Result<std::map<std::string, std::vector<Server>>> parse_servers(std::string_view text);

/// HAProxy's runtime interface: a command, an answer, a connection each. Threads: any.
class RuntimeSocket {
 public:
  /// \param clock  outlives it
  RuntimeSocket(std::string path, const Clock& clock) : path_(std::move(path)), clock_(clock) {}
  /// Errors: unavailable (nobody listens, closed), deadline_exceeded.
  Result<std::string> ask(std::string_view command, Deadline deadline) const;
  /// For commands that print nothing, or only "New server registered.", when they are done.
  /// Errors: internal, with what was printed instead.
  Status order(std::string_view command, Deadline deadline) const;
  Result<Statistics> statistics(Deadline deadline) const;
  Result<std::map<std::string, std::vector<Server>>> servers(Deadline deadline) const;

 private:
  std::string path_;
  const Clock& clock_;
};

}  // namespace serin::haproxy
