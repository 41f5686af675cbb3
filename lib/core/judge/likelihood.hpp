#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include "serin/judge/bets.hpp"

namespace serin::judge {

/// What both arms did in one bucket of time, by when requests ended. Where clients are counted instead of requests, a
/// request is a client and an error a client that failed.
struct Bucket {
  std::int64_t canary_requests = 0;
  std::int64_t canary_errors = 0;
  std::int64_t baseline_requests = 0;
  std::int64_t baseline_errors = 0;
  friend bool operator==(const Bucket&, const Bucket&) = default;
};
/// The same with errors within 0 and requests, and requests within 0 and what a double counts exactly. Pure.
[[nodiscard]] Bucket sane(const Bucket& bucket) noexcept;
void operator+=(Bucket& total, const Bucket& bucket) noexcept;

constexpr std::size_t alternatives = 14;

/// Evidence against "p_canary is `null_ratio` * p_baseline + `absolute`, or on the null's side of it", spread over 14
/// alternatives from 1.3 to 40 times away from the null, upwards or downwards. Threads: one; pure.
/// Source: a generalised likelihood ratio of the arms' errors given their sum, as Lindon, Malek, "Anytime-valid
/// inference for multinomial count data", 2022, with a share that may change at every bucket.
class Mixture {
 public:
  enum class Side : std::uint8_t {
    above,  ///< the null is "at most"; alternatives are larger ratios
    below,  ///< the null is "at least"; alternatives are smaller ratios
  };
  struct Shape {
    double null_ratio = 1;  ///< > 0
    double absolute = 0;    ///< >= 0
    Side side = Side::above;
    double dispersion = 1;  ///< >= 1, divides every increment
    Stakes stakes = {};
  };
  explicit Mixture(const Shape& shape);

  void add(const Bucket& bucket) noexcept;
  /// Natural log of the evidence; what has not started yet counts with its weight.
  [[nodiscard]] double log_evidence() const noexcept { return bets_.log_wealth(); }

 private:
  Shape shape_;
  std::array<double, alternatives> ratios_{};
  std::array<double, alternatives> log_gain_{};  // ln(ratio / null_ratio)
  Bets<alternatives> bets_;
};

}  // namespace serin::judge
