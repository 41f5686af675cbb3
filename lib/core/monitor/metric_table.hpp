#pragma once
#include <span>
#include <string_view>

namespace serin::monitor {

/// One family of metrics that our services export.
struct MetricRow {
  std::string_view name;
  std::string_view type;    ///< counter, gauge or histogram
  std::string_view unit;    ///< "1" for plain numbers
  std::string_view help;    ///< as /metrics says it
  std::string_view labels;  ///< names, separated by one space
};

/// All of them, by name. Tests compare it with the sources and with /metrics of a service that runs. Pure.
[[nodiscard]] std::span<const MetricRow> metric_table() noexcept;
/// Nothing when nobody exports it.
[[nodiscard]] const MetricRow* find_metric(std::string_view name) noexcept;
[[nodiscard]] bool has_label(const MetricRow& row, std::string_view label) noexcept;

}  // namespace serin::monitor
