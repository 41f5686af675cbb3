#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/judge/options.hpp"
#include "serin/trials/scenario.hpp"
#include "serin/trials/traffic.hpp"

namespace serin::trials {

/// What a judge says after a look.
enum class Say : std::uint8_t { go_on, healthy, roll_back, hold };

/// A judge at work on one rollout. Threads: one; pure.
class Contender {
 public:
  virtual ~Contender() = default;
  /// The old version alone, before the rollout.
  virtual void learn(const Tick&) {}
  /// The next stage begins.
  virtual void enter(int /*stage*/) {}
  virtual Say look(const Tick& tick) = 0;
  /// The stage's time is over.
  virtual Say leave(int /*stage*/) { return Say::go_on; }
};

/// Makes a fresh judge for each rollout. Threads: any.
struct ContenderKind {
  std::string name;   ///< "serin", "flagger"
  std::string title;  ///< for tables
  std::string rule;   ///< in a line, with its settings
  std::function<std::unique_ptr<Contender>(const Scenario&)> make;
};

/// Ours. `options` has passed CanaryJudge::make; its planned buckets and its history come from the scenario and from
/// what it learns.
[[nodiscard]] ContenderKind serin_judge(const judge::CanaryJudgeOptions& options);
/// Success rate >= 99 % and p99 <= 500 ms each minute; taken back at the `threshold`-th miss.
[[nodiscard]] ContenderKind flagger_rule(int threshold);
/// Success rate >= 99 % each minute, with a failure limit.
[[nodiscard]] ContenderKind argo_rule(int failure_limit);
/// A point a minute from the rollout's begin, judged every 5 minutes; below 75 it is taken back.
[[nodiscard]] ContenderKind kayenta_rule();
/// More than 5 errors of the whole service in the 5 minutes before a stage's end.
[[nodiscard]] ContenderKind script_rule();

/// All of them, ours first, as `serin judge compare` has them.
[[nodiscard]] std::vector<ContenderKind> all_contenders(const judge::CanaryJudgeOptions& options);
/// One by its name. Errors: invalid_argument, with what there is and a suggestion.
Result<ContenderKind> find_contender(std::string_view name, const judge::CanaryJudgeOptions& options);

}  // namespace serin::trials
