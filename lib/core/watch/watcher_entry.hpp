#pragma once
#include "serin/watch/watcher.hpp"

// What a watcher keeps of each item while it runs. Private to the module.
namespace serin::watch {

struct Watcher::Entry {
  WatchItem item;
  CheckState state;
  Entry* trend = nullptr;  // compares its runs with their past; itself an entry, that never runs
  bool is_trend = false;
  WallTime next_due{};
  bool running = false;
  bool given_up = false;  // it is past its deadline and counted; what it still says does not count
  WallTime started{};
  Instant deadline{};
  std::unique_ptr<Event> ended;
  Instant next_trend{};
};

/// What a run, or a sign of life, left behind. `entry` is null for the latter.
struct Watcher::Finished {
  Entry* entry = nullptr;
  Result<RunAnswer> answer;
  WallTime at{};
  Duration took{};
};

/// Where threads leave what they found. Lives as long as one of them does.
struct Watcher::Inbox {
  std::mutex mutex;
  std::vector<Finished> finished;  // guarded by mutex, like `wake`
  std::shared_ptr<Event> wake;
  std::unique_ptr<Event> beat_ended;
};

}  // namespace serin::watch
