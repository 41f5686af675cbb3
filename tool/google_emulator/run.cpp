#include "run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "serin/base/text.hpp"

namespace serin::google_emulator {
namespace {

constexpr std::string_view fail_annotation = "serin.dev/fail";

std::string location_of(const Call& call) {
  return fmt::format("projects/{}/locations/{}", call.parts[0], call.parts[1]);
}

/// "projects/P/locations/L/services/S" from the parts of a path: collections and names in turn.
std::string name_of(const Call& call, std::string_view kind) {
  std::string out = location_of(call);
  const std::string_view first = kind == "revisions" ? "services" : kind == "executions" ? "jobs" : kind;
  out += fmt::format("/{}/{}", first, call.parts[2]);
  if (first != kind && call.parts.size() > 3) out += fmt::format("/{}/{}", kind, call.parts[3]);
  return out;
}

std::string last_part(std::string_view name) { return std::string(name.substr(name.rfind('/') + 1)); }

json::object condition(std::string_view type, const std::string& failure, WallTime now) {
  json::object out{{"type", type},
                   {"state", failure.empty() ? "CONDITION_SUCCEEDED" : "CONDITION_FAILED"},
                   {"lastTransitionTime", micros_text(now)}};
  if (!failure.empty()) {
    out["message"] = failure;
    out["severity"] = "ERROR";
    out["reason"] = "CONTAINER_MISSING";
  }
  return out;
}

/// Why a template is to fail; empty: it does not.
std::string failure_of(const json::object* template_of) {
  const json::object* annotations = template_of == nullptr ? nullptr : object_at(*template_of, "annotations");
  return annotations == nullptr ? "" : text_at(*annotations, fail_annotation);
}

/// Copies what the mask names, or everything that a user may set.
void take(json::object& target, const json::object& changes, const std::string& mask) {
  if (mask.empty() || mask == "*") {
    for (const auto& [key, value] : changes)
      if (key != "name" && key != "uid" && key != "etag" && key != "createTime" && key != "generation")
        target[key] = value;
    return;
  }
  for (const std::string_view path : split(mask, ',')) {
    // "template.containers": the member of a member. Snake case is of the same meaning.
    std::vector<std::string> parts;
    for (const std::string_view raw : split(trim(path), '.')) {
      std::string key;
      bool up = false;
      for (const char c : raw) {
        if (c == '_') {
          up = true;
        } else {
          key += up && c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
          up = false;
        }
      }
      parts.push_back(std::move(key));
    }
    json::object* to = &target;
    const json::object* from = &changes;
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
      to = &make_object(*to, parts[i]);
      from = from == nullptr ? nullptr : object_at(*from, parts[i]);
    }
    const json::value* value = from == nullptr ? nullptr : from->if_contains(parts.back());
    if (value == nullptr) {
      to->erase(parts.back());
    } else {
      (*to)[parts.back()] = *value;
    }
  }
}

bool is_latest(const json::object& target) {
  const std::string type = text_at(target, "type");
  return type == "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST" || type == "1";
}

Outcome check_etag(const std::string& given, const json::object& resource) {
  if (given.empty() || given == text_at(resource, "etag")) return {};
  return refuse(409, "ABORTED", "aborted",
                fmt::format("Conflict for resource '{}': version '{}' was specified but current version is '{}'.",
                            last_part(text_at(resource, "name")), given, text_at(resource, "etag")));
}

bool is_id(std::string_view id) {
  return !id.empty() && id.size() < 50 && id[0] >= 'a' && id[0] <= 'z' &&
         std::ranges::all_of(id, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

}  // namespace

void Run::stamp(json::object& resource, const std::optional<json::object>& before, const Call& call) {
  const std::int64_t generation = before ? int_at(*before, "generation") + 1 : 1;
  resource["uid"] = before ? text_at(*before, "uid") : random_uuid(random_);
  resource["createTime"] = before ? text_at(*before, "createTime") : micros_text(call.now);
  resource["updateTime"] = micros_text(call.now);
  resource["generation"] = std::to_string(generation);
  resource["observedGeneration"] = std::to_string(generation);
  resource["etag"] = "\"" + random_hex(random_, 20) + "\"";
  resource["reconciling"] = false;
}

json::object Run::operation(const Call& call, std::string_view type, const json::object& response) {
  const std::string name = fmt::format("{}/operations/{}", location_of(call), random_uuid(random_));
  json::object typed = response;
  typed["@type"] = fmt::format("type.googleapis.com/google.cloud.run.v2.{}", type);
  json::object pending{{"name", name}, {"metadata", typed}, {"done", false}};
  json::object done = pending;
  done["done"] = true;
  const json::object* terminal = object_at(response, "terminalCondition");
  if (terminal != nullptr && text_at(*terminal, "state") == "CONDITION_FAILED") {
    done["error"] = json::object{{"code", 9}, {"message", text_at(*terminal, "message")}};
  } else {
    done["response"] = std::move(typed);
  }
  store_.put("run_operation", name, done);
  return pending;
}

Outcome Run::check_traffic(const json::object& service) {
  const json::array* traffic = array_at(service, "traffic");
  if (traffic == nullptr || traffic->empty()) return {};
  std::int64_t sum = 0;
  for (const json::value& value : *traffic) {
    const json::object* target = value.if_object();
    if (target == nullptr) return bad("A traffic target is no object");
    sum += int_at(*target, "percent");
    const std::string revision = text_at(*target, "revision");
    if (is_latest(*target) || revision.empty()) continue;
    const std::string name = fmt::format("{}/revisions/{}", text_at(service, "name"), last_part(revision));
    if (!store_.get("revisions", name))
      return bad(
          fmt::format("Revision named '{}' was not found for the traffic of {}.", revision, text_at(service, "name")));
  }
  if (sum != 100) return bad(fmt::format("The sum of the traffic's percents must be 100, but is {}.", sum));
  return {};
}

Outcome Run::settle_service(json::object& service, const std::optional<json::object>& before, const Call& call,
                            bool new_revision) {
  const std::string name = text_at(service, "name");
  const json::object form = make_object(service, "template");  // a copy: members that are added move the others
  const json::array* containers = array_at(form, "containers");
  if (containers == nullptr || containers->empty()) return bad("template.containers must have a container");
  stamp(service, before, call);
  const std::string failure = failure_of(&form);
  if (new_revision) {
    std::string revision = text_at(form, "revision");
    if (revision.empty())
      revision = fmt::format("{}-{:05}-{}", last_part(name), int_at(service, "generation"), random_hex(random_, 3));
    const std::string full = fmt::format("{}/revisions/{}", name, revision);
    if (store_.get("revisions", full)) {
      if (before && serialize(before->at("template")) != serialize(service.at("template")))
        return exists(fmt::format("Revision named '{}' with different configuration already exists.", revision));
    } else {
      json::object made = form;
      made.erase("revision");
      made["name"] = full;
      made["service"] = name;
      stamp(made, std::nullopt, call);
      made["conditions"] = json::array{condition("Ready", failure, call.now)};
      store_.put("revisions", full, made);
    }
    service["latestCreatedRevision"] = full;
    if (failure.empty()) service["latestReadyRevision"] = full;
  }
  if (!service.contains("traffic") || array_at(service, "traffic")->empty())
    service["traffic"] = json::array{json::object{{"type", "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"}, {"percent", 100}}};
  if (auto good = check_traffic(service); !good) return good;
  json::array statuses;
  for (const json::value& value : *array_at(service, "traffic")) {
    json::object status = value.get_object();
    if (is_latest(status)) status["revision"] = last_part(text_at(service, "latestReadyRevision"));
    if (const std::string tag = text_at(status, "tag"); !tag.empty())
      status["uri"] = fmt::format("https://{}---{}-emulator.run.app", tag, last_part(name));
    statuses.push_back(std::move(status));
  }
  service["trafficStatuses"] = std::move(statuses);
  service["uri"] = fmt::format("https://{}-emulator.run.app", last_part(name));
  service["urls"] = json::array{service["uri"]};
  service["terminalCondition"] = condition("Ready", failure, call.now);
  service["conditions"] =
      json::array{condition("RoutesReady", "", call.now), condition("ConfigurationsReady", failure, call.now)};
  return {};
}

Reply Run::create_service(Call& call) {
  const std::string id = call.query("serviceId");
  if (!is_id(id)) return bad("service_id must be [a-z][a-z0-9-]* with less than 50 characters");
  const std::string name = fmt::format("{}/services/{}", location_of(call), id);
  if (store_.get("services", name)) return exists(fmt::format("Resource '{}' already exists.", id));
  json::object service;
  take(service, call.body, "");
  service["name"] = name;
  if (auto good = settle_service(service, std::nullopt, call, true); !good) return std::unexpected(good.error());
  if (!call.flag("validateOnly")) store_.put("services", name, service);
  return operation(call, "Service", service);
}

Reply Run::patch_service(Call& call) {
  const std::string name = name_of(call, "services");
  const auto before = store_.get("services", name);
  if (!before && !call.flag("allowMissing"))
    return not_found(fmt::format("Resource '{}' of kind 'SERVICE' was not found.", call.parts[2]));
  json::object service = before ? *before : json::object{{"name", name}};
  if (before)
    if (auto good = check_etag(text_at(call.body, "etag"), *before); !good) return std::unexpected(good.error());
  take(service, call.body, call.query("updateMask"));
  const bool changed = !before || call.flag("forceNewRevision") ||
                       serialize(make_object(service, "template")) != serialize(before->at("template"));
  if (changed && before &&
      text_at(make_object(service, "template"), "revision") == text_at(*object_at(*before, "template"), "revision"))
    make_object(service, "template").erase("revision");  // a name is used once
  if (auto good = settle_service(service, before, call, changed); !good) return std::unexpected(good.error());
  if (!call.flag("validateOnly")) store_.put("services", name, service);
  return operation(call, "Service", service);
}

Reply Run::create_job(Call& call) {
  const std::string id = call.query("jobId");
  if (!is_id(id)) return bad("job_id must be [a-z][a-z0-9-]* with less than 50 characters");
  const std::string name = fmt::format("{}/jobs/{}", location_of(call), id);
  if (store_.get("jobs", name)) return exists(fmt::format("Resource '{}' already exists.", id));
  json::object job;
  take(job, call.body, "");
  job["name"] = name;
  stamp(job, std::nullopt, call);
  job["executionCount"] = 0;
  job["terminalCondition"] = condition("Ready", "", call.now);
  if (!call.flag("validateOnly")) store_.put("jobs", name, job);
  return operation(call, "Job", job);
}

Reply Run::patch_job(Call& call) {
  const std::string name = name_of(call, "jobs");
  const auto before = store_.get("jobs", name);
  if (!before) return not_found(fmt::format("Resource '{}' of kind 'JOB' was not found.", call.parts[2]));
  if (auto good = check_etag(text_at(call.body, "etag"), *before); !good) return std::unexpected(good.error());
  json::object job = *before;
  take(job, call.body, call.query("updateMask"));
  stamp(job, before, call);
  if (!call.flag("validateOnly")) store_.put("jobs", name, job);
  return operation(call, "Job", job);
}

Reply Run::run_job(Call& call) {
  const std::string name = name_of(call, "jobs");
  auto job = store_.get("jobs", name);
  if (!job) return not_found(fmt::format("Resource '{}' of kind 'JOB' was not found.", call.parts[2]));
  if (auto good = check_etag(text_at(call.body, "etag"), *job); !good) return std::unexpected(good.error());
  const json::object* form = object_at(*job, "template");
  json::object task;
  if (form != nullptr)
    if (const json::object* inner = object_at(*form, "template")) task = *inner;
  std::int64_t tasks = form == nullptr ? 1 : int_at(*form, "taskCount", 1);
  if (const json::object* overrides = object_at(call.body, "overrides")) {
    tasks = int_at(*overrides, "taskCount", tasks);
    if (overrides->contains("timeout")) task["timeout"] = overrides->at("timeout");
    if (const json::array* changes = array_at(*overrides, "containerOverrides"))
      if (json::value* containers = task.if_contains("containers"); containers != nullptr && containers->is_array())
        for (const json::value& value : *changes)
          for (json::value& container : containers->get_array())
            if (const json::object* change = value.if_object(); change != nullptr && container.is_object())
              if (text_at(*change, "name").empty() ||
                  text_at(*change, "name") == text_at(container.get_object(), "name"))
                for (const std::string_view key : {"args", "env"})
                  if (const json::value* given = change->if_contains(key)) container.get_object()[key] = *given;
  }
  const std::string failure = failure_of(form);
  const std::string full = fmt::format("{}/executions/{}-{}", name, call.parts[2], random_hex(random_, 5));
  json::object execution{{"name", full},
                         {"job", name},
                         {"taskCount", tasks},
                         {"template", std::move(task)},
                         {"runningCount", 0},
                         {"succeededCount", failure.empty() ? tasks : 0},
                         {"cancelledCount", 0},
                         {"failedCount", failure.empty() ? 0 : tasks},
                         {"logUri", ""},
                         {"startTime", micros_text(call.now)},
                         {"completionTime", micros_text(call.now)}};
  stamp(execution, std::nullopt, call);
  execution["conditions"] = json::array{condition("Completed", failure, call.now)};
  if (call.body.contains("validateOnly") && bool_at(call.body, "validateOnly"))
    return operation(call, "Execution", execution);
  store_.put("executions", full, execution);
  (*job)["executionCount"] = int_at(*job, "executionCount") + 1;
  (*job)["latestCreatedExecution"] =
      json::object{{"name", full}, {"createTime", micros_text(call.now)}, {"completionTime", micros_text(call.now)}};
  store_.put("jobs", name, *job);
  return operation(call, "Execution", execution);
}

Reply Run::cancel_execution(Call& call) {
  const std::string name = name_of(call, "executions");
  const auto found = store_.get("executions", name);
  if (!found) return not_found(fmt::format("Resource '{}' of kind 'EXECUTION' was not found.", call.parts[3]));
  return refuse(400, "FAILED_PRECONDITION", "failedPrecondition", "The execution has completed already.");
}

Reply Run::get(Call& call, std::string_view kind) {
  const std::string name = name_of(call, kind);
  auto found = store_.get(kind, name);
  if (!found) return not_found(fmt::format("Resource '{}' was not found.", last_part(name)));
  return *std::move(found);
}

Reply Run::list(Call& call, std::string_view kind) {
  std::string prefix = location_of(call);
  prefix += call.parts.size() > 2
                ? fmt::format("/{}/{}/{}/", kind == "revisions" ? "services" : "jobs", call.parts[2], kind)
                : fmt::format("/{}/", kind);
  std::vector<json::object> all = store_.list(kind, prefix);
  const Page page = Page::of(call, "pageSize", 1000);
  json::array list;
  for (std::size_t i = page.from; i < all.size() && i < page.from + page.most; ++i) list.push_back(std::move(all[i]));
  json::object out{{kind, std::move(list)}};
  if (const std::string token = page.next(all.size()); !token.empty()) out["nextPageToken"] = token;
  return out;
}

Reply Run::remove(Call& call, std::string_view kind) {
  const std::string name = name_of(call, kind);
  const auto found = store_.get(kind, name);
  if (!found) return not_found(fmt::format("Resource '{}' was not found.", last_part(name)));
  if (auto good = check_etag(call.query("etag"), *found); !good) return std::unexpected(good.error());
  if (kind == "revisions")
    for (const json::object& service : store_.list("services", text_at(*found, "service"))) {
      const json::array* statuses = array_at(service, "trafficStatuses");
      const bool used =
          statuses != nullptr && std::ranges::any_of(*statuses, [&](const json::value& value) {
            return value.is_object() && last_part(text_at(value.get_object(), "revision")) == last_part(name);
          });
      if (used || text_at(service, "latestCreatedRevision") == name)
        return refuse(400, "FAILED_PRECONDITION", "failedPrecondition",
                      "The revision serves traffic or is the latest one.");
    }
  store_.erase(kind, name);
  store_.execute("DELETE FROM resources WHERE kind IN ('revisions', 'executions') AND substr(name, 1, length(?1)) = ?1",
                 {name + "/"});
  return operation(call,
                   kind == "services"    ? "Service"
                   : kind == "jobs"      ? "Job"
                   : kind == "revisions" ? "Revision"
                                         : "Execution",
                   *found);
}

Reply Run::get_operation(Call& call) {
  auto found = store_.get("run_operation", name_of(call, "operations"));
  if (!found) return not_found(fmt::format("Operation '{}' was not found.", call.parts[2]));
  return *std::move(found);
}

Reply Run::list_operations(Call& call) {
  json::array list;
  for (json::object& one : store_.list("run_operation", location_of(call) + "/operations/"))
    list.push_back(std::move(one));
  return json::object{{"operations", std::move(list)}};
}

std::vector<Route> Run::routes() {
  const auto to = [this](Reply (Run::*handler)(Call&)) -> Handler {
    return [this, handler](Call& call) { return store_.run([&] { return (this->*handler)(call); }); };
  };
  const auto of = [this](Reply (Run::*handler)(Call&, std::string_view), std::string_view kind) -> Handler {
    return [this, handler, kind](Call& call) { return store_.run([&] { return (this->*handler)(call, kind); }); };
  };
  return {
      {"POST", "/v2/projects/{}/locations/{}/services", to(&Run::create_service)},
      {"GET", "/v2/projects/{}/locations/{}/services", of(&Run::list, "services")},
      {"GET", "/v2/projects/{}/locations/{}/services/{}", of(&Run::get, "services")},
      {"PATCH", "/v2/projects/{}/locations/{}/services/{}", to(&Run::patch_service)},
      {"DELETE", "/v2/projects/{}/locations/{}/services/{}", of(&Run::remove, "services")},
      {"GET", "/v2/projects/{}/locations/{}/services/{}/revisions", of(&Run::list, "revisions")},
      {"GET", "/v2/projects/{}/locations/{}/services/{}/revisions/{}", of(&Run::get, "revisions")},
      {"DELETE", "/v2/projects/{}/locations/{}/services/{}/revisions/{}", of(&Run::remove, "revisions")},
      {"POST", "/v2/projects/{}/locations/{}/jobs", to(&Run::create_job)},
      {"GET", "/v2/projects/{}/locations/{}/jobs", of(&Run::list, "jobs")},
      {"GET", "/v2/projects/{}/locations/{}/jobs/{}", of(&Run::get, "jobs")},
      {"PATCH", "/v2/projects/{}/locations/{}/jobs/{}", to(&Run::patch_job)},
      {"DELETE", "/v2/projects/{}/locations/{}/jobs/{}", of(&Run::remove, "jobs")},
      {"POST", "/v2/projects/{}/locations/{}/jobs/{}:run", to(&Run::run_job)},
      {"GET", "/v2/projects/{}/locations/{}/jobs/{}/executions", of(&Run::list, "executions")},
      {"GET", "/v2/projects/{}/locations/{}/jobs/{}/executions/{}", of(&Run::get, "executions")},
      {"POST", "/v2/projects/{}/locations/{}/jobs/{}/executions/{}:cancel", to(&Run::cancel_execution)},
      {"DELETE", "/v2/projects/{}/locations/{}/jobs/{}/executions/{}", of(&Run::remove, "executions")},
      {"GET", "/v2/projects/{}/locations/{}/operations", to(&Run::list_operations)},
      {"GET", "/v2/projects/{}/locations/{}/operations/{}", to(&Run::get_operation)},
      {"POST", "/v2/projects/{}/locations/{}/operations/{}:wait", to(&Run::get_operation)},
  };
}

}  // namespace serin::google_emulator
