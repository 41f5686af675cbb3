#pragma once
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "serin/health/health.hpp"

namespace serin::health {

/// All that is known at one time. Never changes: readers need no lock, and judge it by the time they have. Pure.
struct Snapshot {
  std::uint64_t version = 1;
  Phase phase = Phase::accepting;
  bool started = false;
  bool has_startup = false;  ///< otherwise the readiness checks decide about the start
  bool liveness_fails_readiness = true;
  std::optional<std::string> refused = {};
  std::vector<std::shared_ptr<const CheckFacts>> checks = {};  // shared by all snapshots between two of its changes

  /// The question of each kind, answered ahead, and until when that answer holds.
  struct Glance {
    HealthStatus status = HealthStatus::up;
    Instant until = Instant::max();
  };
  std::array<Glance, 4> glances = {};  // liveness, readiness, startup, deep

  /// Answers the glances; the last thing that happens to a snapshot before it is shown.
  void look(Instant now);
  /// report({.kind = kind}).status. Allocates nothing.
  [[nodiscard]] HealthStatus status(Kind kind, Instant now) const noexcept;
  enum class Selected : std::uint8_t { no, excluded, counted };
  [[nodiscard]] Selected selects(const CheckFacts& check, const Selection& selection, Instant now) const noexcept;
  [[nodiscard]] std::optional<HealthReport> report(const Selection& selection, Instant now) const;
  [[nodiscard]] HealthStatus judge(Kind kind, Instant now) const noexcept;

 private:
  [[nodiscard]] bool part_of(const CheckFacts& check, Kind kind, Instant now) const noexcept;
};

}  // namespace serin::health
