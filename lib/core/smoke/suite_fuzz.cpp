// Any bytes: parse_suite answers with tests that have steps, or with mistakes that each have a position.
#include <cstdint>
#include <cstdlib>

#include "serin/smoke/suite.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto suite = serin::smoke::parse_suite({reinterpret_cast<const char*>(data), size}, "s.yaml");
  if (!suite) {
    if (!suite.error().detail().starts_with("s.yaml:")) std::abort();
    return 0;
  }
  if (suite->tests.empty()) std::abort();
  for (const auto& test : suite->tests)
    if (test.steps.empty()) std::abort();
  return 0;
}
