#pragma once
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "serin/incidents/incident_store.hpp"
#include "serin/notify/notification.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/log.hpp"
#include "serin/ports/tasks.hpp"
#include "serin/watch/spec.hpp"
#include "serin/watch/store.hpp"

namespace serin::watch {

/// What one run found, and one sentence about it.
struct RunAnswer {
  Finding finding = Finding::unknown;
  std::string said = {};
};

/// What a watcher uses; all of it outlives the watcher.
struct WatcherPorts {
  Sleeper& sleeper;  ///< its Ctrl-C ends the watcher
  Tasks& tasks;      ///< as many as `parallel`, and one more for the heartbeat
  WatchStore& store;
  incidents::IncidentStore& incidents;
  Logger log;
  /// Looks once, until the deadline, or until it is asked to stop; an error is unknown, `cancelled` is no finding.
  /// Threads: called from several at the same time, never twice for one item.
  std::function<Result<RunAnswer>(const WatchItem&, Deadline, std::stop_token)> look;
  /// Told what opens and what is resolved; null: nobody is, which is a finding.
  notify::Notifier* notifier = nullptr;
  /// Gives the sign of life to others; its error is a finding. Called on a thread of `tasks`; empty: none.
  std::function<Status(const WatcherBeat&, Deadline)> beat = {};
  std::int64_t pid = 0;
};

/// Looks at the items of a file when they are due, remembers what was found, opens and resolves incidents and has them
/// told. An item is never looked at twice at once; what could not be started in time, what did not answer by its
/// deadline and what was due while no watcher ran is remembered as unknown. Threads: one, that of run() and once().
class Watcher {
 public:
  /// Reads what an earlier watcher of this database knew. Errors: of the database.
  static Result<std::unique_ptr<Watcher>> make(WatchSpec spec, WatcherPorts ports);
  ~Watcher();
  /// Until the process is asked to stop; then waits for what runs, at most until its deadlines.
  /// Errors: of the database, when nothing could be written for a minute: a watcher that forgets is none.
  Status run();
  /// Every item once, now, whatever is due.
  Status once();
  /// In the order of the file, the items' trends after them.
  [[nodiscard]] std::vector<CheckState> states() const;

 private:
  struct Entry;
  struct Finished;
  struct Inbox;
  Watcher(WatchSpec spec, WatcherPorts ports);
  Status load();
  Status load_entry(Entry& entry, const std::map<std::string, CheckState>& known, WallTime now);
  Status cycle(bool schedule);
  void start_due(WallTime now);
  bool start(std::size_t index, WallTime now);
  void miss(Entry& entry, WallTime now, std::int64_t many, const std::string& why);
  void take_finished();
  void give_up_late();
  void absorb(Entry& entry, RunResult result);
  void judge_trend_of(const Entry& entry, Entry& trend, WallTime now);
  Status tell(const Outgoing& message, WallTime now);
  /// What the next run that ends will set; nothing when one has ended already.
  std::shared_ptr<Event> next_wake();
  [[nodiscard]] bool is_running() const;
  void tell_outgoing(WallTime now);
  void beat(WallTime now, bool stopped);
  void prune(WallTime now);
  void drain();
  [[nodiscard]] Instant wake_at(WallTime now) const;
  [[nodiscard]] Deadline soon() const;

  WatchSpec spec_;
  WatcherPorts ports_;
  std::vector<std::unique_ptr<Entry>> entries_;
  std::shared_ptr<Inbox> inbox_;
  std::stop_source stop_;
  WallTime next_beat_{};
  WallTime next_prune_{};
  WallTime next_tell_{};
  std::optional<Instant> mute_since_ = {};  // nothing could be written since
  std::optional<Error> write_error_ = {};
  std::string beat_trouble_ = {};
  bool beating_ = false;
};

}  // namespace serin::watch
