#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/name.hpp"
#include "serin/rollout/record.hpp"

namespace serin::rollout {

/// Where rollouts are written down. What a call returned success for survives kill -9.
/// Errors of every call: unavailable, exhausted (disk full), deadline_exceeded, data_loss. Threads: one; processes:
/// any, one of them at a time for one service (the lease's business).
class Journal {
 public:
  virtual ~Journal() = default;
  /// Writes a new rollout and returns its id. Errors: conflict, when one of that service is not final.
  virtual Result<std::int64_t> create(const Record& record) = 0;
  /// Writes the event (new, or completed under its seq) and the progress, both or neither.
  virtual Status write(std::int64_t id, const Event& event, const Progress& progress) = 0;
  /// Adds evidence; a second that is there already is left as it is.
  virtual Status add(std::int64_t id, std::span<const Bucket> buckets) = 0;
  /// Errors: not_found.
  virtual Result<Record> load(std::int64_t id) = 0;
  /// The newest first, with events but without evidence; of all services when none is named.
  virtual Result<std::vector<Record>> history(const std::optional<ServiceName>& service, int limit) = 0;
};

}  // namespace serin::rollout
