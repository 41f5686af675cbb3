#include "serin/endpoints/options.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "validate.hpp"
#include "view.hpp"

namespace serin::endpoints {
namespace {

using health::Kind;

std::string wrong_path(std::string_view path) {
  if (path.size() < 2 || path.front() != '/' || path.back() == '/' || path.find("//") != std::string_view::npos)
    return fmt::format("'{}' is no path: one slash first, none last, no two together", path);
  const auto strange = [](char c) { return c <= ' ' || c >= 0x7f || c == '?' || c == '#' || c == '%'; };
  if (std::ranges::any_of(path, strange)) return fmt::format("'{}' has a character that a path has to encode", path);
  return "";
}

void check_codes(const Route& route, bool may_hide, std::vector<std::string>& wrong) {
  struct Row {
    std::string_view name;
    int code;
    bool serves;  // may well be below 400
  };
  const bool leaving = heeds_drain(route.kind);
  const Codes& codes = route.codes;
  for (const Row& row :
       {Row{"up", codes.up, true}, Row{"degraded", codes.degraded, true},
        Row{"unknown", codes.unknown, route.kind == Kind::liveness}, Row{"out_of_service", codes.out_of_service, false},
        Row{"down", codes.down, false}, Row{"draining", codes.draining, !leaving}}) {
    if (row.code < 200 || row.code > 599 || row.code == 204 || row.code == 205 || row.code == 304)
      wrong.push_back(fmt::format("{}: {} is no code for an answer with a body ({})", route.path, row.code, row.name));
    else if (!row.serves && !may_hide && row.code < 400)
      wrong.push_back(fmt::format("{}: {} for {} would pass as healthy", route.path, row.code, row.name));
  }
  if (codes.up >= 300) wrong.push_back(fmt::format("{}: {} for up is no success", route.path, codes.up));
}

void check_paths(const std::vector<Route>& routes, std::vector<std::string>& wrong) {
  for (std::size_t i = 0; i < routes.size(); ++i) {
    if (std::string text = wrong_path(routes[i].path); !text.empty()) wrong.push_back(std::move(text));
    for (std::size_t k = 0; k < routes.size(); ++k) {
      if (k > i && routes[k].path == routes[i].path) wrong.push_back(fmt::format("{} is there twice", routes[i].path));
      if (routes[k].below != Below::nothing && !segment_below(routes[k].path, routes[i].path).empty())
        wrong.push_back(fmt::format("{} hides what may be called so below {}", routes[i].path, routes[k].path));
    }
  }
}

}  // namespace

std::string_view segment_below(std::string_view path, std::string_view longer) noexcept {
  if (longer.size() < path.size() + 2 || !longer.starts_with(path) || longer[path.size()] != '/') return {};
  const std::string_view rest = longer.substr(path.size() + 1);
  return rest.find('/') == std::string_view::npos ? rest : std::string_view{};
}

std::vector<Route> default_routes() {
  return {{.path = "/health", .kind = Kind::liveness, .codes = liveness_codes()},
          {.path = "/ready", .kind = Kind::readiness, .below = Below::check},
          {.path = "/startup", .kind = Kind::startup, .codes = startup_codes()},
          {.path = "/health/deep", .kind = Kind::deep, .below = Below::check, .on_demand = true},
          {.path = "/health/group", .kind = Kind::deep, .below = Below::group, .on_demand = true}};
}

Status validate(const EndpointsOptions& options, const health::Identity& identity) {
  std::vector<std::string> wrong;
  if (options.routes.empty()) wrong.emplace_back("there is no route");
  check_paths(options.routes, wrong);
  for (const Route& route : options.routes) {
    check_codes(route, options.may_hide_failures, wrong);
    if (route.kind != Kind::liveness && route.kind != Kind::readiness && route.kind != Kind::startup &&
        route.kind != Kind::deep)
      wrong.push_back(fmt::format("{}: it has to ask one kind of question", route.path));
    if (route.below == Below::group && !route.group.empty())
      wrong.push_back(fmt::format("{}: the group is in the path, so it cannot be '{}'", route.path, route.group));
  }
  if (options.deadline <= Duration::zero()) wrong.emplace_back("the deadline has to be more than 0");
  if (options.prepared_for < Duration::zero() || options.prepared_for > 10s)
    wrong.emplace_back("prepared_for is 0 to 10 s");
  if (identity.service.empty()) wrong.emplace_back("the service has no name");
  constexpr std::size_t longest = 256;
  for (const std::string& field :
       {identity.service, identity.version, identity.revision, identity.commit, identity.environment})
    if (field.size() > longest) wrong.emplace_back("a field of the identity is longer than 256 bytes");
  if (wrong.empty()) return {};
  return fail(Errc::invalid_argument, fmt::format("health endpoints: {}", fmt::join(wrong, "; ")));
}

}  // namespace serin::endpoints
