#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "serin/incidents/incident.hpp"
#include "serin/ports/sql.hpp"
#include "serin/watch/thresholds.hpp"

namespace serin::watch {

/// What is known of a check between two runs.
struct CheckState {
  std::string name;
  std::string service;
  Counts counts;
  std::optional<WallTime> since = {};      ///< when the condition became what it is
  std::optional<WallTime> bad_since = {};  ///< first finding that was not ok since it was well
  std::optional<WallTime> next_due = {};
  std::optional<Finding> last = {};  ///< nothing: it never ran
  std::optional<WallTime> last_at = {};
  std::string last_said = {};
  Duration last_took = {};
  std::int64_t incident = 0;  ///< that is not resolved; 0: none
  std::string schedule = {};  ///< for people
  Duration late_after = {};   ///< a due run that is later than this did not come
  friend bool operator==(const CheckState&, const CheckState&) = default;
};

/// One run, or one that did not come.
struct RunResult {
  std::string check;
  WallTime at;
  Finding finding = Finding::unknown;
  Duration took = {};  ///< 0 for a run that did not come
  bool missed = false;
  std::string said = {};  ///< kept for what is not ok
};

/// Of the runs of a time.
struct RunCounts {
  int runs = 0;  ///< without those that were missed
  int ok = 0;
  int unknown = 0;
  int failing = 0;
  int missed = 0;
};

/// A message that is to be sent, until it was.
struct Outgoing {
  std::int64_t id = 0;
  std::int64_t incident = 0;
  std::string kind = {};  ///< opened, resolved
  WallTime at;
  int tries = 0;
  std::optional<WallTime> next_try = {};
  std::string error = {};  ///< of the last try
};

/// The watcher's last sign of life.
struct WatcherBeat {
  WallTime at;
  std::int64_t pid = 0;
  Duration every = {};
  std::string file = {};     ///< of which it was made
  bool stopped = false;      ///< it ended in order
  std::string trouble = {};  ///< what it could not do, for people; a line each
};

/// What happened to a check's incident along with its state.
struct Step {
  CheckState state;
  RunResult result;
  std::optional<incidents::Incident> open = {};    ///< to be opened; its id is chosen here
  std::optional<incidents::Incident> change = {};  ///< with its new finding and reason
  bool resolve = false;                            ///< the state's incident is over
  std::string text = {};                           ///< of the timeline
};

/// A watcher's memory, with the incidents, in one database. Threads and processes: any.
class WatchStore {
 public:
  /// Makes the tables when they are not there. \param sql  outlives it. Errors: of the database.
  static Result<std::unique_ptr<WatchStore>> open(Sql& sql, Deadline deadline);

  /// Writes the step whole or not at all; returns the state as it is now, with its incident. A message about the
  /// incident is put down in the same transaction: what was opened is told, whatever happens to us after this.
  Result<CheckState> write(Step step, Deadline deadline);
  Result<std::vector<CheckState>> states(Deadline deadline);
  /// Without a run: a check that is new, or whose schedule is.
  Status save(const CheckState& state, Deadline deadline);
  /// A check that is not watched any more; its incident stays. Errors: not_found.
  Status forget(const std::string& check, Deadline deadline);

  /// Results in [from, to), the oldest first.
  Result<std::vector<RunResult>> results(const std::string& check, WallTime from, WallTime to, Deadline deadline);
  /// The newest results, the newest first.
  Result<std::vector<RunResult>> newest(const std::string& check, int most, Deadline deadline);
  Result<std::map<std::string, RunCounts>> counts(WallTime from, WallTime to, Deadline deadline);
  /// Forgets results from before.
  Status prune(WallTime before, Deadline deadline);

  /// Messages that were not sent, the oldest first; only what is due when a time is given.
  Result<std::vector<Outgoing>> outgoing(std::optional<WallTime> due, int most, Deadline deadline);
  /// Gone from here, with a line in the incident's timeline: it was sent, or never will be.
  Status done_with(const Outgoing& message, const incidents::IncidentEvent& line, Deadline deadline);
  /// It could not be sent, or not to everybody; the first failure is a line in the timeline.
  Status not_sent(const Outgoing& message, WallTime at, WallTime next_try, const std::string& error, Deadline deadline);

  Status save_beat(const WatcherBeat& beat, Deadline deadline);
  /// Nothing: there never was a watcher.
  Result<std::optional<WatcherBeat>> beat(Deadline deadline);

 private:
  explicit WatchStore(Sql& sql) : sql_(sql) {}
  Sql& sql_;
};

}  // namespace serin::watch
