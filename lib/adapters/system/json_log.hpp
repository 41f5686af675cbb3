#pragma once
#include "serin/ports/clock.hpp"
#include "serin/ports/log.hpp"

namespace serin {

/// One JSON object a line: {"time":..,"level":..,"event":..,fields}. A line is one write(), so lines of several
/// processes do not mix. A write that fails is dropped: logging must not fail its caller. Threads: any.
class JsonLog final : public LogSink {
 public:
  /// \param descriptor  stays open as long as this lives (2: standard error)  \param clock  outlives this
  JsonLog(int descriptor, LogLevel level, const Clock& clock) : descriptor_(descriptor), level_(level), clock_(clock) {}
  [[nodiscard]] bool wants(LogLevel level) const noexcept override { return level >= level_; }
  void write(LogLevel level, std::string_view event, std::span<const LogField> fields) override;

 private:
  int descriptor_;
  LogLevel level_;
  const Clock& clock_;
};

/// The text as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string json_quoted(std::string_view text);

}  // namespace serin
