#pragma once
#include <optional>
#include <string>

#include "matrix.hpp"

namespace serin::faults {

/// What became of one release.
struct End {
  std::string kind;
  std::string outcome;  ///< the rollout's, or "none" where `serin deploy` said nothing
  std::string reason;
  bool as_it_must = false;
  bool restored = false;             ///< the split afterwards is one release with everything: the right one
  double seconds = 0;                ///< of the rollout
  long long failed_requests = 0;     ///< users', of both versions
  std::optional<double> to_restore;  ///< from the verdict to the restored split, s
  std::optional<double> from_bad;    ///< from the first bad answer to the restored split, s
  long long sent = 0;                ///< by the load beside it
  long long missed = 0;              ///< of these, what the user would call failed
};

/// Fleets of one service, one after the other. Threads: one.
class Lane {
 public:
  explicit Lane(int number) : number_(number) {}
  /// Begins a fleet for it with steady traffic, releases, looks what became of it, and takes the fleet down.
  End play(const Kind& kind, int round);

 private:
  void disturb(Meanwhile what, const std::string& state) const;
  int number_;
};

}  // namespace serin::faults
