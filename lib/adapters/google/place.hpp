#pragma once
#include <stop_token>
#include <string>
#include <vector>

#include "serin/base/time.hpp"

namespace serin::google {

/// What a client works on.
struct Place {
  std::string project;
  std::string location = {};  ///< "us-central1", "US"; empty: the service has no locations, or its default
  friend auto operator<=>(const Place&, const Place&) = default;
};

/// How long a call may take, and who may end it. A Deadline alone is one.
struct Within {
  Within(Deadline until, std::stop_token token = {})  // NOLINT(google-explicit-constructor): it is the point
      : deadline(until), stop(std::move(token)) {}
  Deadline deadline;
  std::stop_token stop;
};

}  // namespace serin::google
