#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "serin/trials/contender.hpp"
#include "serin/trials/scenario.hpp"

namespace serin::trials {

enum class Ending : std::uint8_t { finished, rolled_back, held };

/// How one rollout went.
struct Trial {
  Ending ending = Ending::finished;
  std::int32_t second = 0;           ///< when it ended
  std::int32_t proved = -1;          ///< second in which health was proved in the last stage; -1: never
  std::int64_t canary_failures = 0;  ///< requests of the canary that failed until then
  double blamed = 0;                 ///< of them, how many would not have failed with the old version (expected)
};

/// Whether a stage may be left as soon as its health is proved.
enum class Promotion : std::uint8_t { on_time, early };

/// Plays one rollout. The same for a seed and a number. Pure.
[[nodiscard]] Trial play(const Scenario& scenario, const ContenderKind& kind, std::uint64_t seed, std::uint64_t number,
                         Promotion promotion = Promotion::on_time);
/// Plays those numbered from `first` on, one for each place. Threads: any, each with places of its own.
void play_some(const Scenario& scenario, const ContenderKind& kind, std::uint64_t seed, std::uint64_t first,
               std::span<Trial> places, Promotion promotion = Promotion::on_time);

/// What many rollouts say of a judge.
struct Characteristics {
  std::int64_t runs = 0;
  std::int64_t rolled_back = 0;
  std::int64_t held = 0;
  std::int64_t proved = 0;
  double rolled_back_low = 0;  ///< Wilson's interval at 95 %
  double rolled_back_high = 1;
  std::optional<double> median_second;  ///< of those that were taken back
  std::optional<double> median_proof;   ///< of those whose health was proved in the last stage
  double median_end = 0;                ///< second
  double canary_failures = 0;           ///< mean over all runs, of requests that failed at the canary until it ended
  double blamed = 0;                    ///< mean of those that would not have failed with the old version
};
[[nodiscard]] Characteristics characterise(std::span<const Trial> trials);

}  // namespace serin::trials
