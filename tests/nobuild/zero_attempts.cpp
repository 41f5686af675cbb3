// A retry that makes no attempt at all: a constant, so it is refused when it is compiled.
#include "serin/retry/retry.hpp"
constexpr auto options = serin::checked(serin::retry::RetryOptions{.max_attempts = 0});
