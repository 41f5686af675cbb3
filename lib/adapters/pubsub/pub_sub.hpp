#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "serin/google/api.hpp"
#include "serin/google/cloud_monitoring.hpp"
#include "serin/ports/bus.hpp"
#include "serin/ports/check.hpp"

namespace serin::google {

struct PubSubOptions {
  std::string project;
  std::string ordering_attribute = {};  ///< its value is a message's ordering key; empty: none has one
  std::stop_token stop = {};            ///< ends every call
};

/// Topics and subscriptions of Google Pub/Sub. Threads: any. Processes: any number.
///
/// What is other than on the embedded bus: ack_deadline is 10 s to 10 min and max_attempts 5 to 100; a subscription
/// without dead letter topic gets one of its own, "NAME.dead", with a subscription that keeps them; why a message was
/// given back is not kept; acknowledging it after its lease ran out is no error unless Pub/Sub says so; messages for
/// more than one request (1000, 9 MB) are published request by request, and an error says how many were. Push options
/// stand in labels, for the agent that pushes; Pub/Sub itself pushes nothing.
class PubSub final : public Bus {
 public:
  [[nodiscard]] static ApiOptions defaults();
  /// Sends nothing. \param counts  what backlog() asks; without it every count is unknown
  /// Errors: invalid_argument, naming the option.
  static Result<std::unique_ptr<PubSub>> open(PubSubOptions options, std::shared_ptr<Api> api,
                                              std::shared_ptr<CloudMonitoring> counts = nullptr);
  Status create_topic(std::string_view topic, Deadline deadline) override;
  /// Errors: as the port's; conflict, when it exists and is of another topic.
  Status create_subscription(SubscriptionOptions options, Deadline deadline) override;
  Result<std::vector<SubscriptionOptions>> subscriptions(Deadline deadline) override;
  Result<std::vector<std::string>> publish(std::string_view topic, std::vector<BusMessage> messages,
                                           Deadline deadline) override;
  Result<std::vector<Delivery>> pull(std::string_view subscription, std::size_t most, Deadline deadline) override;
  Status ack(std::string_view subscription, std::string_view ack_id, Deadline deadline) override;
  Status nack(std::string_view subscription, std::string_view ack_id, std::string_view reason,
              Deadline deadline) override;
  /// Pub/Sub counts nothing for its clients; Cloud Monitoring does, once a minute and up to four minutes late. A count
  /// without a point of the last 5 min, or that could not be read, is unknown. `waiting` holds what is leased, too.
  /// Dead letters are those that nobody took yet from the subscriptions of the dead letter topic.
  /// Errors: not_found (the subscription).
  Result<Backlog> backlog(std::string_view subscription, Deadline deadline) override;
  /// Whether the service answers and the topic is there; pulls nothing. Errors: not_found, ...
  Status ping(std::string_view topic, Deadline deadline);

 private:
  PubSub(PubSubOptions options, std::shared_ptr<Api> api, std::shared_ptr<CloudMonitoring> counts)
      : options_(std::move(options)), api_(std::move(api)), counts_(std::move(counts)) {}
  [[nodiscard]] std::string topic_name(std::string_view topic) const;
  [[nodiscard]] std::string subscription_name(std::string_view subscription) const;
  [[nodiscard]] std::string topic_path(std::string_view topic) const;
  [[nodiscard]] std::string subscription_path(std::string_view subscription) const;
  Result<HttpResponse> send(std::string method, std::string path, std::string body, Idempotency idempotency,
                            Deadline deadline, ApiError* error = nullptr);
  Status keep_dead_letters(const std::string& subscription, Deadline deadline);
  /// The newest value of a metric by subscription; none where it cannot be read.
  std::map<std::string, std::int64_t> newest(std::string_view metric, Deadline deadline);
  Result<std::vector<std::string>> subscriptions_of(const std::string& topic, Deadline deadline);
  Status settle(std::string_view subscription, std::string_view verb, std::string body, Deadline deadline);

  PubSubOptions options_;
  std::shared_ptr<Api> api_;
  std::shared_ptr<CloudMonitoring> counts_;  // null: nobody counts
};

/// Whether Pub/Sub answers and the topic is there: its ping(). \param bus  outlives the check
[[nodiscard]] health::CheckFunction pubsub_check(PubSub& bus, std::string topic);

}  // namespace serin::google
