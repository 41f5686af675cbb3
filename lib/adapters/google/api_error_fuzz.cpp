// Goal: no answer makes the reader of errors crash, and what it reads is bounded, printable, and never "it worked" for
// a status that says otherwise. Method: libFuzzer; the first two bytes choose the status.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "serin/google/api_error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace serin;
  if (size < 2) return 0;
  const int status = 400 + (data[0] * 256 + data[1]) % 200;
  const std::string_view body(reinterpret_cast<const char*>(data) + 2, size - 2);
  const google::ApiError error = google::read_error(status, body);
  if (error.message.size() > 603 || error.reason.size() > 80 || error.status.size() > 80) std::abort();
  if (error.retry_delay && (*error.retry_delay < 0s || *error.retry_delay > 24h)) std::abort();
  if (error.outcome == OutcomeClass::success) std::abort();
  for (const char c : google::describe(error))
    if (static_cast<unsigned char>(c) < 0x20) std::abort();
  static_cast<void>(google::code_of(error));
  return 0;
}
