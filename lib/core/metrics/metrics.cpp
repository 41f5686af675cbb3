#include "serin/metrics/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "serin/base/error.hpp"

namespace serin::metrics {
namespace {

constexpr std::size_t most_series = 1000;

bool is_name(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':'; };
  return !text.empty() && letter(text.front()) &&
         std::ranges::all_of(text, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

std::string escaped(std::string_view text, bool quotes) {
  std::string out;
  for (const char c : text) {
    if (c == '\\')
      out += "\\\\";
    else if (c == '\n')
      out += "\\n";
    else if (c == '"' && quotes)
      out += "\\\"";
    else
      out += c;
  }
  return out;
}

std::string label_text(const Labels& labels) {
  std::string out;
  for (const auto& [name, value] : labels) {
    SERIN_ASSERT(is_name(name));
    out += fmt::format("{}{}=\"{}\"", out.empty() ? "" : ",", name, escaped(value, true));
  }
  return out;
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

std::string braced(std::string_view labels, std::string_view more = {}) {
  if (labels.empty() && more.empty()) return {};
  return fmt::format("{{{}{}{}}}", labels, labels.empty() || more.empty() ? "" : ",", more);
}

void print(std::string& out, std::string_view name, std::string_view labels, const Counter& counter) {
  out += fmt::format("{}{} {}\n", name, braced(labels), counter.value());
}
void print(std::string& out, std::string_view name, std::string_view labels, const Gauge& gauge) {
  out += fmt::format("{}{} {}\n", name, braced(labels), number(gauge.value()));
}
void print(std::string& out, std::string_view name, std::string_view labels, const Histogram& histogram) {
  const Histogram::Snapshot seen = histogram.snapshot();
  for (std::size_t i = 0; i < seen.bounds.size(); ++i)
    out += fmt::format("{}_bucket{} {}\n", name, braced(labels, fmt::format("le=\"{}\"", number(seen.bounds[i]))),
                       seen.cumulative[i]);
  out += fmt::format("{}_bucket{} {}\n", name, braced(labels, "le=\"+Inf\""), seen.cumulative.back());
  out += fmt::format("{}_sum{} {}\n{}_count{} {}\n", name, braced(labels), number(seen.sum), name, braced(labels),
                     seen.cumulative.back());
}

}  // namespace

Histogram::Histogram(std::vector<double> bounds)
    : bounds_(std::move(bounds)), counts_(std::make_unique<std::atomic<std::uint64_t>[]>(bounds_.size() + 1)) {
  SERIN_ASSERT(std::ranges::is_sorted(bounds_));
}

void Histogram::observe(double value) noexcept {
  const auto at = std::ranges::lower_bound(bounds_, value) - bounds_.begin();
  counts_[static_cast<std::size_t>(at)].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

Histogram::Snapshot Histogram::snapshot() const {
  Snapshot out{.bounds = bounds_, .cumulative = {}, .sum = sum_.load(std::memory_order_relaxed)};
  std::uint64_t all = 0;
  for (std::size_t i = 0; i <= bounds_.size(); ++i) {
    all += counts_[i].load(std::memory_order_relaxed);
    out.cumulative.push_back(all);
  }
  return out;
}

std::vector<double> latency_bounds() { return {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10}; }

Registry::Metric& Registry::find(std::string_view name, std::string_view help, std::string_view type,
                                 const Labels& labels) {
  SERIN_ASSERT(is_name(name));
  auto family = families_.find(name);
  if (family == families_.end())
    family = families_.emplace(std::string(name), Family{std::string(help), std::string(type), {}}).first;
  SERIN_ASSERT(family->second.type == type);
  std::string text = label_text(labels);
  auto& series = family->second.by_labels;
  if (!series.contains(text) && series.size() >= most_series) text = "overflow=\"true\"";
  return series[text];
}

Counter& Registry::counter(std::string_view name, std::string_view help, const Labels& labels) {
  const std::scoped_lock lock(mutex_);
  Metric& metric = find(name, help, "counter", labels);
  auto& counter = std::get<std::unique_ptr<Counter>>(metric);
  if (!counter) counter = std::make_unique<Counter>();
  return *counter;
}

Gauge& Registry::gauge(std::string_view name, std::string_view help, const Labels& labels) {
  const std::scoped_lock lock(mutex_);
  Metric& metric = find(name, help, "gauge", labels);
  if (!std::holds_alternative<std::unique_ptr<Gauge>>(metric)) metric = std::make_unique<Gauge>();
  return *std::get<std::unique_ptr<Gauge>>(metric);
}

Histogram& Registry::histogram(std::string_view name, std::string_view help, const std::vector<double>& bounds,
                               const Labels& labels) {
  const std::scoped_lock lock(mutex_);
  Metric& metric = find(name, help, "histogram", labels);
  if (!std::holds_alternative<std::unique_ptr<Histogram>>(metric)) metric = std::make_unique<Histogram>(bounds);
  return *std::get<std::unique_ptr<Histogram>>(metric);
}

void Registry::on_expose(std::function<void()> update) {
  const std::scoped_lock lock(mutex_);
  updates_.push_back(std::move(update));
}

std::string Registry::expose() const {
  std::vector<std::function<void()>> updates;
  {
    const std::scoped_lock lock(mutex_);
    updates = updates_;
  }
  for (const auto& update : updates) update();  // outside of the lock: they set gauges
  const std::scoped_lock lock(mutex_);
  std::string out;
  for (const auto& [name, family] : families_) {
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, escaped(family.help, false), name, family.type);
    for (const auto& [labels, metric] : family.by_labels)
      std::visit([&](const auto& owned) { print(out, name, labels, *owned); }, metric);
  }
  return out;
}

}  // namespace serin::metrics
