// Goal: no text makes the readers of addresses, networks, Accept and queries crash, or answer out of their range.
// Method: libFuzzer; what is an address lies in its own network.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "address.hpp"
#include "serin/endpoints/caller.hpp"
#include "wishes.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace serin::endpoints;
  const std::string text(data, data + size);
  if (const auto network = parse_network(text)) {
    if (network->bits > 128 || !network->contains(network->base)) std::abort();
  }
  if (const auto address = parse_address(text)) {
    const Network alone{.base = *address};
    if (!alone.contains(*address)) std::abort();
  }
  static_cast<void>(negotiate(text, Dialect::native));
  const auto query = parse_query(text);
  if (query && query->exclude.size() > 64) std::abort();
  if (same_secret(text, "sesame") != (text == "sesame")) std::abort();
  return 0;
}
