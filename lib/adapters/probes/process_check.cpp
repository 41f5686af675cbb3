#include "serin/probes/process_check.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "serin/probes/machine_check.hpp"
#include "serin/system/files.hpp"

namespace serin::probes {
namespace {

using health::CheckAnswer;

/// Nothing when /proc/self/fd cannot be read. The one descriptor that reads it is not counted.
std::optional<std::int64_t> open_descriptors(std::error_code& error) {
  std::int64_t count = 0;
  std::filesystem::directory_iterator at("/proc/self/fd", error);
  while (!error && at != std::filesystem::directory_iterator()) {
    ++count;
    at.increment(error);
  }
  if (error) return std::nullopt;
  return count - 1;
}

}  // namespace

Result<health::CheckFunction> process_check(ProcessOptions options) {
  if (options.max_threads < 1) return fail(Errc::invalid_argument, "max_threads is not 1 or more");
  if (!(options.descriptors_degraded > 0 && options.descriptors_degraded <= options.descriptors_down &&
        options.descriptors_down <= 1))
    return fail(Errc::invalid_argument, "not 0 < descriptors_degraded <= descriptors_down <= 1");
  return [options](const health::CheckContext&) {
    std::error_code error;
    const auto open = open_descriptors(error);
    if (error == std::errc::too_many_files_open)
      return CheckAnswer::fail("descriptors_used_up", "no file descriptor is left");
    const auto threads = field(read_file("/proc/self/status", 1u << 20).value_or(std::string()), "Threads:");
    rlimit limit{};
    if (!open || !threads || ::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == 0)
      return CheckAnswer::unknown("unreadable", "/proc does not say what this process uses");
    // Also right for RLIM_INFINITY: a huge number, of which hardly anything is used.
    const double ratio = static_cast<double>(*open) / static_cast<double>(limit.rlim_cur);
    std::vector<LogField> details{{"threads", *threads}, {"descriptors", *open}, {"descriptors_ratio", ratio}};
    const std::string sentence = fmt::format("{} of {} file descriptors are open", *open, limit.rlim_cur);
    if (ratio > options.descriptors_down) return CheckAnswer::fail("descriptors_used_up", sentence, std::move(details));
    if (ratio > options.descriptors_degraded)
      return CheckAnswer::warn("descriptors_high", sentence, std::move(details));
    if (*threads > options.max_threads)
      return CheckAnswer::warn("threads_high", fmt::format("{} threads run", *threads), std::move(details));
    return CheckAnswer::pass(std::move(details));
  };
}

Result<health::CheckFunction> heartbeat_check(HeartbeatOptions options, std::shared_ptr<const Heartbeat> heartbeat,
                                              const Clock& clock) {
  if (options.period <= 0s) return fail(Errc::invalid_argument, "period is not above 0");
  if (options.degraded_lag < 0s || options.degraded_lag > options.down_lag || options.down_lag > 24h)
    return fail(Errc::invalid_argument, "not 0 <= degraded_lag <= down_lag <= a day");
  if (!heartbeat) return fail(Errc::invalid_argument, "there is no heartbeat");
  return [options, heartbeat = std::move(heartbeat), &clock](const health::CheckContext&) {
    const Instant last = heartbeat->last();
    if (last == Instant::min()) return CheckAnswer::unknown("not_run_yet", "the loop has not come round yet");
    const Duration lag = std::max(clock.now() - last - options.period, Duration::zero());
    std::vector<LogField> details{{"lag_seconds", seconds_of(lag)}};
    const std::string sentence = "the loop is " + format_duration(lag) + " late";
    if (lag > options.down_lag) return CheckAnswer::fail("loop_stuck", sentence, std::move(details));
    if (lag > options.degraded_lag) return CheckAnswer::warn("loop_late", sentence, std::move(details));
    return CheckAnswer::pass(std::move(details));
  };
}

Result<health::CheckFunction> environment_check(EnvironmentOptions options, Environment environment) {
  if (options.names.empty() || options.names.size() > 1000)
    return fail(Errc::invalid_argument, "names are not 1 to 1000");
  std::string missing;
  for (const std::string& name : options.names) {
    if (name.empty() || name.contains('=')) return fail(Errc::invalid_argument, "a name is empty or has '=' in it");
    if (!environment.value_or(name, "").empty()) continue;
    missing += missing.empty() ? name : ", " + name;
  }
  // The values are not kept: what is not there cannot leak.
  return [missing, count = options.names.size()](const health::CheckContext&) {
    std::vector<LogField> details{{"required", count}, {"missing", missing}};
    if (missing.empty()) return CheckAnswer::pass(std::move(details));
    return CheckAnswer::fail("variable_missing", "not set: " + missing, std::move(details));
  };
}

}  // namespace serin::probes
