// Goal: the rate settles below what the peer takes, comes back by its formula, and owes nothing. Method: fake time; a
// peer that takes so many calls a second and says "later" to the rest; figures by hand from the formula.
#include "serin/limit/send_rate.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace serin::limit {
namespace {

struct Peer {
  double takes;  // calls a second
  double room = 0;
  Instant seen = Instant(1h);
  OutcomeClass answer(Instant now) {
    room = std::min(takes / 10, room + takes * seconds_of(now - seen));
    seen = now;
    if (room < 1) return OutcomeClass::throttled;
    room -= 1;
    return OutcomeClass::success;
  }
};
struct Sent {
  int good = 0;
  int refused = 0;
};
/// A client that always wants to send, for so long, in steps of 1 ms.
Sent drive(SendRate& rate, Peer& peer, Instant& now, Duration length) {
  Sent out;
  for (const Instant end = now + length; now < end; now += 1ms) {
    for (int i = 0; i < 4 && !rate.take(now); ++i) {
      const OutcomeClass outcome = peer.answer(now);
      (outcome == OutcomeClass::success ? out.good : out.refused) += 1;
      rate.report(outcome, now, now);
    }
    EXPECT_GE(rate.snapshot(now).tokens, 0);
  }
  return out;
}

TEST(SendRate, is_no_limit_until_the_peer_says_later) {
  const auto rate = SendRate::make({.name = "api"}).value();
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_FALSE(rate->take(Instant(1h)));
    rate->report(OutcomeClass::transient, Instant(1h), Instant(1h));
  }
  EXPECT_FALSE(rate->snapshot(Instant(1h)).limited);
}

TEST(SendRate, follows_the_cube) {
  const auto rate = SendRate::make({.name = "api"}).value();
  Instant now(1h);
  for (int i = 0; i < 500; ++i, now += 10ms) rate->report(OutcomeClass::success, now, now);
  rate->report(OutcomeClass::throttled, now, now);
  const double sent = rate->snapshot(now).measured;
  EXPECT_NEAR(sent, 100, 2);
  EXPECT_NEAR(rate->snapshot(now).rate, 0.7 * sent, 1e-9);
  const double k = std::cbrt(sent * 0.3 / 0.4);
  for (int i = 1; i <= 400; ++i) {
    now += 10ms;
    rate->report(OutcomeClass::success, now, now);
    const double t = 0.01 * i - k;
    ASSERT_NEAR(rate->snapshot(now).rate, std::min(sent + 0.4 * t * t * t, 2 * rate->snapshot(now).measured), 1e-6);
  }
}

TEST(SendRate, settles_at_what_the_peer_takes_falls_with_it_and_comes_back) {
  const auto rate = SendRate::make({.name = "api"}).value();
  Instant now(1h);
  Peer peer{.takes = 200};
  drive(*rate, peer, now, 20s);
  const Sent settled = drive(*rate, peer, now, 60s);
  EXPECT_GT(settled.good, 0.75 * 200 * 60);
  EXPECT_LT(settled.refused, 0.02 * settled.good);
  peer.takes = 20;
  drive(*rate, peer, now, 20s);
  const Sent slow = drive(*rate, peer, now, 60s);
  EXPECT_GT(slow.good, 0.7 * 20 * 60);
  EXPECT_LT(slow.refused, 0.15 * slow.good);
  peer.takes = 200;
  drive(*rate, peer, now, 20s);
  EXPECT_GT(drive(*rate, peer, now, 60s).good, 0.7 * 200 * 60);
}

TEST(SendRate, one_wave_of_refusals_is_one_cut) {
  const auto rate = SendRate::make({.name = "api"}).value();
  Instant now(1h);
  for (int i = 0; i < 500; ++i, now += 10ms) rate->report(OutcomeClass::success, now, now);
  const Instant sent = now - 1ms;
  for (int i = 0; i < 100; ++i) rate->report(OutcomeClass::throttled, sent, now);
  EXPECT_GT(rate->snapshot(now).rate, 60);
  for (int i = 0; i < 100; ++i) {
    now += 1ms;
    rate->report(OutcomeClass::throttled, now, now);
  }
  EXPECT_DOUBLE_EQ(rate->snapshot(now).rate, 0.5) << "never below its least";
}

TEST(SendRate, who_waits_takes_nothing_and_waits_for_one_token_only) {
  const auto rate = SendRate::make({.name = "api"}).value();
  Instant now(1h);
  for (int i = 0; i < 100; ++i) rate->report(OutcomeClass::throttled, now += 1ms, now);
  while (!rate->take(now)) {
  }
  const Duration first = rate->take(now).value();
  EXPECT_LE(first, 2s);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(rate->take(now).value(), first) << "a thousand who wait owe nothing";
  EXPECT_TRUE(rate->take(now + first - 1us));
  EXPECT_FALSE(rate->take(now + first));
}

TEST(SendRate, refuses_options_out_of_range) {
  EXPECT_EQ(SendRate::make({.name = "api", .keep = 1}).error().detail(),
            "send rate 'api': keep must be from 0.1 to 0.95, not 1");
}

}  // namespace
}  // namespace serin::limit
