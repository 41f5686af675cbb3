#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "outbox_rows.hpp"
#include "serin/notify/outbox.hpp"
#include "serin/outcome/outcome.hpp"

// The half of the outbox that tells: what is due, one message of it, and what came of that.
namespace serin::notify {
namespace {

constexpr std::size_t most_in_message = 20;
/// A claim outlives its attempt by so much; whoever was killed with one holds the message up for no longer.
constexpr std::int64_t claim_margin_ms = 5000;
constexpr std::int64_t most_retry_after_ms = 3600 * 1000;

std::vector<SqlValue> name_of(const std::string& receiver, const std::string& service) { return {receiver, service}; }

}  // namespace

std::optional<std::int64_t> Outbox::due(const Group& group, Haste haste) const {
  const bool has_news = group.first_at || group.dropped > 0;
  const bool reminds = group.reminded > 0 && channels_.repeat > Duration::zero() && haste == Haste::usual;
  if (!has_news && !reminds) return std::nullopt;
  const std::int64_t time = now();
  std::int64_t at = time;
  if (group.next_at > 0) {
    at = group.next_at;
  } else if (haste == Haste::usual) {
    const std::int64_t reminder = group.sent_at + ms(channels_.repeat);
    if (!has_news)
      at = reminder;
    else if (group.told > 0)
      at = std::max(group.first_at.value_or(0), group.sent_at + ms(channels_.interval));
    else
      at = group.first_at.value_or(0) + ms(channels_.wait);
    if (reminds) at = std::min(at, reminder);
  }
  at = std::max({at, group.held_until, group.claimed_until});
  // Further away than anything we ever wait for: the calendar was set back since that was written.
  const std::int64_t longest =
      std::max({ms(channels_.repeat), ms(channels_.interval), ms(channels_.wait), 2 * most_retry_after_ms});
  return at > time + longest ? time : at;
}

Result<std::vector<Outbox::Group>> Outbox::groups(const std::string& receiver) {
  SERIN_TRY(const SqlTable table,
            sql_.query("SELECT g.service, g.attempts, g.next_at, g.held_until, g.sent_at, g.claimed_until, g.dropped, "
                       "(SELECT min(w.at) FROM notify_waiting w WHERE w.receiver = g.receiver AND w.service = "
                       "g.service), (SELECT count(*) FROM notify_alerts a WHERE a.receiver = g.receiver AND a.service "
                       "= g.service AND a.told = 1), (SELECT count(*) FROM notify_alerts a WHERE a.receiver = "
                       "g.receiver AND a.service = g.service AND a.told = 1 AND a.firing = 1) FROM notify_groups g "
                       "WHERE g.receiver = $1 ORDER BY g.service",
                       {receiver}, soon()));
  std::vector<Group> out;
  for (const SqlRow& row : table.rows) {
    Group group{.service = sql_text(row[0]),
                .attempts = sql_number(row[1]),
                .next_at = sql_number(row[2]),
                .held_until = sql_number(row[3]),
                .sent_at = sql_number(row[4]),
                .claimed_until = sql_number(row[5]),
                .dropped = sql_number(row[6]),
                .first_at = {},
                .told = sql_number(row[8]),
                .reminded = sql_number(row[9])};
    if (!std::holds_alternative<std::monostate>(row[7])) group.first_at = sql_number(row[7]);
    out.push_back(std::move(group));
  }
  return out;
}

Result<std::optional<Outbox::Job>> Outbox::claim(const std::string& receiver, const Group& seen, const Sender& sender) {
  std::optional<Job> out;
  const std::int64_t until = now() + ms(channels_.find(receiver)->timeout) + claim_margin_ms;
  SERIN_CHECK(sql_.transaction(
      [&](SqlSession& session) -> Status {
        Job job{.message = {}, .entries = {}, .group = seen, .claim = fmt::format("{:016x}", random_.next())};
        job.message.receiver = receiver;
        job.message.service = seen.service;
        // Nobody told anything of it since it was looked at: the row is as it was.
        const std::vector<SqlValue> values{receiver,     seen.service,  job.claim,          until,
                                           seen.sent_at, seen.attempts, seen.claimed_until, seen.next_at};
        SERIN_TRY(
            const std::int64_t claimed,
            session.execute("UPDATE notify_groups SET claimed_by = $3, claimed_until = $4 WHERE receiver = $1 AND "
                            "service = $2 AND sent_at = $5 AND attempts = $6 AND claimed_until = $7 AND next_at "
                            "= $8",
                            values));
        if (claimed != 1) return {};
        SERIN_CHECK(fill(session, job, sender));
        out = std::move(job);
        return {};
      },
      soon()));
  return out;
}

Status Outbox::fill(SqlSession& session, Job& job, const Sender& sender) const {
  const std::string& receiver = job.message.receiver;
  const std::string& service = job.message.service;
  job.message.dropped = job.group.dropped;
  SERIN_TRY(
      const SqlTable waiting,
      session.query("SELECT w.id, w.at, w.key, w.resolved, w.content, coalesce(a.message, '') FROM notify_waiting "
                    "w LEFT JOIN notify_alerts a ON a.receiver = w.receiver AND a.key = w.key WHERE w.receiver = "
                    "$1 AND w.service = $2 ORDER BY w.id",
                    name_of(receiver, service)));
  std::set<std::string> begun;  // keys with an earlier entry in this message
  for (const SqlRow& row : waiting.rows) {
    const bool is_resolved = sql_number(row[3]) != 0;
    const std::string reference = sql_text(row[5]);
    // An end that changes the message of its beginning goes alone, with the others of that message.
    const bool changes = is_resolved && sender.can_change() && !reference.empty() && !begun.contains(sql_text(row[2]));
    if (job.entries.size() == most_in_message || (changes && !job.entries.empty())) {
      job.is_partial = true;
      break;
    }
    SERIN_TRY(Notification content, parse_notification(sql_text(row[4])));
    begun.insert(content.key);
    job.entries.push_back({sql_number(row[0]), sql_number(row[1]), content.key, is_resolved, std::move(content)});
    if (!changes) continue;
    job.message.reference = reference;
    job.is_partial = waiting.rows.size() > 1;
    return fill_change(session, job);
  }
  if (!job.entries.empty()) {
    for (const Entry& entry : job.entries) job.message.changes.push_back(entry.content);
    job.message.id = fmt::format("{}/{}-{}", receiver, job.entries.front().id, job.entries.back().id);
    return {};
  }
  job.message.id = fmt::format("{}/{}/{}", receiver, service, now());
  return job.message.dropped > 0 ? Status() : fill_reminder(session, job);
}

Status Outbox::fill_reminder(SqlSession& session, Job& job) {
  job.message.is_reminder = true;
  SERIN_TRY(const SqlTable firing,
            session.query("SELECT content FROM notify_alerts WHERE receiver = $1 AND service = $2 AND told = 1 AND "
                          "firing = 1 ORDER BY severity DESC, key LIMIT 20",
                          name_of(job.message.receiver, job.message.service)));
  for (const SqlRow& row : firing.rows) {
    SERIN_TRY(Notification content, parse_notification(sql_text(row[0])));
    job.message.changes.push_back(std::move(content));
  }
  return {};
}

Status Outbox::fill_change(SqlSession& session, Job& job) {
  // The message is written anew, so whatever else it told stands in it too.
  job.message.id = fmt::format("{}/{}", job.message.receiver, job.entries.front().id);
  const std::vector<SqlValue> values{job.message.receiver, job.message.reference};
  SERIN_TRY(const SqlTable all, session.query("SELECT key, content FROM notify_alerts WHERE receiver = $1 AND message "
                                              "= $2 ORDER BY severity DESC, key LIMIT 20",
                                              values));
  for (const SqlRow& row : all.rows) {
    SERIN_TRY(Notification content, parse_notification(sql_text(row[1])));
    if (content.key == job.entries.front().key) content = job.entries.front().content;
    job.message.changes.push_back(std::move(content));
  }
  return {};
}

Answer Outbox::attempt(const Job& job, Sender& sender, const std::stop_token& stop) {
  const Duration timeout = channels_.find(job.message.receiver)->timeout;
  retry::TokenBudget& budget = *budgets_.at(job.message.receiver);
  const bool is_first = job.group.attempts == 0;
  if (is_first) budget.on_call();
  Answer answer = sender.send(job.message, Deadline::after(clock_.now(), timeout), stop);
  if (is_first)
    budget.on_call_end(answer.status.has_value());
  else
    budget.on_retry_end(answer.status.has_value());
  return answer;
}

std::int64_t Outbox::pause_ms(const Job& job, const Answer& answer) {
  const Errc code = answer.status.error().code();
  retry::Attempted attempted{.number = static_cast<int>(std::min<std::int64_t>(job.group.attempts + 1, 900)),
                             .outcome = classify(code),
                             .surely_not_executed = is_surely_not_executed(code)};
  if (answer.retry_after)
    attempted.retry_after = std::min<Duration>(*answer.retry_after, std::chrono::milliseconds(most_retry_after_ms));
  const retry::Decision next =
      retry::decide(retry_, attempted, Idempotency::idempotent, clock_.now(), Deadline::never(), random_.next());
  const std::int64_t longest = ms(retry_.backoff().options().most);
  // Refused for good: a person may repair that, so it is not the end, but no hurry either.
  if (next.stop != retry::Stop::no) return longest;
  const bool may_hurry = budgets_.at(job.message.receiver)->try_retry(attempted.outcome == OutcomeClass::timeout);
  return may_hurry ? std::max<std::int64_t>(ms(next.wait), 1) : std::max(ms(next.wait), longest);
}

Status Outbox::tell_alerts(SqlSession& session, const Job& job, const Answer& answer) {
  const std::string& receiver = job.message.receiver;
  for (const Entry& entry : job.entries) {
    SERIN_CHECK(end_entry(session, entry.id, Outcome::told, now()));
    const std::vector<SqlValue> begun{receiver, entry.key, answer.reference};
    const std::vector<SqlValue> over{receiver, entry.key};
    SERIN_CHECK(entry.is_resolved
                    ? session.execute("UPDATE notify_alerts SET told = 0 WHERE receiver = $1 AND key = $2", over)
                    : session.execute(
                          "UPDATE notify_alerts SET told = 1, message = $3 WHERE receiver = $1 AND key = $2", begun));
  }
  if (!job.message.reference.empty() && answer.reference != job.message.reference) {
    const std::vector<SqlValue> moved{receiver, job.message.reference, answer.reference};
    SERIN_CHECK(session.execute("UPDATE notify_alerts SET message = $3 WHERE receiver = $1 AND message = $2", moved));
  }
  // What is over and told is forgotten, unless a message that tells it too may still be changed.
  SERIN_CHECK(session.execute(
      "DELETE FROM notify_alerts WHERE receiver = $1 AND service = $2 AND firing = 0 AND told = 0 AND NOT "
      "EXISTS(SELECT "
      "1 FROM notify_waiting w WHERE w.receiver = notify_alerts.receiver AND w.key = notify_alerts.key) AND (message = "
      "'' OR NOT EXISTS(SELECT 1 FROM notify_alerts b WHERE b.receiver = notify_alerts.receiver AND b.message = "
      "notify_alerts.message AND b.told = 1))",
      name_of(receiver, job.message.service)));
  return {};
}

Status Outbox::told(SqlSession& session, const Job& job, const Answer& answer) {
  const std::string& receiver = job.message.receiver;
  const std::int64_t time = now();
  const std::vector<SqlValue> values{receiver, job.message.service,       job.claim,
                                     time,     job.is_partial ? time : 0, job.message.dropped};
  SERIN_TRY(
      const std::int64_t ours,
      session.execute("UPDATE notify_groups SET attempts = 0, next_at = $5, sent_at = $4, claimed_by = '', "
                      "claimed_until = 0, dropped = dropped - $6, error = '' WHERE receiver = $1 AND service = $2 "
                      "AND claimed_by = $3",
                      values));
  if (ours != 1) return fail(Errc::conflict, "somebody else has taken the message over");
  SERIN_CHECK(tell_alerts(session, job, answer));
  // It is there again: nobody has to wait for a pause to end that began while it was not.
  SERIN_CHECK(
      session.execute("UPDATE notify_groups SET next_at = $2 WHERE receiver = $1 AND attempts > 0 AND next_at > "
                      "$2",
                      std::vector<SqlValue>{receiver, time}));
  SERIN_CHECK(session.execute(
      "DELETE FROM notify_groups WHERE receiver = $1 AND service = $2 AND dropped = 0 AND NOT EXISTS(SELECT 1 FROM "
      "notify_waiting w WHERE w.receiver = $1 AND w.service = $2) AND NOT EXISTS(SELECT 1 FROM notify_alerts a WHERE "
      "a.receiver = $1 AND a.service = $2)",
      name_of(receiver, job.message.service)));
  return {};
}

Status Outbox::failed(SqlSession& session, const Job& job, const Answer& answer) {
  const std::string& receiver = job.message.receiver;
  const bool gave_up = answer.status.error().code() == Errc::cancelled;
  const std::int64_t next = gave_up ? job.group.next_at : now() + pause_ms(job, answer);
  const std::vector<SqlValue> values{receiver, job.message.service,         job.claim, std::int64_t{gave_up ? 0 : 1},
                                     next,     answer.status.error().text()};
  SERIN_TRY(const std::int64_t ours,
            session.execute("UPDATE notify_groups SET attempts = attempts + $4, next_at = $5, claimed_by = '', "
                            "claimed_until = 0, error = $6 WHERE receiver = $1 AND service = $2 AND claimed_by = $3",
                            values));
  if (ours != 1) return fail(Errc::conflict, "somebody else has taken the message over");
  if (gave_up) return {};
  log_.warn("notify_failed", {{"receiver", receiver},
                              {"service", job.message.service},
                              {"attempt", job.group.attempts + 1},
                              {"error", answer.status.error().text()},
                              {"next_in_ms", next - now()}});
  if (answer.retry_after)
    SERIN_CHECK(session.execute("UPDATE notify_groups SET held_until = $2 WHERE receiver = $1 AND held_until < $2",
                                std::vector<SqlValue>{receiver, next}));
  return give_up_old(session, job);
}

Status Outbox::give_up_old(SqlSession& session, const Job& job) {
  const std::string& receiver = job.message.receiver;
  for (const Entry& entry : job.entries) {
    if (entry.at + ms(channels_.keep_trying) > now()) continue;
    SERIN_CHECK(end_entry(session, entry.id, Outcome::given_up, now()));
    if (entry.is_resolved)
      SERIN_CHECK(session.execute("UPDATE notify_alerts SET told = 0 WHERE receiver = $1 AND key = $2",
                                  std::vector<SqlValue>{receiver, entry.key}));
    SERIN_CHECK(session.execute("UPDATE notify_groups SET dropped = dropped + 1 WHERE receiver = $1 AND service = $2",
                                name_of(receiver, job.message.service)));
    log_.error("notify_given_up", {{"receiver", receiver},
                                   {"key", entry.key},
                                   {"status", status_name(entry.content.status)},
                                   {"waited", format_duration(std::chrono::milliseconds(now() - entry.at))}});
  }
  return {};
}

Result<Step> Outbox::step(const std::string& receiver, Sender& sender, Haste haste, const std::stop_token& stop) {
  if (channels_.find(receiver) == nullptr)
    return fail(Errc::not_found, fmt::format("there is no receiver {}", receiver));
  SERIN_TRY(const std::vector<Group> all, groups(receiver));
  const Group* first = nullptr;
  std::int64_t at = 0;
  for (const Group& group : all) {
    const std::optional<std::int64_t> its = due(group, haste);
    if (!its) continue;
    const auto rank = std::pair(std::max(*its, now()), group.first_at.value_or(0));
    if (first != nullptr && rank >= std::pair(std::max(at, now()), first->first_at.value_or(0))) continue;
    first = &group;
    at = *its;
  }
  if (first == nullptr) return Step{};
  if (at > now()) return Step{.did = Did::nothing, .next = std::chrono::milliseconds(at - now())};
  SERIN_TRY(const std::optional<Job> job, claim(receiver, *first, sender));
  if (!job) return Step{.did = Did::nothing, .next = 10ms};  // another process was quicker
  const Answer answer = attempt(*job, sender, stop);
  const Status recorded = sql_.transaction(
      [&](SqlSession& session) { return answer.status ? told(session, *job, answer) : failed(session, *job, answer); },
      soon());
  // Whoever has taken it over tells it again; that is what "at least once" means, and no reason to stop.
  if (!recorded && recorded.error().code() != Errc::conflict) return pass(recorded.error());
  if (!answer.status) return Step{.did = Did::failed, .next = Duration::zero()};
  log_.info("notify_told", {{"receiver", receiver},
                            {"message", job->message.id},
                            {"news", job->entries.size()},
                            {"status", status_name(job->message.status())}});
  return Step{.did = Did::told, .next = Duration::zero()};
}

}  // namespace serin::notify
