#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/guard/recent_durations.hpp"
#include "serin/outcome/outcome.hpp"
#include "serin/retry/budget.hpp"

namespace serin::guard {

struct HedgeOptions {
  std::string name;        ///< of what is called
  Duration delay = 500ms;  ///< after which a further request is sent; with a percentile: until enough is known; > 0
  double percentile = 0;   ///< 0: always `delay`; otherwise this share of recent successes was faster; below 1
  int min_calls = 50;      ///< successes before the percentile is believed; 1 to 256
  Duration least = 1ms;    ///< floor of the percentile's delay; > 0
  int max_extra = 1;       ///< requests besides the first; 1 to 10
};

/// When to send a second request beside one that takes long, learned from recent calls. One object for all calls to a
/// target. Source: Dean and Barroso, "The tail at scale", 2013. Threads: any.
class Hedge {
 public:
  static constexpr int most_requests = 11;
  /// Errors: invalid_argument, naming the field.
  static Result<std::unique_ptr<Hedge>> make(HedgeOptions options);
  [[nodiscard]] Duration delay() const noexcept { return Duration(delay_.load(std::memory_order_relaxed)); }
  /// A request succeeded after so long. A new percentile is taken every 16th time.
  void add(Duration took) noexcept;
  [[nodiscard]] const HedgeOptions& options() const noexcept { return options_; }

 private:
  explicit Hedge(HedgeOptions options);
  HedgeOptions options_;
  RecentDurations recent_;
  std::atomic<std::uint32_t> added_{0};
  std::atomic<Duration::rep> delay_;
};

/// One call's race: when to send, when it is over, what the budget is owed. Holds no loop and does not wait, so that
/// threads and coroutines share it. Threads: one at a time.
class HedgeCourse {
 public:
  enum class Next : std::uint8_t {
    send,     ///< a further request, now; the budget has allowed it
    refused,  ///< the budget said no, just now; ask again what to do
    wait,     ///< until `until`, or until a request ends
    over,     ///< the answer is there: that of request winner()
  };
  struct Step {
    Next next = Next::wait;
    Instant until = Instant::max();
  };
  /// Begins with the first request, which is sent by `now`. \param counted  the budget knows of the call already
  HedgeCourse(Hedge& hedge, retry::Budget& budget, bool counted, Instant now);
  HedgeCourse(const HedgeCourse&) = delete;
  HedgeCourse& operator=(const HedgeCourse&) = delete;
  ~HedgeCourse();

  [[nodiscard]] Step next(Instant now);
  /// What next() allowed could not be sent: there will be no further one.
  void not_sent();
  /// Request `number` ended. \param took  since it was sent  \param refused  a limit of ours did not let it out
  void ended(int number, OutcomeClass outcome, bool refused, Duration took);
  [[nodiscard]] int sent() const noexcept { return sent_; }
  [[nodiscard]] bool all_ended() const noexcept { return ended_ == sent_; }
  /// Whose answer counts: the first success or final failure, otherwise the failure that came last.
  [[nodiscard]] int winner() const noexcept { return winner_; }

 private:
  Hedge& hedge_;
  retry::Budget& budget_;
  bool counted_;
  int sent_ = 1;
  int ended_ = 0;
  int winner_ = 0;
  bool is_decided_ = false;
  bool succeeded_ = false;
  bool no_more_ = false;       // the budget, the peer or the lack of threads said so
  bool send_at_once_ = false;  // one failed in a way that another may not
  Instant due_;
};

}  // namespace serin::guard
