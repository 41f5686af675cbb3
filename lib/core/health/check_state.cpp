#include "serin/health/check_state.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace serin::health {
namespace {

constexpr double jitter_part = 0.1;
constexpr Duration busy_pause = 50ms;
constexpr Duration tick = Duration(1);  // the first moment after one that still belongs to the time before

bool name_is_good(std::string_view name) {
  if (name.empty() || name.front() == '/' || name.back() == '/' || name.find("//") != std::string_view::npos)
    return false;
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-' || c == '/';
  });
}

/// Without overflow: an hour-long period may be added to a time that is far away already.
Instant later(Instant at, Duration by) { return Deadline::after(at, by).at(); }

Duration pause_while_failing(const CheckOptions& options) {
  return options.every > Duration::zero() ? std::min(options.failing, options.every) : options.failing;
}

HealthStatus weigh(HealthStatus status, bool critical) {
  return critical ? status : std::min(status, HealthStatus::degraded);
}

}  // namespace

std::vector<std::string> mistakes_of(const CheckOptions& o) {
  std::vector<std::string> out;
  const auto expect = [&](bool good, std::string_view what) {
    if (!good) out.push_back(fmt::format("check '{}': {}", o.name, what));
  };
  expect(name_is_good(o.name), "a name has letters, digits, '.', '_', '-' and '/' between parts");
  for (const std::string& group : o.groups) expect(name_is_good(group), "a group's name is no name");
  expect(o.timeout > Duration::zero(), "timeout must be > 0");
  expect(o.every >= Duration::zero(), "every must be >= 0");
  expect(o.failing > Duration::zero(), "failing must be > 0");
  expect(o.ttl >= Duration::zero() && o.initial_delay >= Duration::zero() && o.max_staleness >= Duration::zero() &&
             o.max_time_in_error >= Duration::zero(),
         "ttl, initial_delay, max_staleness and max_time_in_error must be >= 0");
  expect(o.max_staleness == Duration::zero() || o.max_staleness >= o.every, "max_staleness is shorter than the period");
  expect(o.failure_threshold >= 1 && o.success_threshold >= 1, "thresholds must be >= 1");
  expect(!(o.external && has(o.kinds, Kind::liveness)), "what is outside of the process is never part of liveness");
  return out;
}

bool passes(const CheckAnswer& answer) noexcept {
  return !answer.evaluated || answer.status == HealthStatus::up || answer.status == HealthStatus::degraded;
}

Instant CheckFacts::stale_at() const noexcept {
  if (!counted) return Instant::max();
  const CheckOptions& o = *options;
  if (o.max_staleness > Duration::zero()) return later(answered_at, o.max_staleness);
  if (on_demand()) return asked_at ? later(*asked_at, o.timeout) : Instant::max();
  return later(later(answered_at, 3 * std::min(o.every, Duration(Duration::max() / 4))), o.timeout);
}

Verdict CheckFacts::judge(Instant now) const noexcept {
  if (run && now > run->counts_at) return Verdict::timeout;
  if (waiting_since && !run && (!counted || now > later(*waiting_since, options->timeout))) return Verdict::pool_busy;
  if (!counted) return Verdict::not_run_yet;
  return now > stale_at() ? Verdict::stale : Verdict::answered;
}

HealthStatus CheckFacts::status(Instant now) const noexcept {
  if (judge(now) != Verdict::answered) return HealthStatus::unknown;
  return counted->evaluated ? counted->status : HealthStatus::up;
}

HealthStatus CheckFacts::contribution(Instant now) const noexcept { return weigh(status(now), options->critical); }

Instant CheckFacts::changes_at(Instant now) const noexcept {
  Instant next = Instant::max();
  const auto consider = [&](Instant last) {
    if (last >= now && last < Instant::max() - tick) next = std::min(next, last + tick);
  };
  if (run) consider(run->counts_at);
  if (waiting_since && counted) consider(later(*waiting_since, options->timeout));
  consider(stale_at());
  return next;
}

CheckReport CheckFacts::report(Instant now) const {
  CheckReport out{.name = options->name,
                  .critical = options->critical,
                  .kinds = options->kinds,
                  .groups = options->groups,
                  .component_type = options->component_type,
                  .duration = run ? now - run->started : lasted,
                  .checked_at = checked_at,
                  .age = counted ? now - answered_at : Duration::zero(),
                  .answer = {}};
  switch (judge(now)) {
    case Verdict::answered: out.answer = *counted; break;
    case Verdict::not_run_yet: out.answer = CheckAnswer::unknown("not_run_yet", "it has not answered yet"); break;
    case Verdict::pool_busy: out.answer = CheckAnswer::unknown("pool_busy", "not run: pool busy"); break;
    case Verdict::timeout:
      out.answer =
          CheckAnswer::unknown("timeout", fmt::format("no answer within {}", format_duration(options->timeout)));
      break;
    case Verdict::stale:
      out.answer = CheckAnswer::unknown("stale", fmt::format("its last answer is {} old", format_duration(out.age)));
      break;
  }
  return out;
}

