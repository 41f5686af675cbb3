// Goal: each form of an adaptive limit ends near the number of calls that a queueing server really works on, falls when
// the server gets slower, comes back, and does not grow while it is not used. Method: a discrete-event M/M/c server,
// seeded; more arrivals than it can serve; the median of the limit over the last half of each stretch, over 3 seeds;
// Gradient2 lets calls take half as long again by its tolerance, so its limit stays above the knee.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <memory>
#include <optional>
#include <queue>
#include <vector>

#include "serin/base/split_mix.hpp"
#include "serin/limit/adaptive.hpp"

namespace serin::limit {
namespace {

class Server {
 public:
  Server(AdaptiveOptions options, int workers, std::uint64_t seed)
      : limit_(AdaptiveLimit::make(std::move(options)).value()), workers_(workers), random_(seed) {}
  int workers() const { return workers_; }
  void set_workers(int workers) { workers_ = workers; }
  /// Calls that may wait in the server; it says "later" to more.
  int room = 1'000'000;
  double service = 0.010;  // mean, seconds
  double timeout = 1;      // of the client, seconds

  /// \param load  arrivals over what all workers can serve \return  the median limit of the last half
  double run(double seconds, double load) {
    const double end = now_ + seconds;
    std::vector<double> limits;
    double next = now_ + exponential(service / workers_ / load);
    double sample = now_ + seconds / 2;
    while (now_ < end) {
      now_ = std::min({next, sample, finishing_.empty() ? end : finishing_.top().at, end});
      if (now_ >= sample) {
        limits.push_back(limit_->snapshot().limit);
        sample += seconds / 1000;
      }
      while (!finishing_.empty() && finishing_.top().at <= now_) finish();
      if (now_ >= next) {
        next = now_ + exponential(service / workers_ / load);
        if (auto permit = limit_->try_enter()) arrive(std::move(*permit));
      }
    }
    std::ranges::sort(limits);
    return limits[limits.size() / 2];
  }

 private:
  struct Call {
    double at;  // arrival while it waits, end while it is worked on
    double came;
    std::shared_ptr<AdaptivePermit> permit;
    bool operator>(const Call& other) const { return at > other.at; }
  };
  double exponential(double mean) {
    return -mean * std::log(static_cast<double>((split_mix(random_) >> 11) + 1) * 0x1.0p-53);
  }
  void arrive(AdaptivePermit permit) {
    if (static_cast<int>(waiting_.size()) >= room) return permit.report(OutcomeClass::throttled, 1ms);
    waiting_.push_back({now_, now_, std::make_shared<AdaptivePermit>(std::move(permit))});
    start();
  }
  void start() {
    while (static_cast<int>(finishing_.size()) < workers_ && !waiting_.empty()) {
      Call call = std::move(waiting_.front());
      waiting_.pop_front();
      call.at = now_ + exponential(service);
      finishing_.push(std::move(call));
    }
  }
  void finish() {
    const Call call = finishing_.top();
    finishing_.pop();
    const double took = call.at - call.came;
    call.permit->report(took > timeout ? OutcomeClass::timeout : OutcomeClass::success, duration_of_seconds(took));
    start();
  }

  std::unique_ptr<AdaptiveLimit> limit_;
  int workers_;
  std::uint64_t random_;
  double now_ = 0;
  std::deque<Call> waiting_;
  std::priority_queue<Call, std::vector<Call>, std::greater<>> finishing_;
};

class AdaptiveSim : public testing::TestWithParam<Algorithm> {
 protected:
  Server server(int workers, std::uint64_t seed) const {
    Server out({.name = "db", .algorithm = GetParam(), .most = 1000}, workers, seed);
    // AIMD hears nothing but drops: its server says so when half as many wait as it has workers.
    if (GetParam() == Algorithm::aimd) out.room = workers / 2;
    return out;
  }
};

TEST_P(AdaptiveSim, ends_near_the_knee_falls_with_the_server_and_recovers) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    Server peer = server(40, seed);
    const double settled = peer.run(60, 2);
    EXPECT_GT(settled, 0.75 * 40) << "seed " << seed;
    EXPECT_LT(settled, 2.25 * 40) << "seed " << seed;
    peer.set_workers(10);
    if (GetParam() == Algorithm::aimd) peer.room = 5;
    const double slow = peer.run(60, 8);
    EXPECT_GT(slow, 0.75 * 10) << "seed " << seed;
    EXPECT_LT(slow, 2.5 * 10) << "seed " << seed;
    peer.set_workers(40);
    if (GetParam() == Algorithm::aimd) peer.room = 20;
    const double recovered = peer.run(60, 2);
    EXPECT_GT(recovered, 0.75 * 40) << "seed " << seed;
    EXPECT_LT(recovered, 2.25 * 40) << "seed " << seed;
  }
}

TEST_P(AdaptiveSim, does_not_drift_in_the_long_run) {
  Server peer = server(20, 3);
  peer.run(30, 2);
  for (int i = 0; i < 5; ++i) EXPECT_LT(peer.run(100, 2), 2.5 * 20) << i;
}

TEST_P(AdaptiveSim, does_not_grow_beyond_twice_what_is_used) {
  Server peer = server(100, 4);
  // A tenth of the load: about ten calls at once, seldom more than 25.
  EXPECT_LT(peer.run(100, 0.1), 60);
}

TEST_P(AdaptiveSim, a_server_that_times_out_is_believed) {
  Server peer = server(40, 5);
  peer.run(100, 2);
  peer.timeout = 0.001;
  EXPECT_EQ(peer.run(30, 2), 5) << "nearly every call is dropped: the least";
}

INSTANTIATE_TEST_SUITE_P(Each, AdaptiveSim, testing::Values(Algorithm::aimd, Algorithm::vegas, Algorithm::gradient2),
                         [](const auto& each) { return std::string(algorithm_name(each.param)); });

}  // namespace
}  // namespace serin::limit
