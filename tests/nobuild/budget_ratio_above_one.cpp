// More retries than calls is no budget.
#include "serin/retry/budget.hpp"
constexpr auto options = serin::checked(serin::retry::TokenBudgetOptions{.ratio = 1.5});
