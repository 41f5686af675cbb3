// Goal: kill -9 loses no news and mixes up no order: whatever was taken is told, at least once, firing before resolved,
// each at most once more for each kill. Method: every point before and after the effect of every outside call of a
// story with an outage in it is killed once alone, and once more with a second kill in the process that takes over.
#include <gmock/gmock.h>

#include <map>

#include "outbox_under_test.hpp"

namespace serin::notify {
namespace {

using sim::killed_at;

/// What the caller of the outbox wants to say, in order. What was not taken when a process died is said again by the
/// next one, which sees the same world.
struct Story {
  explicit Story(Scene& owner) : scene(owner) {
    const Notification a = scene.firing("a", Severity::page);
    const Notification b = scene.firing("b");
    scene.world.advance(1s);
    Notification again = scene.firing("a");
    news = {a, b, scene.over(a), again, scene.over(b), scene.over(again)};
  }
  void tell() {
    while (said < news.size()) {
      const Status taken = scene.outbox->notify(news[said]);
      EXPECT_TRUE(taken);
      ++said;
      scene.pass(2min);
    }
    scene.pass(20min);
  }
  Scene& scene;
  std::vector<Notification> news;
  std::size_t said = 0;
};

/// Each piece of news once, as it was heard first.
std::map<std::string, std::vector<std::string>> heard(const Receiver& receiver) {
  std::map<std::string, std::vector<std::string>> out;
  for (const Message& message : receiver.told)
    for (const Notification& change : message.changes) {
      if (message.is_reminder) continue;
      const std::string one = fmt::format("{} of {}", status_name(change.status), unix_ms(change.started_at) % 100'000);
      std::vector<std::string>& list = out[change.key];
      if (std::ranges::find(list, one) == list.end()) list.push_back(one);
    }
  return out;
}

std::size_t times_told(const Receiver& receiver) {
  std::size_t out = 0;
  for (const Message& message : receiver.told) out += message.changes.size();
  return out;
}

bool survives(int n, int second, bool can_change) {
  Scene scene;
  scene.chat.changes = can_change;
  int calls = 0;
  scene.chat.answers = [&calls](const Message&) {
    ++calls;
    return calls >= 2 && calls <= 4 ? refuses(Errc::unavailable) : Answer{};
  };
  Story story(scene);
  std::string at = killed_at(scene.outside, n, [&] { story.tell(); });
  if (at.empty()) return false;
  int kills = 1;
  scene.restart();
  if (second > 0) {
    const std::string again = killed_at(scene.outside, second, [&] { story.tell(); });
    if (!again.empty()) ++kills;
    at += fmt::format(", then {}", again);
    scene.restart();
  }
  story.tell();
  SCOPED_TRACE(fmt::format("killed at {}, {}: {}", n, at, scene.chat.story()));
  EXPECT_EQ(scene.waiting(), 0);
  auto told = heard(scene.chat);
  const auto first = unix_ms(story.news[0].started_at) % 100'000;
  const auto later = unix_ms(story.news[3].started_at) % 100'000;
  EXPECT_THAT(told["a"],
              testing::ElementsAre(fmt::format("firing of {}", first), fmt::format("resolved of {}", first),
                                   fmt::format("firing of {}", later), fmt::format("resolved of {}", later)));
  EXPECT_THAT(told["b"],
              testing::ElementsAre(fmt::format("firing of {}", first), fmt::format("resolved of {}", first)));
  if (!can_change) {
    EXPECT_LE(times_told(scene.chat), 6u + 6u * static_cast<unsigned>(kills));
  }
  EXPECT_EQ(scene.outbox->waiting("chat")->firing, 0);
  return true;
}

void sweep(bool twice, bool can_change) {
  int n = 1;
  while (survives(n, twice ? 1 + n * 7 % 31 : 0, can_change) && !testing::Test::HasFailure()) ++n;
  EXPECT_GT(n, 60) << "the story has that many points at least";
}

TEST(OutboxKilled, anywhere_tells_everything_in_order) { sweep(false, false); }
TEST(OutboxKilled, again_where_it_is_taken_up_tells_everything_in_order) { sweep(true, false); }
TEST(OutboxKilled, anywhere_tells_everything_in_order_where_messages_are_changed) { sweep(false, true); }

TEST(OutboxKilled, between_telling_and_writing_it_down_tells_the_same_message_again) {
  Scene scene;
  scene.begin("a");
  scene.world.advance(31s);
  scene.outside.after = [](std::string_view call) {
    if (call == "send") throw sim::Killed{};
  };
  EXPECT_THROW(static_cast<void>(scene.step()), sim::Killed);
  scene.outside = {};
  scene.restart();
  EXPECT_EQ(scene.step().did, Did::nothing) << "the dead one's claim holds for an attempt's time";
  scene.pass(20s);
  ASSERT_EQ(scene.chat.told.size(), 2u);
  EXPECT_EQ(scene.chat.told[0].id, scene.chat.told[1].id) << "a receiver can know that it has it";
}

}  // namespace
}  // namespace serin::notify
