#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <source_location>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/pool/options.hpp"
#include "serin/pool/slot.hpp"
#include "serin/pool/stats.hpp"
#include "serin/pool/waiting.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/log.hpp"
#include "serin/ports/random.hpp"

// What Pool<T> is made of, without the T. For tests that play all the threads themselves; users take pool.hpp.
namespace serin::pool {

/// Whether warm_up() ends at the first creation that fails or goes on, with the pool's back-off, until its deadline.
enum class OnFailure : std::uint8_t { stop, try_again };

/// What is pooled, as the engine sees it. They are called without the engine's lock, on any thread.
struct Hooks {
  std::function<Result<void*>(Deadline, const std::stop_token&)> create;
  std::function<void(void*)> destroy;
  std::function<Status(void*, Duration idle, Deadline)> validate;  ///< may be empty
};

/// One thing to do that may take its time: done by run(), without the lock.
struct Job {
  enum class Kind : std::uint8_t { create, close, check } kind;
  Slot* slot;
};

class Engine;
/// Ends an engine, but not in a forked child: there its threads do not exist, its lock may be held by nobody, and what
/// it holds is the parent's. It is left as it is.
struct EngineEnd {
  void operator()(Engine* engine) const noexcept;
};
using EngineOwner = std::unique_ptr<Engine, EngineEnd>;

/// Borrow and return are one compare-and-swap each while something is idle and nobody waits. Everything else is done
/// under one lock, with the idle list closed to others: then borrowers queue, and what comes back is handed to the
/// first of them before anybody else can see it. Threads: any.
class Engine {
 public:
  static Result<EngineOwner> make(Options options, Hooks hooks, const Clock& clock, Random& random, LogSink* log);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // The members that Pool<T> shows; see there.
  Result<Slot*> borrow(Deadline deadline, const std::stop_token& stop, const std::source_location& caller);
  void give_back(Slot& slot) noexcept;
  void poison(Slot& slot, std::string reason);
  Status warm_up(int count, Deadline deadline, OnFailure on_failure);
  Status resize(int min_idle, int max);
  void pause();
  void resume();
  Status close(Deadline deadline);
  [[nodiscard]] Stats stats() const;
  [[nodiscard]] Status audit() const;
  [[nodiscard]] bool is_of_another_process() const noexcept { return idle_->is_of_another_process(); }
  void sweep(Instant now);

  // The steps of which they consist.
  /// Joins the queue, or is served at once (then the waiter is done). Errors: rejected, unavailable (closed).
  Status join(Waiter& waiter, Instant now, bool in_front);
  /// Leaves the queue with that end, unless it was served meanwhile.
  void leave(Waiter& waiter, Waiter::End end);
  /// What falls due at `now`, if anything: it counts as begun. run() ends it.
  std::optional<Job> next_job(Instant now);
  void run(const Job& job);

 private:
  enum class Closed : std::uint8_t { lifetime, idle, dead, poisoned, surplus };
  struct Report {  // a loan that was held too long, or came back after that
    std::string caller;
    int thread;
    Duration held;
    bool returned;
  };
  Engine(Options options, Hooks hooks, const Clock& clock, Random& random, LogSink* log, std::unique_ptr<IdleList> idle,
         std::unique_ptr<Slots> slots);

  // engine.cpp: borrowing and returning
  Result<Slot*> queue_up(Deadline deadline, const std::stop_token& stop, const std::source_location& caller,
                         Instant now);
  void wait(Waiter& waiter);
  void lend(Slot& slot, Instant now, const std::source_location& caller) noexcept;
  [[nodiscard]] Status ask(Slot& slot, Instant now, Deadline deadline) const;
  /// Whether what was just lent can be used; otherwise it is gone from there.
  bool inspect(Slot& slot, Instant now, Deadline deadline);
  void take_back(Slot& slot, Instant now);
  [[nodiscard]] std::unexpected<Error> end_of(const Waiter& waiter);

  // With the lock, the idle list closed.
  void* grant(Slot& slot, Instant now) noexcept;
  /// To the first waiter, to the idle list or to its end. Returns what is to be woken.
  void* place(Slot& slot, Instant now, bool used);
  void retire(Slot& slot, Closed why);
  void suspect_others(Instant since);
  void end_wait(Waiter& waiter, Waiter::End end);
  void reopen() noexcept;  // if nothing speaks against the fast path
  void kick() noexcept;
  [[nodiscard]] int lent() const noexcept { return total_ - creating_ - checking_ - closing_count_; }  // none idle
  [[nodiscard]] std::string counts() const;

  // upkeep.cpp: ageing, jobs, threads
  [[nodiscard]] bool returns_are_sooner(Instant now) const;
  [[nodiscard]] bool is_failing(Instant now) const;
  [[nodiscard]] int wanted(Instant now) const;
  [[nodiscard]] Instant next_due(Instant now) const;
  std::vector<Report> age(Instant now);
  void look_for_leaks(Instant now, std::vector<Report>& reports);
  std::optional<Job> take_job(Instant now);
  void run_create(Slot& slot);
  void run_close(Slot& slot);
  void run_check(Slot& slot);
  void created(Slot& slot, Instant began, Instant now);
  void creation_failed(Slot& slot, const Error& error, Instant now);
  void keep_house();
  void work(Job job, std::size_t thread);
  void say(const std::vector<Report>& reports) const;
  void say(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) const;
  template <class Done>
  bool wait_until(std::unique_lock<std::mutex>& lock, Deadline deadline, const Done& done);

  const Options options_;
  const Hooks hooks_;
  const Clock& clock_;
  Random& random_;
  LogSink* const log_;
  const Duration fresh_for_;  // after a use; endless without a validator
  const bool ages_;           // something changes by time alone
  const int spins_;           // looks before a waiter sleeps; 0 on one core
  const std::unique_ptr<Slots> slots_;
  const std::unique_ptr<IdleList> idle_;

  mutable std::mutex mutex_;  // guards all that follows; taken after nothing and before nothing
  Queue queue_;
  Instant queue_since_{};  // when it was empty for the last time
  int max_;
  int min_idle_;
  int total_ = 0;  // slots that are not free
  int creating_ = 0;
  int checking_ = 0;
  int closing_count_ = 0;
  int fill_ = 0;  // to be made whether anybody waits or not
  bool paused_ = false;
  bool closed_ = false;
  std::vector<Slot*> free_;
  std::deque<Slot*> to_close_;
  bool check_due_ = false;  // an idle one may be suspect, or due for its keepalive
  int upkeep_running_ = 0;  // closings and checks: one at a time
  // What returns and creations take, in the mean over about eight; 0: not known yet.
  Duration use_mean_{};
  Duration create_mean_{};
  // Creations that failed.
  Instant next_create_{};
  Duration backoff_{};
  std::deque<Instant> failures_;  // of the last 15 s, two at most
  std::optional<Error> last_failure_;
  Instant last_failure_at_{};
  std::uint64_t failure_count_ = 0;
  Stats counters_;               // the counters alone, and all but `borrows` and `use`, which stand in the slots
  std::uint64_t discarded_ = 0;  // loans that ended before a borrower saw them
  Tally wait_;
  Tally creation_;

  std::condition_variable changed_;  // a creation or a closing has ended
  std::condition_variable wake_;     // for the thread that watches
  bool kicked_ = false;
  bool stopping_ = false;
  std::stop_source stop_creating_;
  std::vector<bool> working_;
  std::vector<std::jthread> workers_;
  std::jthread watcher_;
};

}  // namespace serin::pool
