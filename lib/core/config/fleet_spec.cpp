#include "serin/config/fleet_spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "serin/base/text.hpp"
#include "serin/ports/sql_address.hpp"
#include "specs.hpp"

namespace serin::config {
namespace {

/// "host:port" with an IPv4 address and a port from 0 to 65535.
bool is_listen_address(std::string_view text) {
  const auto parts = split(text, ':');
  if (parts.size() != 2) return false;
  const auto port = to_int(parts[1]);
  const auto octets = split(parts[0], '.');
  const bool address = octets.size() == 4 && std::ranges::all_of(octets, [](std::string_view octet) {
                         const auto value = to_int(octet);
                         return value && *value >= 0 && *value <= 255;
                       });
  return address && port && *port >= 0 && *port <= 65535;
}

/// What is no file: only who opens it reads it further.
struct Elsewhere {
  std::string_view key;
  std::vector<std::string_view> schemes;
  std::string_view form;
};
const std::vector<Elsewhere>& elsewhere() {
  static const std::vector<Elsewhere> list{{"warehouse",
                                            {postgres_schemes[0], postgres_schemes[1], "bigquery://"},
                                            "postgres://user@host/database or bigquery://project/dataset"},
                                           {"bus", {"pubsub://"}, "pubsub://project"},
                                           {"documents", {"firestore://"}, "firestore://project"}};
  return list;
}

/// "sqlite:/absolute/path.db", or an address on another machine.
std::string read_database(YamlMap& map, std::string_view key, std::string_view otherwise,
                          const Substitutions& substitutions, const std::string& state) {
  std::string url = substitute(map.text(key, std::string(otherwise)), substitutions, map, key);
  const Elsewhere& there = *std::ranges::find(elsewhere(), key, &Elsewhere::key);
  if (std::ranges::any_of(there.schemes, [&](std::string_view scheme) { return url.starts_with(scheme); })) return url;
  if (!url.starts_with("sqlite:")) {
    map.complain(
        key, fmt::format("'{}' is no database that this build knows here; write sqlite:FILE or {}", url, there.form));
    return url;
  }
  // A bare file name lives in the state folder; anything else is relative to fleet.yaml.
  const std::string path = url.substr(7);
  if (path.empty()) map.complain(key, "sqlite: needs a file");
  if (path.find('/') == std::string::npos) return fmt::format("sqlite:{}/{}", state, path);
  return "sqlite:" + absolute_path(path, substitutions);
}

SubscriptionOptions read_subscription(YamlMap& map, const std::vector<std::string>& topics,
                                      const std::vector<std::string>& services) {
  SubscriptionOptions options;
  options.name = map.required_text("name");
  map.check("name", check_name("subscription", options.name));
  options.topic = map.required_text("topic");
  const auto known = [&](std::string_view key, const std::string& word, const std::vector<std::string>& words) {
    if (word.empty() || std::ranges::find(words, word) != words.end()) return;
    std::string sentence = fmt::format("there is no {} '{}' in this file", key == "push" ? "service" : "topic", word);
    if (const auto near = nearest_word(word, words)) sentence += fmt::format("; did you mean '{}'?", *near);
    map.complain(key, sentence);
  };
  known("topic", options.topic, topics);
  options.ack_deadline = map.duration("ack_deadline", options.ack_deadline);
  if (options.ack_deadline < 1s) map.complain("ack_deadline", "ack_deadline must be 1s or more");
  options.max_attempts = map.integer("max_attempts", options.max_attempts);
  if (options.max_attempts < 1) map.complain("max_attempts", "max_attempts must be 1 or more");
  options.min_backoff = map.duration("min_backoff", options.min_backoff);
  options.max_backoff = map.duration("max_backoff", options.max_backoff);
  if (options.max_backoff < options.min_backoff)
    map.complain("max_backoff", "max_backoff must not be below min_backoff");
  options.dead_letter_topic = map.text("dead_letter_topic", "");
  known("dead_letter_topic", options.dead_letter_topic, topics);
  options.push_service = map.text("push", "");
  known("push", options.push_service, services);
  options.push_path = map.text("path", options.push_service.empty() ? "" : "/");
  options.push_concurrency = map.integer("concurrency", options.push_concurrency);
  if (options.push_concurrency < 1 || options.push_concurrency > 256)
    map.complain("concurrency", "concurrency must be 1 to 256");
  map.done();
  return options;
}

}  // namespace

const ServiceSpec* FleetSpec::find(std::string_view service) const noexcept {
  const auto found =
      std::ranges::find_if(services, [&](const ServiceSpec& spec) { return spec.name.str() == service; });
  return found == services.end() ? nullptr : &*found;
}

FleetSpec FleetSpec::local() const {
  FleetSpec here = *this;
  std::erase_if(here.services, [](const ServiceSpec& service) { return !service.target.is_local(); });
  std::erase_if(here.subscriptions, [&](const SubscriptionOptions& one) {
    return !one.push_service.empty() && here.find(one.push_service) == nullptr;
  });
  return here;
}

Result<FleetSpec> parse_fleet(std::string_view text, std::string_view file, const Substitutions& substitutions) {
  SERIN_TRY(const auto yaml, YamlFile::parse(text, file));
  YamlMap root = yaml->root();
  FleetSpec fleet;
  fleet.file = file;
  fleet.name = root.required_text("fleet");
  root.check("fleet", check_name("fleet", fleet.name));
  fleet.environment = root.text("environment", fleet.environment);
  fleet.state = absolute_path(substitute(root.text("state", ".serin"), substitutions, root, "state"), substitutions);
  fleet.warehouse = read_database(root, "warehouse", "sqlite:warehouse.db", substitutions, fleet.state);
  fleet.bus = read_database(root, "bus", "sqlite:bus.db", substitutions, fleet.state);
  fleet.documents = read_database(root, "documents", "sqlite:documents.db", substitutions, fleet.state);
  if (root.has("resilience"))
    fleet.resilience =
        absolute_path(substitute(root.text("resilience", ""), substitutions, root, "resilience"), substitutions);
  fleet.router_program = root.text("router", fleet.router_program);

  const TargetSpec target = read_target(root, {});
  // The fleet's plan stands on what its target needs, and is read again for a service that is elsewhere.
  const auto plan_on = [&root](const TargetSpec& where) {
    const rollout::PlanOptions plan = default_plan(where);
    auto map = root.map("plan");
    return map ? read_plan(*map, plan) : plan;
  };
  const rollout::PlanOptions fleet_plan = plan_on(target);

  std::map<std::string, std::string> environment = root.text_map("environment_of_all", {});
  std::vector<std::string> names;
  std::set<std::string> listens;
  for (auto& [name, map] : root.named_maps("services")) {
    const auto service_name = ServiceName::make(name);
    root.check("services", service_name);
    if (!service_name) continue;
    names.push_back(name);
    const TargetSpec own_target = read_target(map, target);
    // A container's content does not depend on where this file is.
    ReleaseSpec base{.name = ReleaseName::make("r1").value(),
                     .environment = environment,
                     .directory = own_target.is_local() ? substitutions.here : std::string()};
    if (!own_target.is_local()) base.ready_timeout = default_plan(own_target).ready_timeout;
    for (auto& [key, value] : base.environment) value = substitute(value, substitutions, root, "environment_of_all");
    ServiceSpec service{.name = *service_name,
                        .release = read_release(map, base, substitutions, own_target),
                        .plan = own_target == target ? fleet_plan : plan_on(own_target),
                        .target = own_target};
    if (own_target.is_local() && !map.has("command"))
      map.complain("command", fmt::format("services.{}.command is missing", name));
    service.listen = map.text("listen", service.listen);
    if (!is_listen_address(service.listen))
      map.complain("listen",
                   fmt::format("'{}' is no address like 127.0.0.1:8080 (port 0: any free one)", service.listen));
    if (!service.listen.ends_with(":0") && !listens.insert(service.listen).second)
      map.complain("listen", fmt::format("{} is already the address of another service", service.listen));
    const auto first = ReleaseName::make(map.text("release", own_target.is_local() ? "r1" : name + "-r1"));
    map.check("release", first);
    if (first) service.release.name = *first;
    map.check("release", check_release(own_target, service.name, service.release));
    if (auto own = map.map("plan")) service.plan = read_plan(*own, service.plan);
    map.check("plan", check_plan(own_target, service.plan));
    for (auto& [release_name, release_map] : map.named_maps("releases")) {
      ReleaseSpec release = read_release(release_map, service.release, substitutions, own_target);
      const auto checked = ReleaseName::make(release_name);
      map.check("releases", checked);
      if (checked) release.name = *checked;
      map.check("releases", check_release(own_target, service.name, release));
      if (checked && *checked == service.release.name)
        map.complain("releases", fmt::format("'{}' is already the name of the first release", release_name));
      release_map.done();
      service.releases.push_back(std::move(release));
    }
    map.done();
    fleet.services.push_back(std::move(service));
  }
  if (fleet.services.empty()) root.complain("services", "services must name at least one service");

  fleet.topics = root.texts("topics", {});
  for (const std::string& topic : fleet.topics) root.check("topics", check_name("topic", topic));
  for (YamlMap& map : root.maps("subscriptions"))
    fleet.subscriptions.push_back(read_subscription(map, fleet.topics, names));
  root.done();
  SERIN_CHECK(yaml->status());
  return fleet;
}

}  // namespace serin::config
