#include "serin/sqlite/sqlite_bus.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "serin/ports/sql_cell.hpp"

namespace serin {
namespace {

constexpr std::size_t largest_message = 10u << 20;

SqlValue parameter(std::string_view value) { return std::string(value); }
std::int64_t in_ms(Duration duration) { return std::chrono::ceil<std::chrono::milliseconds>(duration).count(); }

std::string attributes_json(const std::map<std::string, std::string>& attributes) {
  boost::json::object object;
  for (const auto& [name, value] : attributes) object[name] = value;
  return boost::json::serialize(object);
}
std::map<std::string, std::string> parse_attributes(const std::string& json) {
  std::map<std::string, std::string> attributes;
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(json, error);
  if (error || !value.is_object()) return attributes;
  for (const auto& [name, item] : value.as_object())
    if (item.is_string()) attributes[std::string(name)] = std::string(item.as_string());
  return attributes;
}

constexpr std::string_view option_columns =
    "name, topic, ack_deadline_ms, max_attempts, min_backoff_ms, max_backoff_ms, dead_letter_topic, push_service, "
    "push_path, push_concurrency";

SubscriptionOptions options_of(const SqlRow& row) {
  return {.name = sql_text(row[0]),
          .topic = sql_text(row[1]),
          .ack_deadline = std::chrono::milliseconds(sql_number(row[2])),
          .max_attempts = sql_number(row[3]),
          .min_backoff = std::chrono::milliseconds(sql_number(row[4])),
          .max_backoff = std::chrono::milliseconds(sql_number(row[5])),
          .dead_letter_topic = sql_text(row[6]),
          .push_service = sql_text(row[7]),
          .push_path = sql_text(row[8]),
          .push_concurrency = sql_number(row[9])};
}

Result<SubscriptionOptions> load_subscription(SqlSession& session, std::string_view name) {
  const std::vector<SqlValue> key{parameter(name)};
  SERIN_TRY(const SqlTable found,
            session.query(fmt::format("SELECT {} FROM subscriptions WHERE name = $1", option_columns), key));
  if (found.rows.empty()) return fail(Errc::not_found, fmt::format("the bus has no subscription '{}'", name));
  return options_of(found.rows.front());
}

Status check_topic(SqlSession& session, std::string_view topic) {
  const std::vector<SqlValue> key{parameter(topic)};
  SERIN_TRY(const SqlTable found, session.query("SELECT 1 FROM topics WHERE name = $1", key));
  if (found.rows.empty()) return fail(Errc::not_found, fmt::format("the bus has no topic '{}'", topic));
  return {};
}

/// Stores one message for every subscription of the topic; nothing is stored when nobody listens.
Result<std::string> store(SqlSession& session, std::string_view topic, const BusMessage& message, std::int64_t now_ms) {
  const std::vector<SqlValue> row{parameter(topic), message.data, attributes_json(message.attributes), now_ms};
  SERIN_TRY(
      const SqlTable made,
      session.query("INSERT INTO messages(topic, data, attributes, published_ms) VALUES($1, $2, $3, $4) RETURNING id",
                    row));
  const std::int64_t id = sql_number(made.rows.at(0)[0]);
  const std::vector<SqlValue> spread{id, parameter(topic), now_ms};
  SERIN_TRY(
      const std::int64_t listeners,
      session.execute(
          "INSERT INTO deliveries(subscription, message, due_ms, attempts) SELECT name, $1, $3, 0 FROM subscriptions "
          "WHERE topic = $2",
          spread));
  if (listeners == 0) {
    const std::vector<SqlValue> key{id};
    SERIN_CHECK(session.execute("DELETE FROM messages WHERE id = $1", key));
  }
  return std::to_string(id);
}

/// The last subscription that needed it has let go of the message.
Status forget(SqlSession& session, std::string_view subscription, std::int64_t message) {
  const std::vector<SqlValue> row{parameter(subscription), message};
  SERIN_CHECK(session.execute("DELETE FROM deliveries WHERE subscription = $1 AND message = $2", row));
  const std::vector<SqlValue> key{message};
  SERIN_CHECK(session.execute(
      "DELETE FROM messages WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM deliveries WHERE message = $1)", key));
  return {};
}

/// Moves what used up its attempts to the dead letters: to their topic, or aside in the subscription.
Status bury(SqlSession& session, const SubscriptionOptions& options, std::int64_t message, std::int64_t attempts,
            const std::string& reason, std::int64_t now_ms) {
  const std::vector<SqlValue> topic{options.dead_letter_topic};
  SERIN_TRY(const SqlTable listeners, session.query("SELECT 1 FROM subscriptions WHERE topic = $1 LIMIT 1", topic));
  // A dead letter that nobody would get is kept here, where a health check counts it.
  if (listeners.rows.empty()) {
    const std::vector<SqlValue> row{options.name, message, reason};
    SERIN_CHECK(
        session.execute("UPDATE deliveries SET dead = 1, ack_id = NULL, lease_ms = NULL, reason = $3 "
                        "WHERE subscription = $1 AND message = $2",
                        row));
    return {};
  }
  const std::vector<SqlValue> key{message};
  SERIN_TRY(const SqlTable found, session.query("SELECT data, attributes FROM messages WHERE id = $1", key));
  if (found.rows.empty())
    return fail(Errc::data_loss, fmt::format("message {} of subscription {} is gone", message, options.name));
  BusMessage dead{.data = sql_text(found.rows.front()[0]),
                  .attributes = parse_attributes(sql_text(found.rows.front()[1]))};
  dead.attributes["dead_letter_topic_of"] = options.topic;
  dead.attributes["dead_letter_subscription"] = options.name;
  dead.attributes["dead_letter_reason"] = reason;
  dead.attributes["dead_letter_attempts"] = std::to_string(attempts);
  SERIN_CHECK(store(session, options.dead_letter_topic, dead, now_ms));
  const std::vector<SqlValue> counted{options.name};
  SERIN_CHECK(session.execute("UPDATE subscriptions SET buried = buried + 1 WHERE name = $1", counted));
  return forget(session, options.name, message);
}

struct Leased {
  std::int64_t message = 0;
  std::int64_t attempts = 0;
};
/// The delivery that `ack_id` names, while its lease lasts.
Result<Leased> leased(SqlSession& session, std::string_view subscription, std::string_view ack_id,
                      std::int64_t now_ms) {
  const std::vector<SqlValue> key{parameter(subscription), parameter(ack_id)};
  SERIN_TRY(
      const SqlTable found,
      session.query("SELECT message, attempts, lease_ms FROM deliveries WHERE subscription = $1 AND ack_id = $2", key));
  if (found.rows.empty() || sql_number(found.rows.front()[2]) <= now_ms)
    return fail(Errc::conflict, fmt::format("delivery {} of {} is over: its time ran out, or it was answered before",
                                            ack_id, subscription));
  return Leased{.message = sql_number(found.rows.front()[0]), .attempts = sql_number(found.rows.front()[1])};
}

std::int64_t backoff_ms(const SubscriptionOptions& options, std::int64_t attempts) {
  Duration wait = options.min_backoff;
  for (std::int64_t i = 1; i < attempts && wait < options.max_backoff; ++i) wait *= 2;
  return in_ms(std::min(wait, options.max_backoff));
}

}  // namespace

Result<std::unique_ptr<SqliteBus>> SqliteBus::open(Sql& sql, const Clock& clock, Random& random) {
  const Status made = sql.transaction(
      [](SqlSession& session) -> Status {
        for (const std::string_view statement :
             {"CREATE TABLE IF NOT EXISTS topics(name TEXT PRIMARY KEY)",
              "CREATE TABLE IF NOT EXISTS subscriptions(name TEXT PRIMARY KEY, topic TEXT NOT NULL, ack_deadline_ms "
              "INTEGER, max_attempts INTEGER, "
              "min_backoff_ms INTEGER, max_backoff_ms INTEGER, dead_letter_topic TEXT, push_service TEXT, push_path "
              "TEXT, "
              "push_concurrency INTEGER, buried INTEGER NOT NULL DEFAULT 0)",
              "CREATE TABLE IF NOT EXISTS messages(id INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT, data BLOB, "
              "attributes TEXT, "
              "published_ms INTEGER)",
              "CREATE TABLE IF NOT EXISTS deliveries(subscription TEXT, message INTEGER, due_ms INTEGER NOT NULL, "
              "attempts INTEGER NOT NULL, "
              "ack_id TEXT, lease_ms INTEGER, dead INTEGER NOT NULL DEFAULT 0, reason TEXT, PRIMARY KEY(subscription, "
              "message)) WITHOUT ROWID",
              "CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries(subscription, dead, due_ms)",
              "CREATE INDEX IF NOT EXISTS deliveries_ack ON deliveries(ack_id) WHERE ack_id IS NOT NULL",
              "CREATE INDEX IF NOT EXISTS deliveries_message ON deliveries(message)"})
          SERIN_CHECK(session.execute(statement, {}));
        return {};
      },
      Deadline::after(clock.now(), 10s));
  if (!made) return pass(made.error().in("the bus"));
  return std::unique_ptr<SqliteBus>(new SqliteBus(sql, clock, random));
}

Status SqliteBus::create_topic(std::string_view topic, Deadline deadline) {
  SERIN_CHECK(sql_.execute("INSERT INTO topics(name) VALUES($1) ON CONFLICT DO NOTHING", {parameter(topic)}, deadline));
  return {};
}

Status SqliteBus::create_subscription(SubscriptionOptions options, Deadline deadline) {
  if (options.ack_deadline <= Duration::zero() || options.max_attempts < 1)
    return fail(
        Errc::invalid_argument,
        fmt::format("subscription {}: ack_deadline has to be above 0 and max_attempts at least 1", options.name));
  return sql_.transaction(
      [&](SqlSession& session) -> Status {
        SERIN_CHECK(check_topic(session, options.topic));
        if (!options.dead_letter_topic.empty()) SERIN_CHECK(check_topic(session, options.dead_letter_topic));
        const std::vector<SqlValue> row{options.name,
                                        options.topic,
                                        in_ms(options.ack_deadline),
                                        options.max_attempts,
                                        in_ms(options.min_backoff),
                                        in_ms(options.max_backoff),
                                        options.dead_letter_topic,
                                        options.push_service,
                                        options.push_path,
                                        options.push_concurrency};
        SERIN_CHECK(session.execute(
            fmt::format(
                "INSERT INTO subscriptions({}) VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT(name) DO "
                "UPDATE SET "
                "topic = $2, ack_deadline_ms = $3, max_attempts = $4, min_backoff_ms = $5, max_backoff_ms = $6, "
                "dead_letter_topic = $7, push_service = $8, push_path = $9, push_concurrency = $10",
                option_columns),
            row));
        return {};
      },
      deadline);
}

Result<std::vector<SubscriptionOptions>> SqliteBus::subscriptions(Deadline deadline) {
  SERIN_TRY(const SqlTable found,
            sql_.query(fmt::format("SELECT {} FROM subscriptions ORDER BY name", option_columns), {}, deadline));
  std::vector<SubscriptionOptions> all;
  for (const SqlRow& row : found.rows) all.push_back(options_of(row));
  return all;
}

Result<std::vector<std::string>> SqliteBus::publish(std::string_view topic, std::vector<BusMessage> messages,
                                                    Deadline deadline) {
  for (const BusMessage& message : messages)
    if (message.data.size() > largest_message)
      return fail(Errc::invalid_argument, fmt::format("a message of {} bytes: at most 10 MB", message.data.size()));
  std::vector<std::string> ids;
  const std::int64_t now_ms = unix_ms(clock_.wall());
  SERIN_CHECK(sql_.transaction(
      [&](SqlSession& session) -> Status {
        SERIN_CHECK(check_topic(session, topic));
        for (const BusMessage& message : messages) {
          SERIN_TRY(std::string id, store(session, topic, message, now_ms));
          ids.push_back(std::move(id));
        }
        return {};
      },
      deadline));
  return ids;
}

Result<std::vector<Delivery>> SqliteBus::pull(std::string_view subscription, std::size_t most, Deadline deadline) {
  const std::int64_t now_ms = unix_ms(clock_.wall());
  const auto limit = static_cast<std::int64_t>(most);
  // A look without a lock first: an idle subscription must not keep writers waiting.
  SERIN_TRY(const SqlTable due,
            sql_.query("SELECT 1 FROM deliveries WHERE subscription = $1 AND dead = 0 AND due_ms <= $2 LIMIT 1",
                       {parameter(subscription), now_ms}, deadline));
  if (due.rows.empty()) return std::vector<Delivery>{};
  std::vector<Delivery> deliveries;
  SERIN_CHECK(sql_.transaction(
      [&](SqlSession& session) -> Status {
        SERIN_TRY(const SubscriptionOptions options, load_subscription(session, subscription));
        const std::vector<SqlValue> wanted{parameter(subscription), now_ms, limit};
        SERIN_TRY(
            const SqlTable rows,
            session.query(
                "SELECT d.message, d.attempts, d.reason, m.data, m.attributes, m.published_ms FROM deliveries d JOIN "
                "messages m ON m.id = d.message "
                "WHERE d.subscription = $1 AND d.dead = 0 AND d.due_ms <= $2 ORDER BY d.due_ms, d.message LIMIT $3",
                wanted));
        for (const SqlRow& row : rows.rows) {
          const std::int64_t message = sql_number(row[0]);
          const std::int64_t attempts = sql_number(row[1]);
          if (attempts >= options.max_attempts) {
            // Its last attempt was never answered: whoever had it died with it.
            const std::string reason = sql_text(row[2]).empty() ? "not acknowledged in time" : sql_text(row[2]);
            SERIN_CHECK(bury(session, options, message, attempts, reason, now_ms));
            continue;
          }
          std::string ack_id = fmt::format("{}-{}-{:016x}", message, attempts + 1, random_.next());
          const std::int64_t until = now_ms + in_ms(options.ack_deadline);
          const std::vector<SqlValue> lease{parameter(subscription), message, ack_id, until, attempts + 1};
          // Due again when the lease runs out: nobody has to notice that its holder died.
          SERIN_CHECK(
              session.execute("UPDATE deliveries SET ack_id = $3, lease_ms = $4, due_ms = $4, attempts = $5 "
                              "WHERE subscription = $1 AND message = $2",
                              lease));
          deliveries.push_back({.ack_id = std::move(ack_id),
                                .message_id = std::to_string(message),
                                .message = {.data = sql_text(row[3]), .attributes = parse_attributes(sql_text(row[4]))},
                                .attempt = attempts + 1,
                                .published_at = wall_of_unix_ms(sql_number(row[5]))});
        }
        return {};
      },
      deadline));
  return deliveries;
}

Status SqliteBus::ack(std::string_view subscription, std::string_view ack_id, Deadline deadline) {
  const std::int64_t now_ms = unix_ms(clock_.wall());
  return sql_.transaction(
      [&](SqlSession& session) -> Status {
        SERIN_TRY(const Leased delivery, leased(session, subscription, ack_id, now_ms));
        return forget(session, subscription, delivery.message);
      },
      deadline);
}

Status SqliteBus::nack(std::string_view subscription, std::string_view ack_id, std::string_view reason,
                       Deadline deadline) {
  const std::int64_t now_ms = unix_ms(clock_.wall());
  return sql_.transaction(
      [&](SqlSession& session) -> Status {
        SERIN_TRY(const SubscriptionOptions options, load_subscription(session, subscription));
        SERIN_TRY(const Leased delivery, leased(session, subscription, ack_id, now_ms));
        if (delivery.attempts >= options.max_attempts)
          return bury(session, options, delivery.message, delivery.attempts, std::string(reason), now_ms);
        const std::vector<SqlValue> row{parameter(subscription), delivery.message,
                                        now_ms + backoff_ms(options, delivery.attempts), parameter(reason)};
        SERIN_CHECK(
            session.execute("UPDATE deliveries SET ack_id = NULL, lease_ms = NULL, due_ms = $3, reason = $4 "
                            "WHERE subscription = $1 AND message = $2",
                            row));
        return {};
      },
      deadline);
}

Result<Backlog> SqliteBus::backlog(std::string_view subscription, Deadline deadline) {
  const std::int64_t now_ms = unix_ms(clock_.wall());
  SERIN_TRY(const SqlTable known,
            sql_.query("SELECT buried FROM subscriptions WHERE name = $1", {parameter(subscription)}, deadline));
  if (known.rows.empty()) return fail(Errc::not_found, fmt::format("the bus has no subscription '{}'", subscription));
  SERIN_TRY(const SqlTable counted,
            sql_.query("SELECT COALESCE(SUM(d.dead = 0 AND (d.lease_ms IS NULL OR d.lease_ms <= $2)), 0), "
                       "COALESCE(SUM(d.dead = 0 AND d.lease_ms > $2), 0), COALESCE(SUM(d.dead), 0), "
                       "COALESCE(MIN(CASE WHEN d.dead = 0 THEN m.published_ms END), $2) "
                       "FROM deliveries d JOIN messages m ON m.id = d.message WHERE d.subscription = $1",
                       {parameter(subscription), now_ms}, deadline));
  const SqlRow& row = counted.rows.at(0);
  return Backlog{.waiting = sql_number(row[0]),
                 .leased = sql_number(row[1]),
                 .dead_letters = sql_number(row[2]) + sql_number(known.rows.front()[0]),
                 .oldest = std::chrono::milliseconds(std::max<std::int64_t>(0, now_ms - sql_number(row[3])))};
}

}  // namespace serin
