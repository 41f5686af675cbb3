#include "counted_log.hpp"

namespace serin::fleet {
namespace {
constexpr std::array<const char*, 4> levels{"debug", "info", "warn", "error"};
}  // namespace

// Every level is there from the start: a counter that is born with its first error hides it from increase().
CountedLog::CountedLog(LogSink& lines, metrics::Registry& registry) : lines_(lines) {
  for (std::size_t i = 0; i < levels.size(); ++i)
    counts_[i] = &registry.counter("log_records_total", "Lines written to the log, by level.", {{"level", levels[i]}});
}

void CountedLog::write(LogLevel level, std::string_view event, std::span<const LogField> fields) {
  if (const auto at = static_cast<std::size_t>(level); at < counts_.size()) counts_[at]->add();
  lines_.write(level, event, fields);
}

}  // namespace serin::fleet
