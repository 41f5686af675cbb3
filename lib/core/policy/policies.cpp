#include "serin/policy/policies.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "serin/retry/presets.hpp"

namespace serin::policy {
namespace {

using config::YamlMap;

/// "backoff.most must be backoff.first or more": in a file both stand in `retry` itself.
std::string without_backoff(std::string text) {
  constexpr std::string_view prefix = "backoff.";
  for (std::size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix))
    text.erase(at, prefix.size());
  return text;
}

void complain_about(YamlMap& map, std::string_view where, const Wrongs& found) {
  for (const Wrong& wrong : found.list()) {
    const std::string field = without_backoff(wrong.field);
    map.complain(field, fmt::format("{}.{} {}", where, field, without_backoff(wrong.sentence())));
  }
}

int small(YamlMap& map, std::string_view key, int otherwise) {
  // Beyond any range that a check allows, and still an int.
  return static_cast<int>(std::clamp<std::int64_t>(map.integer(key, otherwise), -2'000'000'000, 2'000'000'000));
}

template <class Choice>
Choice choose(YamlMap& map, std::string_view key, const std::vector<std::string>& words, Choice otherwise) {
  return static_cast<Choice>(map.choice(key, words, static_cast<std::size_t>(otherwise)));
}

void read_sequence(YamlMap& map, const std::string& where, retry::BackoffOptions& backoff) {
  std::vector<Duration> waits;
  for (const std::string& word : map.texts("sequence", {})) {
    const Result<Duration> wait = parse_duration(word);
    if (wait)
      waits.push_back(*wait);
    else
      map.complain("sequence", fmt::format("{}.sequence: {}", where, wait.error().detail()));
  }
  if (map.has("sequence")) backoff.sequence = retry::Waits(std::span<const Duration>(waits));
}

retry::RetryOptions read_retry(YamlMap& map, const std::string& where, retry::RetryOptions out) {
  retry::BackoffOptions& backoff = out.backoff;
  out.max_attempts = small(map, "max_attempts", out.max_attempts);
  // In the order of the enumerations, so that a position is a value; a function cannot stand in a file.
  backoff.shape = choose(map, "shape", {"exponential", "constant", "linear", "sequence"}, backoff.shape);
  backoff.first = map.duration("first", backoff.first);
  backoff.most = map.duration("most", backoff.most);
  backoff.factor = map.number("factor", backoff.factor);
  backoff.jitter = choose(
      map, "jitter", {"full", "none", "equal", "decorrelated", "decorrelated_aws_blog", "plus_minus"}, backoff.jitter);
  backoff.plus_minus = map.number("plus_minus", backoff.plus_minus);
  read_sequence(map, where, backoff);
  out.retry_after_spread = map.number("retry_after_spread", out.retry_after_spread);
  map.done();
  complain_about(map, where, wrongs(out));
  return out;
}

guard::BudgetOptions read_budget(YamlMap& map, const std::string& where) {
  const auto checked_as = [&](const auto& options) -> guard::BudgetOptions {
    map.done();
    complain_about(map, where, wrongs(options));
    return options;
  };
  switch (map.choice("kind", {"tokens", "in_flight", "quota"}, 0)) {
    case 1: {
      retry::InFlightBudgetOptions out;
      out.ratio = map.number("ratio", out.ratio);
      out.min_retries = map.integer("min_retries", out.min_retries);
      return checked_as(out);
    }
    case 2: {
      retry::QuotaOptions out;
      out.most = map.integer("most", out.most);
      out.cost = map.integer("cost", out.cost);
      out.cost_of_timeout = map.integer("cost_of_timeout", out.cost_of_timeout);
      return checked_as(out);
    }
    default: {
      retry::TokenBudgetOptions out;
      out.ratio = map.number("ratio", out.ratio);
      out.most = map.number("most", out.most);
      return checked_as(out);
    }
  }
}

breaker::BreakerOptions read_breaker(YamlMap& map, const std::string& where, const std::string& target) {
  breaker::BreakerOptions out{.name = target};
  out.window = choose(map, "window", {"calls", "time", "consecutive"}, out.window);
  out.calls = small(map, "calls", out.calls);
  out.length = map.duration("length", out.length);
  out.buckets = small(map, "buckets", out.buckets);
  out.min_calls = small(map, "min_calls", out.min_calls);
  out.failure_rate = map.number("failure_rate", out.failure_rate);
  out.slow_rate = map.number("slow_rate", out.slow_rate);
  out.slow_call = map.duration("slow_call", out.slow_call);
  out.open_for = map.duration("open_for", out.open_for);
  out.open_growth = map.number("open_growth", out.open_growth);
  out.open_most = map.duration("open_most", out.open_most);
  out.half_open_calls = small(map, "half_open_calls", out.half_open_calls);
  out.half_open_lease = map.duration("half_open_lease", out.half_open_lease);
  map.done();
  complain_about(map, where, wrongs(out));
  return out;
}

limit::BulkheadOptions read_bulkhead(YamlMap& map, const std::string& where, const std::string& target) {
  limit::BulkheadOptions out{.name = target};
  out.most = map.integer("most", out.most);
  out.most_waiting = map.integer("most_waiting", out.most_waiting);
  map.done();
  complain_about(map, where, wrongs(out));
  return out;
}

std::pair<guard::RateKind, limit::RateOptions> read_rate(YamlMap& map, const std::string& where,
                                                         const std::string& target) {
  limit::RateOptions out{.name = target};
  const guard::RateKind kind = choose(map, "kind", {"gcra", "bucket"}, guard::RateKind::gcra);
  out.rate = map.number("rate", out.rate);
  out.burst = map.number("burst", out.burst);
  map.done();
  complain_about(map, where, wrongs(out));
  return {kind, out};
}

limit::AdaptiveOptions read_adaptive(YamlMap& map, const std::string& where, const std::string& target) {
  limit::AdaptiveOptions out{.name = target};
  out.algorithm = choose(map, "algorithm", {"aimd", "vegas", "gradient2"}, out.algorithm);
  out.first = map.number("first", out.first);
  out.least = map.number("least", out.least);
  out.most = map.number("most", out.most);
  out.backoff = map.number("backoff", out.backoff);
  out.smoothing = map.number("smoothing", out.smoothing);
  out.queue = map.number("queue", out.queue);
  out.tolerance = map.number("tolerance", out.tolerance);
  map.done();
  complain_about(map, where, wrongs(out));
  return out;
}

std::optional<Duration> read_time(YamlMap& map, const std::string& where, std::string_view key) {
  if (!map.has(key)) return std::nullopt;
  const Duration time = map.duration(key, 1s);
  if (time <= Duration::zero()) map.complain(key, fmt::format("{}.{} must be above 0, not 0s", where, key));
  return time;
}

std::optional<retry::RetryOptions> read_preset(YamlMap& map) {
  if (!map.has("preset")) return std::nullopt;
  std::vector<std::string> names;
  for (const retry::Preset& preset : retry::presets()) names.emplace_back(preset.name);
  return retry::presets()[map.choice("preset", names, 0)].options;
}

bool is_target(std::string_view name) {
  if (name.ends_with('*')) name.remove_suffix(1);
  return name.size() <= 200 && std::ranges::all_of(name, [](char c) { return c > ' ' && c < 127 && c != '*'; });
}

guard::TargetPolicy read_target(const std::string& name, YamlMap& map) {
  const std::string where = "resilience." + name;
  guard::TargetPolicy out;
  out.retry = read_preset(map);
  if (auto retry = map.map("retry"))
    out.retry = read_retry(*retry, where + ".retry", out.retry.value_or(retry::RetryOptions{}));
  if (auto budget = map.map("budget")) {
    out.budget = read_budget(*budget, where + ".budget");
    if (!out.retry) map.complain("budget", where + ".budget has nothing to bound: there is no preset and no retry");
  }
  if (auto breaker = map.map("breaker")) out.breaker = read_breaker(*breaker, where + ".breaker", name);
  if (auto bulkhead = map.map("bulkhead")) out.bulkhead = read_bulkhead(*bulkhead, where + ".bulkhead", name);
  if (auto rate = map.map("rate")) out.rate = read_rate(*rate, where + ".rate", name);
  if (auto adaptive = map.map("adaptive")) out.adaptive = read_adaptive(*adaptive, where + ".adaptive", name);
  out.attempt_timeout = read_time(map, where, "attempt_timeout");
  out.deadline = read_time(map, where, "deadline");
  if (out.attempt_timeout && out.deadline && *out.attempt_timeout > *out.deadline)
    map.complain("attempt_timeout", fmt::format("{}.attempt_timeout must be at most {} (deadline), not {}", where,
                                                format_duration(*out.deadline), format_duration(*out.attempt_timeout)));
  map.done();
  if (out.retry && out.attempt_timeout) out.retry->attempt_timeout = *out.attempt_timeout;
  return out;
}

}  // namespace

