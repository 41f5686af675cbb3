#include "serin/ports/log.hpp"

namespace serin {

std::string_view log_level_name(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::debug: return "debug";
    case LogLevel::info: return "info";
    case LogLevel::warn: return "warn";
    case LogLevel::error: return "error";
    case LogLevel::off: return "off";
  }
  return "off";
}

std::optional<LogLevel> parse_log_level(std::string_view text) noexcept {
  for (const LogLevel level : {LogLevel::debug, LogLevel::info, LogLevel::warn, LogLevel::error, LogLevel::off})
    if (text == log_level_name(level)) return level;
  return std::nullopt;
}

Logger Logger::with(std::initializer_list<LogField> more) const {
  Logger copy = *this;
  copy.fields_.insert(copy.fields_.end(), more);
  return copy;
}

void Logger::write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) const {
  if (!sink_->wants(level)) return;
  std::vector<LogField> all = fields_;
  all.insert(all.end(), fields);
  sink_->write(level, event, all);
}

}  // namespace serin
