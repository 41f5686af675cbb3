#pragma once
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/ports/bus.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/http.hpp"
#include "serin/ports/log.hpp"

namespace serin::delivery {

/// The body of a push:
/// {"message":{"data":base64,"messageId","attributes","publishTime"},"deliveryAttempt","subscription"}, as Google
/// Pub/Sub sends it. Pure.
[[nodiscard]] std::string push_body(const Delivery& delivery, std::string_view subscription);

/// The other way round: what a service was pushed. Without "message" in it the body is not a push.
/// Errors: invalid_argument, naming what is wrong. Pure.
Result<Delivery> parse_push(std::string_view body);

struct PushOptions {
  Duration idle = 50ms;                            ///< between two looks at a subscription without messages; > 0
  std::vector<SubscriptionOptions> subscriptions;  ///< those with a push_service are served
};

/// Delivers messages to services over HTTP: 2xx is an acknowledgement, anything else gives the message back with the
/// reason. Each subscription has push_concurrency deliveries in flight at most, on as many threads. Threads: any.
class PushDispatcher {
 public:
  /// \param origin_of  of a service, "http://host:port"; empty: not known now, its messages wait
  /// \param bus, http, sleeper  outlive it
  PushDispatcher(PushOptions options, Bus& bus, HttpClient& http, Sleeper& sleeper, Logger logger,
                 std::function<std::string(std::string_view service)> origin_of);
  /// Finishes the deliveries in flight, each within its ack deadline.
  ~PushDispatcher();
  PushDispatcher(const PushDispatcher&) = delete;
  PushDispatcher& operator=(const PushDispatcher&) = delete;

 private:
  void serve(const std::stop_token& stop, const SubscriptionOptions& subscription);
  void deliver(const SubscriptionOptions& subscription, const std::string& origin, const Delivery& delivery);

  PushOptions options_;
  Bus& bus_;
  HttpClient& http_;
  Sleeper& sleeper_;
  Logger logger_;
  std::function<std::string(std::string_view)> origin_of_;
  std::vector<std::jthread> threads_;  // last: they use all of the above
};

}  // namespace serin::delivery
