// A bulkhead outside of retry holds its place while retry sleeps.
#include "serin/guard/pipeline.hpp"
using namespace serin::guard;
auto make(serin::limit::Bulkhead& bulkhead, const serin::retry::Retry& policy, serin::retry::Budget& budget) {
  return pipeline(Bounded{bulkhead}, Retrying{policy, budget});
}
