#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "serin/base/error.hpp"
#include "serin/ports/check.hpp"
#include "serin/ports/clock.hpp"

namespace serin::probes {

struct RedisOptions {
  std::string host;      ///< name or address, at most 253 bytes
  int port = 6379;       ///< 1 to 65535
  std::string user;      ///< for AUTH; empty: the default user
  std::string password;  ///< for AUTH; empty: no AUTH; never shown
  bool cluster = false;  ///< CLUSTER INFO must say cluster_state:ok too
};
/// Whether Redis answers PING, on a connection that is kept. When that was closed meanwhile, a new one within the same
/// deadline. Down when not. Errors: invalid_argument. \param clock  outlives the check
Result<health::CheckFunction> redis_check(RedisOptions options, const Clock& clock);

/// One reply of the protocol (RESP 2): status, error, number or text.
struct RedisReply {
  char kind = '+';  ///< '+', '-', ':' or '$'
  std::string text;
  std::size_t size = 0;  ///< bytes it took
};
/// Nothing: more bytes are needed. Errors: data_loss (no RESP, or longer than 1 MiB). Pure.
Result<std::optional<RedisReply>> parse_redis_reply(std::string_view bytes);

}  // namespace serin::probes
