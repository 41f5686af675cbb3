#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace serin {

/// Upper edges of the cells of every latency histogram, in milliseconds: each whole one up to 10, then each 1.1 times
/// the one before, rounded, up to 30 s. A request that took exactly an edge is in the cell below it; one cell above the
/// last edge is open. They never change under one version (LatencyHistogram::text).
[[nodiscard]] std::span<const double> latency_edges_ms() noexcept;

/// How long requests took, as numbers of them between fixed edges. Histograms of the same time may be added up, which
/// percentiles may not. Not to know how long something took is no histogram at all (std::optional), never an empty one.
/// Threads: one; pure.
class LatencyHistogram {
 public:
  /// A request that took so long; below 0 counts as 0.
  void add(double milliseconds, std::int64_t requests = 1);
  void add(const LatencyHistogram& other);
  [[nodiscard]] std::int64_t requests() const noexcept;
  /// One number for each edge, and one for the open cell.
  [[nodiscard]] std::vector<std::int64_t> counts() const;
  /// Numbers of another size than counts() has, or below 0, make nothing.
  [[nodiscard]] static std::optional<LatencyHistogram> of_counts(std::span<const std::int64_t> counts);

  /// Between which edges a quantile lies.
  struct Range {
    double above_ms = 0;
    std::optional<double> at_most_ms;  ///< nothing: in the open cell
    friend bool operator==(const Range&, const Range&) = default;
  };
  /// Nothing without requests. \param q  above 0, at most 1
  [[nodiscard]] std::optional<Range> quantile(double q) const;

  /// "1:3=120,4=7": the edges' version, then number of a cell and its requests where there are any.
  [[nodiscard]] std::string text() const;
  /// Nothing, which means unknown, for another version and for whatever cannot be read.
  [[nodiscard]] static std::optional<LatencyHistogram> parse(std::string_view text);
  friend bool operator==(const LatencyHistogram&, const LatencyHistogram&) = default;

 private:
  struct Cell {
    std::size_t index;
    std::int64_t requests;
    friend bool operator==(const Cell&, const Cell&) = default;
  };
  void add_to_cell(std::size_t index, std::int64_t requests);
  std::vector<Cell> cells_;  // those with requests, growing
};

/// "20 to 22 ms", "above 30 s". Pure.
[[nodiscard]] std::string latency_text(const LatencyHistogram::Range& range);
/// 12.5 -> "12.5 ms", 1500 -> "1.5 s". Pure.
[[nodiscard]] std::string milliseconds_text(double milliseconds);

}  // namespace serin
