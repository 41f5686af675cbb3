#pragma once
#include <mutex>
#include <string>
#include <vector>

#include "serin/metrics/metrics.hpp"
#include "serin/pool/stats.hpp"

namespace serin::fleet {

/// What a database's pools of connections say, as metrics with the labels `database` and `pool`. Threads: any.
class PoolMetrics {
 public:
  /// \param registry  outlives it
  PoolMetrics(metrics::Registry& registry, std::string database)
      : registry_(registry), database_(std::move(database)) {}
  /// For Registry::on_expose().
  void write(const std::vector<pool::NamedStats>& pools);

 private:
  metrics::Registry& registry_;
  const std::string database_;
  std::mutex mutex_;  // counters are brought up to what a pool has counted: by one at a time
};

}  // namespace serin::fleet
