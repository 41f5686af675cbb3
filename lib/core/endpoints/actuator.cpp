// Spring Boot's /actuator/health, version 3: a tree of components; a check "a/b" is b within a.
#include <algorithm>

#include "dialects.hpp"
#include "json_writer.hpp"

namespace serin::endpoints {
namespace {

using health::HealthStatus;

std::string_view word(HealthStatus status) noexcept {
  switch (status) {
    case HealthStatus::up:
    case HealthStatus::degraded: return "UP";
    case HealthStatus::unknown: return "UNKNOWN";
    case HealthStatus::out_of_service: return "OUT_OF_SERVICE";
    case HealthStatus::down: return "DOWN";
  }
  return "UNKNOWN";
}

HealthStatus status_of(const health::CheckReport& check) noexcept {
  return check.answer.evaluated ? check.answer.status : HealthStatus::up;
}

/// One name of the tree. In the order of their first check, as the checks are.
struct Component {
  std::string_view name;
  const health::CheckReport* check = nullptr;
  std::vector<Component> inner = {};
};

/// Deeper than this the rest of a name is one name: a tree is as deep as somebody's text, and writing it is recursive.
constexpr int deepest = 8;

void insert(std::vector<Component>& level, std::string_view name, const health::CheckReport& check, int depth) {
  const std::size_t slash = depth < deepest ? name.find('/') : std::string_view::npos;
  const std::string_view mine = name.substr(0, slash);
  auto found = std::ranges::find(level, mine, &Component::name);
  if (found == level.end()) found = level.insert(level.end(), Component{.name = mine});
  if (slash == std::string_view::npos) {
    found->check = &check;
  } else {
    insert(found->inner, name.substr(slash + 1), check, depth + 1);
  }
}

HealthStatus worst(const Component& component) {
  HealthStatus status = component.check != nullptr ? status_of(*component.check) : HealthStatus::up;
  for (const Component& inner : component.inner) status = std::max(status, worst(inner));
  return status;
}

void write_components(JsonWriter& out, const std::vector<Component>& level) {
  out.key("components").open('{');
  for (const Component& component : level) {
    out.key(component.name).open('{').key("status").text(word(worst(component)));
    if (component.check != nullptr) {
      const health::CheckAnswer& answer = component.check->answer;
      if (!answer.details.empty() || (!answer.error.empty() && answer.error != withheld)) {
        out.key("details").open('{');
        for (const LogField& field : answer.details) out.key(field.key).value(field.value);
        if (!answer.error.empty() && answer.error != withheld) out.key("error").text(answer.error);
        out.close('}');
      }
    }
    if (!component.inner.empty()) write_components(out, component.inner);
    out.close('}');
  }
  out.close('}');
}

}  // namespace

std::string write_actuator(const View& view) {
  const health::HealthReport& report = view.report;
  JsonWriter out;
  out.open('{').key("status").text(word(report.status));
  if (view.shows_checks()) {
    if (!report.checks.empty()) {
      std::vector<Component> tree;
      for (const health::CheckReport& check : report.checks) insert(tree, check.name, check, 1);
      write_components(out, tree);
    }
    if (!view.groups.empty()) {
      out.key("groups").open('[');
      for (const std::string& group : view.groups) out.text(group);
      out.close(']');
    }
  }
  return out.close('}').take();
}

}  // namespace serin::endpoints
