#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "api.hpp"

// Private to the module.
namespace serin::google_emulator {

/// One comparison of a filter of Cloud Monitoring or Cloud Logging.
struct FilterTerm {
  std::string field;  ///< "metric.labels.zone"
  std::string op;     ///< = != < <= > >= :
  std::string value;
  std::string function;  ///< starts_with, ends_with, has_substring; empty: none
  bool negated = false;
};

/// Comparisons that are joined by AND (or by nothing). Refuses OR and parentheses with 501, the rest with 400. Pure.
[[nodiscard]] std::expected<std::vector<FilterTerm>, Failure> parse_filter(std::string_view text);
/// Whether a resource passes. Severities compare by their rank, numbers as numbers.
[[nodiscard]] bool passes(const json::object& resource, const std::vector<FilterTerm>& terms);
/// What stands at "metric.labels.zone"; nothing when it is not there. A label may have dots in its name.
[[nodiscard]] std::optional<std::string> value_at(const json::object& resource, std::string_view field);

}  // namespace serin::google_emulator
