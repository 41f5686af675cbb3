#include "serin/judge/dispersion.hpp"

#include <algorithm>
#include <cmath>

namespace serin::judge {
namespace {

constexpr std::int64_t group_seconds = 10;  // a client that tries again does so within seconds
constexpr double groups_of_window = 30;
constexpr double least_errors = 5;
constexpr double most = 1000;

}  // namespace

HistoryLearner::HistoryLearner(std::int64_t bucket_seconds)
    : per_group_(std::max<std::int64_t>(1, group_seconds / std::max<std::int64_t>(1, bucket_seconds))) {}

void HistoryLearner::add(std::int64_t requests, std::int64_t errors) {
  requests = std::max<std::int64_t>(0, requests);
  errors = std::clamp<std::int64_t>(errors, 0, requests);
  requests_ += requests;
  errors_ += errors;
  group_requests_ += requests;
  group_errors_ += errors;
  if (++in_group_ >= per_group_) close_group();
}

void HistoryLearner::close_group() {
  if (group_requests_ > 0) {
    const auto requests = static_cast<double>(group_requests_);
    const auto errors = static_cast<double>(group_errors_);
    window_.groups += 1;
    window_.requests += requests;
    window_.errors += errors;
    window_.squares_over_requests += errors * errors / requests;
  }
  in_group_ = group_requests_ = group_errors_ = 0;
  if (window_.groups >= groups_of_window) close_window();
}

// sum (e - n p)^2 / (n p (1 - p)) with p = sum e / sum n, written with running sums.
double HistoryLearner::chi_squared(const Window& window) {
  const double p = window.errors / window.requests;
  if (p <= 0 || p >= 1) return 0;
  return (window.squares_over_requests - window.errors * p) / (p * (1 - p));
}

void HistoryLearner::close_window() {
  // A window without errors says nothing about how they clump.
  if (window_.groups >= 2 && window_.errors > 0 && window_.errors < window_.requests) {
    chi_squared_ += chi_squared(window_);
    degrees_ += window_.groups - 1;
  }
  window_ = {};
}

History HistoryLearner::history() const {
  HistoryLearner done = *this;
  done.close_group();
  done.close_window();
  History history{.requests = requests_, .errors = errors_};
  if (static_cast<double>(errors_) >= least_errors && done.degrees_ > 0)
    // Only what is beyond 1 is raised, and the less was seen the more: independent errors lose nothing.
    history.dispersion =
        std::clamp(1 + (done.chi_squared_ / done.degrees_ - 1) * (1 + 2 * std::sqrt(2 / done.degrees_)), 1.0, most);
  return history;
}

}  // namespace serin::judge