CheckState::CheckState(CheckOptions options, Instant now) : due_(later(now, options.initial_delay)) {
  if (options.kinds == Kind::none) options.kinds = options.critical ? Kind::readiness | Kind::deep : Kind::deep;
  facts_.options = std::make_shared<const CheckOptions>(std::move(options));
}

Duration CheckState::failing_pause() const noexcept { return pause_while_failing(options()); }

bool CheckState::outdated(Instant now) const noexcept {
  return facts_.on_demand() && (!facts_.counted || now - facts_.answered_at >= options().ttl);
}

void CheckState::asked(Instant now) noexcept {
  if (!facts_.asked_at) facts_.asked_at = now;
}

std::uint64_t CheckState::start(Instant now) {
  const Instant deadline = later(now, options().timeout);
  Instant counts_at = deadline;
  if (counts_as_passed()) {
    // A run that does not come back cannot be asked again; each further pause stands for the sample that is missed.
    const unsigned missing = options().failure_threshold - std::min(failures_ + 1, options().failure_threshold);
    for (unsigned i = 0; i < std::min(missing, 1000u); ++i) counts_at = later(counts_at, failing_pause());
    if (options().max_time_in_error > Duration::zero())
      counts_at = std::clamp(later(failures_ > 0 ? failing_since_ : deadline, options().max_time_in_error), deadline,
                             counts_at);
  }
  facts_.run = CheckFacts::Run{.started = now, .deadline = deadline, .counts_at = counts_at};
  expired_ = false;
  return ++generation_;
}

/// True when the answer is what counts now.
bool CheckState::count(CheckAnswer answer, Instant now, unsigned samples) {
  bool counts;
  if (passes(answer)) {
    failures_ = 0;
    ++successes_;
    counts = !succeeded_ || successes_ >= options().success_threshold || counts_as_passed();
    succeeded_ |= counts;
  } else {
    successes_ = 0;
    if (failures_ == 0) failing_since_ = now;
    failures_ += samples;
    const Duration most = options().max_time_in_error;
    counts = failures_ >= options().failure_threshold || !counts_as_passed() ||
             (most > Duration::zero() && now - failing_since_ >= most);
  }
  if (counts) facts_.counted = std::make_shared<const CheckAnswer>(std::move(answer));
  return counts;
}

CheckState::Finished CheckState::finish(std::uint64_t generation, Instant now, WallTime wall, CheckAnswer answer,
                                        double jitter) {
  if (!facts_.run || generation_ != generation) return Finished::dropped;
  const bool late = now > facts_.run->deadline;
  const auto over = late ? (now - facts_.run->deadline) / failing_pause() : 0;
  facts_.lasted = now - facts_.run->started;
  facts_.checked_at = wall;
  facts_.waiting_since.reset();
  facts_.asked_at.reset();
  facts_.run.reset();
  expired_ = false;
  if (late) {
    answer = CheckAnswer::unknown("timeout", fmt::format("no answer within {}", format_duration(options().timeout)));
    // Not an answer: what counted before goes on getting older.
    if (count(std::move(answer), now, 1 + static_cast<unsigned>(std::min<Duration::rep>(over, 1000))))
      facts_.answered_at = now;
  } else {
    if (passes(answer)) facts_.succeeded_at = wall;
    facts_.answered_at = now;
    count(std::move(answer), now, 1);
  }
  if (facts_.on_demand()) {
    due_ = Instant::max();
  } else {
    const Duration pause = failures_ > 0 ? failing_pause() : options().every;
    due_ = later(
        now, pause + Duration(static_cast<Duration::rep>(static_cast<double>(pause.count()) * jitter_part * jitter)));
  }
  return late ? Finished::late : Finished::counted;
}

bool CheckState::expire(Instant now) noexcept {
  if (!facts_.run || expired_ || now <= facts_.run->deadline) return false;
  expired_ = true;
  return true;
}

void CheckState::cancel(std::uint64_t generation, Instant now) noexcept {
  if (!facts_.run || generation_ != generation) return;
  facts_.run.reset();
  due_ = later(now, busy_pause);
  if (!facts_.waiting_since) facts_.waiting_since = now;
}

Instant CheckState::next_event(Instant now) const noexcept {
  Instant next = facts_.changes_at(now);
  if (!facts_.run) return std::min(next, std::max(due_, now));
  if (!expired_) next = std::min(next, later(facts_.run->deadline, tick));
  return next;
}

HealthStatus contribution(const CheckReport& check) noexcept {
  return check.answer.evaluated ? weigh(check.answer.status, check.critical) : HealthStatus::up;
}

HealthStatus aggregate(const std::vector<CheckReport>& checks) noexcept {
  HealthStatus worst = HealthStatus::up;
  for (const CheckReport& check : checks) worst = std::max(worst, contribution(check));
  return worst;
}

}  // namespace serin::health
