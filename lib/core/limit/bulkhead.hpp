#pragma once
#include <concepts>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "serin/base/checked.hpp"
#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/ports/clock.hpp"

namespace serin::limit {

template <class Name>
struct BasicBulkheadOptions {
  Name name;                      ///< of what is behind it
  std::int64_t most = 16;         ///< calls at once; 1 to 100000
  std::int64_t most_waiting = 0;  ///< callers that may wait for a place; 0: refuse at once; to 100000
  /// A constant becomes options of the running program.
  operator BasicBulkheadOptions<std::string>() const requires std::same_as<Name, std::string_view> {
    return {.name = std::string(name), .most = most, .most_waiting = most_waiting};
  }
};
using BulkheadOptions = BasicBulkheadOptions<std::string>;
/// The same as a constant, for checked().
using BulkheadConstant = BasicBulkheadOptions<std::string_view>;
template <class Name>
constexpr Wrongs wrongs(const BasicBulkheadOptions<Name>& options) {
  Wrongs out;
  out.unless(options.most >= 1 && options.most <= 100'000, "most", "must be from 1 to 100000", options.most);
  out.unless(options.most_waiting >= 0 && options.most_waiting <= 100'000, "most_waiting", "must be from 0 to 100000",
             options.most_waiting);
  return out;
}

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

/// One who waits in line, and how it is woken: a thread by an Event, a coroutine by its executor. Stays where it is
/// until Bulkhead::stop_waiting() said what became of it.
class Waiter {
 public:
  Waiter() = default;
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  virtual ~Waiter() = default;

 protected:
  /// It has a place now. Called at most once, under the bulkhead's lock, by whoever left: wakes and does nothing else.
  virtual void on_place() noexcept = 0;

 private:
  friend class Bulkhead;
  Waiter* before_ = nullptr;  // guarded by the bulkhead's lock, like the rest
  Waiter* behind_ = nullptr;
  bool has_place_ = false;
};

/// So many calls at once, so that one slow peer cannot take every thread. Those who wait are served in the order in
/// which they came: whoever leaves hands its place to the one that waited longest. Threads: any; never one too many.
class Bulkhead {
 public:
  /// Errors: invalid_argument, naming the field.
  static Result<std::unique_ptr<Bulkhead>> make(BulkheadOptions options);
  /// A place at once or not at all. Errors: rejected, naming the bulkhead.
  Result<Place> try_enter();
  /// The same for those who would wait otherwise: nothing is no refusal, and is not counted as one.
  std::optional<Place> enter_at_once();
  /// Waits for one. Errors: rejected (too many wait), deadline_exceeded, cancelled.
  Result<Place> enter(Sleeper& sleeper, Deadline deadline, const std::stop_token& stop = {});
  /// For those who wait in another way: a place, or nothing, and then `waiter` stands in line until stop_waiting().
  /// Errors: rejected (too many wait).
  Result<std::optional<Place>> enter_or_wait(Waiter& waiter);
  /// Takes `waiter` out of the line. A place: it had got one, in the last moment perhaps. Called once for each time
  /// that it stood in line.
  std::optional<Place> stop_waiting(Waiter& waiter);
  /// The error of one that waited in vain: deadline_exceeded.
  [[nodiscard]] std::unexpected<Error> no_place_in_time() const;
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
  void take_out(Waiter& waiter);

  BulkheadOptions options_;
  Error is_full_;  // made once
  mutable std::mutex mutex_;
  std::int64_t inside_ = 0;  // guarded by mutex_, like the rest
  Waiter* first_ = nullptr;  // of the line: the one that waits longest
  Waiter* last_ = nullptr;
  std::int64_t waiting_ = 0;
  std::int64_t rejected_ = 0;
};

}  // namespace serin::limit
