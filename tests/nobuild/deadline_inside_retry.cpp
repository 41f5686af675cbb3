// A total deadline inside of retry would begin anew with each attempt.
#include "serin/guard/pipeline.hpp"
using namespace serin::guard;
auto make(const serin::retry::Retry& policy, serin::retry::Budget& budget) {
  return pipeline(Retrying{policy, budget}, TotalDeadline{std::chrono::seconds(3)});
}
