#pragma once
#include <optional>
#include <string>
#include <vector>

#include "serin/notify/message.hpp"
#include "serin/notify/outbox.hpp"
#include "serin/ports/sql_cell.hpp"

// What the two halves of the outbox share: its rows as values.
namespace serin::notify {

inline std::int64_t ms(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

/// A row of notify_groups, and what belongs to it. Times in milliseconds of the calendar; 0: never.
struct Outbox::Group {
  std::string service;
  std::int64_t attempts = 0;    ///< of the message at hand, without success
  std::int64_t next_at = 0;     ///< not before, and then at once
  std::int64_t held_until = 0;  ///< the receiver asked for it
  std::int64_t sent_at = 0;
  std::int64_t claimed_until = 0;
  std::int64_t dropped = 0;
  std::optional<std::int64_t> first_at;  ///< of what waits
  std::int64_t told = 0;                 ///< alerts whose firing was told and whose end was not
  std::int64_t reminded = 0;             ///< those of them that fire
};

/// A row of notify_waiting.
struct Outbox::Entry {
  std::int64_t id = 0;
  std::int64_t at = 0;
  std::string key;
  bool is_resolved = false;
  Notification content;
};

/// A message that this process has claimed.
struct Outbox::Job {
  Message message;
  std::vector<Entry> entries;  ///< that are done when it is told
  Group group;
  std::string claim;
  bool is_partial = false;  ///< more of the group waits behind it
};

/// Why a notification left the outbox: in the column `outcome` of notify_ended.
enum class Outcome : std::uint8_t { told, dropped, given_up };
[[nodiscard]] std::string_view outcome_name(Outcome outcome) noexcept;
/// Moves an entry to those that ended.
Status end_entry(SqlSession& session, std::int64_t id, Outcome outcome, std::int64_t now);

}  // namespace serin::notify
