#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/endpoints/options.hpp"

namespace serin::endpoints {

// Private to the module: what a caller asks for beside the path.

struct Query {
  bool verbose = false;                   ///< `verbose`, unless it says 0 or false
  std::vector<std::string> exclude = {};  ///< each once, in order
};
/// What follows '?' in `target`. Other parameters mean nothing here.
/// Errors: invalid_argument, more than 64 names, or one of more than 256 bytes. Pure.
[[nodiscard]] Result<Query> parse_query(std::string_view target);

/// The dialect that an Accept field asks for: highest quality first, then the most specific range, then `preferred`.
/// `preferred` when nothing fits or the field is empty: a prober that cannot be served exactly still gets an answer.
/// MicroProfile's and ASP.NET's have no media type of their own and are only ever `preferred`. RFC 9110, 12.5.1. Pure.
[[nodiscard]] Dialect negotiate(std::string_view accept, Dialect preferred);

}  // namespace serin::endpoints
