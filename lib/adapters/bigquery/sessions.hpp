#pragma once
#include <mutex>
#include <string>
#include <vector>

#include "jobs.hpp"

// Private to the module.
namespace serin::google {

/// Write transactions, one after the other over all processes that use the dataset. Who may write stands in the one row
/// of `serin_turn`, with an end in case he dies. The transaction itself begins with its first write, by giving the turn
/// back: that is undone with it, done with it, and refused when the turn ran out and is somebody else's. Without turns
/// BigQuery would end the second of two transactions with an error instead of letting it wait. Threads: any.
class Sessions {
 public:
  /// \param jobs, sleeper, random  outlive it
  Sessions(Jobs& jobs, Sleeper& sleeper, Random& random, std::stop_token stop)
      : jobs_(jobs), sleeper_(sleeper), random_(random), stop_(std::move(stop)) {}
  /// Waits for the turn; returns a name that nobody else has. Errors: deadline_exceeded, and as Jobs.
  Result<std::string> take_turn(Deadline deadline);
  /// For what was not committed.
  void give_turn_back(const std::string& holder);
  /// A session with a transaction of the one whose turn it is. Errors: conflict (it ran out), and as Jobs.
  Result<std::string> begin(const std::string& holder, Deadline deadline);
  /// The session is not to be used afterwards, whatever comes of it.
  Status commit(const std::string& session);
  void roll_back(const std::string& session);

 private:
  Status make_turn(Deadline deadline);
  Result<std::string> open(Deadline deadline);
  Result<std::int64_t> run(std::string_view sql, std::span<const SqlValue> parameters, const std::string& session,
                           Deadline deadline);
  Status wait(Duration& most, Deadline deadline, std::string_view what);

  Jobs& jobs_;
  Sleeper& sleeper_;
  Random& random_;
  std::stop_token stop_;
  std::mutex mutex_;
  std::vector<std::string> idle_;  // guarded by mutex_, as is what follows
  bool turn_made_ = false;
};

}  // namespace serin::google
