#pragma once
#include <atomic>
#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "serin/base/checked.hpp"
#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/outcome/outcome.hpp"

namespace serin::breaker {

enum class State : std::uint8_t {
  closed,     ///< calls go through and are counted
  open,       ///< calls are refused
  half_open,  ///< a few are let through to see
};
[[nodiscard]] std::string_view state_name(State state) noexcept;

/// What a person says instead of the figures.
enum class Override : std::uint8_t {
  none,
  forced_open,   ///< refuses everything until it is lifted
  disabled,      ///< lets everything through and counts nothing
  metrics_only,  ///< lets everything through, counts, and says what it would have done
};

enum class WindowKind : std::uint8_t { calls, time, consecutive };

template <class Name>
struct BasicBreakerOptions {
  Name name;  ///< of what is behind it: in errors, logs and metric labels
  WindowKind window = WindowKind::calls;
  int calls = 100;            ///< calls: how many are remembered; consecutive: how many failures in a row; 1 to 100000
  Duration length = 10s;      ///< time: how long calls are remembered; >= 100 ms
  int buckets = 10;           ///< time: in so many parts; 1 to 100
  int min_calls = 20;         ///< no rate is judged below so many; 1 to `calls`
  double failure_rate = 0.5;  ///< opens at this share of failures or above; 0 < rate <= 1
  double slow_rate = 1;       ///< ... or of slow calls; 0 < rate <= 1
  Duration slow_call{};       ///< a call that takes this long or longer is slow; 0: none is
  Duration open_for = 5s;     ///< the first time; > 0
  double open_growth = 2;     ///< each further time without having been closed in between; >= 1
  Duration open_most = 60s;   ///< ceiling of that; >= open_for
  int half_open_calls = 10;   ///< let through to see; 1 to 1000; judged by the rates above
  Duration half_open_lease = 30s;  ///< a call let through that has not reported by then is given up; > 0
  /// A constant becomes options of the running program.
  operator BasicBreakerOptions<std::string>() const requires std::same_as<Name, std::string_view> {
    return {.name = std::string(name),
            .window = window,
            .calls = calls,
            .length = length,
            .buckets = buckets,
            .min_calls = min_calls,
            .failure_rate = failure_rate,
            .slow_rate = slow_rate,
            .slow_call = slow_call,
            .open_for = open_for,
            .open_growth = open_growth,
            .open_most = open_most,
            .half_open_calls = half_open_calls,
            .half_open_lease = half_open_lease};
  }
};
using BreakerOptions = BasicBreakerOptions<std::string>;
/// The same as a constant, for checked().
using BreakerConstant = BasicBreakerOptions<std::string_view>;
template <class Name>
constexpr Wrongs wrongs(const BasicBreakerOptions<Name>& options) {
  Wrongs out;
  const auto is_rate = [](double value) { return value > 0 && value <= 1; };
  out.unless(!options.name.empty(), "name", "must not be empty");
  out.unless(options.calls >= 1 && options.calls <= 100'000, "calls", "must be from 1 to 100000", options.calls);
  out.unless(options.length >= Duration(100'000'000), "length", "must be 100ms or more", options.length);
  out.unless(options.buckets >= 1 && options.buckets <= 100, "buckets", "must be from 1 to 100", options.buckets);
  out.unless(options.min_calls >= 1 && (options.window != WindowKind::calls || options.min_calls <= options.calls),
             "min_calls", "must be from 1 to calls, the window's size", options.min_calls);
  out.unless(is_rate(options.failure_rate), "failure_rate", "must be above 0 and at most 1", options.failure_rate);
  out.unless(is_rate(options.slow_rate), "slow_rate", "must be above 0 and at most 1", options.slow_rate);
  out.unless(options.slow_call >= Duration::zero(), "slow_call", "must be 0 (none) or more", options.slow_call);
  out.unless(options.open_for > Duration::zero(), "open_for", "must be above 0", options.open_for);
  out.unless(options.open_growth >= 1 && options.open_growth <= 1000, "open_growth", "must be from 1 to 1000",
             options.open_growth);
  out.unless(options.open_most >= options.open_for, "open_most", "must be open_for or more", options.open_most);
  out.unless(options.half_open_calls >= 1 && options.half_open_calls <= 1000, "half_open_calls",
             "must be from 1 to 1000", options.half_open_calls);
  out.unless(options.half_open_lease > Duration::zero(), "half_open_lease", "must be above 0", options.half_open_lease);
  return out;
}

class Breaker;

/// Leave for one call. Reported once, with report(); gone without it (cancelled, an exception) it counts for nothing
/// and gives its place back, so that a breaker cannot stick half-open. Threads: one.
class Permit {
 public:
  Permit(Permit&& other) noexcept
      : owner_(std::exchange(other.owner_, nullptr)), generation_(other.generation_), probe_(other.probe_) {}
  Permit& operator=(Permit&&) = delete;
  Permit(const Permit&) = delete;
  ~Permit() {
    if (owner_ != nullptr) give_back();
  }
  /// \param took  of the call alone
  void report(OutcomeClass outcome, Duration took, Instant now);
  /// True: a success could change nothing, because all that is remembered are successes; it is reported, without a lock
  /// and without the time. False: report() is next. Nearly every call of a healthy target.
  [[nodiscard]] bool report_if_unchanged(OutcomeClass outcome) noexcept;

 private:
  friend class Breaker;
  void give_back() noexcept;
  Permit(Breaker* owner, std::uint64_t generation, bool probe)
      : owner_(owner), generation_(generation), probe_(probe) {}
  Breaker* owner_;
  std::uint64_t generation_;
  bool probe_;
};

/// Counts what happens behind it; opens when too much fails or is slow; lets a few through after a while, and closes or
/// opens again by what they say. What a call of an earlier period says late is ignored. Rates are compared with >=,
/// after every call; open ends at opened + open_for, not before. Threads: any.
class Breaker {
 public:
  /// Errors: invalid_argument, naming the field, its value and the range.
  static Result<std::unique_ptr<Breaker>> make(BreakerOptions options);
  ~Breaker();
  Breaker(const Breaker&) = delete;
  Breaker& operator=(const Breaker&) = delete;

  /// Errors: rejected, naming the breaker: the call was not made. Costs no allocation; snapshot() says for how long.
  Result<Permit> acquire(Instant now);
  /// The same where nobody has to be asked, the clock neither: closed. Nothing: acquire() is next.
  [[nodiscard]] std::optional<Permit> acquire_if_closed() noexcept {
    const std::uint64_t gate = gate_.load(std::memory_order_acquire);
    if (gate % 2 == 0) return std::nullopt;
    return Permit(this, gate / 2, false);
  }
  /// Whether report() wants to know how long a call took: with `slow_call` alone.
  [[nodiscard]] bool times_calls() const noexcept { return options_.slow_call > Duration::zero(); }
  void set_override(Override override, Instant now);
  /// Calls `listener` after every change of the state, in order, outside of the breaker's lock, on the thread whose
  /// call changed it. It may ask the breaker anything but on_change(). To be set before the breaker is used.
  void on_change(std::function<void(State from, State to)> listener);
  /// Back to closed, with nothing counted.
  void reset();

  struct Snapshot {
    State state = State::closed;
    Override override = Override::none;
    std::int64_t calls = 0;  ///< in the window
    std::int64_t failures = 0;
    std::int64_t slow = 0;
    std::int64_t rejected = 0;  ///< ever
    std::int64_t opened = 0;    ///< times, ever
    Duration opens_again_in{};  ///< until calls are let through; 0 unless open
  };
  [[nodiscard]] Snapshot snapshot(Instant now) const;
  [[nodiscard]] const BreakerOptions& options() const noexcept { return options_; }

 private:
  friend class Permit;
  struct Inside;
  struct Announcement;
  explicit Breaker(BreakerOptions options);
  Result<Permit> acquire_unless_refused(Instant now);
  void report(std::uint64_t generation, bool probe, OutcomeClass outcome, Duration took, Instant now);
  void release(std::uint64_t generation, bool probe);
  BreakerOptions options_;
  // Written under the lock, read without: generation x 2, and 1 where every call is let through. Who was let through
  // just before it opened says nothing by then.
  std::atomic<std::uint64_t> gate_ = 1;
  // Written under the lock, read without: closed, and one more success would change nothing. Whoever reads yes while
  // another reports a failure has reported its success before that failure.
  std::atomic<bool> steady_ = false;
  std::unique_ptr<Inside> inside_;
};

inline bool Permit::report_if_unchanged(OutcomeClass outcome) noexcept {
  if (outcome != OutcomeClass::success || owner_ == nullptr || !owner_->steady_.load(std::memory_order_relaxed))
    return false;
  owner_ = nullptr;
  return true;
}

}  // namespace serin::breaker
