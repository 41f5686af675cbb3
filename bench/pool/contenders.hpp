#pragma once
#include <condition_variable>
#include <memory>
#include <mutex>
#include <semaphore>
#include <vector>

#include "serin/pool/pool.hpp"
#include "serin/system/clock.hpp"
#include "serin/system/random.hpp"

// The pools that are written in C++: ours, and the two that people write by hand. All wait with a deadline.
namespace serin::pool_bench {

struct Thing {
  std::int64_t used = 0;
};

struct Sizes {
  int min;
  int max;
  Duration creation{};
};

class Ours {
 public:
  static constexpr const char* name = "Serin";
  Ours(const Sizes& sizes, Sleeper& clock) {
    pool::Factory<Thing> factory;
    factory.create = [&clock, creation = sizes.creation](Deadline,
                                                         const std::stop_token&) -> Result<std::unique_ptr<Thing>> {
      if (creation > 0s) SERIN_CHECK(clock.sleep_for(creation));
      return std::make_unique<Thing>();
    };
    factory.validate = [](Thing&, Duration, Deadline) -> Status { return {}; };
    pool_ = pool::Pool<Thing>::make({.name = "thing", .max = sizes.max, .min_idle = sizes.min}, std::move(factory),
                                    clock, random_)
                .value();
    pool_->warm_up(0, Deadline::never()).value();
  }
  template <class Use>
  void with(Deadline deadline, const Use& use) {
    const auto lease = pool_->borrow(deadline);
    SERIN_ASSERT(lease.has_value());
    use(**lease);
  }
  [[nodiscard]] int total() const { return pool_->stats().total; }
  [[nodiscard]] bool books_are_good() const { return pool_->audit().has_value() && pool_->stats().in_use == 0; }

 private:
  SystemRandom random_;
  std::unique_ptr<pool::Pool<Thing>> pool_;
};

/// What both by hand have in common: a borrower makes one when none is free and there may be more.
class ByHand {
 public:
  ByHand(const Sizes& sizes, Sleeper& clock) : sizes_(sizes), clock_(clock), total_(sizes.min) {
    for (int i = 0; i < sizes.min; ++i) idle_.push_back(std::make_unique<Thing>());
  }
  [[nodiscard]] int total() const { return total_; }
  [[nodiscard]] bool books_are_good() const { return static_cast<int>(idle_.size()) == total_; }

 protected:
  static std::chrono::steady_clock::time_point time_of(Deadline deadline) {
    return std::chrono::steady_clock::time_point(deadline.at().time_since_epoch());
  }
  std::unique_ptr<Thing> make() {
    if (sizes_.creation > 0s) static_cast<void>(clock_.sleep_for(sizes_.creation));
    return std::make_unique<Thing>();
  }
  const Sizes sizes_;
  Sleeper& clock_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Thing>> idle_;  // guarded by mutex_
  int total_;                                 // guarded by mutex_
};

class WithCondition : public ByHand {
 public:
  static constexpr const char* name = "mutex, condition and vector";
  using ByHand::ByHand;
  template <class Use>
  void with(Deadline deadline, const Use& use) {
    std::unique_ptr<Thing> thing;
    {
      std::unique_lock lock(mutex_);
      if (idle_.empty() && total_ < sizes_.max) {
        ++total_;
        lock.unlock();
        thing = make();
      } else {
        SERIN_ASSERT(returned_.wait_until(lock, time_of(deadline), [this] { return !idle_.empty(); }));
        thing = std::move(idle_.back());
        idle_.pop_back();
      }
    }
    use(*thing);
    {
      const std::scoped_lock lock(mutex_);
      idle_.push_back(std::move(thing));
    }
    returned_.notify_one();
  }

 private:
  std::condition_variable returned_;
};

class WithSemaphore : public ByHand {
 public:
  static constexpr const char* name = "semaphore and vector";
  WithSemaphore(const Sizes& sizes, Sleeper& clock) : ByHand(sizes, clock), places_(sizes.max) {}
  template <class Use>
  void with(Deadline deadline, const Use& use) {
    SERIN_ASSERT(places_.try_acquire_until(time_of(deadline)));
    std::unique_ptr<Thing> thing;
    {
      const std::scoped_lock lock(mutex_);
      if (idle_.empty()) {
        ++total_;
      } else {
        thing = std::move(idle_.back());
        idle_.pop_back();
      }
    }
    if (!thing) thing = make();
    use(*thing);
    {
      const std::scoped_lock lock(mutex_);
      idle_.push_back(std::move(thing));
    }
    places_.release();
  }

 private:
  std::counting_semaphore<4096> places_;
};

}  // namespace serin::pool_bench
