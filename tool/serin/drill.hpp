#pragma once
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "serin/load/load.hpp"
#include "temporary_fleet.hpp"

namespace serin::tool {

/// What a drill promises, and what was seen of it.
struct Expectation {
  std::string sentence;
  bool held = false;
  std::string seen;
};

/// One replica, asked directly.
struct ReplicaAddress {
  std::string service;
  std::string name;
  std::string origin;
  std::int64_t restarts = 0;
};

/// A staged failure at work: a fleet of its own with a season loaded, its users, and what has to hold. Threads: main's.
class DrillRun {
 public:
  /// \param context  outlives it
  DrillRun(VerbContext& context, bool keep);
  /// Fleet up, season loaded, one game date predicted. Errors: as TemporaryFleet's.
  Status begin();
  void end();

  [[nodiscard]] VerbContext& context() noexcept { return context_; }
  [[nodiscard]] TemporaryFleet& fleet() noexcept { return fleet_; }
  /// Of the games that were predicted: "2026-01-21".
  [[nodiscard]] const std::string& date() const noexcept { return date_; }
  void expect(std::string sentence, bool held, std::string seen);
  [[nodiscard]] const std::vector<Expectation>& expectations() const noexcept { return expectations_; }
  [[nodiscard]] bool as_expected() const;

  /// Makes the warehouse of every service behave so: "slow:5s", "down", "error:0.3"; empty: well again.
  Status stage_warehouse(std::string_view fault);
  /// Users ask prediction-worker for predictions, at fixed times. \param origin  of one replica; empty: the router's
  Status start_users(double requests_per_second, const std::string& origin = {});
  /// What they got so far.
  [[nodiscard]] load::LoadReport users() const { return load_->report(); }
  void stop_users();

  /// Every replica that runs. Errors: those of `serin status`.
  Result<std::vector<ReplicaAddress>> replicas();
  /// How /ready of every replica answers, and the slowest answer so far.
  struct Readiness {
    int ready = 0;
    int not_ready = 0;
    int silent = 0;  ///< no answer within a second
  };
  Readiness ask_ready(const std::vector<ReplicaAddress>& replicas);
  [[nodiscard]] Duration slowest_ready() const noexcept { return slowest_ready_; }
  [[nodiscard]] int ready_asked() const noexcept { return ready_asked_; }
  /// Answers that took longer than `prompt`: on a machine that is busy with other things a few may.
  [[nodiscard]] int late_ready() const noexcept { return late_ready_; }
  static constexpr Duration prompt = 100ms;
  /// The state of a replica's breaker in front of `target`; "unknown" when it could not be asked.
  std::string breaker_of(const ReplicaAddress& replica, std::string_view target);
  /// Statements that reached the warehouse of all replicas of a service, ever; -1 when one could not be asked.
  std::int64_t warehouse_calls(const std::vector<ReplicaAddress>& replicas, std::string_view service);
  /// That /health/deep of the dashboard comes to say so of its data checks: "pass", "warn". Errors: cancelled.
  Status expect_data(std::string_view status, std::string_view when);
  /// Looks every 100 ms until `condition` holds. Returns how long it took; nothing when it did not within `limit`.
  /// Errors: cancelled.
  Result<std::optional<Duration>> wait_until(Duration limit, const std::function<bool()>& condition);

 private:
  VerbContext& context_;
  TemporaryFleet fleet_;
  std::vector<std::string> previews_;
  std::string date_;
  std::unique_ptr<load::Load> load_;  // ends before the fleet does
  std::vector<Expectation> expectations_;
  Duration slowest_ready_{};
  int ready_asked_ = 0;
  int late_ready_ = 0;
};

struct Drill {
  std::string_view name;
  std::string_view what;
  Status (*run)(DrillRun& drill);
};
/// slow, down, a missing column, and retries against one that is down.
[[nodiscard]] std::span<const Drill> warehouse_drills();
/// Empty tables with and without games, and lost rows.
[[nodiscard]] std::span<const Drill> data_drills();

}  // namespace serin::tool
