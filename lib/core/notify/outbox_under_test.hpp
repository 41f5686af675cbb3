#pragma once
// What every test of the outbox has: a world, a database that outlives its processes, and receivers that do as told.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <functional>

#include "serin/notify/outbox.hpp"
#include "serin/sim/outside.hpp"
#include "serin/sim/world.hpp"
#include "serin/sqlite/sqlite_sql.hpp"

namespace serin::notify {

/// A database whose calls can be watched, refused and died at.
class WatchedSql final : public Sql {
 public:
  WatchedSql(Sql& inner, const sim::Outside& outside) : inner_(inner), outside_(outside) {}
  using Sql::execute;
  using Sql::query;
  Result<SqlTable> query(std::string_view sql, std::span<const SqlValue> values, Deadline deadline) override {
    return outside_.call("query", [&] { return inner_.query(sql, values, deadline); });
  }
  Result<std::int64_t> execute(std::string_view sql, std::span<const SqlValue> values, Deadline deadline) override {
    return outside_.call("execute", [&] { return inner_.execute(sql, values, deadline); });
  }
  Status transaction(const std::function<Status(SqlSession&)>& work, Deadline deadline) override {
    return outside_.call("transaction", [&] { return inner_.transaction(work, deadline); });
  }

 private:
  Sql& inner_;
  const sim::Outside& outside_;
};

/// Remembers what it was told, and answers as it is told.
class Receiver final : public Sender {
 public:
  Receiver(sim::World& world, const sim::Outside& outside) : world_(world), outside_(outside) {}
  Answer send(const Message& message, Deadline, const std::stop_token&) override {
    ++attempts;
    attempted_at.push_back(world_.now());
    Answer answer;
    const Status sent = outside_.call("send", [&]() -> Status {
      if (answers) answer = answers(message);
      if (answer.status) told.push_back(message);
      return answer.status;
    });
    answer.status = sent;
    if (changes && answer.status && answer.reference.empty())
      answer.reference = message.reference.empty() ? fmt::format("m{}", ++posted) : message.reference;
    return answer;
  }
  [[nodiscard]] bool can_change() const noexcept override { return changes; }
  /// "F a | F b R a": messages with their news; a reminder begins with "!", a changed message with its reference.
  [[nodiscard]] std::string story() const {
    std::vector<std::string> parts;
    for (const Message& message : told) {
      std::string part = message.is_reminder ? "! " : "";
      if (!message.reference.empty()) part += message.reference + ": ";
      if (message.dropped > 0) part += fmt::format("-{} ", message.dropped);
      for (const Notification& change : message.changes)
        part += fmt::format("{} {} ", change.status == AlertStatus::firing ? "F" : "R", change.key);
      if (part.ends_with(' ')) part.pop_back();
      parts.push_back(part);
    }
    return fmt::format("{}", fmt::join(parts, " | "));
  }
  std::function<Answer(const Message&)> answers;  // empty: all is well
  bool changes = false;
  int posted = 0;
  int attempts = 0;
  std::vector<Message> told;
  std::vector<Instant> attempted_at;

 private:
  sim::World& world_;
  const sim::Outside& outside_;
};

inline Answer refuses(Errc code, std::optional<Duration> retry_after = {}) {
  return {.status = fail(code, "no"), .retry_after = retry_after};
}

/// Two receivers, `chat` for pages and tickets and `log` for info, and pages of the service "worker" go to both.
struct Scene {
  Scene() { restart(); }
  /// Another process takes over.
  void restart() {
    outbox =
        Outbox::open({.sql = sql, .clock = world.sleeper(), .random = world.random(), .log = log}, channels).value();
  }
  [[nodiscard]] Notification firing(const std::string& key, Severity severity = Severity::ticket,
                                    const std::string& service = "api") {
    return {.key = key,
            .status = AlertStatus::firing,
            .severity = severity,
            .service = service,
            .title = "title of " + key,
            .text = {},
            .labels = {},
            .started_at = world.sleeper().wall()};
  }
  [[nodiscard]] Notification over(Notification notification) {
    notification.status = AlertStatus::resolved;
    notification.resolved_at = world.sleeper().wall();
    return notification;
  }
  void begin(const std::string& key, Severity severity = Severity::ticket, const std::string& service = "api") {
    const Status status = outbox->notify(firing(key, severity, service));
    EXPECT_TRUE(status) << status.error().text();
  }
  void end(const std::string& key, Severity severity = Severity::ticket, const std::string& service = "api") {
    const Status status = outbox->notify(over(firing(key, severity, service)));
    EXPECT_TRUE(status) << status.error().text();
  }
  Step step(Haste haste = Haste::usual) {
    const Result<Step> step = outbox->step("chat", chat, haste, {});
    EXPECT_TRUE(step) << step.error().text();
    return step.value_or(Step{});
  }
  /// Lets time pass as a postman does: what is due is told when it is due.
  void pass(Duration time, Haste haste = Haste::usual) {
    const Instant until = world.now() + time;
    while (world.now() < until) {
      const Step one = step(haste);
      const Result<Step> other = outbox->step("log", log_book, haste, {});
      EXPECT_TRUE(other);
      if (one.did != Did::nothing || (other && other->did != Did::nothing)) continue;
      Duration wait = until - world.now();
      if (one.next) wait = std::min(wait, *one.next);
      if (other && other->next) wait = std::min(wait, *other->next);
      world.advance(std::max<Duration>(wait, 1ms));
    }
    static_cast<void>(step(haste));
  }
  [[nodiscard]] std::int64_t waiting() { return outbox->waiting("chat").value().notifications; }
  /// Of a key's entries in the outbox's own record: "told given_up".
  [[nodiscard]] std::string outcomes(const std::string& key) {
    std::string out;
    const SqlTable table =
        file->query("SELECT outcome FROM notify_ended WHERE key = $1 ORDER BY id", {key}, Deadline::never()).value();
    for (const SqlRow& row : table.rows) out += std::get<std::string>(row.at(0)) + " ";
    if (!out.empty()) out.pop_back();
    return out;
  }

  sim::World world;
  sim::Outside outside;
  std::unique_ptr<SqliteSql> file = SqliteSql::open({.path = ":memory:"}, world.sleeper()).value();
  WatchedSql sql{*file, outside};
  Logger log{world.log()};
  Receiver chat{world, outside};
  Receiver log_book{world, outside};
  Channels channels{.file = "n.yaml",
                    .receivers = {{.name = "chat", .by = CommandChannel{}, .timeout = 10s},
                                  {.name = "log", .by = CommandChannel{}, .timeout = 10s}},
                    .severities = {{Severity::page, {"chat"}}, {Severity::ticket, {"chat"}}, {Severity::info, {"log"}}},
                    .services = {{"worker", {{Severity::page, {"chat", "log"}}}}}};
  std::unique_ptr<Outbox> outbox;
};

}  // namespace serin::notify
