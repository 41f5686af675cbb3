// A bulkhead outside of hedging counts a call and its hedges as one.
#include "serin/guard/pipeline.hpp"
using namespace serin::guard;
auto make(Hedge& hedge, serin::limit::Bulkhead& bulkhead, serin::retry::Budget& budget) {
  return pipeline(Bounded{bulkhead}, Hedging{hedge, budget});
}
