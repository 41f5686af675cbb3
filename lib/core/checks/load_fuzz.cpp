// Any bytes: load_checks answers with checks or with mistakes that have a position, and nothing else happens; what was
// loaded can be planned.
#include <cstdlib>
#include <numeric>
#include <string_view>

#include "serin/checks/plan.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto file = serin::checks::load_checks(text, "checks.yaml", serin::checks::Engine::postgres);
  if (!file && !file.error().detail().starts_with("checks.yaml:")) std::abort();
  if (!file) return 0;
  std::vector<std::size_t> all(file->checks.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  const serin::checks::Dialect dialect{serin::checks::Engine::postgres};
  static_cast<void>(serin::checks::make_plan(*file, all, dialect, {}));
  return 0;
}
