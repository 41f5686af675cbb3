#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/documents.hpp"

namespace serin {

struct LeaseOptions {
  std::string collection = "leases";
  std::string name;    ///< of what is locked: "rollout of prediction-worker"
  std::string holder;  ///< who asks, as people know him: "serin deploy, process 7 on host"
  Duration ttl = 10s;  ///< after which it is free unless renewed; > 0
  /// Whether that holder surely acts no more, by what the caller knows beside the clock (its process has ended): then
  /// its lease need not run out. In doubt: no. Empty: never.
  std::function<bool(std::string_view holder)> is_gone = {};
};

/// Who has a lease, as the document says.
struct LeaseInfo {
  std::string holder;  ///< empty: nobody
  std::int64_t token = 0;
  WallTime since{};
  WallTime until{};
};

/// A lock that several machines can share, for as long as it is renewed. Its token grows with every acquisition and is
/// never given twice: what is written with an older token than one seen before comes from a holder that was late, and
/// has to be refused by whoever keeps the data. Threads: one at a time. Source: Kleppmann, "How to do distributed
/// locking".
class Lease {
 public:
  /// \param documents, clock  outlive it
  /// Errors: conflict, naming the holder, since when and until when; invalid_argument; the documents' own.
  static Result<Lease> acquire(Documents& documents, const Clock& clock, LeaseOptions options, Deadline deadline);
  /// Errors: conflict, when it ran out and is somebody else's now.
  Status renew(Deadline deadline);
  /// Gives it back if it is still ours; if not, there is nothing to give back.
  Status release(Deadline deadline);
  [[nodiscard]] std::int64_t token() const noexcept { return token_; }
  /// Whether it has surely not run out yet, by our own clock.
  [[nodiscard]] bool is_ours(Instant now) const noexcept { return version_ > 0 && now < safe_until_; }

 private:
  Lease(Documents& documents, const Clock& clock, LeaseOptions options)
      : documents_(&documents), clock_(&clock), options_(std::move(options)) {}
  Status write(std::int64_t expected, std::int64_t token, WallTime since, Deadline deadline);

  Documents* documents_;
  const Clock* clock_;
  LeaseOptions options_;
  std::int64_t token_ = 0;
  std::int64_t version_ = 0;
  WallTime since_{};
  Instant safe_until_{};
};

/// Nothing when it was never taken.
Result<std::optional<LeaseInfo>> inspect_lease(Documents& documents, const std::string& collection,
                                               const std::string& name, Deadline deadline);

}  // namespace serin
