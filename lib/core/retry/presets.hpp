#pragma once
#include <optional>
#include <span>
#include <string_view>

#include "serin/retry/retry.hpp"

namespace serin::retry {

/// A policy with a name, and where its numbers come from. They never change under a name: a better one gets another.
struct Preset {
  std::string_view name;
  std::string_view source;
  RetryOptions options;
};
/// fast, standard, patient, aggressive (the four that services here were tuned with); aws_standard_2026, grpc_default,
/// http_client, database, interactive, background.
[[nodiscard]] std::span<const Preset> presets();
/// Nothing for an unknown name.
[[nodiscard]] std::optional<Retry> preset(std::string_view name);

}  // namespace serin::retry
