#include "messages.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cctype>

#include "serin/base/text.hpp"
#include "serin/google/detail_json.hpp"

namespace serin::pubsub {
namespace {

namespace json = boost::json;

constexpr std::size_t most_messages = 1000;
constexpr std::size_t most_bytes = 9u << 20;  // the service takes 10 MB with everything around the messages
constexpr std::size_t longest_label = 63;

constexpr std::string_view service_label = "serin-push-service";
constexpr std::string_view path_label = "serin-push-path";
constexpr std::string_view concurrency_label = "serin-push-concurrency";
constexpr std::string_view aside_label = "serin-dead-letters-aside";

std::string seconds_text(Duration duration) {
  return fmt::format("{}s", std::chrono::duration<double>(duration).count());
}

Duration duration_or(const json::object& object, std::string_view path, Duration fallback) {
  return google::parse_proto_duration(google::text_of(object, path)).value_or(fallback);
}

std::string last_part(std::string_view name) { return std::string(name.substr(name.rfind('/') + 1)); }

Status check(const SubscriptionOptions& options) {
  const auto wrong = [&](std::string_view what) -> Status {
    return fail(Errc::invalid_argument, fmt::format("subscription {}: {}", options.name, what));
  };
  if (options.ack_deadline < 10s || options.ack_deadline > 600s)
    return wrong("ack_deadline must be 10s to 10m on Pub/Sub");
  if (options.max_attempts < 5 || options.max_attempts > 100) return wrong("max_attempts must be 5 to 100 on Pub/Sub");
  if (options.min_backoff < 0s || options.max_backoff > 600s || options.min_backoff > options.max_backoff)
    return wrong("min_backoff and max_backoff must be 0 to 10m on Pub/Sub, in this order");
  if (label_of(options.push_path).size() > longest_label || label_of(options.push_service).size() > longest_label)
    return wrong("push_service and push_path must fit into a label of 63 characters on Pub/Sub");
  return {};
}

}  // namespace

std::string label_of(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    out += plain ? std::string(1, c) : fmt::format("_{:02x}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string text_of_label(std::string_view label) {
  std::string out(label);
  for (char& c : out)
    if (c == '_') c = '%';
  return percent_decode(out, false);
}

std::string dead_letters_of(std::string_view subscription) { return fmt::format("{}.dead", subscription); }

json::object message_of(const BusMessage& message, std::string_view ordering_attribute) {
  json::object out{{"data", base64_encode(message.data)}};
  if (message.attributes.empty()) return out;
  json::object attributes;
  for (const auto& [name, value] : message.attributes) {
    attributes[name] = value;
    if (name == ordering_attribute) out["orderingKey"] = value;
  }
  out["attributes"] = std::move(attributes);
  return out;
}

Result<Delivery> delivery_of(const json::object& received) {
  const json::object* message = google::object_of(received, "message");
  const auto data = message == nullptr ? std::nullopt : base64_decode(google::text_of(*message, "data"));
  Delivery delivery{.ack_id = google::text_of(received, "ackId"),
                    .message_id = message == nullptr ? "" : google::text_of(*message, "messageId"),
                    .attempt = google::int_of(received, "deliveryAttempt").value_or(1)};
  if (!data || delivery.ack_id.empty() || delivery.message_id.empty())
    return fail(Errc::data_loss, "Pub/Sub delivered a message without id, ack id or readable data");
  delivery.message.data = *data;
  if (const json::object* attributes = google::object_of(*message, "attributes"))
    for (const auto& [name, value] : *attributes)
      if (value.is_string()) delivery.message.attributes[std::string(name)] = std::string(value.as_string());
  delivery.published_at = google::time_of(*message, "publishTime").value_or(WallTime());
  return delivery;
}

Result<std::vector<std::string>> batches_of(const std::vector<BusMessage>& messages,
                                            std::string_view ordering_attribute) {
  std::vector<std::string> bodies;
  std::string body;
  std::size_t count = 0;
  const auto close = [&] {
    if (count > 0) bodies.push_back(R"({"messages":[)" + std::move(body) + "]}");
    body.clear();
    count = 0;
  };
  for (const BusMessage& message : messages) {
    const std::string text = json::serialize(message_of(message, ordering_attribute));
    if (text.size() > most_bytes)
      return fail(Errc::invalid_argument,
                  fmt::format("a message of {} bytes is too large for Pub/Sub", message.data.size()));
    if (count == most_messages || body.size() + text.size() > most_bytes) close();
    body += (count == 0 ? "" : ",") + text;
    ++count;
  }
  close();
  return bodies;
}

Result<json::object> subscription_of(const SubscriptionOptions& options, const std::string& topic,
                                     const std::string& dead_letters) {
  SERIN_CHECK(check(options));
  json::object labels;
  if (!options.push_service.empty()) {
    labels[service_label] = label_of(options.push_service);
    labels[path_label] = label_of(options.push_path);
    labels[concurrency_label] = std::to_string(options.push_concurrency);
  }
  if (options.dead_letter_topic.empty()) labels[aside_label] = "yes";
  return json::object{{"topic", topic},
                      {"ackDeadlineSeconds", std::chrono::ceil<std::chrono::seconds>(options.ack_deadline).count()},
                      {"labels", std::move(labels)},
                      {"deadLetterPolicy",
                       json::object{{"deadLetterTopic", dead_letters}, {"maxDeliveryAttempts", options.max_attempts}}},
                      {"retryPolicy", json::object{{"minimumBackoff", seconds_text(options.min_backoff)},
                                                   {"maximumBackoff", seconds_text(options.max_backoff)}}}};
}

Result<SubscriptionOptions> options_of(const json::object& subscription) {
  SubscriptionOptions options{.name = last_part(google::text_of(subscription, "name")),
                              .topic = last_part(google::text_of(subscription, "topic"))};
  if (options.name.empty() || options.topic.empty())
    return fail(Errc::data_loss, "Pub/Sub has a subscription without name or topic");
  options.ack_deadline = std::chrono::seconds(google::int_of(subscription, "ackDeadlineSeconds").value_or(10));
  // Without a policy of its own, a subscription of somebody else delivers for ever.
  options.max_attempts = google::int_of(subscription, "deadLetterPolicy.maxDeliveryAttempts")
                             .value_or(std::numeric_limits<std::int64_t>::max());
  options.min_backoff = duration_or(subscription, "retryPolicy.minimumBackoff", 0s);
  options.max_backoff = duration_or(subscription, "retryPolicy.maximumBackoff", 0s);
  const json::object* labels = google::object_of(subscription, "labels");
  const auto label = [&](std::string_view name) {
    return labels == nullptr ? std::string() : text_of_label(google::text_of(*labels, name));
  };
  if (label(aside_label).empty())
    options.dead_letter_topic = last_part(google::text_of(subscription, "deadLetterPolicy.deadLetterTopic"));
  options.push_service = label(service_label);
  options.push_path = label(path_label);
  options.push_concurrency = to_int(label(concurrency_label)).value_or(options.push_concurrency);
  return options;
}

bool keeps_dead_letters(const json::object& subscription) {
  const json::object* labels = google::object_of(subscription, "labels");
  return labels != nullptr && labels->contains(kept_label);
}

}  // namespace serin::pubsub
