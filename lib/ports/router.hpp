#pragma once
#include <string>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/name.hpp"
#include "serin/base/time.hpp"

namespace serin {

/// How many percent of a service's requests a release is to get.
struct Share {
  ReleaseName release;
  double percent = 0;  ///< 0 to 100
  friend bool operator==(const Share&, const Share&) = default;
};
/// One entry a release that the router knows, by name; the percentages add up to 100 (or all are 0).
using Split = std::vector<Share>;

/// Sets and reads who gets how much traffic. Threads: any; processes: any, the last writer wins.
class Router {
 public:
  virtual ~Router() = default;
  /// What the router really has, read from the router, not from memory. Shares within 0.2 points of a set one are it.
  /// Errors: not_found (service), unavailable, deadline_exceeded.
  virtual Result<Split> read(const ServiceName& service, Deadline deadline) = 0;
  /// Makes it so; releases not named get 0. The growing release is raised first. Does not verify: read() does.
  /// Errors: not_found (service or release), invalid_argument (not 100 in sum), unavailable, deadline_exceeded.
  virtual Status apply(const ServiceName& service, const Split& split, Deadline deadline) = 0;
};

}  // namespace serin
