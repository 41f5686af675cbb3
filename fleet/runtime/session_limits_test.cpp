// Goal: whoever a policy lets through finds a connection. Method: policies as a file gives them; the policy that is
// used without one.
#include "serin/fleet_runtime/session_limits.hpp"

#include <gtest/gtest.h>

#include "serin/guard/guarded_http.hpp"

namespace serin::fleet {
namespace {

policy::Policies one(std::string target, guard::TargetPolicy policy) {
  std::vector<policy::NamedPolicy> named;
  named.push_back({.target = std::move(target), .policy = std::move(policy)});
  return policy::Policies(std::move(named));
}
policy::Policies policies(std::string target, std::int64_t most) {
  return one(std::move(target), {.bulkhead = limit::BulkheadOptions{.most = most}});
}

TEST(SessionLimits, let_through_as_many_as_the_usual_policy_does) {
  const guard::TargetPolicy usual = guard::usual_http_policy().value();
  ASSERT_TRUE(usual.bulkhead);
  EXPECT_EQ(session_options(policy::Policies()).per_origin, static_cast<std::size_t>(usual.bulkhead->most));
}

TEST(SessionLimits, follow_a_policy_for_http_that_lets_more_through) {
  const http::SessionOptions wide = session_options(policies("http:*", 300));
  EXPECT_EQ(wide.per_origin, 300u);
  EXPECT_GE(wide.total, 1200u) << "more than one origin may be busy";
  EXPECT_EQ(session_options(policies("http://peer:80", 2)).per_origin, session_options(policy::Policies()).per_origin)
      << "other origins have the usual policy";
  EXPECT_EQ(session_options(policies("*", 300)).per_origin, 300u);
  EXPECT_EQ(session_options(policies("warehouse", 300)).per_origin, session_options(policy::Policies()).per_origin);
  EXPECT_EQ(session_options(one("http:*", {})).per_origin, 10'000u) << "no limit at all";
}

}  // namespace
}  // namespace serin::fleet
