#pragma once
#include "serin/guard/target.hpp"
#include "serin/ports/bus.hpp"
#include "serin/ports/documents.hpp"
#include "serin/ports/router.hpp"

// The bus, the documents and the router, each behind its target. Which call may be made twice is decided here, once.
namespace serin::guard {

/// Reading and creating may be repeated. publish() is not: what was published twice is delivered twice; it is only
/// tried again when it surely was not executed. An acknowledgement may be repeated: the second one says conflict at
/// worst. Threads: any.
class GuardedBus final : public Bus {
 public:
  /// \param inner, target  outlive it
  GuardedBus(Bus& inner, Target& target) : inner_(inner), target_(target) {}
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
  Bus& inner_;
  Target& target_;
};

/// Reading may be repeated. Writing is not, although it compares and sets: a second try that finds the first one's
/// result would say conflict for what has succeeded. Threads: any.
class GuardedDocuments final : public Documents {
 public:
  /// \param inner, target  outlive it
  GuardedDocuments(Documents& inner, Target& target) : inner_(inner), target_(target) {}
  Result<std::optional<Document>> get(std::string_view collection, std::string_view id, Deadline deadline) override;
  Result<std::int64_t> put(std::string_view collection, std::string_view id, std::string json, std::int64_t expected,
                           Deadline deadline) override;
  Status erase(std::string_view collection, std::string_view id, std::int64_t expected, Deadline deadline) override;
  Result<std::vector<Document>> list(std::string_view collection, Deadline deadline) override;

 private:
  Documents& inner_;
  Target& target_;
};

/// Reading and setting may both be repeated: a split that is set twice is set once. Threads: any.
class GuardedRouter final : public Router {
 public:
  /// \param inner, target  outlive it
  GuardedRouter(Router& inner, Target& target) : inner_(inner), target_(target) {}
  Result<Split> read(const ServiceName& service, Deadline deadline) override;
  Status apply(const ServiceName& service, const Split& split, Deadline deadline) override;

 private:
  Router& inner_;
  Target& target_;
};

}  // namespace serin::guard
