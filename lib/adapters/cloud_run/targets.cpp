#include "targets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <map>

#include "serin/google/detail_json.hpp"

namespace serin::cloud_run {
namespace json = boost::json;
namespace {

constexpr std::string_view our_annotations = "serin.dev/";

std::map<std::string, int> percents(const Targets& targets) {
  std::map<std::string, int> out;
  for (const google::TrafficTarget& target : targets)
    if (target.percent > 0) out[target.revision] += target.percent;
  return out;
}

bool routes_ready(const google::RunService& service) {
  const Result<json::object> whole = google::parse_object(service.json, "service");
  if (!whole) return false;
  return std::ranges::any_of(google::array_of(*whole, "conditions"), [](const json::value& one) {
    return one.is_object() && google::text_of(one.get_object(), "type") == "RoutesReady" &&
           google::text_of(one.get_object(), "state") == "CONDITION_SUCCEEDED";
  });
}

/// Every tag that is wanted has its revision; one that follows the latest is where the service says.
bool tags_there(const Targets& wanted, const Targets& there) {
  return std::ranges::all_of(wanted, [&](const google::TrafficTarget& want) {
    return want.tag.empty() || std::ranges::any_of(there, [&](const google::TrafficTarget& have) {
             return have.tag == want.tag && (want.revision.empty() || have.revision == want.revision);
           });
  });
}

void set_environment(json::object& container, const std::map<std::string, std::string>& environment) {
  if (environment.empty()) return;
  json::array kept;
  for (const json::value& one : google::array_of(container, "env"))
    if (one.is_object() && !environment.contains(google::text_of(one.get_object(), "name"))) kept.push_back(one);
  for (const auto& [name, value] : environment) kept.push_back(json::object{{"name", name}, {"value", value}});
  container["env"] = std::move(kept);
}

void set_annotations(json::object& form, const ReleaseSpec& release) {
  json::object kept;
  if (const json::object* const known = google::object_of(form, "annotations"))
    for (const auto& [key, value] : *known)
      if (!std::string_view(key.data(), key.size()).starts_with(our_annotations)) kept[key] = value;
  for (const auto& [name, value] : release.labels) kept[std::string(our_annotations) + name] = value;
  kept[digest_annotation] = release.digest;
  form["annotations"] = std::move(kept);
}

}  // namespace

std::string unsettled(const google::RunService& service) {
  if (service.generation != service.observed_generation)
    return fmt::format("change {} is wanted, {} is there", service.generation, service.observed_generation);
  if (service.reconciling) return "it is being changed";
  const Targets wanted = pinned(service);
  if (percents(wanted) != percents(service.traffic_statuses) || !tags_there(wanted, service.traffic_statuses))
    return fmt::format("its traffic is to be {}, but is {}", text_of_split(split_of(wanted)),
                       text_of_split(split_of(service.traffic_statuses)));
  const google::RunCondition& ready = service.condition;
  if (ready.state == google::RunState::succeeded) return {};
  if (ready.state == google::RunState::failed && routes_ready(service)) return {};
  return fmt::format("it is not ready: {} {}", ready.reason, ready.message);
}

Split split_of(const Targets& targets) {
  Split out;
  for (const auto& [revision, percent] : percents(targets))
    if (const Result<ReleaseName> name = ReleaseName::make(revision)) out.push_back({*name, double(percent)});
  return out;
}

Targets pinned(const google::RunService& service) {
  Targets out;
  for (const google::TrafficTarget& target : service.traffic) {
    if (!target.revision.empty()) {
      out.push_back(target);
      continue;
    }
    if (target.percent > 0) out.push_back({.revision = service.latest_ready_revision, .percent = target.percent});
    if (!target.tag.empty()) out.push_back({.revision = {}, .percent = 0, .tag = target.tag});
  }
  // No target at all means that the latest has everything.
  if (service.traffic.empty()) out.push_back({.revision = service.latest_ready_revision, .percent = 100});
  return out;
}

Targets with_split(Targets targets, const Split& split) {
  for (google::TrafficTarget& target : targets) target.percent = 0;
  for (const Share& share : normal(split)) {
    const int percent = static_cast<int>(std::lround(share.percent));
    const auto found = std::ranges::find(targets, share.release.str(), &google::TrafficTarget::revision);
    if (found == targets.end())
      targets.push_back({.revision = share.release.str(), .percent = percent});
    else
      found->percent = percent;
  }
  std::erase_if(targets, [](const google::TrafficTarget& one) { return one.percent == 0 && one.tag.empty(); });
  return targets;
}

Status check_whole(const Split& split) {
  double sum = 0;
  for (const Share& share : split) {
    if (!(share.percent >= 0 && share.percent <= 100) || std::abs(share.percent - std::round(share.percent)) > 1e-9)
      return fail(Errc::invalid_argument, fmt::format("{:.4g} % for {}: Cloud Run gives out whole percents only",
                                                      share.percent, share.release));
    sum += share.percent;
  }
  if (std::abs(sum - 100) < 1e-6) return {};
  return fail(Errc::invalid_argument, fmt::format("the shares of traffic add up to {:.4g} %, not 100", sum));
}

Split normal(Split split) {
  std::erase_if(split, [](const Share& share) { return share.percent <= 0; });
  std::ranges::sort(split, {}, [](const Share& share) { return share.release.str(); });
  for (Share& share : split) share.percent = std::round(share.percent);
  return split;
}

std::string text_of_split(const Split& split) {
  std::string out;
  for (const Share& share : split) out += fmt::format("{}{}={}", out.empty() ? "" : " ", share.release, share.percent);
  return out.empty() ? "nobody" : out;
}

Result<std::string> tag_of(const ServiceName& service, const ReleaseName& release) {
  const std::string prefix = service.str() + "-";
  if (release.str().starts_with(prefix)) return "serin-" + release.str().substr(prefix.size());
  return fail(Errc::invalid_argument,
              fmt::format("release {}: a revision of {} is called {}SOMETHING on Cloud Run", release, service, prefix));
}

std::string host_of(const google::RunService& service, std::string_view revision, std::string_view tag) {
  const Result<json::object> whole = google::parse_object(service.json, "service");
  if (!whole) return {};
  for (const json::value& one : google::array_of(*whole, "trafficStatuses")) {
    if (!one.is_object()) continue;
    const json::object& status = one.get_object();
    const std::string named = google::text_of(status, "revision");
    if (named.substr(named.rfind('/') + 1) != revision || google::text_of(status, "tag") != tag) continue;
    const std::string uri = google::text_of(status, "uri");
    const std::size_t scheme = uri.find("://");
    return scheme == std::string::npos ? std::string() : uri.substr(scheme + 3, uri.find('/', scheme + 3) - scheme - 3);
  }
  return {};
}

Result<std::string> body_of(const google::RunService& service, const ReleaseSpec& release, const Targets& targets) {
  SERIN_TRY(const json::object whole, google::parse_object(service.json, "service " + service.name));
  const json::object* const known = google::object_of(whole, "template");
  json::object form = known == nullptr ? json::object() : *known;
  json::array containers = google::array_of(form, "containers");
  if (containers.empty() || !containers.front().is_object())
    return fail(Errc::data_loss, fmt::format("service {} has no container", service.name));
  json::object& container = containers.front().get_object();
  container["image"] = release.command.front();
  if (release.command.size() > 1) container["args"] = json::array(release.command.begin() + 1, release.command.end());
  set_environment(container, release.environment);
  form["containers"] = std::move(containers);
  form["revision"] = release.name.str();
  set_annotations(form, release);
  json::array traffic;
  for (const google::TrafficTarget& target : targets) {
    const bool latest = target.revision.empty();
    json::object one{
        {"type", latest ? "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST" : "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"},
        {"percent", target.percent}};
    if (!latest) one["revision"] = target.revision;
    if (!target.tag.empty()) one["tag"] = target.tag;
    traffic.push_back(std::move(one));
  }
  return json::serialize(json::object{{"template", std::move(form)}, {"traffic", std::move(traffic)}});
}

}  // namespace serin::cloud_run
