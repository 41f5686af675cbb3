#include "serin/fleet_runtime/pool_metrics.hpp"

namespace serin::fleet {

void PoolMetrics::write(const std::vector<pool::NamedStats>& pools) {
  const std::scoped_lock lock(mutex_);
  for (const auto& [name, stats] : pools) {
    const metrics::Labels labels{{"database", database_}, {"pool", name}};
    const auto with = [&](std::string_view key, std::string_view value) {
      metrics::Labels more = labels;
      more.emplace_back(key, value);
      return more;
    };
    const auto count = [&](std::string_view metric, std::string_view help, const metrics::Labels& of,
                           std::uint64_t value) {
      metrics::Counter& counter = registry_.counter(metric, help, of);
      if (value > counter.value()) counter.add(value - counter.value());
    };
    for (const auto& [state, number] : {std::pair{"idle", stats.idle},
                                        {"in_use", stats.in_use},
                                        {"creating", stats.creating},
                                        {"checking", stats.checking},
                                        {"closing", stats.closing}})
      registry_
          .gauge("fleet_pool_connections", "Connections of a pool, by what is done with them.", with("state", state))
          .set(number);
    registry_.gauge("fleet_pool_max", "Connections that there may be at once.", labels).set(stats.max);
    registry_.gauge("fleet_pool_waiting", "Borrowers that wait for a connection.", labels).set(stats.waiting);
    for (const auto& [end, number] : {std::pair{"served", stats.borrows},
                                      {"timed_out", stats.timeouts},
                                      {"cancelled", stats.cancelled},
                                      {"refused", stats.refused},
                                      {"failed", stats.failed}})
      count("fleet_pool_borrows_total", "Borrowers of a connection, by what became of them.", with("end", end), number);
    count("fleet_pool_waits_total", "Borrowers that were served after a wait.", labels, stats.waited);
    count("fleet_pool_wait_microseconds_total", "What they waited, together.", labels,
          static_cast<std::uint64_t>(stats.wait.sum / 1us));
    count("fleet_pool_use_microseconds_total", "How long connections were lent, together.", labels,
          static_cast<std::uint64_t>(stats.use.sum / 1us));
    count("fleet_pool_created_total", "Connections that were opened.", labels, stats.created);
    count("fleet_pool_create_failures_total", "Connections that could not be opened.", labels, stats.create_failures);
    for (const auto& [why, number] : {std::pair{"lifetime", stats.closed_lifetime},
                                      {"idle", stats.closed_idle},
                                      {"dead", stats.closed_dead},
                                      {"poisoned", stats.closed_poisoned},
                                      {"surplus", stats.closed_surplus}})
      count("fleet_pool_closed_total", "Connections that were closed, by why.", with("why", why), number);
  }
}

}  // namespace serin::fleet