const NamedPolicy* Policies::find(std::string_view target) const {
  const NamedPolicy* best = nullptr;
  for (const NamedPolicy& known : targets_) {
    if (known.target == target) return &known;
    const bool star = known.target.ends_with('*');
    if (star && target.starts_with(std::string_view(known.target).substr(0, known.target.size() - 1)) &&
        (best == nullptr || known.target.size() > best->target.size()))
      best = &known;
  }
  return best;
}

Policies read_policies(YamlMap& root) {
  std::vector<NamedPolicy> targets;
  for (auto& [name, map] : root.named_maps("resilience")) {
    if (!is_target(name))
      map.complain("",
                   fmt::format("resilience: '{}' must be a name without blanks, with a star at its end at most", name));
    targets.push_back({.target = name, .policy = read_target(name, map)});
  }
  return Policies(std::move(targets));
}

Result<Policies> parse_policies(std::string_view text, std::string_view file) {
  SERIN_TRY(const std::unique_ptr<config::YamlFile> yaml, config::YamlFile::parse(text, file));
  YamlMap root = yaml->root();
  Policies policies = read_policies(root);
  if (!root.has("resilience")) root.complain("", "resilience is missing");
  root.done();
  const std::vector<std::string> mistakes = yaml->mistakes();
  if (mistakes.empty()) return policies;
  return fail(Errc::invalid_argument, fmt::format("{}", fmt::join(mistakes, "\n")));
}

}  // namespace serin::policy
