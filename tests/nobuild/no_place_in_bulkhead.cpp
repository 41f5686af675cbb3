// A bulkhead that lets nobody in.
#include "serin/limit/bulkhead.hpp"
constexpr auto options = serin::checked(serin::limit::BulkheadConstant{.name = "db", .most = 0});
