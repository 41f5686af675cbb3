#pragma once
#include <boost/json/object.hpp>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "verb.hpp"

namespace serin::tool {

/// A fleet of its own in a temporary folder, for demos and drills. What it started it also ends: the destructor takes
/// it down on every way out, and says so when something is left. Threads: main's.
class TemporaryFleet {
 public:
  /// \param context  outlives it  \param purpose  "demo": part of the folder's name
  TemporaryFleet(VerbContext& context, std::string purpose)
      : context_(context), purpose_(std::move(purpose)), started_(context.sleeper().now()) {}
  ~TemporaryFleet() { take_down(); }
  TemporaryFleet(const TemporaryFleet&) = delete;
  TemporaryFleet& operator=(const TemporaryFleet&) = delete;

  /// Makes the folder. Errors: not_found (the fleet's file), exhausted, ...
  Status prepare();
  /// `serin up`, and learns every service's address. Errors: unavailable, cancelled.
  Status up();
  /// Ends everything. Kept is the folder when asked for, or when the fleet could not be ended.
  void take_down();
  void keep() noexcept { keep_ = true; }

  /// A line of progress with the time since the beginning.
  void say(std::string_view text) const;
  /// Runs a program to its end and reads the JSON object that it printed, with its "exit_code".
  /// Errors: unavailable (an exit code not in `good`), data_loss (no JSON), cancelled (Ctrl-C).
  Result<boost::json::object> program(std::vector<std::string> argv, std::initializer_list<int> good = {0}) const;
  /// The command line of `serin WORDS` for this fleet.
  [[nodiscard]] std::vector<std::string> serin(std::initializer_list<std::string> words) const;
  /// The command line of `serin-fleet WORDS --warehouse ... --json`.
  [[nodiscard]] std::vector<std::string> fleet_program(std::initializer_list<std::string> words) const;
  /// Loads a season and runs a busy game date. Returns what `serin-fleet pipeline` said.
  Result<boost::json::object> run_pipeline();
  /// Bodies of users' requests to prediction-worker, one for each player of that report.
  [[nodiscard]] static std::vector<std::string> previews(const boost::json::object& pipeline);

  [[nodiscard]] const std::string& state() const noexcept { return state_; }
  [[nodiscard]] const std::map<std::string, std::string>& urls() const noexcept { return urls_; }
  [[nodiscard]] int replicas() const noexcept { return replicas_; }
  /// What could not be ended, and how to look at it; empty: nothing is left running.
  [[nodiscard]] const std::string& left_behind() const noexcept { return left_behind_; }
  [[nodiscard]] Duration age() const { return context_.sleeper().now() - started_; }

 private:
  VerbContext& context_;
  std::string purpose_;
  Instant started_;
  std::string bin_;
  std::string file_;
  std::string state_;
  bool up_ = false;
  bool keep_ = false;
  int replicas_ = 0;
  std::map<std::string, std::string> urls_;  // by service
  std::string left_behind_;
};

/// Text of a member, "" when it is not there.
[[nodiscard]] std::string text_of(const boost::json::object& object, std::string_view key);

}  // namespace serin::tool
