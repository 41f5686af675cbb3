// Any bytes: parse_policies answers with policies that all pass their own checks, or with mistakes that each have a
// position, and nothing else happens.
#include <cstdlib>
#include <string_view>
#include <variant>

#include "serin/policy/policies.hpp"

namespace {

void check(const serin::policy::Policies& policies) {
  for (const auto& [name, target] : policies.targets()) {
    bool good = !target.retry || serin::retry::Retry::make(*target.retry).has_value();
    good = good && std::visit([](const auto& budget) { return wrongs(budget).empty(); }, target.budget);
    good = good && (!target.breaker || serin::breaker::Breaker::make(*target.breaker).has_value());
    good = good && (!target.bulkhead || serin::limit::Bulkhead::make(*target.bulkhead).has_value());
    good = good && (!target.rate || serin::limit::RateLimit::make(target.rate->second).has_value());
    good = good && (!target.adaptive || serin::limit::AdaptiveLimit::make(*target.adaptive).has_value());
    if (!good || policies.find(name) == nullptr) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto policies = serin::policy::parse_policies(text, "p.yaml");
  if (policies) {
    check(*policies);
    return 0;
  }
  std::string_view mistakes = policies.error().detail();
  if (!mistakes.starts_with("p.yaml:")) std::abort();
  return 0;
}
