#include "serin/notify/outbox.hpp"

#include <fmt/format.h>

#include "outbox_rows.hpp"

namespace serin::notify {
namespace {

constexpr Duration patience = 5s;
/// So long it is known what was told: events of the same key are not told twice within it.
constexpr std::int64_t remembered_ms = 30LL * 24 * 3600 * 1000;

retry::RetryOptions usual_retry() {
  return {.max_attempts = 1000,
          .backoff = {.first = 1s, .most = 5min, .jitter = retry::Jitter::equal},
          .retry_after_spread = 0.1};
}

SqlValue of(std::string_view value) { return std::string(value); }

}  // namespace

std::string_view outcome_name(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::told: return "told";
    case Outcome::dropped: return "dropped";
    case Outcome::given_up: return "given_up";
  }
  return "";
}

Status end_entry(SqlSession& session, std::int64_t id, Outcome outcome, std::int64_t now) {
  const std::vector<SqlValue> values{id, of(outcome_name(outcome)), now};
  SERIN_CHECK(session.execute(
      "INSERT INTO notify_ended(id, receiver, service, key, resolved, at, ended_at, outcome, content) SELECT id, "
      "receiver, service, key, resolved, at, $3, $2, content FROM notify_waiting WHERE id = $1",
      values));
  SERIN_CHECK(session.execute("DELETE FROM notify_waiting WHERE id = $1", std::vector<SqlValue>{id}));
  return {};
}

Outbox::Outbox(const OutboxNeeds& needs, Channels channels, const retry::Retry& retry)
    : sql_(needs.sql),
      clock_(needs.clock),
      random_(needs.random),
      log_(needs.log),
      channels_(std::move(channels)),
      retry_(retry) {
  for (const Channel& receiver : channels_.receivers)
    budgets_.emplace(receiver.name, std::make_unique<retry::TokenBudget>());
}

Deadline Outbox::soon() const { return Deadline::after(clock_.now(), patience); }
std::int64_t Outbox::now() const { return unix_ms(clock_.wall()); }

Result<std::unique_ptr<Outbox>> Outbox::open(const OutboxNeeds& needs, Channels channels) {
  SERIN_TRY(const retry::Retry retry, retry::Retry::make(usual_retry()));
  std::unique_ptr<Outbox> outbox(new Outbox(needs, std::move(channels), retry));
  const Status made = needs.sql.transaction(
      [&](SqlSession& session) -> Status {
        for (const std::string_view statement : {
                 "CREATE TABLE IF NOT EXISTS notify_waiting(id INTEGER PRIMARY KEY AUTOINCREMENT, receiver TEXT, "
                 "service TEXT, key TEXT, resolved INTEGER, severity INTEGER, at INTEGER, content TEXT)",
                 "CREATE INDEX IF NOT EXISTS notify_waiting_group ON notify_waiting(receiver, service, id)",
                 "CREATE TABLE IF NOT EXISTS notify_alerts(receiver TEXT, key TEXT, service TEXT, firing INTEGER, told "
                 "INTEGER, severity INTEGER, message TEXT, content TEXT, PRIMARY KEY(receiver, key)) WITHOUT ROWID",
                 "CREATE INDEX IF NOT EXISTS notify_alerts_key ON notify_alerts(key)",
                 "CREATE TABLE IF NOT EXISTS notify_groups(receiver TEXT, service TEXT, attempts INTEGER, next_at "
                 "INTEGER, held_until INTEGER, sent_at INTEGER, claimed_by TEXT, claimed_until INTEGER, dropped "
                 "INTEGER, error TEXT, PRIMARY KEY(receiver, service)) WITHOUT ROWID",
                 "CREATE TABLE IF NOT EXISTS notify_ended(id INTEGER PRIMARY KEY, receiver TEXT, service TEXT, key "
                 "TEXT, resolved INTEGER, at INTEGER, ended_at INTEGER, outcome TEXT, content TEXT)",
                 "CREATE INDEX IF NOT EXISTS notify_ended_key ON notify_ended(receiver, key)",
             })
          SERIN_CHECK(session.execute(statement, {}));
        SERIN_CHECK(session.execute("DELETE FROM notify_ended WHERE ended_at < $1",
                                    std::vector<SqlValue>{outbox->now() - remembered_ms}));
        return outbox->give_up_strangers(session);
      },
      outbox->soon());
  if (!made) return pass(made.error().in("the outbox"));
  return outbox;
}

