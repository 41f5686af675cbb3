#include "serin/retry/presets.hpp"

#include <array>

namespace serin::retry {
namespace {

RetryOptions full(int attempts, Duration first, Duration most) {
  return {.max_attempts = attempts, .backoff = {.first = first, .most = most}};
}

}  // namespace

std::span<const Preset> presets() {
  // Made once, before any thread asks, by the rules of static initialisation; nobody changes it.
  static const std::array list{
      Preset{"fast", "the replaced system, 2025", full(3, 500ms, 5s)},
      Preset{"standard", "the replaced system, 2025", full(4, 1s, 15s)},
      Preset{"patient", "the replaced system, 2025", full(5, 2s, 30s)},
      Preset{"aggressive", "the replaced system, 2025", full(7, 1s, 45s)},
      Preset{"aws_standard_2026", "AWS SDKs, standard mode v2.1: 3 attempts, 50 ms, 20 s, full jitter",
             full(3, 50ms, 20s)},
      Preset{"grpc_default",
             "gRFC A6's example: 4 attempts, 0.1 s to 1 s, x2, 20 % either way",
             {.max_attempts = 4,
              .backoff = {.first = 100ms, .most = 1s, .jitter = Jitter::plus_minus, .plus_minus = 0.2}}},
      Preset{"http_client", "one service calling another, 2026", full(3, 100ms, 2s)},
      Preset{"database", "a busy lock clears within milliseconds, 2026", full(5, 20ms, 1s)},
      Preset{"interactive", "somebody waits for it, 2026", full(2, 50ms, 200ms)},
      Preset{"background", "nobody waits for it, 2026", full(6, 1s, 60s)},
  };
  return list;
}

std::optional<Retry> preset(std::string_view name) {
  for (const Preset& known : presets())
    if (known.name == name)
      if (Result<Retry> made = Retry::make(known.options)) return *std::move(made);
  return std::nullopt;
}

}  // namespace serin::retry
