#pragma once
#include <memory>
#include <stop_token>
#include <string>

#include "serin/google/api.hpp"
#include "serin/ports/check.hpp"
#include "serin/ports/documents.hpp"

namespace serin::google {

struct FirestoreOptions {
  std::string project;
  std::string database = "(default)";
  std::stop_token stop = {};  ///< ends every call
};

/// Documents in Firestore, as its own fields, so that others can read them. Threads: any. Processes: any number.
///
/// A document's version is its update time in microseconds: the service's commits of a document never share one, and
/// one that is made again after it was erased has a later one. Firestore keeps the old time when a write changes
/// nothing; so each write carries a number of its own (`serin_write`), by which a write whose answer got lost is
/// recognised too. What Firestore has no fields for (a list directly in a list, a number above 2^63 - 1) is kept as
/// text in `serin_json`. A document is at most 1 MiB.
class Firestore final : public Documents {
 public:
  [[nodiscard]] static ApiOptions defaults();
  /// Sends nothing. Errors: invalid_argument, naming the option.
  static Result<std::unique_ptr<Firestore>> open(FirestoreOptions options, std::shared_ptr<Api> api);
  Result<std::optional<Document>> get(std::string_view collection, std::string_view id, Deadline deadline) override;
  /// Errors: as the port's; also invalid_argument (no JSON object), unavailable (others write it all the time; or
  /// nothing was heard, and it may have been written).
  Result<std::int64_t> put(std::string_view collection, std::string_view id, std::string json, std::int64_t expected,
                           Deadline deadline) override;
  Status erase(std::string_view collection, std::string_view id, std::int64_t expected, Deadline deadline) override;
  Result<std::vector<Document>> list(std::string_view collection, Deadline deadline) override;
  /// Whether the service answers: asks for a document that need not exist.
  Status ping(Deadline deadline);

 private:
  struct Stored;
  Firestore(FirestoreOptions options, std::shared_ptr<Api> api) : options_(std::move(options)), api_(std::move(api)) {}
  [[nodiscard]] std::string documents_path() const;
  [[nodiscard]] std::string name_of(std::string_view collection, std::string_view id) const;
  static Result<Stored> read(std::string_view json);
  Result<std::optional<Stored>> look(std::string_view collection, std::string_view id, Deadline deadline);
  Result<std::string> commit(std::string write, Idempotency idempotency, ApiError& error, Deadline deadline);

  FirestoreOptions options_;
  std::shared_ptr<Api> api_;
};

/// Whether Firestore answers: its ping(). \param documents  outlives the check
[[nodiscard]] health::CheckFunction firestore_check(Firestore& documents);

}  // namespace serin::google
