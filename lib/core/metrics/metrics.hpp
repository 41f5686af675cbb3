#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace serin::metrics {

/// Names and values, in the order in which they are printed.
using Labels = std::vector<std::pair<std::string, std::string>>;

/// Only grows. Threads: any.
class Counter {
 public:
  void add(std::uint64_t count = 1) noexcept { value_.fetch_add(count, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// Goes up and down. Threads: any.
class Gauge {
 public:
  void set(double value) noexcept { value_.store(value, std::memory_order_relaxed); }
  void add(double by) noexcept { value_.fetch_add(by, std::memory_order_relaxed); }
  [[nodiscard]] double value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

/// How many observations were at most each bound. Threads: any.
class Histogram {
 public:
  /// \param bounds  growing; what is above the last is counted too
  explicit Histogram(std::vector<double> bounds);
  void observe(double value) noexcept;
  struct Snapshot {
    std::vector<double> bounds;
    std::vector<std::uint64_t> cumulative;  ///< one entry a bound, and all of them last
    double sum = 0;
  };
  [[nodiscard]] Snapshot snapshot() const;

 private:
  std::vector<double> bounds_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> counts_;  // one more than bounds
  std::atomic<double> sum_{0};
};

/// Seconds from 1 ms to 10 s: for requests.
[[nodiscard]] std::vector<double> latency_bounds();

/// All metrics of a process. What it hands out lives as long as the registry. The same name with the same labels is the
/// same metric. A name with more than 1000 different labels counts the rest under {overflow="true"}, so that a label
/// taken from a request cannot eat the memory. Threads: any.
class Registry {
 public:
  Counter& counter(std::string_view name, std::string_view help, const Labels& labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, const Labels& labels = {});
  Histogram& histogram(std::string_view name, std::string_view help, const std::vector<double>& bounds,
                       const Labels& labels = {});
  /// Prometheus' text format 0.0.4.
  [[nodiscard]] std::string expose() const;
  /// Calls `update` at the beginning of each expose(), to set gauges of what is known elsewhere. It answers from memory
  /// and lives as long as the registry.
  void on_expose(std::function<void()> update);

 private:
  using Metric = std::variant<std::unique_ptr<Counter>, std::unique_ptr<Gauge>, std::unique_ptr<Histogram>>;
  struct Family {
    std::string help;
    std::string type;
    std::map<std::string, Metric, std::less<>> by_labels;  // by their text: {a="1"}
  };
  Metric& find(std::string_view name, std::string_view help, std::string_view type, const Labels& labels);
  mutable std::mutex mutex_;
  std::map<std::string, Family, std::less<>> families_;  // guarded by mutex_
  std::vector<std::function<void()>> updates_;           // guarded by mutex_
};

/// The content type of expose().
constexpr std::string_view exposition_type = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace serin::metrics
