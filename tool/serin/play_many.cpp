#include "play_many.hpp"

#include <algorithm>
#include <span>
#include <thread>

namespace serin::tool {

std::vector<trials::Trial> play_many(const trials::Scenario& scenario, const trials::ContenderKind& kind,
                                     std::int64_t runs, std::uint64_t seed, int threads, trials::Promotion promotion) {
  std::vector<trials::Trial> all(static_cast<std::size_t>(runs));
  const std::size_t workers = static_cast<std::size_t>(std::max(1, threads));
  const std::size_t part = (all.size() + workers - 1) / workers;
  std::vector<std::jthread> running;
  for (std::size_t first = 0; first < all.size(); first += part) {
    const std::span<trials::Trial> places = std::span(all).subspan(first, std::min(part, all.size() - first));
    running.emplace_back([&scenario, &kind, seed, first, places, promotion] {
      trials::play_some(scenario, kind, seed, first, places, promotion);
    });
  }
  running.clear();  // joins
  return all;
}

int usual_threads() { return std::max(1, static_cast<int>(std::jthread::hardware_concurrency())); }

}  // namespace serin::tool
