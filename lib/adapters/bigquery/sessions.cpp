#include "sessions.hpp"

#include <algorithm>

namespace serin::google {
namespace {

constexpr std::string_view make_turn_table = "CREATE TABLE IF NOT EXISTS serin_turn AS SELECT 1 AS id, 0 AS taken";
constexpr std::string_view take_turn = "UPDATE serin_turn SET taken = taken + 1 WHERE id = 1";
constexpr std::size_t kept_sessions = 8;
constexpr Duration commit_time = 60s;  // of its own: half of a commit is not to be had
constexpr Duration rollback_time = 5s;
constexpr Duration first_wait = 50ms;
constexpr Duration longest_wait = 2s;

}  // namespace

Status Sessions::run(std::string_view sql, const std::string& session, Deadline deadline) {
  SERIN_CHECK(jobs_.run({.text = sql, .parameters = {}, .session = session}, deadline));
  return {};
}

Status Sessions::make_turn(Deadline deadline) {
  {
    const std::scoped_lock lock(mutex_);
    if (turn_made_) return {};
  }
  SERIN_CHECK(run(make_turn_table, {}, deadline));
  const std::scoped_lock lock(mutex_);
  turn_made_ = true;
  return {};
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
  if (!kept.empty() && run("BEGIN TRANSACTION", kept, deadline)) return kept;
  SERIN_TRY(const JobAnswer begun,
            jobs_.run({.text = "BEGIN TRANSACTION", .parameters = {}, .opens_session = true}, deadline));
  if (begun.session.empty()) return fail(Errc::data_loss, "BigQuery opened no session");
  return begun.session;
}

Result<std::string> Sessions::begin(Deadline deadline) {
  SERIN_CHECK(make_turn(deadline));
  for (Duration most = first_wait;; most = std::min(2 * most, longest_wait)) {
    SERIN_TRY(std::string session, open(deadline));
    const Status taken = run(take_turn, session, deadline);
    if (taken) return session;
    roll_back(session);
    if (taken.error().code() != Errc::conflict) return pass(taken.error());
    const Deadline next =
        Deadline::after(sleeper_.now(), std::chrono::duration_cast<Duration>(most / 2 + most / 2 * random_.unit()));
    if (next >= deadline)
      return fail(Errc::deadline_exceeded,
                  "somebody else's transaction was not done in time: " + taken.error().detail());
    SERIN_CHECK(sleep_until(sleeper_, next.at(), stop_));
  }
}

Status Sessions::commit(const std::string& session) {
  const Status committed = run("COMMIT TRANSACTION", session, Deadline::after(sleeper_.now(), commit_time));
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
  if (!run("ROLLBACK TRANSACTION", session, Deadline::after(sleeper_.now(), rollback_time))) return;
  const std::scoped_lock lock(mutex_);
  if (idle_.size() < kept_sessions) idle_.push_back(session);
}

}  // namespace serin::google
