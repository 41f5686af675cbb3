#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "detail_call.hpp"
#include "detail_run.hpp"
#include "serin/google/api_error.hpp"

namespace serin::google {
namespace json = boost::json;
namespace {

constexpr std::string_view by_revision = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION";
constexpr std::string_view latest = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST";

std::vector<TrafficTarget> traffic_of(const json::object& object, std::string_view field) {
  std::vector<TrafficTarget> out;
  for (const json::value& item : array_of(object, field)) {
    const json::object* const target = item.if_object();
    if (target == nullptr) continue;
    out.push_back(
        {.revision = last_segment(text_of(*target, "revision")),
         .percent = static_cast<int>(std::clamp<std::int64_t>(int_of(*target, "percent").value_or(0), 0, 100)),
         .tag = text_of(*target, "tag")});
  }
  return out;
}

/// Of a list of conditions the one of that type.
RunCondition find_condition(const json::object& object, std::string_view type) {
  for (const json::value& item : array_of(object, "conditions"))
    if (item.is_object() && text_of(item.get_object(), "type") == type) return condition_of(&item.get_object());
  return {.type = std::string(type)};
}

/// google.rpc.Code as the HTTP status that stands for it: operations carry the one, answers the other.
int http_of(std::int64_t code) {
  constexpr std::array<int, 17> table{200, 499, 500, 400, 504, 404, 409, 403, 429,
                                      400, 409, 400, 501, 500, 503, 500, 401};
  return code >= 0 && code < static_cast<std::int64_t>(table.size()) ? table.at(static_cast<std::size_t>(code)) : 500;
}

std::optional<Error> failure_of(const json::object& operation) {
  const json::object* const error = object_of(operation, "error");
  if (error == nullptr) return std::nullopt;
  const std::int64_t code = int_of(*error, "code").value_or(2);
  ApiError said = read_error(http_of(code), json::serialize(json::object{{"error", *error}}));
  // 9 FAILED_PRECONDITION and 10 ABORTED are not told by their HTTP status alone.
  if (code == 9) said.status = "FAILED_PRECONDITION";
  if (code == 10) said.status = "ABORTED";
  return fail(code_of(said), describe(said)).error();
}

}  // namespace

RunCondition condition_of(const json::object* condition) {
  RunCondition out;
  if (condition == nullptr) return out;
  constexpr std::array<std::string_view, 5> names{"STATE_UNSPECIFIED", "CONDITION_PENDING", "CONDITION_RECONCILING",
                                                  "CONDITION_SUCCEEDED", "CONDITION_FAILED"};
  // As numbers, where asked for: 1 pending, 2 reconciling, 3 failed, 4 succeeded.
  constexpr std::array states{RunState::unknown, RunState::pending, RunState::reconciling, RunState::failed,
                              RunState::succeeded};
  out.type = text_of(*condition, "type");
  out.message = text_of(*condition, "message");
  for (const std::string_view field : {"reason", "revisionReason", "executionReason"})
    if (out.reason.empty()) out.reason = text_of(*condition, field);
  const std::string name = text_of(*condition, "state");
  for (std::size_t i = 1; i < names.size(); ++i)
    if (name == names.at(i)) out.state = static_cast<RunState>(i);
  if (const auto number = int_of(*condition, "state"); number && *number > 0 && *number < 5)
    out.state = states.at(static_cast<std::size_t>(*number));
  return out;
}

RunService service_of(const json::object& object) {
  return {.name = last_segment(text_of(object, "name")),
          .uri = text_of(object, "uri"),
          .etag = text_of(object, "etag"),
          .generation = int_of(object, "generation").value_or(0),
          .observed_generation = int_of(object, "observedGeneration").value_or(0),
          .reconciling = flag_of(object, "reconciling"),
          .condition = condition_of(object_of(object, "terminalCondition")),
          .latest_ready_revision = last_segment(text_of(object, "latestReadyRevision")),
          .latest_created_revision = last_segment(text_of(object, "latestCreatedRevision")),
          .traffic = traffic_of(object, "traffic"),
          .traffic_statuses = traffic_of(object, "trafficStatuses"),
          .json = json::serialize(object)};
}

RunRevision revision_of(const json::object& object) {
  RunRevision out{.name = last_segment(text_of(object, "name")),
                  .created = time_of(object, "createTime"),
                  .condition = find_condition(object, "Ready")};
  const json::array& containers = array_of(object, "containers");
  if (!containers.empty() && containers.front().is_object())
    out.image = text_of(containers.front().get_object(), "image");
  if (const json::object* const annotations = object_of(object, "annotations"))
    for (const auto& [key, value] : *annotations)
      if (value.is_string()) out.annotations.emplace(key, value.get_string());
  return out;
}

RunOperation operation_of(const json::object& object) {
  RunOperation out{.name = text_of(object, "name"), .done = flag_of(object, "done"), .error = failure_of(object)};
  if (const json::object* const response = object_of(object, "response")) {
    out.response = json::serialize(*response);
    out.target = text_of(*response, "name");
  }
  if (out.target.empty()) out.target = text_of(object, "metadata.name");
  if (out.target.empty()) out.target = text_of(object, "metadata.target");
  return out;
}

RunExecution execution_of(const json::object& object) {
  return {.name = last_segment(text_of(object, "name")),
          .job = last_segment(text_of(object, "job")),
          .tasks = int_of(object, "taskCount").value_or(0),
          .running = int_of(object, "runningCount").value_or(0),
          .succeeded = int_of(object, "succeededCount").value_or(0),
          .failed = int_of(object, "failedCount").value_or(0),
          .completed = time_of(object, "completionTime"),
          .condition = find_condition(object, "Completed")};
}

json::object json_of(const RunOverrides& overrides) {
  json::object out;
  json::object container;
  if (!overrides.args.empty()) container["args"] = json::array(overrides.args.begin(), overrides.args.end());
  if (!overrides.environment.empty()) {
    json::array environment;
    for (const auto& [name, value] : overrides.environment)
      environment.push_back(json::object{{"name", name}, {"value", value}});
    container["env"] = std::move(environment);
  }
  if (!container.empty()) out["containerOverrides"] = json::array{std::move(container)};
  if (overrides.tasks) out["taskCount"] = *overrides.tasks;
  if (overrides.timeout)
    out["timeout"] = fmt::format("{}s", std::chrono::ceil<std::chrono::seconds>(*overrides.timeout).count());
  return out.empty() ? out : json::object{{"overrides", std::move(out)}};
}

Result<json::array> json_of(const std::vector<TrafficTarget>& traffic) {
  json::array out;
  int sum = 0;
  for (const TrafficTarget& target : traffic) {
    if (target.percent < 0 || target.percent > 100)
      return fail(Errc::invalid_argument, fmt::format("{} % of the traffic is not from 0 to 100", target.percent));
    sum += target.percent;
    json::object one{{"type", target.revision.empty() ? latest : by_revision}, {"percent", target.percent}};
    if (!target.revision.empty()) one["revision"] = target.revision;
    if (!target.tag.empty()) one["tag"] = target.tag;
    out.push_back(std::move(one));
  }
  if (sum != 100)
    return fail(Errc::invalid_argument, fmt::format("the shares of traffic add up to {} %, not 100", sum));
  return out;
}

}  // namespace serin::google
