// What people write by hand in C++: a loop with a Mersenne twister, a breaker that is a mutex around a deque, a token
// bucket with a mutex. No budget, no half-open, no classes of errors: less is done here than in ours.
#include <cmath>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <random>

#include "../cases.hpp"

namespace serin::resilience {
namespace {

[[gnu::noinline]] std::optional<int> plain(int attempt) { return attempt; }

class Loop {
 public:
  template <class Work>
  std::optional<int> run(const Work& work) {
    for (int attempt = 1;; ++attempt) {
      if (auto result = work(attempt)) return result;
      if (attempt == 3) return std::nullopt;
      wait_ += std::uniform_real_distribution(0.0, 0.1 * std::exp2(attempt))(twister_);  // instead of a sleep
    }
  }

 private:
  std::mt19937 twister_{42};
  double wait_ = 0;
};

class MutexBreaker {
 public:
  explicit MutexBreaker(const Clock& clock) : clock_(clock) {}
  void open() { open_until_ = Instant::max(); }
  template <class Work>
  std::optional<int> run(const Work& work) {
    {
      const std::scoped_lock lock(mutex_);
      if (clock_.now() < open_until_) return std::nullopt;
    }
    auto result = work();
    const std::scoped_lock lock(mutex_);
    last_.push_back(!result.has_value());
    failures_ += result ? 0 : 1;
    if (last_.size() > 100) {
      failures_ -= last_.front() ? 1 : 0;
      last_.pop_front();
    }
    if (last_.size() >= 20 && failures_ * 2 >= static_cast<int>(last_.size())) open_until_ = clock_.now() + 5s;
    return result;
  }

 private:
  const Clock& clock_;
  std::mutex mutex_;
  std::deque<bool> last_;
  int failures_ = 0;
  Instant open_until_{};
};

class MutexBucket {
 public:
  explicit MutexBucket(const Clock& clock) : clock_(clock) {}
  bool take() {
    const std::scoped_lock lock(mutex_);
    const Instant now = clock_.now();
    tokens_ = std::min(1e6, tokens_ + seconds_of(now - last_) * 1e9);
    last_ = now;
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }

 private:
  const Clock& clock_;
  std::mutex mutex_;
  double tokens_ = 1e6;
  Instant last_{};
};

struct Parts {
  explicit Parts(const Clock& clock) : breaker(clock), opened(clock), bucket(clock) { opened.open(); }
  Loop loop;
  MutexBreaker breaker;
  MutexBreaker opened;
  MutexBucket bucket;
};

}  // namespace

std::vector<Case> cases_by_hand(const Clock& clock) {
  auto parts = std::make_shared<Parts>(clock);
  std::vector<Case> cases;
  const auto add = [&](std::string name, std::string kind, std::int64_t bytes, auto call) {
    cases.push_back({.name = std::move(name),
                     .kind = std::move(kind),
                     .who = "by hand",
                     .clock = "real",
                     .many =
                         [parts, call](std::int64_t calls) {
                           for (std::int64_t i = 0; i < calls; ++i) keep(call(*parts));
                         },
                     .state_bytes = bytes});
  };
  const auto size = [](std::size_t bytes) { return static_cast<std::int64_t>(bytes); };
  add("loop with mt19937", "retry", size(sizeof(Loop)), [](Parts& p) { return p.loop.run(plain); });
  add("loop, one failure", "retry once", size(sizeof(Loop)),
      [](Parts& p) { return p.loop.run([](int attempt) { return attempt == 1 ? std::nullopt : plain(attempt); }); });
  add("mutex breaker", "breaker", size(sizeof(MutexBreaker)),
      [](Parts& p) { return p.breaker.run([] { return plain(1); }); });
  add("mutex breaker, open", "open", size(sizeof(MutexBreaker)),
      [](Parts& p) { return p.opened.run([] { return plain(1); }); });
  add("mutex token bucket", "rate", size(sizeof(MutexBucket)), [](Parts& p) { return p.bucket.take(); });
  add("bucket, loop, breaker", "pipeline", size(sizeof(Loop) + sizeof(MutexBreaker) + sizeof(MutexBucket)),
      [](Parts& p) -> std::optional<int> {
        if (!p.bucket.take()) return std::nullopt;
        return p.loop.run([&](int attempt) { return p.breaker.run([&] { return plain(attempt); }); });
      });
  return cases;
}

}  // namespace serin::resilience
