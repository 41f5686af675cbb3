// The field's rules on the same traffic, with their default or documented settings.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <span>

#include "serin/judge/kayenta.hpp"
#include "serin/judge/latency.hpp"
#include "serin/judge/thresholds.hpp"
#include "serin/ports/latency.hpp"
#include "serin/trials/contender.hpp"

namespace serin::trials {
namespace {

using judge::Bucket;
using judge::LatencyCounts;

constexpr std::int64_t minute = 60;

void add_to(LatencyCounts& total, const LatencyCounts& counts) {
  total.resize(std::max(total.size(), counts.size()));
  for (std::size_t i = 0; i < counts.size(); ++i) total[i] += counts[i];
}

/// The 99th percentile within the cells, interpolated as Prometheus does it.
std::optional<double> p99_of(const LatencyCounts& counts) {
  const std::span<const double> edges = latency_edges_ms();
  double all = 0;
  for (const std::int64_t count : counts) all += static_cast<double>(count);
  if (all <= 0 || counts.size() != edges.size() + 1) return std::nullopt;
  double below = 0;
  for (std::size_t i = 0; i < edges.size(); ++i) {
    const auto in_cell = static_cast<double>(counts[i]);
    if (below + in_cell >= 0.99 * all) {
      const double low = i == 0 ? 0 : edges[i - 1];
      return in_cell <= 0 ? edges[i] : low + (edges[i] - low) * (0.99 * all - below) / in_cell;
    }
    below += in_cell;
  }
  return edges.back();
}

/// What all of them have in common: they look at whole intervals.
class ByInterval : public Contender {
 public:
  explicit ByInterval(std::int64_t seconds) : seconds_(seconds) {}
  Say look(const Tick& tick) final {
    counts_ += tick.requests;
    add_to(canary_times_, tick.canary_times);
    add_to(baseline_times_, tick.baseline_times);
    gathered_ += tick.seconds;
    if (gathered_ < seconds_) return Say::go_on;
    const Say say = interval();
    gathered_ = 0;
    counts_ = {};
    canary_times_.clear();
    baseline_times_.clear();
    return say;
  }

 protected:
  virtual Say interval() = 0;
  [[nodiscard]] const Bucket& counts() const { return counts_; }
  [[nodiscard]] const LatencyCounts& canary_times() const { return canary_times_; }
  [[nodiscard]] const LatencyCounts& baseline_times() const { return baseline_times_; }
  [[nodiscard]] std::optional<double> success_percent() const {
    if (counts_.canary_requests <= 0) return std::nullopt;
    return 100.0 - 100.0 * static_cast<double>(counts_.canary_errors) / static_cast<double>(counts_.canary_requests);
  }

 private:
  std::int64_t seconds_;
  std::int64_t gathered_ = 0;
  Bucket counts_;
  LatencyCounts canary_times_;
  LatencyCounts baseline_times_;
};

class Flagger final : public ByInterval {
 public:
  Flagger(int threshold, bool latency)
      : ByInterval(minute),
        rule_({.max_p99_ms = latency ? std::optional(500.0) : std::nullopt, .threshold = threshold}) {}

 private:
  Say interval() override {
    return rule_.check(success_percent(), p99_of(canary_times())) ? Say::roll_back : Say::go_on;
  }
  judge::FlaggerRule rule_;
};

class Argo final : public ByInterval {
 public:
  explicit Argo(int failure_limit)
      : ByInterval(minute),
        metric_({.success = judge::ArgoCondition{.is = judge::ArgoCondition::Is::at_least, .bound = 99},
                 .failure_limit = failure_limit}) {}

 private:
  Say interval() override {
    metric_.measure(success_percent());
    switch (metric_.phase()) {
      case judge::ArgoPhase::failed:
      case judge::ArgoPhase::error: return Say::roll_back;
      case judge::ArgoPhase::inconclusive: return Say::hold;
      case judge::ArgoPhase::successful:
      case judge::ArgoPhase::running:
      case judge::ArgoPhase::pending: break;
    }
    return Say::go_on;
  }
  judge::ArgoMetric metric_;
};

class Kayenta final : public ByInterval {
 public:
  explicit Kayenta(bool latency) : ByInterval(minute) {
    metrics_.push_back({.name = "errors", .groups = {"errors"}, .experiment = {}, .control = {}});
    if (latency) metrics_.push_back({.name = "latency", .groups = {"latency"}, .experiment = {}, .control = {}});
  }

 private:
  static constexpr int points_between = 5;

  Say interval() override {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const auto percent = [&](std::int64_t errors, std::int64_t requests) {
      return requests > 0 ? 100.0 * static_cast<double>(errors) / static_cast<double>(requests) : nan;
    };
    metrics_[0].experiment.push_back(percent(counts().canary_errors, counts().canary_requests));
    metrics_[0].control.push_back(percent(counts().baseline_errors, counts().baseline_requests));
    if (metrics_.size() > 1) {
      metrics_[1].experiment.push_back(p99_of(canary_times()).value_or(nan));
      metrics_[1].control.push_back(p99_of(baseline_times()).value_or(nan));
    }
    if (++points_ % points_between != 0) return Say::go_on;
    const double score = judge::kayenta_judge(metrics_, {}).score;
    return judge::kayenta_verdict(score, 95, 75) == judge::KayentaVerdict::fail ? Say::roll_back : Say::go_on;
  }
  std::vector<judge::KayentaMetric> metrics_;
  int points_ = 0;
};

class Script final : public Contender {
 public:
  Say look(const Tick& tick) override {
    recent_.push_back({tick.second, tick.requests.canary_errors + tick.requests.baseline_errors});
    return Say::go_on;
  }
  Say leave(int) override {
    std::int64_t errors = 0;
    const std::int64_t end = recent_.empty() ? 0 : recent_.back().second;
    for (const Seen& seen : recent_)
      if (seen.second > end - 5 * minute) errors += seen.errors;
    return judge::ScriptRule{}.fails(errors) ? Say::roll_back : Say::go_on;
  }

 private:
  struct Seen {
    std::int64_t second;
    std::int64_t errors;
  };
  std::vector<Seen> recent_;
};

}  // namespace

ContenderKind flagger_rule(int threshold) {
  return {.name = fmt::format("flagger-{}", threshold),
          .title = fmt::format("Flagger, threshold {}", threshold),
          .rule = fmt::format("success rate >= 99 % and p99 <= 500 ms each minute, taken back at miss {}", threshold),
          .make = [threshold](const Scenario& scenario) {
            return std::make_unique<Flagger>(threshold, scenario.latency.has_value());
          }};
}

ContenderKind argo_rule(int failure_limit) {
  return {.name = fmt::format("argo-{}", failure_limit),
          .title = fmt::format("Argo, failureLimit {}", failure_limit),
          .rule = fmt::format("success rate >= 99 % each minute, failureLimit {}", failure_limit),
          .make = [failure_limit](const Scenario&) { return std::make_unique<Argo>(failure_limit); }};
}

ContenderKind kayenta_rule() {
  return {.name = "kayenta",
          .title = "Kayenta",
          .rule = "error rate in percent, a point a minute from the begin, judged every 5 min, pass 95, marginal 75",
          .make = [](const Scenario& scenario) { return std::make_unique<Kayenta>(scenario.latency.has_value()); }};
}

ContenderKind script_rule() {
  return {.name = "script",
          .title = "replaced script",
          .rule = "more than 5 errors of the whole service in the 5 minutes before a stage's end",
          .make = [](const Scenario&) { return std::make_unique<Script>(); }};
}

}  // namespace serin::trials
