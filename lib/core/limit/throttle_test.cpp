// Goal: it lets everything through while the peer accepts half of it, refuses about what the peer would, and finds out
// when that is over. Method: a peer that accepts a share; seeded chance; time by hand.
#include "serin/limit/throttle.hpp"

#include <gtest/gtest.h>

#include "serin/sim/world.hpp"

namespace serin::limit {
namespace {

struct ThrottledPeer : testing::Test {
  /// Calls for so many seconds, 100 a second; returns the share that was refused here in the last half of them.
  double play(double accepted, int seconds) {
    int refused = 0;
    int counted = 0;
    for (int i = 0; i < seconds * 100; ++i) {
      now += 10ms;
      const bool in_the_end = i >= seconds * 50;
      counted += in_the_end ? 1 : 0;
      if (!throttle->enter(now, random.next())) {
        refused += in_the_end ? 1 : 0;
        continue;
      }
      throttle->report(random.unit() < accepted ? OutcomeClass::success : OutcomeClass::throttled, now);
    }
    return static_cast<double>(refused) / counted;
  }
  sim::SeededRandom random{1};
  Instant now = Instant(1h);
  std::unique_ptr<Throttle> throttle = Throttle::make({.name = "api", .length = 30s}).value();
};

TEST_F(ThrottledPeer, gets_everything_while_it_accepts_half_or_more) {
  EXPECT_EQ(play(1.0, 60), 0);
  EXPECT_LT(play(0.6, 60), 0.02);
}

TEST_F(ThrottledPeer, gets_little_while_it_refuses_all_and_everything_again_when_that_is_over) {
  EXPECT_NEAR(play(0.0, 60), 0.9, 0.02) << "a tenth still goes through, to find out";
  static_cast<void>(play(1.0, 120));
  EXPECT_EQ(play(1.0, 60), 0);
}

TEST_F(ThrottledPeer, options_that_make_no_sense_are_refused_with_the_field) {
  EXPECT_EQ(Throttle::make({.name = "api", .factor = 1}).error().detail(),
            "throttle 'api': factor must be above 1 and at most 100, not 1");
  EXPECT_FALSE(Throttle::make({.name = "api", .most_refused = 1}).has_value());
}

}  // namespace
}  // namespace serin::limit
