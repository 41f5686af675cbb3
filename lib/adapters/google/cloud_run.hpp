#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serin/google/api.hpp"
#include "serin/google/place.hpp"

namespace serin::google {

/// How far something has come, as Cloud Run says it.
enum class RunState : std::uint8_t { unknown, pending, reconciling, succeeded, failed };
struct RunCondition {
  std::string type;  ///< "Ready", "Completed"
  RunState state = RunState::unknown;
  std::string message;
  std::string reason;
};

/// A share of a service's traffic.
struct TrafficTarget {
  std::string revision;  ///< empty: the latest one that is ready
  int percent = 0;       ///< 0 to 100
  std::string tag = {};  ///< gives it an address of its own; empty: none
  friend bool operator==(const TrafficTarget&, const TrafficTarget&) = default;
};

struct RunService {
  std::string name;  ///< "api"
  std::string uri;
  std::string etag;
  std::int64_t generation = 0;
  std::int64_t observed_generation = 0;  ///< below `generation`: not everything that is wanted is there yet
  bool reconciling = false;
  RunCondition condition;  ///< the terminal one
  std::string latest_ready_revision;
  std::string latest_created_revision;
  std::vector<TrafficTarget> traffic;           ///< that is wanted
  std::vector<TrafficTarget> traffic_statuses;  ///< that is there
  std::string json;                             ///< the whole answer, for what has no field here
};
struct RunRevision {
  std::string name;
  std::string image;  ///< of its first container
  std::optional<WallTime> created;
  RunCondition condition;  ///< "Ready"
  std::map<std::string, std::string> annotations = {};
};
/// Something that takes a while. What it made stands in `json` of the answer.
struct RunOperation {
  std::string name;  ///< "projects/p/locations/l/operations/o"
  bool done = false;
  std::optional<Error> error = {};  ///< it is done and failed
  std::string response = {};        ///< JSON of what it made; empty until it is done
  std::string target = {};          ///< full name of what it works on, as far as it says so
};
struct RunExecution {
  std::string name;  ///< "nightly-abc12"
  std::string job;
  std::int64_t tasks = 0;
  std::int64_t running = 0;
  std::int64_t succeeded = 0;
  std::int64_t failed = 0;
  std::optional<WallTime> completed = {};
  RunCondition condition;  ///< "Completed"
};
/// What is different from the job's own settings in one run.
struct RunOverrides {
  std::vector<std::string> args = {};                                 ///< of the first container; empty: the job's
  std::vector<std::pair<std::string, std::string>> environment = {};  ///< added or replaced
  std::optional<int> tasks = {};
  std::optional<Duration> timeout = {};
};

/// Cloud Run Admin, v2, of one project and location. Threads: any.
class CloudRun {
 public:
  static constexpr std::string_view service = "run";
  [[nodiscard]] static ApiOptions defaults();
  CloudRun(std::shared_ptr<Api> api, Place place) : api_(std::move(api)), place_(std::move(place)) {}

  Result<RunService> get_service(std::string_view name, const Within& within);
  Result<std::vector<RunService>> services(const Within& within);
  /// Replaces the parts that `mask` names ("traffic", "template,labels"; empty: all that `json` has).
  /// \param json  a Service  \param etag  of what was read: the change is made to that and to nothing newer; empty:
  /// whatever is there. Errors: conflict (changed since it was read: read again), invalid_argument. Not tried again
  /// when it may have been done.
  Result<RunOperation> patch_service(std::string_view name, std::string_view json, std::string_view mask,
                                     std::string_view etag, const Within& within);
  /// The same for the traffic alone; the percentages add up to 100.
  Result<RunOperation> set_traffic(std::string_view name, const std::vector<TrafficTarget>& traffic,
                                   std::string_view etag, const Within& within);
  /// The newest first, as the service sorts them.
  Result<std::vector<RunRevision>> revisions(std::string_view service, const Within& within);
  Result<RunRevision> revision(std::string_view service, std::string_view name, const Within& within);

  Result<RunOperation> operation(std::string_view name, const Within& within);
  /// Waits until it is done. Errors: deadline_exceeded (it goes on), cancelled; that it failed is no error here.
  Result<RunOperation> wait(std::string_view name, const Within& within);

  /// Starts a job. The execution's name stands in the operation's `target`. Not tried again when it may have started.
  Result<RunOperation> run_job(std::string_view job, const RunOverrides& overrides, const Within& within);
  Result<RunExecution> execution(std::string_view job, std::string_view name, const Within& within);
  /// Waits until every task has ended. Errors: deadline_exceeded (it goes on), cancelled; that tasks failed is none.
  Result<RunExecution> wait_for_execution(std::string_view job, std::string_view name, const Within& within);
  Result<RunOperation> cancel_execution(std::string_view job, std::string_view name, const Within& within);
  [[nodiscard]] Api& api() const noexcept { return *api_; }

 private:
  [[nodiscard]] std::string path(std::string_view rest) const;
  Status pause(Duration wait, const Within& within);
  std::shared_ptr<Api> api_;
  Place place_;
};

}  // namespace serin::google
