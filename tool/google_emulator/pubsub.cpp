#include "pubsub.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <set>

#include "serin/base/text.hpp"

namespace serin::google_emulator {
namespace {

constexpr std::size_t most_messages = 1000;  // of one publish
constexpr std::size_t most_bytes = 10u << 20;

std::string topic_of(const Call& call) { return fmt::format("projects/{}/topics/{}", call.parts[0], call.parts[1]); }
std::string subscription_of(const Call& call) {
  return fmt::format("projects/{}/subscriptions/{}", call.parts[0], call.parts[1]);
}
std::int64_t micros(WallTime time) {
  return std::chrono::floor<std::chrono::microseconds>(time.time_since_epoch()).count();
}

/// "10s", "0.5s" in microseconds.
std::int64_t duration_of(const std::string& text, std::int64_t otherwise) {
  if (!text.ends_with('s')) return otherwise;
  const auto seconds = to_double(text.substr(0, text.size() - 1));
  return seconds ? static_cast<std::int64_t>(*seconds * 1e6) : otherwise;
}

bool is_name(std::string_view id) {
  if (id.size() < 3 || id.size() > 255 || id.starts_with("goog")) return false;
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return letter(id[0]) && std::ranges::all_of(id, [&](char c) {
           return letter(c) || (c >= '0' && c <= '9') || std::string_view("-_.~+%").find(c) != std::string_view::npos;
         });
}

Reply page_of(Call& call, std::string_view name, std::vector<json::object> all) {
  const Page page = Page::of(call, "pageSize", 1000);
  json::array list;
  for (std::size_t i = page.from; i < all.size() && i < page.from + page.most; ++i) list.push_back(std::move(all[i]));
  json::object out;
  if (!list.empty()) out[name] = std::move(list);
  if (const std::string token = page.next(all.size()); !token.empty()) out["nextPageToken"] = token;
  return out;
}

}  // namespace

Reply PubSub::put_topic(Call& call) {
  const std::string name = topic_of(call);
  if (!is_name(call.parts[1])) return bad(fmt::format("Invalid [topics] name: (name={})", name));
  if (store_.get("topic", name)) return exists("Topic already exists");
  json::object topic = call.body;
  topic["name"] = name;
  topic["state"] = "ACTIVE";
  store_.put("topic", name, topic);
  return topic;
}

Reply PubSub::list_topics(Call& call) {
  return page_of(call, "topics", store_.list("topic", fmt::format("projects/{}/topics/", call.parts[0])));
}

Reply PubSub::delete_topic(Call& call) {
  const std::string name = topic_of(call);
  if (!store_.erase("topic", name)) return not_found(fmt::format("Resource not found (resource={}).", call.parts[1]));
  for (json::object& subscription : store_.list("subscription", "")) {
    if (text_at(subscription, "topic") != name) continue;
    subscription["topic"] = "_deleted-topic_";
    store_.put("subscription", text_at(subscription, "name"), subscription);
  }
  return json::object();
}

Reply PubSub::topic_subscriptions(Call& call) {
  const std::string name = topic_of(call);
  if (!store_.get("topic", name)) return not_found(fmt::format("Resource not found (resource={}).", call.parts[1]));
  json::array list;
  for (const json::object& subscription : store_.list("subscription", ""))
    if (text_at(subscription, "topic") == name) list.emplace_back(text_at(subscription, "name"));
  return json::object{{"subscriptions", std::move(list)}};
}

void PubSub::enqueue(const std::string& topic, const std::string& data, const std::string& attributes,
                     const std::string& ordering, WallTime now, std::int64_t& id) {
  store_.execute("INSERT INTO messages(topic, data, attributes, ordering, published) VALUES(?1, ?2, ?3, ?4, ?5)",
                 {topic, data, attributes, ordering, micros(now)});
  const std::vector<Row> rows = store_.query("SELECT last_insert_rowid()");
  id = rows.empty() ? 0 : int_of(rows[0][0].value);
  for (const json::object& subscription : store_.list("subscription", ""))
    if (text_at(subscription, "topic") == topic)
      store_.execute("INSERT INTO deliveries VALUES(?1, ?2, 0, 0, '')", {text_at(subscription, "name"), id});
}

json::array PubSub::measured(const Call& call) const {
  json::array out;
  // As of the end of what was asked for; of the past nothing is known any more.
  const auto end = parse_rfc3339(call.query("interval.endTime"));
  if (!end || *end > call.now + 1min || *end < call.now - 1min) return out;
  const std::string& project = call.parts[0];
  for (const json::object& subscription :
       store_.list("subscription", fmt::format("projects/{}/subscriptions/", project))) {
    const std::string name = text_at(subscription, "name");
    const std::vector<Row> rows = store_.query(
        "SELECT COUNT(*), COALESCE(?2 - MIN(m.published), 0) FROM deliveries d "
        "JOIN messages m ON m.id = d.message WHERE d.subscription = ?1",
        {name, micros(call.now)});
    const auto add = [&](std::string_view metric, std::int64_t value) {
      out.push_back(json::object{
          {"metric", json::object{{"type", fmt::format("pubsub.googleapis.com/subscription/{}", metric)}}},
          {"resource", json::object{{"type", "pubsub_subscription"},
                                    {"labels", json::object{{"project_id", project},
                                                            {"subscription_id", name.substr(name.rfind('/') + 1)}}}}},
          {"metricKind", "GAUGE"},
          {"valueType", "INT64"},
          {"points", json::array{json::object{{"interval", json::object{{"startTime", format_rfc3339(*end)},
                                                                        {"endTime", format_rfc3339(*end)}}},
                                              {"value", json::object{{"int64Value", std::to_string(value)}}}}}}});
    };
    add("num_undelivered_messages", int_of(rows.at(0)[0].value));
    add("oldest_unacked_message_age", int_of(rows.at(0)[1].value) / 1'000'000);
  }
  return out;
}

Reply PubSub::publish(Call& call) {
  const std::string topic = topic_of(call);
  if (!store_.get("topic", topic)) return not_found(fmt::format("Resource not found (resource={}).", call.parts[1]));
  const json::array* messages = array_at(call.body, "messages");
  if (messages == nullptr || messages->empty()) return bad("The value for message_count is too small.");
  if (messages->size() > most_messages || call.request.body.size() > most_bytes)
    return bad("The value for message_count or the request is too large.");
  json::array ids;
  for (const json::value& value : *messages) {
    const json::object* message = value.if_object();
    if (message == nullptr) return bad("A message is no object");
    const json::object* attributes = object_at(*message, "attributes");
    const std::string data = text_at(*message, "data");
    if (data.empty() && (attributes == nullptr || attributes->empty()))
      return bad("Some messages contain neither data nor attributes");
    if (!data.empty() && !base64_decode(data)) return bad("Invalid value for data: Base64 decoding failed");
    std::int64_t id = 0;
    enqueue(topic, data, attributes == nullptr ? "{}" : json::serialize(*attributes), text_at(*message, "orderingKey"),
            call.now, id);
    ids.emplace_back(std::to_string(id));
  }
  return json::object{{"messageIds", std::move(ids)}};
}

Reply PubSub::put_subscription(Call& call) {
  const std::string name = subscription_of(call);
  if (!is_name(call.parts[1])) return bad(fmt::format("Invalid [subscriptions] name: (name={})", name));
  const std::string topic = text_at(call.body, "topic");
  if (!store_.get("topic", topic)) return not_found("Subscription topic does not exist");
  if (store_.get("subscription", name)) return exists("Subscription already exists");
  if (!text_at(call.body, "filter").empty())
    return refuse(501, "UNIMPLEMENTED", "notImplemented", "Filters are not supported by this emulator");
  const json::object* push = object_at(call.body, "pushConfig");
  if (push != nullptr && !text_at(*push, "pushEndpoint").empty())
    return refuse(501, "UNIMPLEMENTED", "notImplemented", "Push subscriptions are not supported by this emulator");
  json::object subscription = call.body;
  subscription["name"] = name;
  subscription["state"] = "ACTIVE";
  const std::int64_t deadline = int_at(call.body, "ackDeadlineSeconds", 10);
  if (deadline != 0 && (deadline < 10 || deadline > 600))
    return bad("Invalid ack deadline given: it must be between 10 and 600 seconds");
  subscription["ackDeadlineSeconds"] = deadline == 0 ? 10 : deadline;
  if (!subscription.contains("pushConfig")) subscription["pushConfig"] = json::object();
  if (!subscription.contains("messageRetentionDuration")) subscription["messageRetentionDuration"] = "604800s";
  store_.put("subscription", name, subscription);
  return subscription;
}

Reply PubSub::patch_subscription(Call& call) {
  const std::string name = subscription_of(call);
  auto subscription = store_.get("subscription", name);
  if (!subscription) return not_found(fmt::format("Resource not found (resource={}).", call.parts[1]));
  const json::object* changes = object_at(call.body, "subscription");
  if (changes == nullptr) return bad("No subscription was given");
  std::string mask = text_at(call.body, "updateMask");
  if (mask.empty()) mask = call.query("updateMask");
  for (const std::string_view field : split(mask, ',')) {
    // "ack_deadline_seconds" is "ackDeadlineSeconds" here.
    std::string key;
    bool up = false;
    for (const char c : trim(field)) {
      if (c == '_') {
        up = true;
      } else {
        key += up && c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
        up = false;
      }
    }
    if (key.empty()) continue;
    if (const json::value* value = changes->if_contains(key)) {
      (*subscription)[key] = *value;
    } else {
      subscription->erase(key);
    }
  }
  store_.put("subscription", name, *subscription);
  return *subscription;
}

Reply PubSub::list_subscriptions(Call& call) {
  return page_of(call, "subscriptions",
                 store_.list("subscription", fmt::format("projects/{}/subscriptions/", call.parts[0])));
}

Reply PubSub::delete_subscription(Call& call) {
  const std::string name = subscription_of(call);
  if (!store_.erase("subscription", name))
    return not_found(fmt::format("Resource not found (resource={}).", call.parts[1]));
  store_.execute("DELETE FROM deliveries WHERE subscription = ?1", {name});
  store_.execute("DELETE FROM messages WHERE id NOT IN (SELECT message FROM deliveries)");
  return json::object();
}

/// To the dead letters, when it was tried often enough. \param delivery  message, data, attributes, ordering,
/// published, attempts
bool PubSub::bury(const json::object& subscription, const Row& delivery, WallTime now) {
  const json::object* policy = object_at(subscription, "deadLetterPolicy");
  if (policy == nullptr) return false;
  const std::int64_t most = int_at(*policy, "maxDeliveryAttempts", 5);
  if (int_of(delivery[5].value) < most) return false;
  const std::string name = text_at(subscription, "name");
  json::value attributes = parsed(text_of(delivery[2].value));
  if (!attributes.is_object()) attributes.emplace_object();
  attributes.get_object()["CloudPubSubDeadLetterSourceDeliveryCount"] = std::to_string(int_of(delivery[5].value));
  attributes.get_object()["CloudPubSubDeadLetterSourceSubscription"] = name.substr(name.rfind('/') + 1);
  std::int64_t id = 0;
  enqueue(text_at(*policy, "deadLetterTopic"), text_of(delivery[1].value), json::serialize(attributes),
          text_of(delivery[3].value), now, id);
  store_.execute("DELETE FROM deliveries WHERE subscription = ?1 AND message = ?2", {name, delivery[0].value});
  return true;
}

Reply PubSub::pull(Call& call) {
  const std::string name = subscription_of(call);
  const auto subscription = store_.get("subscription", name);
  if (!subscription) return not_found(fmt::format("Resource not found (resource={}).", call.parts[1]));
  const std::int64_t most = int_at(call.body, "maxMessages");
  if (most <= 0) return bad("max_messages must be positive");
  const std::int64_t now = micros(call.now);
  const std::int64_t lease = int_at(*subscription, "ackDeadlineSeconds", 10) * 1'000'000;
  const bool ordered = bool_at(*subscription, "enableMessageOrdering");
  const bool counted = object_at(*subscription, "deadLetterPolicy") != nullptr;
  // Of an ordering key only the first message that is not acknowledged may be out, and nothing behind it.
  std::set<std::string> blocked;
  json::array out;
  const std::vector<Row> rows = store_.query(
      "SELECT m.id, m.data, m.attributes, m.ordering, m.published, d.attempts, d.due FROM deliveries AS d JOIN "
      "messages "
      "AS m ON m.id = d.message WHERE d.subscription = ?1 ORDER BY m.id",
      {name});
  for (const Row& row : rows) {
    if (out.size() >= static_cast<std::size_t>(std::min<std::int64_t>(most, 1000))) break;
    const std::string key = text_of(row[3].value);
    if (ordered && !key.empty() && blocked.contains(key)) continue;
    if (int_of(row[6].value) > now) {
      if (ordered && !key.empty()) blocked.insert(key);
      continue;
    }
    if (bury(*subscription, row, call.now)) continue;
    const std::string ack = fmt::format("{}-{}", int_of(row[0].value), random_hex(random_, 16));
    const std::int64_t attempt = int_of(row[5].value) + 1;
    store_.execute("UPDATE deliveries SET attempts = ?3, due = ?4, ack = ?5 WHERE subscription = ?1 AND message = ?2",
                   {name, row[0].value, attempt, now + lease, ack});
    json::object message{{"messageId", std::to_string(int_of(row[0].value))},
                         {"publishTime", micros_text(WallTime(std::chrono::microseconds(int_of(row[4].value))))}};
    if (!text_of(row[1].value).empty()) message["data"] = text_of(row[1].value);
    json::value attributes = parsed(text_of(row[2].value));
    if (attributes.is_object() && !attributes.get_object().empty()) message["attributes"] = std::move(attributes);
    if (!key.empty()) message["orderingKey"] = key;
    json::object received{{"ackId", ack}, {"message", std::move(message)}};
    if (counted) received["deliveryAttempt"] = attempt;
    out.push_back(std::move(received));
  }
  json::object reply;
  if (!out.empty()) reply["receivedMessages"] = std::move(out);
  return reply;
}

Reply PubSub::acknowledge(Call& call) {
  const std::string name = subscription_of(call);
  if (!store_.get("subscription", name))
    return not_found(fmt::format("Resource not found (resource={}).", call.parts[1]));
  const json::array* ids = array_at(call.body, "ackIds");
  if (ids == nullptr || ids->empty()) return bad("No ack ids specified.");
  // An id whose lease ran out may still be acknowledged, unless somebody else has the message: then it changes nothing.
  for (const json::value& id : *ids)
    store_.execute("DELETE FROM deliveries WHERE subscription = ?1 AND ack = ?2", {name, scalar_text(id)});
  store_.execute("DELETE FROM messages WHERE id NOT IN (SELECT message FROM deliveries)");
  return json::object();
}

Reply PubSub::modify(Call& call) {
  const std::string name = subscription_of(call);
  const auto subscription = store_.get("subscription", name);
  if (!subscription) return not_found(fmt::format("Resource not found (resource={}).", call.parts[1]));
  const json::array* ids = array_at(call.body, "ackIds");
  const std::int64_t seconds = int_at(call.body, "ackDeadlineSeconds", 0);
  if (ids == nullptr || ids->empty()) return bad("No ack ids specified.");
  if (seconds < 0 || seconds > 600) return bad("Invalid ack deadline given: it must be between 0 and 600 seconds");
  const json::object* policy = object_at(*subscription, "retryPolicy");
  for (const json::value& id : *ids) {
    std::int64_t wait = seconds * 1'000'000;
    if (seconds == 0 && policy != nullptr) {
      // A nack: from the minimum, doubled each time, up to the maximum.
      const std::vector<Row> rows =
          store_.query("SELECT attempts FROM deliveries WHERE subscription = ?1 AND ack = ?2", {name, scalar_text(id)});
      const std::int64_t attempts = rows.empty() ? 1 : int_of(rows[0][0].value);
      const std::int64_t least = duration_of(text_at(*policy, "minimumBackoff"), 10'000'000);
      const std::int64_t longest = duration_of(text_at(*policy, "maximumBackoff"), 600'000'000);
      wait = std::min(longest, least << std::min<std::int64_t>(20, std::max<std::int64_t>(0, attempts - 1)));
    }
    store_.execute("UPDATE deliveries SET due = ?3 WHERE subscription = ?1 AND ack = ?2",
                   {name, scalar_text(id), seconds == 0 && policy == nullptr ? 0 : micros(call.now) + wait});
  }
  return json::object();
}

std::vector<Route> PubSub::routes() {
  const auto to = [this](Reply (PubSub::*handler)(Call&)) -> Handler {
    return [this, handler](Call& call) { return store_.run([&] { return (this->*handler)(call); }); };
  };
  const auto get = [this](std::string_view kind, std::string (*name)(const Call&)) -> Handler {
    return [this, kind, name](Call& call) {
      return store_.run([&]() -> Reply {
        auto found = store_.get(kind, name(call));
        if (!found) return not_found(fmt::format("Resource not found (resource={}).", call.parts[1]));
        return *std::move(found);
      });
    };
  };
  return {
      {"PUT", "/v1/projects/{}/topics/{}", to(&PubSub::put_topic)},
      {"GET", "/v1/projects/{}/topics/{}", get("topic", topic_of)},
      {"GET", "/v1/projects/{}/topics", to(&PubSub::list_topics)},
      {"DELETE", "/v1/projects/{}/topics/{}", to(&PubSub::delete_topic)},
      {"GET", "/v1/projects/{}/topics/{}/subscriptions", to(&PubSub::topic_subscriptions)},
      {"POST", "/v1/projects/{}/topics/{}:publish", to(&PubSub::publish)},
      {"PUT", "/v1/projects/{}/subscriptions/{}", to(&PubSub::put_subscription)},
      {"PATCH", "/v1/projects/{}/subscriptions/{}", to(&PubSub::patch_subscription)},
      {"GET", "/v1/projects/{}/subscriptions/{}", get("subscription", subscription_of)},
      {"GET", "/v1/projects/{}/subscriptions", to(&PubSub::list_subscriptions)},
      {"DELETE", "/v1/projects/{}/subscriptions/{}", to(&PubSub::delete_subscription)},
      {"POST", "/v1/projects/{}/subscriptions/{}:pull", to(&PubSub::pull)},
      {"POST", "/v1/projects/{}/subscriptions/{}:acknowledge", to(&PubSub::acknowledge)},
      {"POST", "/v1/projects/{}/subscriptions/{}:modifyAckDeadline", to(&PubSub::modify)},
  };
}

}  // namespace serin::google_emulator
