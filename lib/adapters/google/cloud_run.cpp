#include "serin/google/cloud_run.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "detail_call.hpp"
#include "detail_run.hpp"

namespace serin::google {
namespace json = boost::json;
namespace {

constexpr Duration most_wait = 30s;  // the service holds one request for a wait; below the time of an attempt

/// "projects/p/locations/l/operations/o" as a path; names of others come in and go out again.
Result<std::string> path_of_name(std::string_view name) {
  std::string out = "/v2";
  std::size_t begin = 0;
  while (begin <= name.size()) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    const std::string_view segment = name.substr(begin, end - begin);
    if (segment.empty() || segment == "." || segment == "..")
      return fail(Errc::invalid_argument, fmt::format("\"{}\" is no name of an operation", name));
    out += "/" + escape(segment);
    begin = end + 1;
  }
  return out;
}

}  // namespace

ApiOptions CloudRun::defaults() {
  ApiOptions out{.service = std::string(service), .endpoint = "https://run.googleapis.com"};
  out.retry.backoff = {.first = 1s, .most = 10s, .factor = 1.3, .jitter = retry::Jitter::full};
  return out;
}

std::string CloudRun::path(std::string_view rest) const {
  return fmt::format("/v2/projects/{}/locations/{}/{}", escape(place_.project), escape(place_.location), rest);
}

Result<RunService> CloudRun::get_service(std::string_view name, const Within& within) {
  SERIN_TRY(const json::object answer, ask(*api_, get(path("services/" + escape(name)), {}, within)));
  return service_of(answer);
}

Result<std::vector<RunService>> CloudRun::services(const Within& within) {
  std::vector<RunService> out;
  SERIN_CHECK(read_list(*api_, path("services"), {}, "services", within, [&](const json::object& item) {
    out.push_back(service_of(item));
    return true;
  }));
  return out;
}

Result<RunOperation> CloudRun::patch_service(std::string_view name, std::string_view json, std::string_view mask,
                                             std::string_view etag, const Within& within) {
  const Result<json::object> given = parse_object(json, fmt::format("service {}", name));
  if (!given) return fail(Errc::invalid_argument, given.error().detail());
  json::object body = *given;
  if (!etag.empty()) body["etag"] = etag;
  ApiCall call = post(path("services/" + escape(name)), body, within);
  call.method = "PATCH";
  if (!mask.empty()) call.query.emplace_back("updateMask", mask);
  SERIN_TRY(const json::object answer, ask(*api_, call));
  return operation_of(answer);
}

Result<RunOperation> CloudRun::set_traffic(std::string_view name, const std::vector<TrafficTarget>& traffic,
                                           std::string_view etag, const Within& within) {
  SERIN_TRY(json::array targets, json_of(traffic));
  return patch_service(name, json::serialize(json::object{{"traffic", std::move(targets)}}), "traffic", etag, within);
}

Result<std::vector<RunRevision>> CloudRun::revisions(std::string_view service_name, const Within& within) {
  std::vector<RunRevision> out;
  const std::string list = path("services/" + escape(service_name) + "/revisions");
  SERIN_CHECK(read_list(*api_, list, {}, "revisions", within, [&](const json::object& item) {
    out.push_back(revision_of(item));
    return true;
  }));
  return out;
}

Result<RunRevision> CloudRun::revision(std::string_view service_name, std::string_view name, const Within& within) {
  const std::string one = path("services/" + escape(service_name) + "/revisions/" + escape(name));
  SERIN_TRY(const json::object answer, ask(*api_, get(one, {}, within)));
  return revision_of(answer);
}

Result<RunOperation> CloudRun::operation(std::string_view name, const Within& within) {
  SERIN_TRY(std::string operation, path_of_name(name));
  SERIN_TRY(const json::object answer, ask(*api_, get(std::move(operation), {}, within)));
  return operation_of(answer);
}

Status CloudRun::pause(Duration wait, const Within& within) {
  const Instant now = api_->sleeper().now();
  if (wait >= within.deadline.left(now)) return fail(Errc::deadline_exceeded, "it goes on beyond the deadline");
  return sleep_until(api_->sleeper(), now + wait, within.stop);
}

Result<RunOperation> CloudRun::wait(std::string_view name, const Within& within) {
  SERIN_TRY(const std::string operation, path_of_name(name));
  for (Duration pause_before = 1s;; pause_before = std::min<Duration>(pause_before * 13 / 10, 10s)) {
    const Instant began = api_->sleeper().now();
    if (within.deadline.passed(began)) return fail(Errc::deadline_exceeded, fmt::format("{}: it goes on", name));
    const auto seconds =
        std::chrono::floor<std::chrono::seconds>(std::min(most_wait, within.deadline.left(began))).count();
    ApiCall call = post(operation + ":wait", json::object{{"timeout", fmt::format("{}s", seconds)}}, within);
    call.idempotency = Idempotency::idempotent;  // it only waits
    SERIN_TRY(const json::object answer, ask(*api_, call));
    RunOperation out = operation_of(answer);
    if (out.done) return out;
    // It may answer at once, done or not: then the wait is ours, as with a plain look.
    if (api_->sleeper().now() - began >= pause_before) continue;
    if (const Status paused = pause(pause_before, within); !paused) return pass(paused.error().in(name));
  }
}

Result<RunOperation> CloudRun::run_job(std::string_view job, const RunOverrides& overrides, const Within& within) {
  const ApiCall call = post(path("jobs/" + escape(job) + ":run"), json_of(overrides), within);
  SERIN_TRY(const json::object answer, ask(*api_, call));
  return operation_of(answer);
}

Result<RunExecution> CloudRun::execution(std::string_view job, std::string_view name, const Within& within) {
  const std::string one = path("jobs/" + escape(job) + "/executions/" + escape(name));
  SERIN_TRY(const json::object answer, ask(*api_, get(one, {}, within)));
  return execution_of(answer);
}

Result<RunExecution> CloudRun::wait_for_execution(std::string_view job, std::string_view name, const Within& within) {
  for (Duration pause_before = 1s;; pause_before = std::min<Duration>(pause_before * 13 / 10, 10s)) {
    SERIN_TRY(RunExecution out, execution(job, name, within));
    if (out.completed) return out;
    if (const Status paused = pause(pause_before, within); !paused) return pass(paused.error().in(name));
  }
}

Result<RunOperation> CloudRun::cancel_execution(std::string_view job, std::string_view name, const Within& within) {
  const std::string one = path("jobs/" + escape(job) + "/executions/" + escape(name) + ":cancel");
  SERIN_TRY(const json::object answer, ask(*api_, post(one, json::object(), within)));
  return operation_of(answer);
}

}  // namespace serin::google
