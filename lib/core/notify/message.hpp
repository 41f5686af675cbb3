#pragma once
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/notify/notification.hpp"

namespace serin::notify {

/// What a receiver is told at once: news of one service, or what still fires. A value.
struct Message {
  std::string id;  ///< the same at every attempt with the same content: who knows it already may ignore it
  std::string receiver;
  std::string service;
  /// News in the order in which they happened, so that the firing of a key stands before its end. When an earlier
  /// message is changed: every alert that it told, as it is now.
  std::vector<Notification> changes;
  bool is_reminder = false;
  std::string reference = {};  ///< of an earlier message that this one takes the place of; empty: it is a new one
  std::int64_t dropped = 0;    ///< notifications for this receiver that were never told, because too many waited

  /// Of what it is about, each key once with what was last said of it, in the order of their first news.
  [[nodiscard]] std::vector<Notification> latest() const;
  /// Firing while one of them fires.
  [[nodiscard]] AlertStatus status() const;
  /// The highest.
  [[nodiscard]] Severity severity() const;
};

/// What came of an attempt.
struct Answer {
  Status status;          ///< success: the receiver has it. is_transient() errors are tried again soon, others seldom
  std::string text = {};  ///< what the receiver said, for people; without secrets
  std::string reference = {};                ///< by which this message can be changed later; empty: not at all
  std::optional<Duration> retry_after = {};  ///< what the receiver asked for
};

/// Tells one receiver. Threads: one at a time.
class Sender {
 public:
  virtual ~Sender() = default;
  /// Ends at the deadline, and soon after `stop` is requested (then the status is cancelled).
  virtual Answer send(const Message& message, Deadline deadline, const std::stop_token& stop) = 0;
  /// Whether a message with a `reference` changes an earlier one.
  [[nodiscard]] virtual bool can_change() const noexcept { return false; }
};

}  // namespace serin::notify
