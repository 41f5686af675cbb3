#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

namespace serin::judge {

/// What both arms did in one bucket of time, by when requests ended.
struct Bucket {
  std::int64_t canary_requests = 0;
  std::int64_t canary_errors = 0;
  std::int64_t baseline_requests = 0;
  std::int64_t baseline_errors = 0;
  friend bool operator==(const Bucket&, const Bucket&) = default;
};

constexpr std::size_t alternatives = 14;
/// log(sum of exp) without overflow; -infinity for nothing.
[[nodiscard]] double log_sum_exp(const std::array<double, alternatives>& logs) noexcept;

/// Evidence against "p_canary is `null_ratio` * p_baseline + `absolute`, or on the null's side of it", spread over 14
/// alternatives from 1.3 to 40 times away from the null, upwards or downwards. Threads: one; pure.
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
    double dispersion = 1;    ///< >= 1, divides every increment
    std::int64_t starts = 1;  ///< with how many equal parts of the weight; the first starts at once
    std::int64_t every = 1;   ///< buckets between two starts
  };
  explicit Mixture(const Shape& shape);

  void add(const Bucket& bucket) noexcept;
  /// Natural log of the evidence; what has not started yet counts with its weight.
  [[nodiscard]] double log_evidence() const noexcept;

 private:
  void start() noexcept;

  Shape shape_;
  std::array<double, alternatives> ratios_{};
  std::array<double, alternatives> log_gain_{};  // ln(ratio / null_ratio)
  std::array<double, alternatives> log_weight_{};
  std::int64_t started_ = 0;
  std::int64_t buckets_ = 0;
};

}  // namespace serin::judge
