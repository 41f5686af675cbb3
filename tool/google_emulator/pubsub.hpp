#pragma once
#include <vector>

#include "store.hpp"

// Private to the module.
namespace serin::google_emulator {

/// Pub/Sub v1 with pull. Every subscription of a topic has a row for every message, which goes when it is acknowledged.
class PubSub {
 public:
  PubSub(Store& store, Random& random) : store_(store), random_(random) {}
  [[nodiscard]] std::vector<Route> routes();
  /// What Cloud Monitoring knows of the subscriptions of the call's project: how much is not acknowledged, how old.
  [[nodiscard]] json::array measured(const Call& call) const;

 private:
  Reply put_topic(Call& call);
  Reply list_topics(Call& call);
  Reply delete_topic(Call& call);
  Reply topic_subscriptions(Call& call);
  Reply publish(Call& call);
  Reply put_subscription(Call& call);
  Reply patch_subscription(Call& call);
  Reply list_subscriptions(Call& call);
  Reply delete_subscription(Call& call);
  Reply pull(Call& call);
  Reply acknowledge(Call& call);
  Reply modify(Call& call);

  void enqueue(const std::string& topic, const std::string& data, const std::string& attributes,
               const std::string& ordering, WallTime now, std::int64_t& id);
  bool bury(const json::object& subscription, const Row& delivery, WallTime now);
  Store& store_;
  Random& random_;
};

}  // namespace serin::google_emulator
