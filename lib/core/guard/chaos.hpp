#pragma once
#include <functional>
#include <type_traits>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/guard/context.hpp"
#include "serin/guard/observer.hpp"
#include "serin/guard/order.hpp"

namespace serin::guard {

struct ChaosOptions {
  double fault_rate = 0;  ///< share of calls that fail instead of being made; 0 to 1
  Errc fault = Errc::unavailable;
  double latency_rate = 0;  ///< share of calls that wait first; 0 to 1
  Duration latency{};
  double outcome_rate = 0;                 ///< share of calls that get another answer instead of being made; 0 to 1
  double behaviour_rate = 0;               ///< share of calls before which `behaviour` is called; 0 to 1
  std::function<Status()> behaviour = {};  ///< e.g. restarts a server; an error becomes the call's
  /// Which calls are meant at all, by target and attempt; empty: all.
  std::function<bool(std::string_view target, int attempt)> when = {};
};

/// What the dice say about one call. Pure but for `random`.
struct ChaosDraw {
  bool behaviour = false;
  bool latency = false;
  bool fault = false;
  bool outcome = false;
};
template <class Context>
[[nodiscard]] ChaosDraw draw_chaos(const ChaosOptions& options, const Context& context) {
  if (options.when && !options.when(context.target, context.attempt)) return {};
  const auto hit = [&](double rate) { return rate > 0 && context.random.unit() < rate; };
  return {.behaviour = options.behaviour && hit(options.behaviour_rate),
          .latency = hit(options.latency_rate),
          .fault = hit(options.fault_rate),
          .outcome = hit(options.outcome_rate)};
}

/// No answer is replaced.
struct NoOutcome {};

/// Faults for drills: innermost, so that every other element meets them as it would meet real ones. Four kinds, in this
/// order: a behaviour first, then a delay, then a fault or another outcome in the place of the call.
/// \tparam Outcome  takes nothing and returns a Result of the same type, for outcome_rate
template <class Outcome = NoOutcome>
struct Chaos {
  static constexpr Kind kind = Kind::chaos;
  const ChaosOptions& options;  ///< may be changed between calls
  Outcome outcome = {};
  template <class Next, class Observer>
  auto run(Context& context, const Next& next, const Observer& observer) const -> decltype(next(context)) {
    const ChaosDraw draw = draw_chaos(options, context);
    if (draw.behaviour) {
      tell(observer, context, {.what = What::chaos_injected});
      context.time_passed();
      SERIN_CHECK(options.behaviour());
    }
    if (draw.latency) {
      tell(observer, context, {.what = What::chaos_injected, .time = options.latency});
      const Deadline slow = Deadline::after(context.now(), options.latency);
      const Status slept = sleep_until(context.sleeper, slow.sooner(context.deadline).at(), context.stop);
      context.time_passed();
      SERIN_CHECK(slept);
      if (slow.at() > context.deadline.at()) return fail(Errc::deadline_exceeded, "chaos: slower than the deadline");
    }
    if (draw.fault) {
      tell(observer, context, {.what = What::chaos_injected});
      return fail(options.fault, "chaos: a fault");
    }
    if constexpr (!std::is_same_v<Outcome, NoOutcome>) {
      if (draw.outcome) {
        tell(observer, context, {.what = What::chaos_injected});
        return outcome();
      }
    }
    return next(context);
  }
};
Chaos(const ChaosOptions&)->Chaos<NoOutcome>;
template <class Outcome>
Chaos(const ChaosOptions&, Outcome) -> Chaos<Outcome>;

}  // namespace serin::guard
