// Goal: a watcher that stopped, a schedule that did not come, a check that never knows and a message that reaches
// nobody are findings. Method: stored states by hand.
#include "serin/watch/watchers.hpp"

#include <gtest/gtest.h>

namespace serin::watch {
namespace {

const WallTime now = parse_rfc3339("2026-11-25T10:00:00Z").value();

WatcherBeat alive() { return {.at = now - 20s, .pid = 7, .every = 30s, .file = "w.yaml"}; }
CheckState well() {
  return {.name = "ready",
          .counts = {.condition = Finding::ok, .ok = 9},
          .next_due = now + 5s,
          .last = Finding::ok,
          .last_at = now - 5s,
          .schedule = "every 10s",
          .late_after = 60s};
}
std::vector<std::string> found(const std::vector<CheckState>& states, const std::optional<WatcherBeat>& beat,
                               const std::vector<Outgoing>& outgoing = {}) {
  std::vector<std::string> out;
  for (const WatcherFinding& finding : watch_the_watcher(states, beat, outgoing, now))
    out.push_back(finding.what + " " + finding.about + ": " + finding.said);
  return out;
}
using List = std::vector<std::string>;

TEST(Watchers, are_well_when_all_is) { EXPECT_EQ(found({well()}, alive()), List{}); }

TEST(Watchers, that_stopped_are_a_finding) {
  EXPECT_EQ(found({}, std::nullopt), List{"watcher : no watcher ever ran with this memory"});
  WatcherBeat dead = alive();
  dead.at = now - 10min;
  EXPECT_EQ(found({}, dead), List{"watcher : the watcher (process 7) gave its last sign of life 10m ago, at "
                                  "2026-11-25T09:50:00.000Z; they come every 30s"});
  WatcherBeat stopped = alive();
  stopped.stopped = true;
  EXPECT_EQ(found({}, stopped), List{"watcher : the watcher was stopped 20s ago, at 2026-11-25T09:59:40.000Z"});
  WatcherBeat mute = alive();
  mute.trouble = "no notification channel is configured: incidents reach nobody\nheartbeat: no such host";
  EXPECT_EQ(found({}, mute), (List{"notification : no notification channel is configured: incidents reach nobody",
                                   "watcher : heartbeat: no such host"}));
}

TEST(Watchers, see_a_schedule_that_did_not_come) {
  CheckState late = well();
  late.next_due = now - 60s;
  EXPECT_EQ(found({late}, alive()), List{}) << "just in time";
  late.next_due = now - 61s;
  EXPECT_EQ(found({late}, alive()),
            List{"schedule ready: was due 1m1s ago (every 10s) and did not come; it last ran 5s ago"});
  late.last_at.reset();
  EXPECT_EQ(found({late}, alive()),
            List{"schedule ready: was due 1m1s ago (every 10s) and did not come; it last ran never"});
}

TEST(Watchers, see_a_check_that_never_knows) {
  CheckState blind = well();
  blind.counts = {.condition = Finding::unknown, .unknown = 4};
  blind.last_said = "permission_denied";
  EXPECT_EQ(found({blind}, alive()), List{});
  blind.counts.unknown = 5;
  EXPECT_EQ(found({blind}, alive()), List{"check ready: answers nothing but unknown, 5 times: permission_denied"});
  blind.counts.failing = 1;
  EXPECT_EQ(found({blind}, alive()), List{}) << "it did find something";
}

TEST(Watchers, see_a_message_that_reaches_nobody) {
  const Outgoing waiting{.id = 1, .incident = 4, .kind = "opened", .at = now - 1min};
  EXPECT_EQ(found({}, alive(), {waiting}), List{}) << "it was not tried yet";
  Outgoing failing = waiting;
  failing.tries = 3;
  failing.error = "unavailable: 500";
  EXPECT_EQ(found({}, alive(), {failing}),
            List{"notification 4: that incident 4 is opened could not be told, 3 times: unavailable: 500"});
}

}  // namespace
}  // namespace serin::watch
