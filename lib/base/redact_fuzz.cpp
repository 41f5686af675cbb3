// Goal: no text makes redact() crash, and none makes it show a secret that stands on a line of its own after it; doing
// it twice changes nothing more. Method: libFuzzer; a known secret is appended to what it makes up.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "serin/base/redact.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  const std::string once = serin::redact(text);
  if (serin::redact(once) != once) std::abort();
  constexpr std::string_view secret = "Zk93xQ";
  if (text.find(secret) != std::string::npos) return 0;
  if (serin::redact(text + "\npassword=" + std::string(secret)).find(secret) != std::string::npos) std::abort();
  return 0;
}
