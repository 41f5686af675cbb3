#include "serin/guard/guarded_ports.hpp"

namespace serin::guard {
namespace {

constexpr Idempotency once = Idempotency::not_idempotent;
constexpr Idempotency again = Idempotency::idempotent;

}  // namespace

Status GuardedBus::create_topic(std::string_view topic, Deadline deadline) {
  return target_.run(again, deadline, [&](const Context& at) { return inner_.create_topic(topic, at.deadline); });
}
Status GuardedBus::create_subscription(SubscriptionOptions options, Deadline deadline) {
  return target_.run(again, deadline,
                     [&](const Context& at) { return inner_.create_subscription(options, at.deadline); });
}
Result<std::vector<SubscriptionOptions>> GuardedBus::subscriptions(Deadline deadline) {
  return target_.run(again, deadline, [&](const Context& at) { return inner_.subscriptions(at.deadline); });
}
Result<std::vector<std::string>> GuardedBus::publish(std::string_view topic, std::vector<BusMessage> messages,
                                                     Deadline deadline) {
  return target_.run(once, deadline, [&](const Context& at) { return inner_.publish(topic, messages, at.deadline); });
}
Result<std::vector<Delivery>> GuardedBus::pull(std::string_view subscription, std::size_t most, Deadline deadline) {
  return target_.run(again, deadline, [&](const Context& at) { return inner_.pull(subscription, most, at.deadline); });
}
Status GuardedBus::ack(std::string_view subscription, std::string_view ack_id, Deadline deadline) {
  return target_.run(again, deadline, [&](const Context& at) { return inner_.ack(subscription, ack_id, at.deadline); });
}
Status GuardedBus::nack(std::string_view subscription, std::string_view ack_id, std::string_view reason,
                        Deadline deadline) {
  return target_.run(again, deadline,
                     [&](const Context& at) { return inner_.nack(subscription, ack_id, reason, at.deadline); });
}
Result<Backlog> GuardedBus::backlog(std::string_view subscription, Deadline deadline) {
  return target_.run(again, deadline, [&](const Context& at) { return inner_.backlog(subscription, at.deadline); });
}

Result<std::optional<Document>> GuardedDocuments::get(std::string_view collection, std::string_view id,
                                                      Deadline deadline) {
  return target_.run(again, deadline, [&](const Context& at) { return inner_.get(collection, id, at.deadline); });
}
Result<std::int64_t> GuardedDocuments::put(std::string_view collection, std::string_view id, std::string json,
                                           std::int64_t expected, Deadline deadline) {
  return target_.run(once, deadline,
                     [&](const Context& at) { return inner_.put(collection, id, json, expected, at.deadline); });
}
Status GuardedDocuments::erase(std::string_view collection, std::string_view id, std::int64_t expected,
                               Deadline deadline) {
  return target_.run(once, deadline,
                     [&](const Context& at) { return inner_.erase(collection, id, expected, at.deadline); });
}
Result<std::vector<Document>> GuardedDocuments::list(std::string_view collection, Deadline deadline) {
  return target_.run(again, deadline, [&](const Context& at) { return inner_.list(collection, at.deadline); });
}

Result<Split> GuardedRouter::read(const ServiceName& service, Deadline deadline) {
  return target_.run(again, deadline, [&](const Context& at) { return inner_.read(service, at.deadline); });
}
Status GuardedRouter::apply(const ServiceName& service, const Split& split, Deadline deadline) {
  return target_.run(again, deadline, [&](const Context& at) { return inner_.apply(service, split, at.deadline); });
}

}  // namespace serin::guard
