#include "serin/ports/latency.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "serin/base/text.hpp"

namespace serin {
namespace {

constexpr double growth = 1.1;
constexpr std::size_t whole = 10;  // edges that stand one millisecond apart
constexpr std::size_t grown = 84;
constexpr std::size_t edge_count = whole + grown;
constexpr std::string_view version = "1:";

constexpr std::array<double, edge_count> make_edges() {
  std::array<double, edge_count> edges{};
  for (std::size_t i = 0; i < whole; ++i) edges[i] = static_cast<double>(i + 1);
  double exact = static_cast<double>(whole);
  for (std::size_t i = whole; i < edge_count; ++i) {
    exact *= growth;
    edges[i] = static_cast<double>(static_cast<std::int64_t>(exact + 0.5));
  }
  edges[edge_count - 1] = 30'000;
  return edges;
}
constexpr std::array<double, edge_count> edges = make_edges();

}  // namespace

std::span<const double> latency_edges_ms() noexcept { return edges; }

void LatencyHistogram::add_to_cell(std::size_t index, std::int64_t requests) {
  if (requests <= 0) return;
  const auto place = std::ranges::lower_bound(cells_, index, {}, &Cell::index);
  if (place != cells_.end() && place->index == index)
    place->requests += requests;
  else
    cells_.insert(place, {.index = index, .requests = requests});
}

void LatencyHistogram::add(double milliseconds, std::int64_t requests) {
  add_to_cell(static_cast<std::size_t>(std::ranges::lower_bound(edges, milliseconds) - edges.begin()), requests);
}

void LatencyHistogram::add(const LatencyHistogram& other) {
  for (const Cell& cell : other.cells_) add_to_cell(cell.index, cell.requests);
}

std::int64_t LatencyHistogram::requests() const noexcept {
  std::int64_t sum = 0;
  for (const Cell& cell : cells_) sum += cell.requests;
  return sum;
}

std::vector<std::int64_t> LatencyHistogram::counts() const {
  std::vector<std::int64_t> counts(edge_count + 1);
  for (const Cell& cell : cells_) counts[cell.index] = cell.requests;
  return counts;
}

std::optional<LatencyHistogram> LatencyHistogram::of_counts(std::span<const std::int64_t> counts) {
  if (counts.size() != edge_count + 1) return std::nullopt;
  LatencyHistogram histogram;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] < 0) return std::nullopt;
    histogram.add_to_cell(i, counts[i]);
  }
  return histogram;
}

std::optional<LatencyHistogram::Range> LatencyHistogram::quantile(double q) const {
  const double all = static_cast<double>(requests());
  double below = 0;
  for (const Cell& cell : cells_) {
    below += static_cast<double>(cell.requests);
    if (below < q * all && &cell != &cells_.back()) continue;
    Range range;
    if (cell.index > 0) range.above_ms = edges.at(cell.index - 1);
    if (cell.index < edge_count) range.at_most_ms = edges.at(cell.index);
    return range;
  }
  return std::nullopt;
}

std::string LatencyHistogram::text() const {
  std::string out(version);
  for (const Cell& cell : cells_)
    out += fmt::format("{}{}={}", out.size() == version.size() ? "" : ",", cell.index, cell.requests);
  return out;
}

std::optional<LatencyHistogram> LatencyHistogram::parse(std::string_view text) {
  if (!text.starts_with(version)) return std::nullopt;
  text.remove_prefix(version.size());
  LatencyHistogram histogram;
  if (text.empty()) return histogram;
  for (const std::string_view piece : split(text, ',')) {
    const std::size_t sign = piece.find('=');
    if (sign == std::string_view::npos) return std::nullopt;
    const std::optional<std::int64_t> index = to_int(piece.substr(0, sign));
    const std::optional<std::int64_t> requests = to_int(piece.substr(sign + 1));
    if (!index || !requests || *index < 0 || *index > static_cast<std::int64_t>(edge_count) || *requests <= 0)
      return std::nullopt;
    const auto cell = static_cast<std::size_t>(*index);
    if (!histogram.cells_.empty() && histogram.cells_.back().index >= cell) return std::nullopt;
    histogram.cells_.push_back({.index = cell, .requests = *requests});
  }
  return histogram;
}

std::string milliseconds_text(double milliseconds) {
  return milliseconds < 1000 ? fmt::format("{:.4g} ms", milliseconds) : fmt::format("{:.3g} s", milliseconds / 1000);
}

std::string latency_text(const LatencyHistogram::Range& range) {
  if (!range.at_most_ms) return "above " + milliseconds_text(range.above_ms);
  if (*range.at_most_ms < 1000) return fmt::format("{:.4g} to {:.4g} ms", range.above_ms, *range.at_most_ms);
  return fmt::format("{} to {}", milliseconds_text(range.above_ms), milliseconds_text(*range.at_most_ms));
}

}  // namespace serin
