#include "serin/fleet_runtime/fault.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "serin/base/text.hpp"

namespace serin::fleet {
namespace {

constexpr std::array<std::string_view, 5> health_routes = {"/health", "/ready", "/health/deep", "/startup", "/metrics"};

std::unexpected<Error> bad(std::string_view entry, std::string_view expected) {
  return fail(Errc::invalid_argument, fmt::format("FLEET_FAULT '{}': expected {}", entry, expected));
}

Result<double> parse_share(std::string_view entry, std::string_view text) {
  const auto share = to_double(text);
  if (!share || *share < 0 || *share > 1) return bad(entry, "a share from 0 to 1");
  return *share;
}

/// "1MB/s", "500KB/s"
Result<std::int64_t> parse_rate(std::string_view entry, std::string_view text) {
  std::int64_t unit = 0;
  std::size_t suffix = 0;
  if (text.ends_with("MB/s")) {
    unit = 1'000'000;
    suffix = 4;
  } else if (text.ends_with("KB/s")) {
    unit = 1'000;
    suffix = 4;
  }
  if (unit == 0) return bad(entry, "a rate like 1MB/s or 500KB/s");
  const auto number = to_int(text.substr(0, text.size() - suffix));
  if (!number || *number < 1 || *number > 10'000) return bad(entry, "a rate from 1 to 10000 KB/s or MB/s");
  return *number * unit;
}

Status read_entry(FaultSpec& spec, std::string_view entry) {
  const std::size_t equals = entry.find('=');
  const std::string_view name = entry.substr(0, equals);
  const std::string_view value = equals == std::string_view::npos ? std::string_view() : entry.substr(equals + 1);
  const std::size_t colon = value.find(':');
  const std::string_view first = value.substr(0, colon);
  const std::string_view second = colon == std::string_view::npos ? std::string_view() : value.substr(colon + 1);
  if (name == "refuse_start" && equals == std::string_view::npos) {
    spec.refuse_start = true;
  } else if (name == "hang_ready" && equals == std::string_view::npos) {
    spec.hang_ready = true;
  } else if (name == "error") {
    SERIN_TRY(spec.error, parse_share(entry, value));
  } else if (name == "latency") {
    SERIN_TRY(spec.latency, parse_duration(value.starts_with('+') ? value.substr(1) : value));
  } else if (name == "stall") {
    SERIN_TRY(spec.stall_share, parse_share(entry, first));
    SERIN_TRY(spec.stall, parse_duration(second));
  } else if (name == "exit_after") {
    SERIN_TRY(spec.exit_after, parse_duration(value));
  } else if (name == "leak") {
    SERIN_TRY(spec.leak_per_second, parse_rate(entry, value));
  } else if (name == "errors_after") {
    SERIN_TRY(spec.errors_after, parse_duration(first));
    SERIN_TRY(spec.errors_after_share, parse_share(entry, second));
  } else if (name == "on" && value.starts_with('/')) {
    spec.routes.emplace_back(value);
  } else if (name == "seed") {
    const auto seed = to_int(value);
    if (!seed || *seed < 0) return bad(entry, "a whole number from 0");
    spec.seed = static_cast<std::uint64_t>(*seed);
  } else {
    return bad(entry,
               "one of error=SHARE, latency=+TIME, stall=SHARE:TIME, exit_after=TIME, refuse_start, hang_ready, "
               "leak=1MB/s, errors_after=TIME:SHARE, on=/ROUTE, seed=NUMBER");
  }
  return {};
}

/// SplitMix64's output function: neighbouring numbers give unrelated bits.
double unit_of(std::uint64_t seed, std::uint64_t number) noexcept {
  std::uint64_t bits = seed * 0x9E3779B97F4A7C15ULL + number * 0xD1B54A32D192ED03ULL + 0x9E3779B97F4A7C15ULL;
  bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9ULL;
  bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EBULL;
  return static_cast<double>((bits ^ (bits >> 31)) >> 11) * 0x1.0p-53;
}

}  // namespace

bool FaultSpec::any() const noexcept {
  return error > 0 || latency > Duration::zero() || stall_share > 0 || exit_after || refuse_start || hang_ready ||
         leak_per_second > 0 || errors_after;
}

Result<FaultSpec> parse_faults(std::string_view text) {
  FaultSpec spec;
  if (trim(text).empty()) return spec;
  for (const std::string_view entry : split(text, ',')) {
    if (auto status = read_entry(spec, trim(entry)); !status) {
      // Durations speak of themselves; say which entry they stand in.
      if (status.error().detail().starts_with("FLEET_FAULT")) return pass(status.error());
      return pass(status.error().in(fmt::format("FLEET_FAULT '{}'", trim(entry))));
    }
  }
  return spec;
}

FaultDecision decide(const FaultSpec& spec, std::uint64_t number, Duration uptime) noexcept {
  FaultDecision decision{.wait = spec.latency};
  const double share =
      spec.errors_after && uptime >= *spec.errors_after ? std::max(spec.error, spec.errors_after_share) : spec.error;
  decision.fail = unit_of(spec.seed, 2 * number) < share;
  if (unit_of(spec.seed, 2 * number + 1) < spec.stall_share) decision.wait += spec.stall;
  return decision;
}

bool is_affected(const FaultSpec& spec, std::string_view path) noexcept {
  if (!spec.routes.empty()) return std::ranges::find(spec.routes, path) != spec.routes.end();
  return std::ranges::find(health_routes, path) == health_routes.end();
}

bool FaultyHandler::is_immediate(const HttpRequest& request) const noexcept {
  // A request that may be made to wait must not wait on the network thread.
  return inner_.is_immediate(request) && !is_affected(spec_, request.path());
}

bool FaultyHandler::handle_later(const HttpRequest& request, const std::function<void(HttpResponse)>& respond) {
  return !is_affected(spec_, request.path()) && inner_.handle_later(request, respond);
}

std::shared_ptr<const std::string> FaultyHandler::prepared(const HttpHead& head) const noexcept {
  return is_affected(spec_, head.target.substr(0, head.target.find('?'))) ? nullptr : inner_.prepared(head);
}

HttpResponse FaultyHandler::handle(const HttpRequest& request) {
  if (!is_affected(spec_, request.path())) return inner_.handle(request);
  const FaultDecision decision =
      decide(spec_, number_.fetch_add(1, std::memory_order_relaxed), sleeper_.now() - started_);
  if (decision.wait > Duration::zero()) {
    // Cut short when the service is asked to stop: a drill must not keep it from draining.
    [[maybe_unused]] const Status slept = sleeper_.sleep_for(decision.wait);
  }
  if (decision.fail) return HttpResponse::json(500, R"({"error":"internal","detail":"fault injected by FLEET_FAULT"})");
  return inner_.handle(request);
}

}  // namespace serin::fleet
