#pragma once
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "serin/google/cloud_run.hpp"
#include "serin/ports/platform.hpp"
#include "serin/ports/router.hpp"

namespace serin::cloud_run {

/// The services of a project and region behind the ports Router and Platform. A release is a revision, and called as
/// Cloud Run calls it: "SERVICE-something". What belongs to others stays: their tags, settings, revisions.
///
/// Every change is made to what was read (etag); when somebody was faster, it is read and computed again. Traffic is
/// given to revisions by name, never to "the latest": a deploy of somebody else takes none of it. A split that is
/// neither the one found first nor one that was set here is somebody else's: it is reported and never overwritten.
/// Source: Cloud Run Admin API v2. Threads: any.
class Target final : public Router, public Platform {
 public:
  explicit Target(google::CloudRun run) : run_(std::move(run)) {}

  /// What is served, once nothing is under way any more: the operation ended, every change observed, the routes ready
  /// and as wanted. Errors: as Router; unavailable, while that is not so, with the reason.
  Result<Split> read(const ServiceName& service, Deadline deadline) override;
  /// Returns when it is accepted. Errors: as Router; invalid_argument (not whole percents); conflict (the split is
  /// somebody else's, or the service was changed at each attempt).
  Status apply(const ServiceName& service, const Split& split, Deadline deadline) override;

  /// A revision at 0 % with a tag, so that it has an address of its own. The service's template is kept but for this:
  /// the image is `command[0]`, what follows are the container's arguments (nothing: the template's), the environment
  /// is added; labels and digest become annotations. `directory`, `ready_path` and `ready_timeout` are not Cloud Run's.
  /// A revision that is there already needs the same digest; a release without a digest is whatever has its name.
  /// Errors: as Platform; invalid_argument (its name, no image, or replicas other than 1: Cloud Run counts instances
  /// by itself).
  Status start(const ServiceName& service, const ReleaseSpec& release, Deadline deadline) override;
  /// Takes its tag back; the revision stays, idle, so that it can be gone back to. Errors: as Platform; conflict (it
  /// has traffic).
  Status stop(const ServiceName& service, const ReleaseName& release, Deadline deadline) override;
  /// One that stands for all instances. A revision that failed is crash_looping: Cloud Run has given it up. The
  /// address is the tag's host and empty without one; `log` is a filter of Cloud Logging.
  Result<std::vector<Replica>> replicas(const ServiceName& service, const ReleaseName& release,
                                        Deadline deadline) override;

 private:
  struct Memory {
    std::optional<Split> known = {};    // found first, or set by us and accepted
    std::optional<Split> pending = {};  // sent, but nobody knows whether it was accepted
    std::string operation = {};         // the last change that was accepted; empty: none, or it ended
  };
  Status end_of_operation(const ServiceName& service, Deadline deadline);
  void remember_operation(const ServiceName& service, const google::RunOperation& operation);
  Result<google::RunService> get(const ServiceName& service, Deadline deadline);
  Result<std::optional<google::RunRevision>> find(const ServiceName& service, const ReleaseName& release,
                                                  Deadline deadline);
  Result<google::RunOperation> try_apply(const ServiceName& service, const Split& split, Deadline deadline);

  google::CloudRun run_;
  std::mutex mutex_;
  std::map<ServiceName, Memory> memory_;  // guarded by mutex_
};

/// Errors: invalid_argument, for a share of a plan that Cloud Run cannot give, such as 2.5 %.
[[nodiscard]] Status check_stages(const std::vector<double>& percents);

}  // namespace serin::cloud_run
