#include "serin/pubsub/pub_sub.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "messages.hpp"
#include "serin/google/checks.hpp"
#include "serin/google/detail_json.hpp"

namespace serin::google {
namespace {

namespace json = boost::json;

constexpr std::size_t most_at_once = 1000;
constexpr Duration counts_are_good = 5min;
constexpr std::int64_t most_age_s = 31 * 24 * 3600;  // longer than Pub/Sub keeps a message
constexpr std::string_view changeable = "ackDeadlineSeconds,labels,deadLetterPolicy,retryPolicy";

/// What stands in `subscriptions` of a list, from its first page to its last.
Result<json::array> all_pages(Api& api, const std::string& path, const Within& within) {
  json::array out;
  std::string page;
  do {
    Query query{{"pageSize", "1000"}};
    if (!page.empty()) query.emplace_back("pageToken", page);
    SERIN_TRY(const HttpResponse response,
              api.call({.path = path, .query = std::move(query), .deadline = within.deadline, .stop = within.stop}));
    SERIN_TRY(const json::object answer, parse_object(response.body, "Pub/Sub's subscriptions"));
    for (const json::value& item : array_of(answer, "subscriptions")) out.push_back(item);
    page = text_of(answer, "nextPageToken");
  } while (!page.empty());
  return out;
}

}  // namespace

ApiOptions PubSub::defaults() { return {.service = "pubsub", .endpoint = "https://pubsub.googleapis.com"}; }

Result<std::unique_ptr<PubSub>> PubSub::open(PubSubOptions options, std::shared_ptr<Api> api,
                                             std::shared_ptr<CloudMonitoring> counts) {
  if (options.project.empty()) return fail(Errc::invalid_argument, "Pub/Sub needs a project");
  return std::unique_ptr<PubSub>(new PubSub(std::move(options), std::move(api), std::move(counts)));
}

std::string PubSub::topic_name(std::string_view topic) const {
  return fmt::format("projects/{}/topics/{}", options_.project, topic);
}
std::string PubSub::subscription_name(std::string_view subscription) const {
  return fmt::format("projects/{}/subscriptions/{}", options_.project, subscription);
}
std::string PubSub::topic_path(std::string_view topic) const {
  return fmt::format("/v1/projects/{}/topics/{}", escape(options_.project), escape(topic));
}
std::string PubSub::subscription_path(std::string_view subscription) const {
  return fmt::format("/v1/projects/{}/subscriptions/{}", escape(options_.project), escape(subscription));
}

Result<HttpResponse> PubSub::send(std::string method, std::string path, std::string body, Idempotency idempotency,
                                  Deadline deadline, ApiError* error) {
  return api_->call({.method = std::move(method),
                     .path = std::move(path),
                     .body = std::move(body),
                     .deadline = deadline,
                     .stop = options_.stop,
                     .idempotency = idempotency,
                     .error = error});
}

Status PubSub::create_topic(std::string_view topic, Deadline deadline) {
  const auto made = send("PUT", topic_path(topic), "{}", Idempotency::idempotent, deadline);
  if (!made && made.error().code() != Errc::conflict) return pass(made.error());
  return {};
}

/// A topic for what used up its attempts, and a subscription that keeps it for somebody to look at.
Status PubSub::keep_dead_letters(const std::string& subscription, Deadline deadline) {
  const std::string kept = pubsub::dead_letters_of(subscription);
  SERIN_CHECK(create_topic(kept, deadline));
  const json::object body{{"topic", topic_name(kept)},
                          {"labels", json::object{{pubsub::kept_label, pubsub::label_of(subscription)}}},
                          {"expirationPolicy", json::object{}}};  // never
  const auto made = send("PUT", subscription_path(kept), json::serialize(body), Idempotency::idempotent, deadline);
  if (!made && made.error().code() != Errc::conflict) return pass(made.error());
  return {};
}

Status PubSub::create_subscription(SubscriptionOptions options, Deadline deadline) {
  const std::string dead =
      options.dead_letter_topic.empty() ? pubsub::dead_letters_of(options.name) : options.dead_letter_topic;
  SERIN_TRY(json::object body, pubsub::subscription_of(options, topic_name(options.topic), topic_name(dead)));
  if (options.dead_letter_topic.empty()) {
    // Before anything is made: a subscription of nothing must leave nothing behind.
    SERIN_CHECK(ping(options.topic, deadline));
    SERIN_CHECK(keep_dead_letters(options.name, deadline));
  }
  const std::string path = subscription_path(options.name);
  const auto made = send("PUT", path, json::serialize(body), Idempotency::idempotent, deadline);
  if (made) return {};
  if (made.error().code() != Errc::conflict) return pass(made.error());
  SERIN_TRY(const HttpResponse there, send("GET", path, {}, Idempotency::idempotent, deadline));
  SERIN_TRY(const json::object stored, parse_object(there.body, "Pub/Sub's subscription"));
  if (text_of(stored, "topic") != topic_name(options.topic))
    return fail(Errc::conflict, fmt::format("subscription {} is of {}, and cannot be moved to another topic",
                                            options.name, text_of(stored, "topic")));
  body["name"] = subscription_name(options.name);
  SERIN_CHECK(send("PATCH", path,
                   json::serialize(json::object{{"subscription", std::move(body)}, {"updateMask", changeable}}),
                   Idempotency::idempotent, deadline));
  return {};
}

Result<std::vector<SubscriptionOptions>> PubSub::subscriptions(Deadline deadline) {
  SERIN_TRY(const json::array all,
            all_pages(*api_, fmt::format("/v1/projects/{}/subscriptions", escape(options_.project)),
                      {deadline, options_.stop}));
  std::vector<SubscriptionOptions> out;
  for (const json::value& item : all) {
    if (!item.is_object()) return fail(Errc::data_loss, "Pub/Sub has a subscription that is none");
    if (pubsub::keeps_dead_letters(item.get_object())) continue;
    SERIN_TRY(SubscriptionOptions options, pubsub::options_of(item.get_object()));
    out.push_back(std::move(options));
  }
  return out;
}

Result<std::vector<std::string>> PubSub::publish(std::string_view topic, std::vector<BusMessage> messages,
                                                 Deadline deadline) {
  SERIN_TRY(const std::vector<std::string> bodies, pubsub::batches_of(messages, options_.ordering_attribute));
  std::vector<std::string> ids;
  for (const std::string& body : bodies) {
    // A message that is published twice is delivered twice, as any may be.
    const auto response = send("POST", topic_path(topic) + ":publish", body, Idempotency::idempotent, deadline);
    if (!response)
      return pass(ids.empty() ? response.error()
                              : response.error().in(
                                    fmt::format("{} of {} messages are published", ids.size(), messages.size())));
    SERIN_TRY(const json::object answer, parse_object(response->body, "Pub/Sub's publish"));
    for (const json::value& id : array_of(answer, "messageIds"))
      if (id.is_string()) ids.emplace_back(id.as_string());
  }
  if (ids.size() != messages.size())
    return fail(Errc::data_loss, fmt::format("Pub/Sub gave {} ids for {} messages", ids.size(), messages.size()));
  return ids;
}

Result<std::vector<Delivery>> PubSub::pull(std::string_view subscription, std::size_t most, Deadline deadline) {
  std::vector<Delivery> out;
  if (most == 0) return out;
  // Without returnImmediately the service waits for messages, which the port does not.
  const json::object body{{"maxMessages", std::min(most, most_at_once)}, {"returnImmediately", true}};
  // A pull that is done twice leases twice, and what nobody acknowledges comes again.
  SERIN_TRY(const HttpResponse response, send("POST", subscription_path(subscription) + ":pull", json::serialize(body),
                                              Idempotency::idempotent, deadline));
  SERIN_TRY(const json::object answer, parse_object(response.body, "Pub/Sub's pull"));
  for (const json::value& item : array_of(answer, "receivedMessages")) {
    if (!item.is_object()) return fail(Errc::data_loss, "Pub/Sub delivered something that is no message");
    SERIN_TRY(Delivery delivery, pubsub::delivery_of(item.get_object()));
    out.push_back(std::move(delivery));
  }
  return out;
}

Status PubSub::settle(std::string_view subscription, std::string_view verb, std::string body, Deadline deadline) {
  ApiError error;
  const auto done = send("POST", fmt::format("{}:{}", subscription_path(subscription), verb), std::move(body),
                         Idempotency::idempotent, deadline, &error);
  if (done) return {};
  // An ack id that is not valid any more: the message is somebody else's by now.
  if (error.http_status == 400) return fail(Errc::conflict, done.error().detail());
  return pass(done.error());
}

Status PubSub::ack(std::string_view subscription, std::string_view ack_id, Deadline deadline) {
  return settle(subscription, "acknowledge", json::serialize(json::object{{"ackIds", json::array{ack_id}}}), deadline);
}

Status PubSub::nack(std::string_view subscription, std::string_view ack_id, std::string_view /*reason*/,
                    Deadline deadline) {
  return settle(subscription, "modifyAckDeadline",
                json::serialize(json::object{{"ackIds", json::array{ack_id}}, {"ackDeadlineSeconds", 0}}), deadline);
}

std::map<std::string, std::int64_t> PubSub::newest(std::string_view metric, Deadline deadline) {
  std::map<std::string, std::int64_t> out;
  if (!counts_) return out;
  const WallTime now = api_->sleeper().wall();
  const auto list =
      counts_->list({.filter = fmt::format("metric.type = \"pubsub.googleapis.com/subscription/{}\"", metric),
                     .from = now - counts_are_good,
                     .to = now},
                    Within(deadline, options_.stop));
  if (!list || !list->problems.empty()) return out;
  for (const TimeSeries& series : list->series) {
    const auto name = series.resource_labels.find("subscription_id");
    if (name == series.resource_labels.end() || series.points.empty()) continue;
    if (const auto* count = std::get_if<std::int64_t>(&series.points.front().value)) out[name->second] = *count;
  }
  return out;
}

Result<std::vector<std::string>> PubSub::subscriptions_of(const std::string& topic, Deadline deadline) {
  SERIN_TRY(const json::array names, all_pages(*api_, topic_path(topic) + "/subscriptions", {deadline, options_.stop}));
  std::vector<std::string> out;
  for (const json::value& name : names)
    if (name.is_string()) out.push_back(std::string(name.as_string()).substr(name.as_string().rfind('/') + 1));
  return out;
}

Result<Backlog> PubSub::backlog(std::string_view subscription, Deadline deadline) {
  SERIN_TRY(const HttpResponse response,
            send("GET", subscription_path(subscription), {}, Idempotency::idempotent, deadline));
  SERIN_TRY(const json::object stored, parse_object(response.body, "Pub/Sub's subscription"));
  Backlog out{.waiting = std::nullopt, .leased = std::nullopt, .dead_letters = std::nullopt, .oldest = std::nullopt};
  const auto undelivered = newest("num_undelivered_messages", deadline);
  if (undelivered.empty()) return out;
  const auto count_of = [&undelivered](const std::string& name) -> std::optional<std::int64_t> {
    const auto found = undelivered.find(name);
    return found == undelivered.end() ? std::nullopt : std::optional(found->second);
  };
  const std::string name(subscription);
  out.waiting = count_of(name);
  const auto ages = newest("oldest_unacked_message_age", deadline);
  if (const auto age = ages.find(name); age != ages.end())
    out.oldest = std::chrono::seconds(std::clamp<std::int64_t>(age->second, 0, most_age_s));
  const json::value* policy = stored.if_contains("deadLetterPolicy");
  const std::string topic =
      policy != nullptr && policy->is_object() ? text_of(policy->get_object(), "deadLetterTopic") : "";
  if (topic.empty()) return out;
  const auto keepers = subscriptions_of(topic.substr(topic.rfind('/') + 1), deadline);
  if (!keepers || keepers->empty()) return out;  // nobody keeps them: how many there were cannot be known
  std::int64_t dead = 0;
  for (const std::string& keeper : *keepers) {
    const auto count = count_of(keeper);
    if (!count) return out;
    dead += *count;
  }
  out.dead_letters = dead;
  return out;
}

Status PubSub::ping(std::string_view topic, Deadline deadline) {
  SERIN_CHECK(send("GET", topic_path(topic), {}, Idempotency::idempotent, deadline));
  return {};
}

health::CheckFunction pubsub_check(PubSub& bus, std::string topic) {
  return [&bus, topic = std::move(topic)](const health::CheckContext& context) {
    const Status answered = bus.ping(topic, context.deadline);
    return answered ? health::CheckAnswer::pass() : answer_of(answered.error());
  };
}

}  // namespace serin::google
