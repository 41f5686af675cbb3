#pragma once
#include <memory>

#include "serin/ports/bus.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/random.hpp"
#include "serin/ports/sql.hpp"

namespace serin {

/// The embedded bus: topics, subscriptions and messages in a SQLite database. A message is stored once, and has one row
/// for each subscription that has not acknowledged it. Threads: any. Processes: any number on one file.
class SqliteBus final : public Bus {
 public:
  /// Makes the tables when they are not there. \param sql, clock, random  outlive it
  static Result<std::unique_ptr<SqliteBus>> open(Sql& sql, const Clock& clock, Random& random);
  Status create_topic(std::string_view topic, Deadline deadline) override;
  Status create_subscription(SubscriptionOptions options, Deadline deadline) override;
  Result<std::vector<SubscriptionOptions>> subscriptions(Deadline deadline) override;
  Result<std::vector<std::string>> publish(std::string_view topic, std::vector<BusMessage> messages,
                                           Deadline deadline) override;
  Result<std::vector<Delivery>> pull(std::string_view subscription, std::size_t most, Deadline deadline) override;
  Status ack(std::string_view subscription, std::string_view ack_id, Deadline deadline) override;
  Status nack(std::string_view subscription, std::string_view ack_id, std::string_view reason,
              Deadline deadline) override;
  Result<Backlog> backlog(std::string_view subscription, Deadline deadline) override;

 private:
  SqliteBus(Sql& sql, const Clock& clock, Random& random) : sql_(sql), clock_(clock), random_(random) {}
  Sql& sql_;
  const Clock& clock_;
  Random& random_;
};

}  // namespace serin
