#include "serin/agent/pushes.hpp"

#include "serin/system/random.hpp"

namespace serin::agent {

Result<std::unique_ptr<Pushes>> Pushes::start(const config::FleetSpec& fleet, std::map<std::string, std::string> urls,
                                              HttpClient& http, Sleeper& sleeper, const Logger& logger) {
  std::unique_ptr<Pushes> pushes(new Pushes);
  if (fleet.topics.empty()) return pushes;
  pushes->random_ = std::make_unique<SystemRandom>();
  constexpr std::string_view scheme = "sqlite:";
  SERIN_TRY(pushes->sql_, SqliteSql::open({.path = fleet.bus.substr(scheme.size())}, sleeper));
  SERIN_TRY(pushes->bus_, SqliteBus::open(*pushes->sql_, sleeper, *pushes->random_));
  const Deadline deadline = Deadline::after(sleeper.now(), 10s);
  for (const std::string& topic : fleet.topics) SERIN_CHECK(pushes->bus_->create_topic(topic, deadline));
  for (const SubscriptionOptions& subscription : fleet.subscriptions)
    SERIN_CHECK(pushes->bus_->create_subscription(subscription, deadline));
  pushes->dispatcher_ = std::make_unique<delivery::PushDispatcher>(
      delivery::PushOptions{.subscriptions = fleet.subscriptions}, *pushes->bus_, http, sleeper, logger,
      [known = std::move(urls)](std::string_view service) {
        const auto found = known.find(std::string(service));
        return found == known.end() ? std::string() : found->second;
      });
  return pushes;
}

}  // namespace serin::agent
