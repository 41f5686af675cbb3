#pragma once
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/ports/clock.hpp"

namespace serin::limit {

struct BulkheadOptions {
  std::string name;               ///< of what is behind it
  std::int64_t most = 16;         ///< calls at once; 1 to 100000
  std::int64_t most_waiting = 0;  ///< callers that may wait for a place; 0: refuse at once; to 100000
  Duration look_every = 1ms;      ///< a waiting caller looks that often; > 0
};

class Bulkhead;

/// A place, given back with the object. Threads: one.
class Place {
 public:
  Place(Place&& other) noexcept;
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  Place& operator=(Place&&) = delete;
  ~Place();

 private:
  friend class Bulkhead;
  explicit Place(Bulkhead* owner) : owner_(owner) {}
  Bulkhead* owner_;
};

/// So many calls at once, so that one slow peer cannot take every thread. Those who wait are served in the order in
/// which they came. Threads: any; never one too many.
class Bulkhead {
 public:
  /// Errors: invalid_argument, naming the field.
  static Result<std::unique_ptr<Bulkhead>> make(BulkheadOptions options);
  /// A place at once or not at all. Errors: rejected, naming the bulkhead.
  Result<Place> try_enter();
  /// Waits for one. Errors: rejected (too many wait), deadline_exceeded, cancelled.
  Result<Place> enter(Sleeper& sleeper, Deadline deadline);
  struct Snapshot {
    std::int64_t inside = 0;
    std::int64_t waiting = 0;
    std::int64_t rejected = 0;  ///< ever
  };
  [[nodiscard]] Snapshot snapshot() const;
  [[nodiscard]] const BulkheadOptions& options() const noexcept { return options_; }

 private:
  friend class Place;
  explicit Bulkhead(BulkheadOptions options);
  void leave();
  std::unexpected<Error> full();

  BulkheadOptions options_;
  Error is_full_;  // made once
  mutable std::mutex mutex_;
  std::int64_t inside_ = 0;          // guarded by mutex_, like the rest
  std::deque<std::uint64_t> queue_;  // tickets, the oldest first
  std::uint64_t next_ticket_ = 0;
  std::int64_t rejected_ = 0;
};

}  // namespace serin::limit
