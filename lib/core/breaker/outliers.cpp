#include "serin/breaker/outliers.hpp"

#include <algorithm>
#include <cmath>

namespace serin::breaker {

Result<std::unique_ptr<Outliers>> Outliers::make(OutlierOptions options) {
  SERIN_CHECK(wrongs(options).status("outliers: "));
  return std::unique_ptr<Outliers>(new Outliers(options));
}

void Outliers::set_replicas(const std::vector<std::string>& names, Instant now) {
  const std::scoped_lock lock(mutex_);
  sweep(now);
  std::erase_if(replicas_, [&](const auto& known) { return std::ranges::find(names, known.first) == names.end(); });
  for (const std::string& name : names) replicas_.try_emplace(name);
}

void Outliers::eject(Replica& replica, Instant now) {
  ++replica.times_bad;
  ++ejections_;
  replica.in_a_row = 0;
  replica.bad_since = now;
  const double seconds = seconds_of(options_.eject_for) * replica.times_bad;
  replica.bad_until = now + std::min(options_.eject_most, duration_of_seconds(seconds));
}

void Outliers::report(std::string_view name, OutcomeClass outcome, Instant now) {
  if (outcome == OutcomeClass::ignored) return;
  const std::scoped_lock lock(mutex_);
  sweep(now);
  const auto found = replicas_.find(name);
  if (found == replicas_.end()) return;
  Replica& replica = found->second;
  const bool failed = is_failure(outcome);
  ++replica.calls;
  replica.good += failed ? 0 : 1;
  replica.in_a_row = failed ? replica.in_a_row + 1 : 0;
  // One that is out already is not put out for longer by calls that were on their way.
  if (options_.consecutive_failures > 0 && replica.in_a_row >= options_.consecutive_failures &&
      now >= replica.bad_until)
    eject(replica, now);
}

void Outliers::sweep(Instant now) {
  if (compared_ == Instant::min()) compared_ = now;
  if (now - compared_ < options_.interval) return;
  const std::int64_t intervals = (now - compared_) / options_.interval;
  compare_rates(now);
  for (auto& [name, replica] : replicas_) {
    // Forgiven for whole intervals in use, the ones that nobody looked at included.
    const Duration in_use = now - std::max(replica.bad_until, compared_);
    const std::int64_t forgiven =
        std::max<std::int64_t>(0, std::min<std::int64_t>(intervals, in_use / options_.interval));
    replica.times_bad = static_cast<int>(std::max<std::int64_t>(0, replica.times_bad - forgiven));
    replica.calls = 0;
    replica.good = 0;
  }
  compared_ += intervals * options_.interval;
}

void Outliers::compare_rates(Instant now) {
  if (options_.deviations <= 0) return;
  double sum = 0;
  double squares = 0;
  double compared = 0;
  const auto rate = [](const Replica& replica) {
    return static_cast<double>(replica.good) / static_cast<double>(replica.calls);
  };
  const auto counts = [&](const Replica& replica) {
    return replica.calls >= options_.min_calls && now >= replica.bad_until;
  };
  for (const auto& [name, replica] : replicas_) {
    if (!counts(replica)) continue;
    compared += 1;
    sum += rate(replica);
    squares += rate(replica) * rate(replica);
  }
  if (compared < options_.min_replicas) return;
  const double mean = sum / compared;
  // Of the whole population: with that of a sample, one of five could never be 1.9 deviations away from the mean.
  const double deviation = std::sqrt(std::max(0.0, squares / compared - mean * mean));
  // A floor for rounding, so that equals are equal.
  if (deviation < 1e-9) return;
  for (auto& [name, replica] : replicas_)
    if (counts(replica) && rate(replica) < mean - options_.deviations * deviation) eject(replica, now);
}

int Outliers::bad(Instant now) const {
  return static_cast<int>(
      std::ranges::count_if(replicas_, [&](const auto& known) { return now < known.second.bad_until; }));
}

std::vector<std::string_view> Outliers::left_out(Instant now) const {
  const auto all = static_cast<double>(replicas_.size());
  if (replicas_.size() < 2 || static_cast<double>(bad(now)) > options_.fails_open_above * all) return {};
  std::vector<std::pair<Instant, std::string_view>> candidates;
  for (const auto& [name, replica] : replicas_)
    if (now < replica.bad_until) candidates.emplace_back(replica.bad_since, name);
  std::ranges::sort(candidates);
  const auto room =
      std::clamp<std::size_t>(static_cast<std::size_t>(options_.most_ejected * all + 1e-9), 1, replicas_.size() - 1);
  std::vector<std::string_view> out;
  for (const auto& [since, name] : candidates)
    if (out.size() < room) out.push_back(name);
  return out;
}

std::vector<std::string> Outliers::usable(Instant now) {
  const std::scoped_lock lock(mutex_);
  sweep(now);
  const std::vector<std::string_view> out = left_out(now);
  std::vector<std::string> in;
  in.reserve(replicas_.size());
  for (const auto& [name, replica] : replicas_)
    if (std::ranges::find(out, name) == out.end()) in.push_back(name);
  return in;
}

bool Outliers::may_use(std::string_view name, Instant now) {
  const std::scoped_lock lock(mutex_);
  sweep(now);
  const std::vector<std::string_view> out = left_out(now);
  return replicas_.contains(name) && std::ranges::find(out, name) == out.end();
}

Outliers::Snapshot Outliers::snapshot(Instant now) {
  const std::scoped_lock lock(mutex_);
  sweep(now);
  const int count = bad(now);
  const auto replicas = static_cast<int>(replicas_.size());
  return {.replicas = replicas,
          .bad = count,
          .ejected = static_cast<int>(left_out(now).size()),
          .fails_open = count > 0 && (replicas < 2 || count > options_.fails_open_above * replicas),
          .ejections = ejections_};
}

}  // namespace serin::breaker
