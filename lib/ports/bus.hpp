#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"

namespace serin {

struct BusMessage {
  std::string data;                               ///< any bytes; at most 10 MB
  std::map<std::string, std::string> attributes;  ///< e.g. the trace of the request that published it
};

/// One attempt to deliver a message to one subscription.
struct Delivery {
  std::string ack_id;      ///< names this attempt; of no use once its lease has run out
  std::string message_id;  ///< the same for every attempt and every subscription
  BusMessage message;
  std::int64_t attempt = 1;  ///< counts the first
  WallTime published_at{};
};

struct SubscriptionOptions {
  std::string name;
  std::string topic;
  Duration ack_deadline = 30s;        ///< a delivery not acknowledged by then is delivered again; > 0
  std::int64_t max_attempts = 5;      ///< afterwards the message moves to the dead letters; >= 1
  Duration min_backoff = 500ms;       ///< wait before the second attempt after a nack
  Duration max_backoff = 30s;         ///< ceiling of that wait, which doubles each time
  std::string dead_letter_topic;      ///< receives what used up its attempts; empty: kept aside in the subscription
  std::string push_service;           ///< service of the fleet that deliveries are pushed to; empty: pull only
  std::string push_path;              ///< e.g. "/predict"
  std::int64_t push_concurrency = 4;  ///< deliveries in flight at once; >= 1
};

/// Nothing where the bus cannot tell: that is no zero.
struct Backlog {
  std::optional<std::int64_t> waiting;       ///< to be delivered, now or after a backoff
  std::optional<std::int64_t> leased;        ///< delivered, not yet acknowledged
  std::optional<std::int64_t> dead_letters;  ///< used up their attempts
  std::optional<Duration> oldest;            ///< age of the oldest that is not acknowledged
};

/// At-least-once delivery by topic and subscription. Threads: any; processes: any number at once.
class Bus {
 public:
  virtual ~Bus() = default;
  virtual Status create_topic(std::string_view topic, Deadline deadline) = 0;  ///< existing is fine
  /// Creates it, or changes the options of the existing one; messages stay. Errors: not_found (topic).
  virtual Status create_subscription(SubscriptionOptions options, Deadline deadline) = 0;
  virtual Result<std::vector<SubscriptionOptions>> subscriptions(Deadline deadline) = 0;
  /// Returns the ids, in order. All or none. On return the messages survive kill -9.
  /// Errors: not_found (topic), exhausted, unavailable, deadline_exceeded.
  virtual Result<std::vector<std::string>> publish(std::string_view topic, std::vector<BusMessage> messages,
                                                   Deadline deadline) = 0;
  /// Leases up to `most` due messages for the subscription's ack deadline; does not wait for new ones.
  virtual Result<std::vector<Delivery>> pull(std::string_view subscription, std::size_t most, Deadline deadline) = 0;
  /// Errors: conflict, when the lease ran out and the message is somebody else's by now.
  virtual Status ack(std::string_view subscription, std::string_view ack_id, Deadline deadline) = 0;
  /// Gives the message back; delivered again after the backoff, or to the dead letters. `reason` is kept with it.
  virtual Status nack(std::string_view subscription, std::string_view ack_id, std::string_view reason,
                      Deadline deadline) = 0;
  virtual Result<Backlog> backlog(std::string_view subscription, Deadline deadline) = 0;
};

}  // namespace serin
