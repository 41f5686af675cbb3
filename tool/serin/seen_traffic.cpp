#include "seen_traffic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "serin/judge/dispersion.hpp"

namespace serin::tool {

Result<SeenTraffic> recent_traffic(Traffic& traffic, const ServiceName& service, const rollout::PastPlan& past,
                                   Instant now) {
  const Duration window = past.window > 0s ? past.window : Duration(1h);
  const std::int64_t after = second_of(now) - std::chrono::floor<std::chrono::seconds>(window).count();
  SERIN_TRY(const TrafficWindow seen,
            traffic.read(service, std::max<std::int64_t>(-1, after), Deadline::after(now, 5s)));
  std::int64_t requests = 0;
  std::int64_t errors = 0;
  judge::HistoryLearner learner;
  for (const TrafficSecond& second : seen.seconds) {
    std::int64_t all = 0;
    std::int64_t failed = 0;
    for (const TrafficCount& count : second.counts) {
      all += count.requests;
      failed += count.errors;
    }
    learner.add(all, failed);
    requests += all;
    errors += failed;
  }
  const auto seconds = static_cast<std::int64_t>(seen.seconds.size());
  return SeenTraffic{.rate = static_cast<double>(requests) / static_cast<double>(std::max<std::int64_t>(1, seconds)),
                     .errors = static_cast<double>(errors) / static_cast<double>(std::max<std::int64_t>(1, requests)),
                     .dispersion = learner.history().dispersion,
                     .seconds = seconds,
                     .history_seconds = std::chrono::seconds(seconds) >= past.least ? seconds : 0,
                     .source = fmt::format("counted in the last {} s", seconds)};
}

std::string sees_nothing(const rollout::PlanOptions& plan, const SeenTraffic& traffic) {
  if (std::chrono::seconds(traffic.seconds) < plan.past.least) return {};
  const double stage = std::chrono::duration<double>(plan.monitoring_duration).count() * (1 + plan.max_extensions);
  double requests = 0;
  for (const double percent : plan.stages) requests += traffic.rate * stage * percent / 100;
  if (requests >= static_cast<double>(plan.judge.min_canary_errors)) return {};
  return fmt::format(
      "this plan would see nothing: at {:.3g} requests a second ({}) the new version gets {:.2g} of them in all of its "
      "stages, and less than {} cannot say anything, even if each of them fails; `serin plan` shows more, --blind "
      "releases it all the same",
      traffic.rate, traffic.source, requests, plan.judge.min_canary_errors);
}

}  // namespace serin::tool
