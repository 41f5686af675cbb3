#pragma once
#include <vector>

#include "store.hpp"

// Private to the module.
namespace serin::google_emulator {

/// Cloud Run Admin v2: services with their revisions and traffic, jobs with their executions. Nothing is run: a
/// revision is ready at once and an execution has succeeded, unless the annotation serin.dev/fail of its template says
/// why not.
class Run {
 public:
  Run(Store& store, Random& random) : store_(store), random_(random) {}
  [[nodiscard]] std::vector<Route> routes();

 private:
  Reply create_service(Call& call);
  Reply patch_service(Call& call);
  Reply create_job(Call& call);
  Reply patch_job(Call& call);
  Reply run_job(Call& call);
  Reply cancel_execution(Call& call);
  Reply get(Call& call, std::string_view kind);
  Reply list(Call& call, std::string_view kind);
  Reply remove(Call& call, std::string_view kind);
  Reply get_operation(Call& call);
  Reply list_operations(Call& call);

  /// The service as it is after a change: its revision, traffic, conditions, etag.
  Outcome settle_service(json::object& service, const std::optional<json::object>& before, const Call& call,
                         bool new_revision);
  Outcome check_traffic(const json::object& service);
  /// A long running operation: not done when it is handed out, done when it is asked for.
  json::object operation(const Call& call, std::string_view type, const json::object& response);
  void stamp(json::object& resource, const std::optional<json::object>& before, const Call& call);
  Store& store_;
  Random& random_;
};

}  // namespace serin::google_emulator
