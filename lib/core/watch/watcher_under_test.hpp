#pragma once
#include <gtest/gtest.h>

#include "serin/sim/crew.hpp"
#include "serin/sim/world.hpp"
#include "serin/sqlite/sqlite_sql.hpp"
#include "serin/watch/watcher.hpp"
#include "serin/zones/time_zones.hpp"

namespace serin::watch {

/// Threads that take turns, and a calendar that goes with their time.
class CrewTime final : public Sleeper {
 public:
  explicit CrewTime(sim::Crew& crew) : crew_(crew), began_(crew.now()) {}
  [[nodiscard]] Instant now() const override { return crew_.now(); }
  [[nodiscard]] WallTime wall() const override { return start + jump + (crew_.now() - began_); }
  Status sleep_until(Instant until) override { return crew_.sleep_until(until); }
  /// Ends with cancelled at `stop_at`, as after Ctrl-C.
  Result<bool> wait(Event& event, Instant until) override {
    if (until >= stop_at) {
      const auto set = crew_.wait(event, std::max(stop_at, crew_.now()));
      return set && *set ? set : fail(Errc::cancelled, "interrupted");
    }
    return crew_.wait(event, until);
  }
  static inline const WallTime start = parse_rfc3339("2026-11-25T10:00:00Z").value();
  Duration jump{};
  Instant stop_at = Instant::max();

 private:
  sim::Crew& crew_;
  Instant began_;
};

/// Takes what it is told; refuses so many times before.
class Receiver final : public notify::Notifier {
 public:
  Status notify(const notify::Notification& notification) override {
    if (refuse > 0) {
      --refuse;
      return fail(Errc::unavailable, "the outbox is closed");
    }
    told.push_back(notification);
    return {};
  }
  int refuse = 0;
  std::vector<notify::Notification> told;
};

/// A watcher over a database in memory whose checks answer as a function says, by name and number of the run.
class WatcherUnderTest : public testing::Test {
 protected:
  using Look = std::function<Result<RunAnswer>(const WatchItem&, int run)>;

  /// Runs a watcher of these items for so long, and ends it as Ctrl-C does.
  Status watch(const std::string& items, Duration how_long, const Look& look, std::size_t threads = 4) {
    return with_watcher(items, look, threads, [&](Watcher& watcher) {
      time.stop_at = crew.now() + how_long;
      return watcher.run();
    });
  }
  template <class Use>
  Status with_watcher(const std::string& items, const Look& look, std::size_t threads, const Use& use) {
    free_ = threads;
    auto spec = parse_watch(items, "watch.yaml", SystemTimeZones());
    if (!spec) return pass(spec.error());
    auto watcher = Watcher::make(
        std::move(*spec),
        {.sleeper = time,
         .tasks = bounded,
         .store = *store,
         .incidents = *incidents,
         .log = Logger(world.log()),
         .look = [&](const WatchItem& item, Deadline, std::stop_token) { return look(item, ++runs[item.name]); },
         .notifier = notifier,
         .beat = beat,
         .pid = 7});
    if (!watcher) return pass(watcher.error());
    const Status done = use(**watcher);
    states.clear();
    for (const CheckState& state : (*watcher)->states()) states[state.name] = state;
    return done;
  }
  std::vector<incidents::Incident> all_incidents() { return incidents->list({}, Deadline::never()).value(); }
  static RunAnswer ok() { return {.finding = Finding::ok}; }
  static RunAnswer bad(std::string said = "503") { return {.finding = Finding::failing, .said = std::move(said)}; }
  static RunAnswer unknown(std::string said = "refused") {
    return {.finding = Finding::unknown, .said = std::move(said)};
  }
  Duration since(WallTime at) const { return at - CrewTime::start; }

  /// So many threads of the crew, whatever it has.
  struct Bounded final : Tasks {
    explicit Bounded(WatcherUnderTest& owner) : test(owner) {}
    bool start(std::function<void()> work) override {
      return test.crew.running() < test.free_ && test.crew.start(std::move(work));
    }
    void join(Event& ended) override { test.crew.join(ended); }
    WatcherUnderTest& test;
  };

  sim::World world;
  sim::Crew crew{32};
  CrewTime time{crew};
  Bounded bounded{*this};
  std::unique_ptr<Sql> sql = SqliteSql::open({.path = ":memory:"}, time).value();
  std::unique_ptr<WatchStore> store = WatchStore::open(*sql, Deadline::never()).value();
  std::unique_ptr<incidents::IncidentStore> incidents = incidents::IncidentStore::open(*sql, Deadline::never()).value();
  Receiver receiver;
  notify::Notifier* notifier = &receiver;
  std::function<Status(const WatcherBeat&, Deadline)> beat;
  std::map<std::string, int> runs;
  std::map<std::string, CheckState> states;
  std::size_t free_ = 4;
};

}  // namespace serin::watch
