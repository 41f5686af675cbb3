// An attempt that may take longer than the whole call.
#include "serin/guard/timeouts.hpp"
using namespace std::chrono_literals;
constexpr auto timeouts = serin::checked(serin::guard::Timeouts{.total = 1s, .attempt = 2s});
