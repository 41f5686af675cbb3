#pragma once
#include <memory>
#include <optional>
#include <string>

#include "matrix.hpp"
#include "shell.hpp"

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

/// A fleet of one service with steady traffic, released to again and again. Threads: one.
class Lane {
 public:
  explicit Lane(int number);
  ~Lane();
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;
  /// Begins a fleet for it, releases, looks what became of it, and takes the fleet down.
  End play(const Kind& kind, int round);

 private:
  void begin(const Kind& kind);
  void end();
  story::Outcome serin(std::initializer_list<std::string> words, std::chrono::seconds limit) const;
  /// "r1=100": what the router has, or what kept it from saying it.
  [[nodiscard]] std::string split() const;
  [[nodiscard]] std::string service_url() const;
  void disturb(Meanwhile what) const;

  int number_;
  std::unique_ptr<story::Folder> folder_;
};

}  // namespace serin::faults
