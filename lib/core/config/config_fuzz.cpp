// Any bytes: parse_fleet answers with a fleet or with an error that has a position, and nothing else happens.
#include <cstdlib>
#include <string_view>

#include "serin/config/fleet_spec.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto fleet = serin::config::parse_fleet(text, "fleet.yaml", {.bin = "/bin", .here = "/here"});
  if (!fleet && !fleet.error().detail().starts_with("fleet.yaml:")) std::abort();
  return 0;
}
