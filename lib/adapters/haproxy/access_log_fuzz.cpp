// Goal: no line makes the reader of the access log or the counter crash.
#include <cstddef>
#include <cstdint>
#include <string>

#include "serin/haproxy/traffic_counter.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  serin::haproxy::TrafficCounter counter({"a"});
  counter.add(text, 1);
  static_cast<void>(counter.close(1));
  static_cast<void>(serin::haproxy::parse_statistics(text));
  static_cast<void>(serin::haproxy::parse_servers(text));
  return 0;
}
