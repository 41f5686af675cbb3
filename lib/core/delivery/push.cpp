#include "serin/delivery/push.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "serin/base/text.hpp"

namespace serin::delivery {
namespace {

constexpr std::size_t longest_reason = 300;

}  // namespace

std::string push_body(const Delivery& delivery, std::string_view subscription) {
  boost::json::object attributes;
  for (const auto& [name, value] : delivery.message.attributes) attributes[name] = value;
  boost::json::object message{{"data", base64_encode(delivery.message.data)},
                              {"messageId", delivery.message_id},
                              {"attributes", std::move(attributes)},
                              {"publishTime", format_rfc3339(delivery.published_at)}};
  return boost::json::serialize(boost::json::object{{"message", std::move(message)},
                                                    {"deliveryAttempt", delivery.attempt},
                                                    {"subscription", std::string(subscription)}});
}

Result<Delivery> parse_push(std::string_view body) {
  const auto wrong = [](std::string_view what) {
    return fail(Errc::invalid_argument, fmt::format("the body is no push delivery: {}", what));
  };
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(boost::json::string_view(body.data(), body.size()), error);
  if (error) return wrong(error.message());
  if (!value.is_object()) return wrong("it is no JSON object");
  const boost::json::value* message = value.as_object().if_contains("message");
  if (message == nullptr || !message->is_object()) return wrong("'message' is no object");
  const boost::json::object& fields = message->as_object();
  Delivery delivery;
  if (const auto* id = fields.if_contains("messageId"); id != nullptr && id->is_string())
    delivery.message_id = std::string(id->as_string());
  if (const auto* attempt = value.as_object().if_contains("deliveryAttempt"); attempt != nullptr && attempt->is_int64())
    delivery.attempt = attempt->as_int64();
  // A message may be all attributes; then there is no data.
  if (const auto* data = fields.if_contains("data"); data != nullptr && !data->is_null()) {
    if (!data->is_string()) return wrong("'message.data' is no text");
    std::optional<std::string> bytes = base64_decode(std::string_view(data->as_string()));
    if (!bytes) return wrong("'message.data' is not base64");
    delivery.message.data = *std::move(bytes);
  }
  if (const auto* attributes = fields.if_contains("attributes"); attributes != nullptr && attributes->is_object())
    for (const auto& [name, text] : attributes->as_object())
      if (text.is_string()) delivery.message.attributes[std::string(name)] = std::string(text.as_string());
  return delivery;
}

PushDispatcher::PushDispatcher(PushOptions options, Bus& bus, HttpClient& http, Sleeper& sleeper, Logger logger,
                               std::function<std::string(std::string_view)> origin_of)
    : options_(std::move(options)),
      bus_(bus),
      http_(http),
      sleeper_(sleeper),
      logger_(std::move(logger)),
      origin_of_(std::move(origin_of)) {
  for (const SubscriptionOptions& subscription : options_.subscriptions) {
    if (subscription.push_service.empty()) continue;
    for (std::int64_t i = 0; i < std::max<std::int64_t>(1, subscription.push_concurrency); ++i)
      threads_.emplace_back([this, &subscription](const std::stop_token& stop) { serve(stop, subscription); });
  }
}

PushDispatcher::~PushDispatcher() {
  for (std::jthread& thread : threads_) thread.request_stop();
  threads_.clear();
}

void PushDispatcher::serve(const std::stop_token& stop, const SubscriptionOptions& subscription) {
  while (!stop.stop_requested()) {
    const std::string origin = origin_of_(subscription.push_service);
    Result<std::vector<Delivery>> due = std::vector<Delivery>{};
    if (!origin.empty()) due = bus_.pull(subscription.name, 1, Deadline::after(sleeper_.now(), 5s));
    if (!due) logger_.warn("push: cannot pull", {{"subscription", subscription.name}, {"error", due.error().text()}});
    if (!due || due->empty()) {
      if (!sleeper_.sleep_for(options_.idle)) return;
      continue;
    }
    for (const Delivery& delivery : *due) deliver(subscription, origin, delivery);
  }
}

void PushDispatcher::deliver(const SubscriptionOptions& subscription, const std::string& origin,
                             const Delivery& delivery) {
  HttpRequest request{
      .method = "POST", .target = subscription.push_path, .body = push_body(delivery, subscription.name)};
  request.headers.set("Content-Type", "application/json");
  const Result<HttpResponse> answer =
      http_.send(origin, std::move(request), Deadline::after(sleeper_.now(), subscription.ack_deadline));
  const Deadline deadline = Deadline::after(sleeper_.now(), 5s);
  Status settled;
  std::string reason;
  if (answer && answer->status >= 200 && answer->status < 300) {
    settled = bus_.ack(subscription.name, delivery.ack_id, deadline);
  } else {
    reason = answer ? fmt::format("HTTP {}: {}", answer->status, answer->body.substr(0, longest_reason))
                    : answer.error().text();
    settled = bus_.nack(subscription.name, delivery.ack_id, reason, deadline);
    logger_.warn("push: not accepted", {{"subscription", subscription.name},
                                        {"message", delivery.message_id},
                                        {"attempt", delivery.attempt},
                                        {"reason", reason}});
  }
  // Too late or unreachable: the lease runs out and the message comes again, which at-least-once allows.
  if (!settled)
    logger_.warn(
        "push: not settled",
        {{"subscription", subscription.name}, {"message", delivery.message_id}, {"error", settled.error().text()}});
}

}  // namespace serin::delivery
