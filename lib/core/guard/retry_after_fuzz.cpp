// Goal: no field value makes the parsers crash, overflow or answer outside of their range. Method: libFuzzer.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "serin/guard/retry_after.hpp"
#include "serin/guard/time_left.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace serin;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const WallTime now(std::chrono::seconds(1'775'757'780));
  if (const auto wait = guard::parse_retry_after(text, now); wait && (*wait < 0s || *wait > 24h)) std::abort();
  if (const auto left = guard::parse_time_left(text)) {
    if (*left < 0s || *left > 999'999'999ms || guard::format_time_left(*left) != text) std::abort();
  }
  return 0;
}
