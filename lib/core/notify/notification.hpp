#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"

// What somebody has to be told, and who takes it. Pure.
namespace serin::notify {

enum class AlertStatus : std::uint8_t { firing, resolved };
/// In rising order: `page` wakes somebody, `ticket` is for the working day, `info` is for the record.
enum class Severity : std::uint8_t { info, ticket, page };
/// "firing", "resolved"; "info", "ticket", "page": stable, in files, JSON and messages.
[[nodiscard]] std::string_view status_name(AlertStatus status) noexcept;
[[nodiscard]] std::string_view severity_name(Severity severity) noexcept;
[[nodiscard]] std::optional<AlertStatus> parse_status(std::string_view name) noexcept;
[[nodiscard]] std::optional<Severity> parse_severity(std::string_view name) noexcept;

/// One change of an alert: it began, or it ended. A value.
struct Notification {
  /// Which alert this is: the same from firing to resolved, in every process and after every restart. Telling the same
  /// key twice is telling it once. 1 to 200 bytes of one line.
  std::string key;
  AlertStatus status = AlertStatus::firing;
  Severity severity = Severity::ticket;
  std::string service;  ///< whose alert; empty: of no service in particular. Decides the receiver, with the severity
  std::string title;    ///< what is wrong, as one line of at most 300 bytes; the rest is cut off
  std::string text;     ///< why, and what to look at; at most 8,000 bytes, the rest is cut off. Plain text
  std::map<std::string, std::string> labels;  ///< at most 32, each at most 200 bytes; what is beyond is left out
  WallTime started_at{};
  std::optional<WallTime> resolved_at = {};  ///< of a resolved one
  std::string link = {};                     ///< where to look: http:// or https://; empty: nowhere
  /// Told once: never repeated as a reminder, and nobody has to resolve it. "v7 was promoted".
  bool is_event = false;
  friend bool operator==(const Notification&, const Notification&) = default;
};

/// What makes it one that can be told: texts are UTF-8 (what is not becomes '?'), titles, keys, labels and links have
/// no control characters, all are cut to their limits at the border of a character, and a link that is not http is
/// gone.
/// Errors: invalid_argument: no key, a key that is too long or of several lines, no title, resolved without resolved_at
/// or before it started.
Result<Notification> checked(Notification notification);

/// The form in which outboxes, webhooks and commands have it: an object with the fields' names, times as RFC 3339.
[[nodiscard]] std::string json_of(const Notification& notification);
/// Errors: data_loss.
Result<Notification> parse_notification(std::string_view json);

/// Takes notifications. Threads: any.
class Notifier {
 public:
  virtual ~Notifier() = default;
  /// Once this returns success, the notification is told even if this process is killed, or it is said that it was not:
  /// nobody waits here for a receiver. A firing that is known already and a resolved one of a key that never fired
  /// change nothing. Errors: invalid_argument (as checked()); exhausted: too much waits, and what comes is a resolve,
  /// which is never dropped: say it again later; those of the outbox's database.
  virtual Status notify(const Notification& notification) = 0;
};

}  // namespace serin::notify
