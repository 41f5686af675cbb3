#include "serin/trials/contender.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "serin/base/text.hpp"
#include "serin/judge/canary_judge.hpp"
#include "serin/ports/latency.hpp"

namespace serin::trials {
namespace {

using judge::Bucket;

/// As the rollout engine does it: learns at 0 %, then one proof of guilt over everything, one of health a stage.
class Ours final : public Contender {
 public:
  Ours(judge::CanaryJudgeOptions options, const Scenario& scenario)
      : options_(std::move(options)), learner_(before_step(scenario)) {
    const std::int64_t step = scenario.bucket_seconds;
    options_.errors.planned_buckets = std::max<std::int64_t>(1, scenario.seconds() / step);
    options_.errors.restart_every = std::max<std::int64_t>(1, 30 / step);
    options_.attribution_wait = (options_.attribution_wait + step - 1) / step;
    if (scenario.latency && !options_.latency)
      options_.latency = judge::LatencyOptions{.edges_ms = {latency_edges_ms().begin(), latency_edges_ms().end()}};
  }

  void learn(const Tick& tick) override {
    const Bucket& counts = tick.clients ? *tick.clients : tick.requests;
    learner_.add(counts.baseline_requests, counts.baseline_errors);
    if (!tick.baseline_times.empty()) times_.push_back(tick.baseline_times);
  }

  void enter(int stage) override {
    if (stage == 0) start();
    health_.emplace(judge::Mixture::Shape{.null_ratio = options_.errors.healthy.ratio,
                                          .absolute = options_.errors.healthy.absolute,
                                          .side = judge::Mixture::Side::below,
                                          .dispersion = judge_->options().errors.dispersion});
  }

  Say look(const Tick& tick) override {
    const Bucket& counts = tick.clients ? *tick.clients : tick.requests;
    judge_->add(counts, tick.clients ? std::optional(tick.failed_clients) : std::nullopt);
    if (!tick.canary_times.empty()) judge_->add_latency(tick.canary_times, tick.baseline_times);
    switch (judge_->guilt()) {
      case judge::Guilt::worse: return Say::roll_back;
      case judge::Guilt::incident: return Say::hold;
      case judge::Guilt::unproved: break;
    }
    health_->add(judge::sane(counts));
    return health_->log_evidence() >= healthy_needed_ ? Say::healthy : Say::go_on;
  }

 private:
  void start() {
    const judge::History history = learner_.history();
    if (history.requests > 0) options_.history = history;
    healthy_needed_ = -std::log(options_.errors.beta);
    judge_.emplace(judge::CanaryJudge::make(options_).value());
    for (const judge::LatencyCounts& times : times_) judge_->learn_latency(times);
  }

  judge::CanaryJudgeOptions options_;
  judge::HistoryLearner learner_;
  std::vector<judge::LatencyCounts> times_;
  std::optional<judge::CanaryJudge> judge_;
  std::optional<judge::Mixture> health_;
  double healthy_needed_ = 0;
};

}  // namespace

ContenderKind serin_judge(const judge::CanaryJudgeOptions& options) {
  return {.name = "serin",
          .title = "serin",
          .rule = fmt::format("alpha {}, tolerable {} x + {}, half beside the baseline, half against the past",
                              options.errors.alpha, options.errors.tolerable.ratio, options.errors.tolerable.absolute),
          .make = [options](const Scenario& scenario) { return std::make_unique<Ours>(options, scenario); }};
}

std::vector<ContenderKind> all_contenders(const judge::CanaryJudgeOptions& options) {
  return {serin_judge(options), flagger_rule(1), flagger_rule(5), argo_rule(0),
          argo_rule(3),         kayenta_rule(),  script_rule()};
}

Result<ContenderKind> find_contender(std::string_view name, const judge::CanaryJudgeOptions& options) {
  std::vector<std::string> names;
  for (ContenderKind& kind : all_contenders(options)) {
    if (kind.name == name) return std::move(kind);
    names.push_back(kind.name);
  }
  const std::optional<std::string> near = nearest_word(name, names);
  return fail(Errc::invalid_argument,
              fmt::format("no judge is named '{}'{}; there are {}", name,
                          near ? fmt::format(", did you mean '{}'?", *near) : "", fmt::join(names, ", ")));
}

}  // namespace serin::trials
