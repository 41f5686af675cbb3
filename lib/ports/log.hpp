#pragma once
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "serin/base/error.hpp"

namespace serin {

enum class LogLevel : std::uint8_t { debug, info, warn, error, off };
[[nodiscard]] std::string_view log_level_name(LogLevel level) noexcept;
/// Nothing unless the text is one of debug, info, warn, error, off.
[[nodiscard]] std::optional<LogLevel> parse_log_level(std::string_view text) noexcept;

/// One named value of a log line. Integers, floating point, bool and text only: what JSON can carry.
struct LogField {
  using Value = std::variant<std::int64_t, double, bool, std::string>;
  LogField(std::string_view name, std::string_view text) : key(name), value(std::string(text)) {}
  LogField(std::string_view name, const std::string& text) : key(name), value(text) {}
  LogField(std::string_view name, const char* text) : key(name), value(std::string(text)) {}
  LogField(std::string_view name, bool flag) : key(name), value(flag) {}
  LogField(std::string_view name, double number) : key(name), value(number) {}
  template <class Integer>
    requires std::is_integral_v<Integer>
  LogField(std::string_view name, Integer number) : key(name), value(static_cast<std::int64_t>(number)) {}
  std::string key;
  Value value;
};

/// Where log lines go. Threads: any. Never blocks on a peer and never fails its caller.
class LogSink {
 public:
  virtual ~LogSink() = default;
  [[nodiscard]] virtual bool wants(LogLevel level) const noexcept = 0;
  virtual void write(LogLevel level, std::string_view event, std::span<const LogField> fields) = 0;
};

/// A sink with fields that every line carries (service, revision). Cheap to copy; the sink outlives it. Threads: any.
class Logger {
 public:
  explicit Logger(LogSink& sink, std::vector<LogField> fields = {}) : sink_(&sink), fields_(std::move(fields)) {}
  /// The same logger with more fields on every line.
  [[nodiscard]] Logger with(std::initializer_list<LogField> more) const;
  void debug(std::string_view event, std::initializer_list<LogField> fields = {}) const {
    write(LogLevel::debug, event, fields);
  }
  void info(std::string_view event, std::initializer_list<LogField> fields = {}) const {
    write(LogLevel::info, event, fields);
  }
  void warn(std::string_view event, std::initializer_list<LogField> fields = {}) const {
    write(LogLevel::warn, event, fields);
  }
  void error(std::string_view event, std::initializer_list<LogField> fields = {}) const {
    write(LogLevel::error, event, fields);
  }

 private:
  void write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) const;
  LogSink* sink_;
  std::vector<LogField> fields_;
};

}  // namespace serin
