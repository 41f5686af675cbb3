// Goal: no text makes the reader of recordings crash, and what it accepts can be judged.
#include <cstddef>
#include <cstdint>
#include <string>

#include "serin/judge/replay.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  const auto recording = serin::judge::parse_recording(text, "fuzz");
  if (recording && recording->size() < 50) static_cast<void>(serin::judge::replay(*recording, {}));
  return 0;
}
