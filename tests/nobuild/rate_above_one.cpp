// A share of failures above 1 would never be reached.
#include "serin/breaker/breaker.hpp"
constexpr auto options = serin::checked(serin::breaker::BreakerConstant{.name = "db", .failure_rate = 1.5});