Status Outbox::give_up_strangers(SqlSession& session) {
  const std::vector<SqlValue> long_ago{now() - ms(channels_.keep_trying)};
  SERIN_TRY(const SqlTable old, session.query("SELECT id, receiver, key FROM notify_waiting WHERE at < $1", long_ago));
  for (const SqlRow& row : old.rows) {
    if (channels_.find(sql_text(row[1])) != nullptr) continue;
    SERIN_CHECK(end_entry(session, sql_number(row[0]), Outcome::given_up, now()));
    log_.error(
        "notify_given_up",
        {{"receiver", sql_text(row[1])}, {"key", sql_text(row[2])}, {"error", "there is no such receiver any more"}});
  }
  return {};
}

Status Outbox::notify(const Notification& given) {
  SERIN_TRY(const Notification notification, checked(given));
  return sql_.transaction(
      [&](SqlSession& session) -> Status {
        return notification.status == AlertStatus::firing ? began(session, notification) : ended(session, notification);
      },
      soon());
}

Status Outbox::began(SqlSession& session, const Notification& notification) {
  for (const std::string& receiver : channels_.route(notification.severity, notification.service))
    SERIN_CHECK(begin_at(session, notification, receiver));
  return {};
}

Status Outbox::begin_at(SqlSession& session, const Notification& notification, const std::string& receiver) {
  const std::vector<SqlValue> who{receiver, notification.key};
  if (notification.is_event) {
    SERIN_TRY(const SqlTable known,
              session.query("SELECT id FROM notify_waiting WHERE receiver = $1 AND key = $2 UNION ALL SELECT id FROM "
                            "notify_ended WHERE receiver = $1 AND key = $2 AND outcome = 'told' LIMIT 1",
                            who));
    if (!known.rows.empty()) return {};
    return queue(session, notification, receiver, notification.service);
  }
  SERIN_TRY(const SqlTable known,
            session.query("SELECT firing, severity, service FROM notify_alerts WHERE receiver = $1 AND key = $2", who));
  const auto severity = static_cast<std::int64_t>(notification.severity);
  std::string service = notification.service;
  if (!known.rows.empty()) {
    // Its group is the one it began in: two groups would not keep the order of its news.
    service = sql_text(known.rows[0][2]);
    const bool fires = sql_number(known.rows[0][0]) != 0;
    const bool rose = severity > sql_number(known.rows[0][1]);
    const std::vector<SqlValue> values{receiver, notification.key,
                                       rose || !fires ? SqlValue(severity) : known.rows[0][1], json_of(notification)};
    SERIN_CHECK(session.execute(
        "UPDATE notify_alerts SET firing = 1, severity = $3, content = $4 WHERE receiver = $1 AND key = $2", values));
    if (fires && !rose) return {};
  } else {
    const std::vector<SqlValue> values{receiver, notification.key, service, severity, json_of(notification)};
    SERIN_CHECK(
        session.execute("INSERT INTO notify_alerts(receiver, key, service, firing, told, severity, message, "
                        "content) VALUES($1, $2, $3, 1, 0, $4, '', $5)",
                        values));
  }
  return queue(session, notification, receiver, service);
}

Status Outbox::ended(SqlSession& session, const Notification& notification) {
  // Whoever heard of its beginning hears of its end, wherever the file sends such alerts by now.
  const std::vector<SqlValue> key{notification.key};
  SERIN_TRY(const SqlTable known,
            session.query("SELECT receiver, service FROM notify_alerts WHERE key = $1 AND firing = 1", key));
  for (const SqlRow& row : known.rows) {
    const std::vector<SqlValue> values{row[0], notification.key, json_of(notification)};
    SERIN_CHECK(
        session.execute("UPDATE notify_alerts SET firing = 0, content = $3 WHERE receiver = $1 AND key = $2", values));
    SERIN_CHECK(queue(session, notification, sql_text(row[0]), sql_text(row[1])));
  }
  return {};
}

