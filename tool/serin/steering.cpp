#include "steering.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <array>

#include "seat.hpp"
#include "serin/rollout/report.hpp"
#include "serin/rollout/sql_journal.hpp"

namespace serin::tool {
namespace {

constexpr Duration ask_every = 100ms;

/// The newest rollout of a service, which is not over. Errors: conflict, with how it ended; the journal's.
Result<rollout::Record> open_rollout(rollout::Journal& journal, const ServiceName& service) {
  SERIN_TRY(std::vector<rollout::Record> newest, journal.history(service, 1));
  if (newest.empty()) return fail(Errc::conflict, fmt::format("{} never had a rollout", service));
  if (rollout::is_final(newest.front().progress.state)) return fail(Errc::conflict, rollout::too_late(newest.front()));
  return std::move(newest.front());
}

/// Answers in the place of a process that will not: the rollout is over, or stands and nobody drives it.
Status answer_too_late(control::OrderStore& orders, std::int64_t id, const rollout::Record& record, bool driven) {
  const rollout::State state = record.progress.state;
  const bool stands = state == rollout::State::held || state == rollout::State::rollback_incomplete;
  if (!rollout::is_final(state) && (driven || !stands)) return {};
  return orders.answer(id, {.text = rollout::too_late(record)});
}

}  // namespace

std::string this_person() {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  const bool known = getpwuid_r(getuid(), &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr;
  return fmt::format("{}@{}", known ? std::string(entry.pw_name) : fmt::format("uid-{}", getuid()), this_host());
}

Result<control::KeptOrder> steer(RealContext& context, Session& session, const SteerOptions& options) {
  SERIN_TRY(const std::unique_ptr<rollout::SqlJournal> journal,
            rollout::SqlJournal::open(session.state, context.patient()));
  SERIN_TRY(const rollout::Record open, open_rollout(*journal, options.service));
  SERIN_TRY(const std::string driver, Seat::driver(context, session, options.service));
  if (driver.empty()) return fail(Errc::conflict, rollout::too_late(open));
  SERIN_TRY(const std::unique_ptr<control::OrderStore> orders,
            control::OrderStore::open(session.state, context.patient()));
  SERIN_TRY(const std::int64_t id, orders->give({.rollout = open.id,
                                                 .kind = options.kind,
                                                 .percent = options.percent,
                                                 .by = this_person(),
                                                 .reason = options.reason,
                                                 .given = {}}));
  const Deadline until = Deadline::after(context.sleeper().now(), options.wait);
  for (;;) {
    // The process first: what it did before it ended is then seen.
    SERIN_TRY(const std::string alive, Seat::driver(context, session, options.service));
    SERIN_TRY(const rollout::Record record, journal->load(open.id));
    SERIN_CHECK(answer_too_late(*orders, id, record, !alive.empty()));
    SERIN_TRY(control::KeptOrder kept, orders->find(id));
    if (kept.answer) return kept;
    if (alive.empty())
      return fail(Errc::unavailable,
                  fmt::format("order {} is written down, but {} has ended: `serin resume {}` takes the rollout up and "
                              "obeys, `serin rollback {}` restores",
                              id, driver, options.service, options.service));
    if (until.passed(context.sleeper().now()))
      return fail(Errc::deadline_exceeded,
                  fmt::format("order {} is written down, but {} did not answer within {}; it does as soon as it looks",
                              id, driver, format_duration(options.wait)));
    if (const Status slept = context.sleeper().sleep_for(ask_every); !slept)
      return pass(slept.error().in(fmt::format("order {} stays written down", id)));
  }
}

}  // namespace serin::tool
