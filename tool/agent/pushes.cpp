#include "serin/agent/pushes.hpp"

#include "serin/sqlite/sqlite_bus.hpp"
#include "serin/sqlite/sqlite_sql.hpp"
#include "serin/system/environment.hpp"

namespace serin::agent {

Result<std::unique_ptr<Pushes>> Pushes::start(const config::FleetSpec& fleet, std::map<std::string, std::string> urls,
                                              HttpClient& http, Sleeper& sleeper, Random& random,
                                              const Logger& logger) {
  std::unique_ptr<Pushes> pushes(new Pushes);
  if (fleet.topics.empty()) return pushes;
  constexpr std::string_view scheme = "sqlite:";
  if (fleet.bus.starts_with(scheme)) {
    SERIN_TRY(pushes->sql_, SqliteSql::open({.path = fleet.bus.substr(scheme.size())}, sleeper));
    SERIN_TRY(pushes->bus_, SqliteBus::open(*pushes->sql_, sleeper, random));
  } else {
    const google::AuthWorld world{.http = http, .sleeper = sleeper, .random = random};
    pushes->google_ = std::make_unique<google::DataServices>(world, Environment::of_process());
    SERIN_TRY(pushes->bus_, pushes->google_->open_bus(fleet.bus));
  }
  SERIN_TRY(pushes->bus_target_, guard::Target::make("bus", sleeper, random));
  pushes->guarded_bus_ = std::make_unique<guard::GuardedBus>(*pushes->bus_, *pushes->bus_target_);
  // A refused push uses up an attempt of its message: the breaker looks again after a second, however often it opened.
  // The bus has its own deadlines for a push, longer than those of other calls.
  SERIN_TRY(guard::TargetPolicy policy, guard::usual_http_policy());
  policy.breaker = breaker::BreakerOptions{.open_for = 500ms, .open_most = 1s};
  policy.attempt_timeout = 10min;
  SERIN_TRY(pushes->http_, guard::GuardedHttp::make(http, sleeper, random, {.policy = std::move(policy)}));
  const Deadline deadline = Deadline::after(sleeper.now(), 10s);
  for (const std::string& topic : fleet.topics) SERIN_CHECK(pushes->bus_->create_topic(topic, deadline));
  for (const SubscriptionOptions& subscription : fleet.subscriptions)
    SERIN_CHECK(pushes->bus_->create_subscription(subscription, deadline));
  pushes->dispatcher_ = std::make_unique<delivery::PushDispatcher>(
      delivery::PushOptions{.subscriptions = fleet.subscriptions}, *pushes->guarded_bus_, *pushes->http_, sleeper,
      logger, [known = std::move(urls)](std::string_view service) {
        const auto found = known.find(std::string(service));
        return found == known.end() ? std::string() : found->second;
      });
  return pushes;
}

std::vector<guard::NamedState> Pushes::states() const {
  if (!http_) return {};
  std::vector<guard::NamedState> states = http_->states();
  states.push_back({.name = bus_target_->name(), .state = bus_target_->state()});
  return states;
}

}  // namespace serin::agent
