#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"

namespace serin {

struct Document {
  std::string id;
  std::string json;          ///< the content, a JSON object
  std::int64_t version = 0;  ///< >= 1; grows with every write and is never used twice, also after a delete
};

/// Small JSON documents with compare-and-set. Threads: any; processes: any number at once.
class Documents {
 public:
  virtual ~Documents() = default;
  virtual Result<std::optional<Document>> get(std::string_view collection, std::string_view id, Deadline deadline) = 0;
  /// Writes only if the stored version is `expected` (0: only if there is none) and returns the new version.
  /// Errors: conflict, when it is not.
  virtual Result<std::int64_t> put(std::string_view collection, std::string_view id, std::string json,
                                   std::int64_t expected, Deadline deadline) = 0;
  /// Removes only if the stored version is `expected`. Errors: conflict.
  virtual Status erase(std::string_view collection, std::string_view id, std::int64_t expected, Deadline deadline) = 0;
  /// All of a collection, by id.
  virtual Result<std::vector<Document>> list(std::string_view collection, Deadline deadline) = 0;
};

}  // namespace serin
