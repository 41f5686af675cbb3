// Each hedge outside of retry would make its own retries.
#include "serin/guard/pipeline.hpp"
using namespace serin::guard;
auto make(Hedge& hedge, const serin::retry::Retry& policy, serin::retry::Budget& budget) {
  return pipeline(Hedging{hedge, budget}, Retrying{policy, budget});
}
