#include "serin/watch/thresholds.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace serin::watch {
namespace {

constexpr int most = 1000;

char letter(Finding finding) {
  switch (finding) {
    case Finding::ok: return 'o';
    case Finding::unknown: return 'u';
    case Finding::failing: return 'f';
  }
  return 'u';
}

/// What enough of the findings say; nothing when no threshold is reached.
std::optional<Finding> reached(const Counts& counts, const ThresholdOptions& options) {
  const auto of = [&](char kind) { return static_cast<int>(std::ranges::count(counts.last, kind)); };
  const bool failing = counts.failing >= options.fail_after || (options.k > 0 && of('f') >= options.k);
  if (failing) return Finding::failing;
  const bool unknown = counts.unknown >= options.unknown_after || (options.k > 0 && of('f') + of('u') >= options.k);
  if (unknown) return Finding::unknown;
  return std::nullopt;
}

}  // namespace

std::string_view finding_name(Finding finding) noexcept {
  switch (finding) {
    case Finding::ok: return "ok";
    case Finding::unknown: return "unknown";
    case Finding::failing: return "failing";
  }
  return "unknown";
}

std::optional<Finding> finding_of_name(std::string_view name) noexcept {
  for (const Finding finding : {Finding::ok, Finding::unknown, Finding::failing})
    if (finding_name(finding) == name) return finding;
  return std::nullopt;
}

Status check_thresholds(const ThresholdOptions& options) {
  for (const auto& [name, value] :
       {std::pair{"fail_after", options.fail_after}, std::pair{"unknown_after", options.unknown_after},
        std::pair{"ok_after", options.ok_after}})
    if (value < 1 || value > most)
      return fail(Errc::invalid_argument, fmt::format("{} must be 1 to {}, not {}", name, most, value));
  if (options.k == 0 && options.n == 0) return {};
  if (options.n < 2 || options.n > most || options.k < 2 || options.k > options.n)
    return fail(Errc::invalid_argument,
                fmt::format("k_of_n is 'K of N' with 2 <= K <= N <= {}, not '{} of {}'", most, options.k, options.n));
  return {};
}

Counts count(Counts counts, Finding finding, const ThresholdOptions& options) {
  switch (finding) {
    case Finding::ok:
      counts.failing = counts.unknown = 0;
      counts.ok = std::min(counts.ok + 1, most);
      break;
    case Finding::unknown:
      counts.ok = 0;
      counts.unknown = std::min(counts.unknown + 1, most);
      break;
    case Finding::failing:
      counts.ok = 0;
      counts.failing = std::min(counts.failing + 1, most);
      break;
  }
  counts.last += letter(finding);
  const auto kept = static_cast<std::size_t>(std::max(options.n, 0));
  if (counts.last.size() > kept) counts.last.erase(0, counts.last.size() - kept);

  const std::optional<Finding> bad = reached(counts, options);
  if (!counts.condition) {
    counts.condition = bad ? bad : finding == Finding::ok ? std::optional(Finding::ok) : std::nullopt;
  } else if (*counts.condition == Finding::ok) {
    if (bad) counts.condition = bad;
  } else if (bad == Finding::failing) {
    counts.condition = bad;
  } else if (!bad && counts.ok >= options.ok_after) {
    counts.condition = Finding::ok;
  }
  return counts;
}

}  // namespace serin::watch
