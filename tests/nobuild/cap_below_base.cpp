// A cap below the first wait.
#include "serin/retry/retry.hpp"
using namespace std::chrono_literals;
constexpr auto options = serin::checked(serin::retry::RetryOptions{.backoff = {.first = 2s, .most = 1s}});