Status Outbox::queue(SqlSession& session, const Notification& notification, const std::string& receiver,
                     const std::string& service) {
  const std::vector<SqlValue> group{receiver, service};
  SERIN_CHECK(session.execute(
      "INSERT INTO notify_groups(receiver, service, attempts, next_at, held_until, sent_at, claimed_by, claimed_until, "
      "dropped, error) SELECT $1, $2, 0, 0, coalesce((SELECT max(held_until) FROM notify_groups WHERE receiver = $1), "
      "0), 0, '', 0, 0, '' WHERE true ON CONFLICT DO NOTHING",
      group));
  SERIN_TRY(const bool has_room, make_room(session, notification, receiver, service));
  if (!has_room) return {};
  const std::vector<SqlValue> values{receiver,
                                     service,
                                     notification.key,
                                     std::int64_t{notification.status == AlertStatus::resolved ? 1 : 0},
                                     static_cast<std::int64_t>(notification.severity),
                                     now(),
                                     json_of(notification)};
  SERIN_CHECK(
      session.execute("INSERT INTO notify_waiting(receiver, service, key, resolved, severity, at, content) "
                      "VALUES($1, $2, $3, $4, $5, $6, $7)",
                      values));
  return {};
}

Result<bool> Outbox::make_room(SqlSession& session, const Notification& notification, const std::string& receiver,
                               const std::string& service) {
  const std::vector<SqlValue> who{receiver};
  SERIN_TRY(const SqlTable counted, session.query("SELECT count(*) FROM notify_waiting WHERE receiver = $1", who));
  const std::int64_t waiting = sql_number(counted.rows.at(0).at(0));
  const auto most = static_cast<std::int64_t>(channels_.most_waiting);
  if (waiting < most) return true;
  const bool is_end = notification.status == AlertStatus::resolved;
  SERIN_TRY(const SqlTable least,
            session.query("SELECT id, severity, service, key FROM notify_waiting WHERE receiver = $1 AND resolved = 0 "
                          "ORDER BY severity, id LIMIT 1",
                          who));
  if (least.rows.empty() && is_end) {
    if (waiting < 2 * most) return true;
    return fail(Errc::exhausted, fmt::format("{} ends of alerts wait for the receiver {}; none of them is dropped, and "
                                             "there is no room for another",
                                             waiting, receiver));
  }
  const bool drops_itself = !is_end && (least.rows.empty() || static_cast<std::int64_t>(notification.severity) <
                                                                  sql_number(least.rows[0][1]));
  const std::vector<SqlValue> group{receiver, drops_itself ? SqlValue(service) : least.rows[0][2]};
  SERIN_CHECK(
      session.execute("UPDATE notify_groups SET dropped = dropped + 1 WHERE receiver = $1 AND service = $2", group));
  if (!drops_itself) SERIN_CHECK(end_entry(session, sql_number(least.rows[0][0]), Outcome::dropped, now()));
  log_.error("notify_dropped", {{"receiver", receiver},
                                {"key", drops_itself ? notification.key : sql_text(least.rows[0][3])},
                                {"waiting", waiting}});
  return !drops_itself;
}

Result<Waiting> Outbox::waiting(const std::string& receiver) {
  Waiting out;
  SERIN_TRY(const SqlTable counts,
            sql_.query("SELECT (SELECT count(*) FROM notify_waiting WHERE receiver = $1), (SELECT count(*) FROM "
                       "notify_alerts WHERE receiver = $1 AND firing = 1 AND told = 1)",
                       {receiver}, soon()));
  out.notifications = sql_number(counts.rows.at(0).at(0));
  out.firing = sql_number(counts.rows.at(0).at(1));
  SERIN_TRY(const SqlTable worst, sql_.query("SELECT attempts, error FROM notify_groups WHERE receiver = $1 AND "
                                             "attempts > 0 ORDER BY attempts DESC LIMIT 1",
                                             {receiver}, soon()));
  if (worst.rows.empty()) return out;
  out.attempts = sql_number(worst.rows[0][0]);
  out.error = sql_text(worst.rows[0][1]);
  return out;
}

}  // namespace serin::notify
