#pragma once
#include <cstdint>

namespace serin::judge {

/// What the old version's traffic before the rollout says about its errors.
struct History {
  std::int64_t requests = 0;
  std::int64_t errors = 0;
  double dispersion = 1;  ///< >= 1; how much errors clump: 1 when each comes by itself
  friend bool operator==(const History&, const History&) = default;
};

/// Learns from a version that runs alone how much its errors clump (one client that tries again and again is one
/// trouble, not ten), and how many there are. Threads: one; pure.
///
/// Source: Pearson's chi squared over its degrees of freedom, the usual estimate of overdispersion (McCullagh, Nelder,
/// "Generalized Linear Models", 1989, 4.5), taken within windows of 5 minutes, so that an incident or a drift is not
/// taken for clumping; what is beyond 1 is raised by two standard errors.
class HistoryLearner {
 public:
  /// \param bucket_seconds  length of what add() takes, >= 1; clumps are looked for in 10 s together
  explicit HistoryLearner(std::int64_t bucket_seconds = 1);
  /// One bucket of the version alone; errors beyond requests count as requests.
  void add(std::int64_t requests, std::int64_t errors);
  /// What was learned so far. Dispersion stays 1 before there were 5 errors in two or more groups.
  [[nodiscard]] History history() const;

 private:
  void close_group();
  void close_window();
  struct Window {
    double groups = 0;
    double requests = 0;
    double errors = 0;
    double squares_over_requests = 0;  // sum of errors^2 / requests
  };
  [[nodiscard]] static double chi_squared(const Window& window);

  std::int64_t per_group_;
  std::int64_t in_group_ = 0;
  std::int64_t group_requests_ = 0;
  std::int64_t group_errors_ = 0;
  Window window_;
  double chi_squared_ = 0;
  double degrees_ = 0;
  std::int64_t requests_ = 0;
  std::int64_t errors_ = 0;
};

}  // namespace serin::judge
