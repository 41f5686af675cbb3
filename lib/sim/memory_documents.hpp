#pragma once
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "serin/ports/documents.hpp"

namespace serin::sim {

/// Documents in memory. Threads: any.
class MemoryDocuments final : public Documents {
 public:
  Result<std::optional<Document>> get(std::string_view collection, std::string_view id, Deadline deadline) override;
  Result<std::int64_t> put(std::string_view collection, std::string_view id, std::string json, std::int64_t expected,
                           Deadline deadline) override;
  Status erase(std::string_view collection, std::string_view id, std::int64_t expected, Deadline deadline) override;
  Result<std::vector<Document>> list(std::string_view collection, Deadline deadline) override;
  /// The next calls answer unavailable, as when the database is gone.
  void break_down(bool broken) { broken_ = broken; }

 private:
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, Document> stored_;  // guarded by mutex_
  std::int64_t last_version_ = 0;                                   // guarded by mutex_
  bool broken_ = false;
};

}  // namespace serin::sim
