#pragma once
#include <functional>
#include <memory>
#include <source_location>
#include <stop_token>
#include <string>
#include <utility>

#include "serin/pool/engine.hpp"

namespace serin::pool {

/// How a T is made and whether it lives. Called on any thread, for one T by one thread at a time.
template <class T>
struct Factory {
  /// Honours its deadline; ends early when it is told to stop, if it can.
  std::function<Result<std::unique_ptr<T>>(Deadline, const std::stop_token&)> create;
  /// Whether it lives, after so long without use; Duration::max() when another one was found dead meanwhile, and a
  /// short look will not do. May be empty: then all live until they are poisoned.
  std::function<Status(T&, Duration idle, Deadline)> validate;
};

/// A T, lent. Goes back with the object, on every way out. Does not outlive its pool. Threads: one at a time.
template <class T>
class Lease {
 public:
  Lease(Lease&& other) noexcept : engine_(other.engine_), slot_(std::exchange(other.slot_, nullptr)) {}
  Lease& operator=(Lease&& other) noexcept {
    if (this != &other) {
      give_back();
      engine_ = other.engine_;
      slot_ = std::exchange(other.slot_, nullptr);
    }
    return *this;
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease() { give_back(); }
  [[nodiscard]] T& operator*() const noexcept { return *static_cast<T*>(slot_->resource); }
  [[nodiscard]] T* operator->() const noexcept { return static_cast<T*>(slot_->resource); }
  /// It is broken: it is closed when it comes back, and the idle ones are asked whether they live.
  void poison(std::string reason) { engine_->poison(*slot_, std::move(reason)); }
  /// Before the object goes; nothing else may be done with it afterwards.
  void give_back() noexcept {
    if (Slot* const slot = std::exchange(slot_, nullptr)) engine_->give_back(*slot);
  }

 private:
  template <class>
  friend class Pool;
  Lease(Engine& engine, Slot& slot) noexcept : engine_(&engine), slot_(&slot) {}
  Engine* engine_;
  Slot* slot_;
};

/// A bounded set of things that are lent to one user each. What came back last is lent first; who waited longest is
/// served first, by handing over what comes back before anybody else can see it. Things are made, closed and checked on
/// threads of the pool's own, never while a borrower holds up others. Made only when waiting for a return would take
/// longer: with mean times of use and creation known, a queue that drains sooner than one is made gets none, unless it
/// has stood for as long as a creation takes. Threads: any.
///
/// In a forked child the parent's pool lends nothing and touches nothing: what it holds belongs to the parent.
///
/// Sources: the hand-off and the rules of house-keeping of HikariCP 6; failures and probes of userver's PostgreSQL
/// pool.
template <class T>
class Pool {
 public:
  /// \param clock, random, log  outlive it; `log` may be null. The clock's seconds are as long as real ones, or
  ///   Upkeep::by_hand.
  /// Errors: invalid_argument, with the field's name; unsupported (a kernel before 4.14).
  static Result<std::unique_ptr<Pool>> make(Options options, Factory<T> factory, const Clock& clock, Random& random,
                                            LogSink* log = nullptr) {
    if (!factory.create) return fail(Errc::invalid_argument, "create must be a function");
    Hooks hooks{.create = [create = std::move(factory.create)](Deadline deadline,
                                                               const std::stop_token& stop) -> Result<void*> {
                  SERIN_TRY(std::unique_ptr<T> made, create(deadline, stop));
                  return made.release();
                },
                .destroy = [](void* thing) { std::unique_ptr<T>(static_cast<T*>(thing)).reset(); },
                .validate = {}};
    if (factory.validate)
      hooks.validate = [validate = std::move(factory.validate)](void* thing, Duration idle, Deadline deadline) {
        return validate(*static_cast<T*>(thing), idle, deadline);
      };
    SERIN_TRY(auto engine, Engine::make(std::move(options), std::move(hooks), clock, random, log));
    return std::unique_ptr<Pool>(new Pool(std::move(engine)));
  }

  /// Waits for one until `deadline` or Options::borrow_timeout. When this returns an error, nothing is held.
  /// \param caller  is named when the lease is held too long
  /// Errors: deadline_exceeded (with counts and the last creation failure), cancelled (`stop`), rejected (the queue is
  /// full), unavailable (closed), unsupported (in a forked child), and a creation's own (WhenDown::fail).
  Result<Lease<T>> borrow(Deadline deadline, const std::stop_token& stop = {},
                          const std::source_location& caller = std::source_location::current()) {
    auto slot = engine_->borrow(deadline, stop, caller);
    if (!slot) return pass(std::move(slot).error());
    return Lease<T>(*engine_, **slot);
  }
  /// Waits until `count` are there, idle or lent; with 0: until min_idle are.
  /// Errors: the first creation failure (OnFailure::stop); deadline_exceeded, with the last failure.
  Status warm_up(int count, Deadline deadline, OnFailure on_failure = OnFailure::stop) {
    return engine_->warm_up(count, deadline, on_failure);
  }
  /// Takes effect at once; what is lent and too many is closed when it comes back. Errors: invalid_argument.
  Status resize(int min_idle, int max) { return engine_->resize(min_idle, max); }
  /// Until resume() nothing is lent and nothing is made: borrowers wait.
  void pause() { engine_->pause(); }
  void resume() { engine_->resume(); }
  /// No more is lent, who waits is refused, and what is there is closed; waits for what is lent. For good.
  /// Errors: deadline_exceeded, naming who has not given back; what comes back later is closed then.
  Status close(Deadline deadline) { return engine_->close(deadline); }
  [[nodiscard]] Stats stats() const { return engine_->stats(); }
  /// House-keeping as it falls due at `now`: for Upkeep::by_hand, which has nobody else for it.
  void sweep(Instant now) { engine_->sweep(now); }
  /// Counts everything anew while nobody borrows or returns. Errors: internal, when the books are wrong: for tests.
  [[nodiscard]] Status audit() const { return engine_->audit(); }

 private:
  explicit Pool(EngineOwner engine) : engine_(std::move(engine)) {}
  EngineOwner engine_;
};

}  // namespace serin::pool
