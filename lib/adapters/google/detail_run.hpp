#pragma once
#include <boost/json/object.hpp>

#include "serin/google/cloud_run.hpp"

// Private to the module: what Cloud Run writes. All pure.
namespace serin::google {

[[nodiscard]] RunCondition condition_of(const boost::json::object* condition);
[[nodiscard]] RunService service_of(const boost::json::object& object);
[[nodiscard]] RunRevision revision_of(const boost::json::object& object);
[[nodiscard]] RunOperation operation_of(const boost::json::object& object);
[[nodiscard]] RunExecution execution_of(const boost::json::object& object);
[[nodiscard]] boost::json::object json_of(const RunOverrides& overrides);
/// Errors: invalid_argument, when the percentages do not add up to 100.
[[nodiscard]] Result<boost::json::array> json_of(const std::vector<TrafficTarget>& traffic);

}  // namespace serin::google
