#pragma once
#include <array>

#include "serin/metrics/metrics.hpp"
#include "serin/ports/log.hpp"

namespace serin::fleet {

/// A log whose written lines are counted by level, so that errors in the log can raise an alert. Threads: any.
class CountedLog final : public LogSink {
 public:
  /// \param lines, registry  outlive this
  CountedLog(LogSink& lines, metrics::Registry& registry);
  [[nodiscard]] bool wants(LogLevel level) const noexcept override { return lines_.wants(level); }
  void write(LogLevel level, std::string_view event, std::span<const LogField> fields) override;

 private:
  LogSink& lines_;
  std::array<metrics::Counter*, 4> counts_{};
};

}  // namespace serin::fleet
