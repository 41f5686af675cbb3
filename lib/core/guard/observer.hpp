#pragma once
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "serin/base/time.hpp"
#include "serin/outcome/outcome.hpp"
#include "serin/retry/retry.hpp"

// What a pipeline tells whoever wants to know. An observer is a value with one function, known when the pipeline is
// compiled; the empty one leaves nothing behind in the program.
namespace serin::guard {

enum class What : std::uint8_t {
  attempt_ended,         ///< the work returned; `time` it took, `outcome`
  retry_wait,            ///< another attempt follows after `time`
  retry_stopped,         ///< no further attempt; `stop` says why (not after a success)
  rejected_by_breaker,   ///< ... it was open
  rejected_by_bulkhead,  ///< ... no place, at once or in time; also an adaptive limit
  rejected_by_rate,      ///< ... no turn before the deadline; also a throttle
  rejected_by_budget,    ///< a retry or a hedge would have been made, but the budget is empty
  hedge_sent,            ///< a further request was sent beside the first
  hedge_won,             ///< ... and its answer was taken
  fallback_used,         ///< another answer in the place of an error
  deadline_hit,          ///< a total deadline or an attempt's timeout ended something
  chaos_injected,        ///< a drill's fault, delay, outcome or behaviour
};
/// "attempt_ended", ...: stable, in logs and metric labels.
[[nodiscard]] std::string_view what_name(What what) noexcept;

/// One thing that happened in one call. Views are good during on_event() only.
struct Happening {
  What what = What::attempt_ended;
  std::string_view target = {};
  int attempt = 1;  ///< counts from 1
  int hedge = 0;
  OutcomeClass outcome = OutcomeClass::success;
  Duration time{};
  retry::Stop stop = retry::Stop::no;
};

/// Hears nothing, costs nothing.
struct NoObserver {
  static constexpr void on_event(const Happening&) noexcept {}
};

template <class Observer>
inline constexpr bool is_watching = !std::is_same_v<Observer, NoObserver>;

/// Tells `observer`, in the name of `context`, unless nobody listens: then neither the call nor its arguments remain.
/// \param name  of the element, when the context names no target
template <class Observer, class Context>
constexpr void tell(const Observer& observer, const Context& context, Happening happening, std::string_view name = {}) {
  if constexpr (is_watching<Observer>) {
    happening.target = context.target.empty() ? name : context.target;
    happening.attempt = context.attempt;
    happening.hedge = context.hedge;
    observer.on_event(happening);
  }
}

/// Tells how a retry went on, in both forms of Retrying.
template <class Observer, class Context>
constexpr void tell_stop(const Observer& observer, const Context& context, retry::Stop stop,
                         const retry::Attempted& last) {
  if constexpr (is_watching<Observer>) {
    Context ended = context;
    ended.attempt = last.number;
    tell(observer, ended, {.what = What::retry_stopped, .outcome = last.outcome, .stop = stop});
    if (stop == retry::Stop::budget_empty) tell(observer, ended, {.what = What::rejected_by_budget});
    if (stop == retry::Stop::past_deadline) tell(observer, ended, {.what = What::deadline_hit});
  }
}
template <class Observer, class Context>
constexpr void tell_wait(const Observer& observer, const Context& context, Duration wait,
                         const retry::Attempted& last) {
  if constexpr (is_watching<Observer>) {
    Context ended = context;
    ended.attempt = last.number;
    tell(observer, ended, {.what = What::retry_wait, .outcome = last.outcome, .time = wait});
  }
}

}  // namespace serin::guard
