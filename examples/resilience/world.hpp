#pragma once
#include <fmt/format.h>

#include <string_view>

#include "serin/guard/pipeline.hpp"
#include "serin/system/clock.hpp"
#include "serin/system/random.hpp"

// What every example needs: the real clock, entropy, and somebody to call who fails the first few times.
namespace example {
using namespace serin;
using guard::Context;

struct World {
  PatientSleeper sleeper;
  SystemRandom random;
  Context call(Duration within = 5s) {
    return {.sleeper = sleeper,
            .random = random,
            .deadline = Deadline::after(sleeper.now(), within),
            .idempotency = Idempotency::idempotent};
  }
};

/// Answers "pong" after `failures` times of "refused".
struct Peer {
  int failures = 0;
  int calls = 0;
  Result<std::string_view> ping() {
    ++calls;
    if (failures-- > 0) return fail(Errc::unavailable, "refused");
    return "pong";
  }
};

inline std::string said(const Result<std::string_view>& answer) {
  return answer ? std::string(*answer) : answer.error().text();
}
inline void say(std::string_view text) {
  fmt::print("{}\n", text);
  std::fflush(stdout);
}

}  // namespace example
