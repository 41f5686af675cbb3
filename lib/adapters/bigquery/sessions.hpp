#pragma once
#include <mutex>
#include <string>
#include <vector>

#include "jobs.hpp"

// Private to the module.
namespace serin::google {

/// Write transactions in sessions of BigQuery, one after the other over all processes that use the dataset: each begins
/// by changing the one row of `serin_turn`. BigQuery ends a second one that changes it with an error instead of letting
/// it wait; so it is begun anew, until it gets through or the deadline comes. Threads: any.
class Sessions {
 public:
  /// \param jobs, sleeper, random  outlive it
  Sessions(Jobs& jobs, Sleeper& sleeper, Random& random, std::stop_token stop)
      : jobs_(jobs), sleeper_(sleeper), random_(random), stop_(std::move(stop)) {}
  /// The id of a session whose transaction has the turn. Errors: deadline_exceeded (somebody else has it), and as Jobs.
  Result<std::string> begin(Deadline deadline);
  /// The session is not to be used afterwards, whatever comes of it.
  Status commit(const std::string& session);
  void roll_back(const std::string& session);

 private:
  Status make_turn(Deadline deadline);
  Result<std::string> open(Deadline deadline);
  Status run(std::string_view sql, const std::string& session, Deadline deadline);

  Jobs& jobs_;
  Sleeper& sleeper_;
  Random& random_;
  std::stop_token stop_;
  std::mutex mutex_;
  std::vector<std::string> idle_;  // guarded by mutex_, as is what follows
  bool turn_made_ = false;
};

}  // namespace serin::google
