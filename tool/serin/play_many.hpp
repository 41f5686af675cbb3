#pragma once
#include <cstdint>
#include <vector>

#include "serin/trials/trial.hpp"

namespace serin::tool {

/// Plays rollouts 0 to runs - 1 on some threads; the same whatever their number. \param threads  >= 1
std::vector<trials::Trial> play_many(const trials::Scenario& scenario, const trials::ContenderKind& kind,
                                     std::int64_t runs, std::uint64_t seed, int threads,
                                     trials::Promotion promotion = trials::Promotion::on_time);
/// One for each processor.
[[nodiscard]] int usual_threads();

}  // namespace serin::tool
