#pragma once
#include <span>

#include "serin/base/error.hpp"

namespace serin::judge {

/// By how much x is larger than y, as ranks say.
struct Shift {
  double low = 0;
  double high = 0;
  double estimate = 0;  ///< Hodges and Lehmann's
};

/// Confidence interval and estimate of the shift between two samples, by the normal approximation of Mann and Whitney's
/// test with corrections for ties and for continuity.
/// Errors: invalid_argument: a sample is empty, or all values are the same.
/// Pure. Source: Bauer, "Constructing confidence sets using rank statistics", 1972, as R's wilcox.test has it; roots
/// are sought to an absolute tolerance of 1e-4, as Kayenta does, whatever the unit is.
Result<Shift> mann_whitney_shift(std::span<const double> x, std::span<const double> y, double confidence);

}  // namespace serin::judge
