#pragma once
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace serin::fleet {

/// How a tendency is estimated: deviations are summed, and the mean is shrunk towards 0 as if `weight` games without
/// any deviation had been seen too. Between seasons the sums keep `carry` of themselves.
struct EdgeOptions {
  double weight = 100;  ///< games; > 0
  double carry = 0.3;   ///< 0 to 1
};

/// Sums a key's deviations by day, so that it can be asked for the state before any day. Days come in order.
class Tendency {
 public:
  struct State {
    double games = 0;
    double sum = 0;
  };
  /// \param day  not before the last one added
  void add(std::int64_t day, const std::string& season, double deviation, double carry);
  /// What was known before `day`, with the season's change applied when `season` is not the last one seen.
  [[nodiscard]] State before(std::int64_t day, const std::string& season, double carry) const;

 private:
  struct Point {
    std::int64_t day = 0;
    std::string season;
    State state;  // after all games of that day
  };
  std::vector<Point> points_;
};

/// One tendency a key (a team, a place).
class Edges {
 public:
  explicit Edges(EdgeOptions options) : options_(options) {}
  void add(const std::string& key, std::int64_t day, const std::string& season, double deviation);
  /// 0 for a key that was not seen before that day.
  [[nodiscard]] double before(const std::string& key, std::int64_t day, const std::string& season) const;
  [[nodiscard]] double games_before(const std::string& key, std::int64_t day, const std::string& season) const;

 private:
  EdgeOptions options_;
  std::unordered_map<std::string, Tendency> tendencies_;
};

}  // namespace serin::fleet
