#include "sessions.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace serin::google {
namespace {

constexpr std::string_view turn_table =
    "CREATE TABLE IF NOT EXISTS serin_turn AS SELECT 1 AS id, '' AS holder, 0 AS until";
// By the service's clock, so that nobody's own clock matters.
constexpr std::string_view take =
    "UPDATE serin_turn SET holder = @p1, until = UNIX_MICROS(CURRENT_TIMESTAMP()) + @p2 WHERE id = 1 AND "
    "(holder = '' OR holder = @p1 OR until < UNIX_MICROS(CURRENT_TIMESTAMP()))";
constexpr std::string_view give_back = "UPDATE serin_turn SET holder = '' WHERE id = 1 AND holder = @p1";

constexpr std::size_t kept_sessions = 8;
constexpr Duration longest_turn = 10min;  // of one without a deadline
constexpr Duration shortest_turn = 1s;
constexpr Duration commit_time = 60s;  // of its own: half of a commit is not to be had
constexpr Duration rollback_time = 5s;
constexpr Duration first_wait = 50ms;
constexpr Duration longest_wait = 2s;

}  // namespace

Result<std::int64_t> Sessions::run(std::string_view sql, std::span<const SqlValue> parameters,
                                   const std::string& session, Deadline deadline) {
  SERIN_TRY(const JobAnswer answer, jobs_.run({.text = sql, .parameters = parameters, .session = session}, deadline));
  return answer.answer.changed;
}

Status Sessions::make_turn(Deadline deadline) {
  {
    const std::scoped_lock lock(mutex_);
    if (turn_made_) return {};
  }
  SERIN_CHECK(run(turn_table, {}, {}, deadline));
  const std::scoped_lock lock(mutex_);
  turn_made_ = true;
  return {};
}

/// Waits about `most`, which grows. Errors: deadline_exceeded, cancelled.
Status Sessions::wait(Duration& most, Deadline deadline, std::string_view what) {
  const auto time = std::chrono::duration_cast<Duration>(most / 2 + most / 2 * random_.unit());
  const Deadline next = Deadline::after(sleeper_.now(), time);
  if (next >= deadline) return fail(Errc::deadline_exceeded, fmt::format("{} was not done in time", what));
  most = std::min(2 * most, longest_wait);
  return sleep_until(sleeper_, next.at(), stop_);
}

Result<std::string> Sessions::take_turn(Deadline deadline) {
  SERIN_CHECK(make_turn(deadline));
  std::string holder = jobs_.new_id();
  for (Duration most = first_wait;;) {
    // Who gives up while the answer is on its way leaves a turn that ends when he would have.
    const Duration time = std::clamp(deadline.left(sleeper_.now()), shortest_turn, longest_turn);
    const std::vector<SqlValue> asked{holder, std::int64_t{std::chrono::ceil<std::chrono::microseconds>(time).count()}};
    const auto taken = run(take, asked, {}, deadline);
    if (taken && *taken == 1) return holder;
    if (!taken && taken.error().code() != Errc::conflict) return pass(taken.error());
    SERIN_CHECK(wait(most, deadline, "somebody else's transaction"));
  }
}

void Sessions::give_turn_back(const std::string& holder) {
  const std::vector<SqlValue> asked{holder};
  // When it fails, the turn ends by itself.
  static_cast<void>(run(give_back, asked, {}, Deadline::after(sleeper_.now(), rollback_time)));
}

/// A session with a transaction that has just begun.
Result<std::string> Sessions::open(Deadline deadline) {
  std::string kept;
  {
    const std::scoped_lock lock(mutex_);
    if (!idle_.empty()) {
      kept = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  // A session that the service has forgotten meanwhile is replaced.
  if (!kept.empty() && run("BEGIN TRANSACTION", {}, kept, deadline)) return kept;
  SERIN_TRY(const JobAnswer begun,
            jobs_.run({.text = "BEGIN TRANSACTION", .parameters = {}, .opens_session = true}, deadline));
  if (begun.session.empty()) return fail(Errc::data_loss, "BigQuery opened no session");
  return begun.session;
}

Result<std::string> Sessions::begin(const std::string& holder, Deadline deadline) {
  const std::vector<SqlValue> asked{holder};
  for (Duration most = first_wait;;) {
    SERIN_TRY(std::string session, open(deadline));
    const auto given = run(give_back, asked, session, deadline);
    if (given && *given == 1) return session;
    roll_back(session);
    if (given) return fail(Errc::conflict, "the transaction took so long that its turn went to somebody else");
    // Somebody just tried to take the turn. Nothing has been done yet, so it is simply begun anew.
    if (given.error().code() != Errc::conflict) return pass(given.error());
    SERIN_CHECK(wait(most, deadline, "what others write to serin_turn"));
  }
}

Status Sessions::commit(const std::string& session) {
  const auto committed = run("COMMIT TRANSACTION", {}, session, Deadline::after(sleeper_.now(), commit_time));
  if (!committed) {
    const bool surely_not = committed.error().code() == Errc::conflict;
    if (surely_not) roll_back(session);
    return pass(surely_not ? committed.error() : committed.error().in("the commit, which may have been done"));
  }
  const std::scoped_lock lock(mutex_);
  if (idle_.size() < kept_sessions) idle_.push_back(session);
  return {};
}

void Sessions::roll_back(const std::string& session) {
  // When it fails, the service ends the transaction with its session, which nobody uses any more.
  if (!run("ROLLBACK TRANSACTION", {}, session, Deadline::after(sleeper_.now(), rollback_time))) return;
  const std::scoped_lock lock(mutex_);
  if (idle_.size() < kept_sessions) idle_.push_back(session);
}

}  // namespace serin::google
