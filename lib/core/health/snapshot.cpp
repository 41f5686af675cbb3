#include "snapshot.hpp"

#include <algorithm>
#include <bit>

namespace serin::health {
namespace {

bool contains(const std::vector<std::string>& words, const std::string& word) {
  return std::ranges::find(words, word) != words.end();
}

/// Whether requests are meant: what says "not ready" on purpose counts there.
bool is_entrance(Kind kind) noexcept { return has(kind, Kind::readiness) || has(kind, Kind::deep); }

bool share(Kind a, Kind b) noexcept { return (static_cast<unsigned>(a) & static_cast<unsigned>(b)) != 0; }

CheckReport gate(std::string name, std::string reason, std::string text) {
  return {.name = std::move(name),
          .critical = true,
          .kinds = Kind::readiness | Kind::deep,
          .answer = {.status = HealthStatus::out_of_service, .error = std::move(text), .reason = std::move(reason)}};
}

}  // namespace

bool Snapshot::part_of(const CheckFacts& check, Kind kind, Instant now) const noexcept {
  if (share(check.options->kinds, kind)) return true;
  if (has(kind, Kind::startup) && !has_startup && has(check.options->kinds, Kind::readiness)) return true;
  // A process that only a restart helps is not ready either.
  return liveness_fails_readiness && has(kind, Kind::readiness) && has(check.options->kinds, Kind::liveness) &&
         check.status(now) > HealthStatus::degraded;
}

HealthStatus Snapshot::judge(Kind kind, Instant now) const noexcept {
  if (kind == Kind::startup && started) return HealthStatus::up;
  HealthStatus worst = HealthStatus::up;
  for (const auto& check : checks)
    if (part_of(*check, kind, now)) worst = std::max(worst, check->contribution(now));
  if (is_entrance(kind) && (refused || phase != Phase::accepting))
    worst = std::max(worst, HealthStatus::out_of_service);
  return worst;
}

void Snapshot::look(Instant now) {
  Instant until = Instant::max();
  for (const auto& check : checks) until = std::min(until, check->changes_at(now));
  for (std::size_t i = 0; i < glances.size(); ++i)
    glances[i] = {.status = judge(static_cast<Kind>(1U << i), now), .until = until};
}

HealthStatus Snapshot::status(Kind kind, Instant now) const noexcept {
  const auto bits = static_cast<unsigned>(kind);
  if (std::has_single_bit(bits) && bits < (1U << glances.size())) {
    const Glance& glance = glances[static_cast<std::size_t>(std::countr_zero(bits))];
    if (now < glance.until) return glance.status;
  }
  return judge(kind, now);
}

Snapshot::Selected Snapshot::selects(const CheckFacts& check, const Selection& selection, Instant now) const noexcept {
  const CheckOptions& options = *check.options;
  if (!selection.group.empty() && !contains(options.groups, selection.group)) return Selected::no;
  if (!selection.check.empty() && options.name != selection.check) return Selected::no;
  const bool all = selection.group.empty() && selection.check.empty();
  if (all && !part_of(check, selection.kind, now)) return Selected::no;
  const bool excluded = std::ranges::any_of(selection.exclude, [&](const std::string& name) {
    return name == options.name || contains(options.groups, name);
  });
  return excluded ? Selected::excluded : Selected::counted;
}

std::optional<HealthReport> Snapshot::report(const Selection& selection, Instant now) const {
  HealthReport out{.kind = selection.kind, .draining = phase != Phase::accepting};
  const bool all = selection.group.empty() && selection.check.empty();
  if (all) out.checks.reserve(checks.size() + 2);
  for (const auto& check : checks) {
    const Selected selected = selects(*check, selection, now);
    if (selected == Selected::no) continue;
    (selected == Selected::excluded ? out.excluded : out.checks).push_back(check->report(now));
    if (selected == Selected::counted) out.total = std::max(out.total, out.checks.back().duration);
  }
  if (!all && out.checks.empty() && out.excluded.empty()) return std::nullopt;
  for (const std::string& name : selection.exclude)
    if (std::ranges::none_of(checks, [&](const auto& check) {
          return check->options->name == name || contains(check->options->groups, name);
        }))
      out.unknown_excludes.push_back(name);
  if (is_entrance(selection.kind) && refused) out.checks.push_back(gate("override", "refused", *refused));
  if (is_entrance(selection.kind) && phase != Phase::accepting)
    out.checks.push_back(gate("drain", "draining", "the process is ending"));
  out.status = aggregate(out.checks);
  if (selection.kind == Kind::startup && started && all) out.status = HealthStatus::up;
  return out;
}

}  // namespace serin::health
