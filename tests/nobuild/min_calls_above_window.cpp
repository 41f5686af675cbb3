// A window of 10 calls never holds 20.
#include "serin/breaker/breaker.hpp"
constexpr auto options = serin::checked(serin::breaker::BreakerConstant{.name = "db", .calls = 10, .min_calls = 20});
