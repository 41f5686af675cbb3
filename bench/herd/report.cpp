#include <fmt/format.h>

#include <array>

#include "scenario.hpp"

namespace serin::herd {

Estimate estimate(const std::vector<double>& values) {
  // Of Student's t at 97.5 %, by degrees of freedom; beyond these the normal one is within 1 %.
  constexpr std::array student{0.0,  12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26,
                               2.23, 2.20,  2.18, 2.16, 2.14, 2.13, 2.12, 2.11, 2.10, 2.09};
  if (values.empty()) return {};
  const auto n = static_cast<double>(values.size());
  double sum = 0;
  for (const double value : values) sum += value;
  if (values.size() == 1) return {.mean = sum, .margin = 0};
  double squares = 0;
  for (const double value : values) squares += (value - sum / n) * (value - sum / n);
  const double t = values.size() - 1 < student.size() ? student.at(values.size() - 1) : 1.98;
  return {.mean = sum / n, .margin = t * std::sqrt(squares / (n - 1) / n)};
}

void Report::add(std::string_view scenario, std::string_view variant, std::string_view figure, Estimate value) {
  csv += fmt::format("{},\"{}\",{},{:.4f},{:.4f}\n", scenario, variant, figure, value.mean, value.margin);
  fmt::print("{:<12} {:<40} {:<22} {:>12.2f} +- {:.2f}\n", scenario, variant, figure, value.mean, value.margin);
}

void Report::text(std::string_view paragraph) { page += fmt::format("\n{}\n", paragraph); }

void Report::row(const std::vector<std::string>& cells) {
  for (const std::string& each : cells) page += "| " + each + " ";
  page += "|\n";
}

void Report::head(const std::vector<std::string>& cells) {
  page += "\n";
  row(cells);
  for (std::size_t i = 0; i < cells.size(); ++i) page += "|---";
  page += "|\n";
}

std::string cell(Estimate value, int digits) {
  const std::string mean = fmt::format("{:.{}f}", value.mean, digits);
  const std::string margin = fmt::format("{:.{}f}", value.margin, digits);
  return margin == fmt::format("{:.{}f}", 0.0, digits) ? mean : mean + " +- " + margin;
}

std::string share(double value) { return fmt::format("{:.0f} %", 100 * value); }

}  // namespace serin::herd
