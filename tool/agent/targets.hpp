#pragma once
#include <string>
#include <vector>

#include "serin/control/control_store.hpp"

namespace serin::agent {

/// What Prometheus scrapes, in the form of its file_sd_configs: an entry for each replica that has a process, with the
/// labels service, release and replica; in the order of the list. Pure.
[[nodiscard]] std::string scrape_targets(const std::vector<control::ObservedReplica>& replicas);

/// The file in which Prometheus finds what runs now. In a folder of its own, because Prometheus looks at every change
/// of the folder it is in. Threads: one.
class TargetsFile {
 public:
  explicit TargetsFile(std::string path) : path_(std::move(path)) {}
  /// Replaces the file, whole, when it does not say this yet. After an error the next call tries again.
  /// Errors: exhausted, permission_denied, unavailable; the file is as it was.
  Status update(const std::vector<control::ObservedReplica>& replicas);

 private:
  std::string path_;
  std::string written_;  ///< what the file says; empty: not known
};

}  // namespace serin::agent
