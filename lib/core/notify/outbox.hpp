#pragma once
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "serin/notify/channels.hpp"
#include "serin/notify/message.hpp"
#include "serin/notify/notification.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/log.hpp"
#include "serin/ports/random.hpp"
#include "serin/ports/sql.hpp"
#include "serin/retry/budget.hpp"
#include "serin/retry/retry.hpp"

namespace serin::notify {

/// What an outbox stands on. All of it outlives it.
struct OutboxNeeds {
  Sql& sql;
  const Clock& clock;
  Random& random;
  Logger log;
};

enum class Haste : std::uint8_t {
  usual,    ///< waits for others of a group, keeps intervals, reminds
  leaving,  ///< this process ends: what waits goes now, and nothing is repeated
};
enum class Did : std::uint8_t { nothing, told, failed };
struct Step {
  Did did = Did::nothing;
  std::optional<Duration> next;  ///< until something is due, as far as is known; nothing: nothing waits
};

/// How it stands with one receiver.
struct Waiting {
  std::int64_t notifications = 0;  ///< not told yet
  std::int64_t firing = 0;         ///< alerts that it was told of and that are not over
  std::int64_t attempts = 0;       ///< most that one message took so far without success
  std::string error;               ///< of that message's last attempt
};

/// Notifications that wait for their receivers, in a database, so that none is lost with a process.
///
/// For each receiver and key: what fires is told before its end is, nothing is told that is known already, and an end
/// is told even if the beginning could not be. At least once: a process that dies between telling and writing that down
/// tells it again. Alerts of one service wait for each other and go as one message; while an alert fires, messages keep
/// an interval; what fires for long is repeated. A message that fails is tried again until `keep_trying` is over, with
/// growing waits, never sooner than the receiver asked for; a crowd of failing messages shares one budget of retries a
/// receiver. One that the receiver refuses for good is tried at the longest wait too: a person may repair the file.
/// When too much waits for a receiver, the least severe and oldest firing is dropped, counted, and told with the next
/// message; never an end.
///
/// Any number of processes may share the database: each message is claimed by one of them, for as long as one attempt
/// takes. Times are the calendar's, because a database outlives a boot; a calendar that is set back delays nothing for
/// longer than the longest interval.
/// Threads: any; step() of one receiver: one.
class Outbox final : public Notifier {
 public:
  /// Makes the tables when they are not there. Errors: those of the database.
  static Result<std::unique_ptr<Outbox>> open(const OutboxNeeds& needs, Channels channels);
  Status notify(const Notification& notification) override;
  /// Tells the receiver one message, if one is due. Errors: not_found (no such receiver); those of the database: what
  /// was told may be told again then.
  Result<Step> step(const std::string& receiver, Sender& sender, Haste haste, const std::stop_token& stop);
  [[nodiscard]] Result<Waiting> waiting(const std::string& receiver);
  [[nodiscard]] const Channels& channels() const noexcept { return channels_; }

 private:
  struct Group;
  struct Job;
  struct Entry;
  Outbox(const OutboxNeeds& needs, Channels channels, const retry::Retry& retry);
  [[nodiscard]] Deadline soon() const;
  [[nodiscard]] std::int64_t now() const;

  /// What waits for receivers that are not in the file any more, and for long.
  Status give_up_strangers(SqlSession& session);
  Status began(SqlSession& session, const Notification& notification);
  Status begin_at(SqlSession& session, const Notification& notification, const std::string& receiver);
  Status ended(SqlSession& session, const Notification& notification);
  Status queue(SqlSession& session, const Notification& notification, const std::string& receiver,
               const std::string& service);
  /// Makes room for it. False: it is the one that is dropped.
  Result<bool> make_room(SqlSession& session, const Notification& notification, const std::string& receiver,
                         const std::string& service);

  [[nodiscard]] std::optional<std::int64_t> due(const Group& group, Haste haste) const;
  Result<std::vector<Group>> groups(const std::string& receiver);
  Result<std::optional<Job>> claim(const std::string& receiver, const Group& seen, const Sender& sender);
  Status fill(SqlSession& session, Job& job, const Sender& sender) const;
  static Status fill_change(SqlSession& session, Job& job);
  static Status fill_reminder(SqlSession& session, Job& job);
  Answer attempt(const Job& job, Sender& sender, const std::stop_token& stop);
  Status told(SqlSession& session, const Job& job, const Answer& answer);
  Status tell_alerts(SqlSession& session, const Job& job, const Answer& answer);
  Status failed(SqlSession& session, const Job& job, const Answer& answer);
  Status give_up_old(SqlSession& session, const Job& job);
  [[nodiscard]] std::int64_t pause_ms(const Job& job, const Answer& answer);

  Sql& sql_;
  const Clock& clock_;
  Random& random_;
  Logger log_;
  Channels channels_;
  retry::Retry retry_;
  std::map<std::string, std::unique_ptr<retry::TokenBudget>> budgets_;  // by receiver; the map never changes
};

}  // namespace serin::notify
