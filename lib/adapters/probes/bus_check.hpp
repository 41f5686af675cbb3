#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/ports/bus.hpp"
#include "serin/ports/check.hpp"

namespace serin::probes {

struct BusOptions {
  std::vector<std::string> subscriptions;  ///< that must exist; 1 to 100
  Duration oldest_degraded = 1min;         ///< age of a message not acknowledged; > 0, at most oldest_down
  Duration oldest_down = 15min;
  std::int64_t dead_letters_degraded = 1;  ///< so many or more of a subscription; >= 1, at most dead_letters_down
  std::int64_t dead_letters_down = 1000;
};
/// Whether subscriptions exist and are worked off. Asks for counts only: pulls and acknowledges nothing. A subscription
/// that is missing is down; a bus that does not answer is down; one that does not tell ages and dead letters (Pub/Sub)
/// is unknown. Ends at the deadline as far as the bus does; a stop is
/// seen before each question. Errors: invalid_argument. \param bus  outlives the check
Result<health::CheckFunction> bus_check(BusOptions options, Bus& bus);

}  // namespace serin::probes
