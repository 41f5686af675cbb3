#pragma once
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "serin/ports/health.hpp"

// A HealthSource that says what a test puts into it.
namespace serin::endpoints {

struct FakeHealth final : health::HealthSource {
  using Done = std::function<void(std::optional<health::HealthReport>)>;

  std::optional<health::HealthReport> report(const health::Selection& selection) const override {
    ++reports;
    if (on_report) on_report();
    return select(selection);
  }
  void ask(const health::Selection& selection, Deadline deadline, Done done) override {
    ++asks;
    asked_until = deadline;
    if (on_ask) return on_ask(selection, std::move(done));
    done(select(selection));
  }
  std::uint64_t version() const noexcept override { return version_now; }
  std::vector<std::string> groups() const override { return group_names; }
  void on_change(std::function<void()>) override {}

  std::optional<health::HealthReport> select(const health::Selection& selection) const {
    if (!selection.group.empty() && std::ranges::find(group_names, selection.group) == group_names.end())
      return std::nullopt;
    health::HealthReport out{.status = floor, .kind = selection.kind, .draining = draining};
    bool found = selection.check.empty();
    std::vector<std::string> unmatched = selection.exclude;
    for (const health::CheckReport& check : checks) {
      const auto in = [&](const std::string& group) {
        return std::ranges::find(check.groups, group) != check.groups.end();
      };
      if (!has(check.kinds, selection.kind) || (!selection.group.empty() && !in(selection.group))) continue;
      const bool left_out = std::ranges::any_of(
          selection.exclude, [&](const std::string& name) { return name == check.name || in(name); });
      std::erase_if(unmatched, [&](const std::string& name) { return name == check.name || in(name); });
      if (!selection.check.empty() && selection.check != check.name) continue;
      found = true;
      (left_out ? out.excluded : out.checks).push_back(check);
      if (left_out) continue;
      out.total = std::max(out.total, check.duration);
      if (!check.answer.evaluated) continue;
      const bool softened = !check.critical && check.answer.status > health::HealthStatus::degraded;
      out.status = std::max(out.status, softened ? health::HealthStatus::degraded : check.answer.status);
    }
    out.unknown_excludes = std::move(unmatched);
    return found ? std::optional(std::move(out)) : std::nullopt;
  }

  std::vector<health::CheckReport> checks;
  std::vector<std::string> group_names;
  health::HealthStatus floor = health::HealthStatus::up;  ///< the status is no better
  bool draining = false;
  std::atomic<std::uint64_t> version_now = 1;
  std::function<void()> on_report;
  std::function<void(const health::Selection&, Done)> on_ask;
  mutable std::atomic<int> reports = 0;
  int asks = 0;
  std::optional<Deadline> asked_until;
};

}  // namespace serin::endpoints
