// Drills in which the warehouse is slow, down or lacks a column, and in which retries could make it worse.
#include <fmt/format.h>

#include <algorithm>

#include "drill.hpp"
#include "serin/sqlite/sqlite_sql.hpp"

namespace serin::tool {
namespace {

constexpr double users_per_second = 50;
constexpr Duration ready_within = 1s;       // every single answer of /ready, whatever the warehouse does
constexpr Duration noticed_within = 15s;    // from the fault to "not ready" everywhere
constexpr Duration recovered_within = 90s;  // from its end to ready everywhere, breakers closed
constexpr Duration served_within = 10s;     // from everything ready to users served
constexpr std::int64_t most_probes = 120;   // of two replicas' health checks, each over all tables, in three seconds
constexpr std::string_view worker = "prediction-worker";

std::string within(const std::optional<Duration>& took, Duration limit) {
  return took ? fmt::format("after {:.1f} s", seconds_of(*took)) : fmt::format("not within {}", format_duration(limit));
}

bool all_ready(DrillRun& drill, const std::vector<ReplicaAddress>& replicas) {
  return drill.ask_ready(replicas).ready == static_cast<int>(replicas.size());
}

bool none_ready(DrillRun& drill, const std::vector<ReplicaAddress>& replicas) {
  return drill.ask_ready(replicas).not_ready == static_cast<int>(replicas.size());
}

std::int64_t restarts_of(const std::vector<ReplicaAddress>& replicas) {
  std::int64_t restarts = 0;
  for (const ReplicaAddress& replica : replicas) restarts += replica.restarts;
  return restarts;
}

bool any_breaker_open(DrillRun& drill, const std::vector<ReplicaAddress>& replicas) {
  return std::ranges::any_of(replicas, [&](const ReplicaAddress& replica) {
    const std::string state = drill.breaker_of(replica, "warehouse");
    return replica.service == worker && (state == "open" || state == "half_open");
  });
}

bool every_breaker_closed(DrillRun& drill, const std::vector<ReplicaAddress>& replicas) {
  return std::ranges::all_of(replicas, [&](const ReplicaAddress& replica) {
    return replica.service != worker || drill.breaker_of(replica, "warehouse") == "closed";
  });
}

/// Users come through the router, which hears of a replica that is ready again a moment later.
Status expect_users_served(DrillRun& drill) {
  load::LoadReport last = drill.users();
  SERIN_TRY(const auto served, drill.wait_until(served_within, [&] {
    const load::LoadReport now = drill.users();
    const bool well = now.failed == last.failed && now.sent >= last.sent + static_cast<std::int64_t>(users_per_second);
    if (now.failed != last.failed) last = now;
    return well;
  }));
  drill.expect("users are served again, a second without a failure", served.has_value(), within(served, served_within));
  const load::LoadReport before = drill.users();
  SERIN_CHECK(drill.context().sleeper().sleep_for(5s));
  const load::LoadReport well = drill.users();
  drill.expect("and stay so", well.failed == before.failed && well.sent > before.sent,
               fmt::format("{} of {} failed in five seconds", well.failed - before.failed, well.sent - before.sent));
  return {};
}

/// What has to hold after the fault is gone: everything as before, and by itself.
Status expect_recovery(DrillRun& drill, const std::vector<ReplicaAddress>& before) {
  SERIN_TRY(const auto ready, drill.wait_until(recovered_within, [&] { return all_ready(drill, before); }));
  drill.expect("every replica is ready again by itself", ready.has_value(), within(ready, recovered_within));
  SERIN_TRY(const auto closed, drill.wait_until(recovered_within, [&] { return every_breaker_closed(drill, before); }));
  drill.expect("every breaker is closed again by itself", closed.has_value(), within(closed, recovered_within));
  SERIN_CHECK(expect_users_served(drill));
  SERIN_TRY(const auto after, drill.replicas());
  drill.expect("without a restart", restarts_of(after) == restarts_of(before),
               fmt::format("{} restarts", restarts_of(after) - restarts_of(before)));
  drill.expect(fmt::format("every /ready was answered within {}, 95 of 100 within {}", format_duration(ready_within),
                           format_duration(DrillRun::prompt)),
               drill.slowest_ready() <= ready_within && 20 * drill.late_ready() <= drill.ready_asked(),
               fmt::format("{} of {} were later, the slowest took {:.1f} ms", drill.late_ready(), drill.ready_asked(),
                           1000 * seconds_of(drill.slowest_ready())));
  return {};
}

Status unavailable_warehouse(DrillRun& drill, std::string_view fault) {
  SERIN_TRY(const std::vector<ReplicaAddress> replicas, drill.replicas());
  SERIN_CHECK(drill.start_users(users_per_second));
  SERIN_CHECK(drill.context().sleeper().sleep_for(3s));
  drill.expect("users are served before", drill.users().failed == 0,
               fmt::format("{} of {} failed", drill.users().failed, drill.users().sent));
  SERIN_CHECK(drill.stage_warehouse(fault));
  SERIN_TRY(const auto noticed, drill.wait_until(noticed_within, [&] { return none_ready(drill, replicas); }));
  drill.expect("every /ready says so", noticed.has_value(), within(noticed, noticed_within));
  // Requests in flight may still be waiting for it; after their deadlines nobody asks but the health checks.
  SERIN_CHECK(drill.context().sleeper().sleep_for(6s));
  const std::int64_t reached = drill.warehouse_calls(replicas, worker);
  SERIN_CHECK(drill.context().sleeper().sleep_for(3s));
  const std::int64_t later = drill.warehouse_calls(replicas, worker);
  const bool counted = reached >= 0 && later >= 0;
  drill.expect("the warehouse is left alone but for probes", counted && later - reached <= most_probes,
               counted ? fmt::format("{} statements in three seconds", later - reached) : "could not be counted");
  SERIN_CHECK(drill.stage_warehouse(""));
  return expect_recovery(drill, replicas);
}

Status slow(DrillRun& drill) { return unavailable_warehouse(drill, "slow:5s"); }
Status down(DrillRun& drill) { return unavailable_warehouse(drill, "down"); }

/// Renames a column of the features, and back on every way out.
class MissingColumn {
 public:
  static Result<MissingColumn> stage(DrillRun& drill) {
    SERIN_TRY(auto sql, SqliteSql::open({.path = drill.fleet().state() + "/warehouse.db"}, drill.context().sleeper()));
    MissingColumn made(std::move(sql), drill.context());
    SERIN_CHECK(made.rename("features", "features_gone"));
    made.staged_ = true;
    return made;
  }
  MissingColumn(MissingColumn&& other) noexcept
      : sql_(std::move(other.sql_)), context_(other.context_), staged_(std::exchange(other.staged_, false)) {}
  MissingColumn& operator=(MissingColumn&&) = delete;
  ~MissingColumn() { static_cast<void>(repair()); }
  Status repair() {
    if (!std::exchange(staged_, false)) return {};
    return rename("features_gone", "features");
  }

 private:
  MissingColumn(std::unique_ptr<SqliteSql> sql, VerbContext& context) : sql_(std::move(sql)), context_(context) {}
  Status rename(std::string_view from, std::string_view to) {
    SERIN_CHECK(sql_->execute(fmt::format("ALTER TABLE ml_feature_store RENAME COLUMN {} TO {}", from, to), {},
                              Deadline::after(context_.sleeper().now(), 10s)));
    return {};
  }
  std::unique_ptr<SqliteSql> sql_;
  VerbContext& context_;
  bool staged_ = false;
};

Status missing_column(DrillRun& drill) {
  SERIN_TRY(const std::vector<ReplicaAddress> replicas, drill.replicas());
  SERIN_CHECK(drill.start_users(users_per_second));
  SERIN_CHECK(drill.context().sleeper().sleep_for(3s));
  {
    drill.fleet().say("a column of the features is gone from now on");
    SERIN_TRY(MissingColumn column, MissingColumn::stage(drill));
    SERIN_TRY(const auto noticed, drill.wait_until(noticed_within, [&] { return none_ready(drill, replicas); }));
    drill.expect("every /ready says so", noticed.has_value(), within(noticed, noticed_within));
    drill.expect("a statement that cannot be right opens no breaker", every_breaker_closed(drill, replicas),
                 every_breaker_closed(drill, replicas) ? "closed" : "one opened");
    SERIN_CHECK(drill.expect_data("warn", "without the column"));
    drill.fleet().say("the column is back");
    SERIN_CHECK(column.repair());
  }
  SERIN_CHECK(expect_recovery(drill, replicas));
  return drill.expect_data("pass", "with it");
}

Status retry_storm(DrillRun& drill) {
  constexpr Duration stretch = 8s;
  SERIN_TRY(const std::vector<ReplicaAddress> replicas, drill.replicas());
  const auto one = std::ranges::find(replicas, worker, &ReplicaAddress::service);
  if (one == replicas.end()) return fail(Errc::unavailable, "no replica of prediction-worker runs");
  // Not through the router, which sends nothing to a replica that is not ready: here only the library is in between.
  const std::vector<ReplicaAddress> alone{*one};
  SERIN_CHECK(drill.start_users(users_per_second, one->origin));
  SERIN_CHECK(drill.context().sleeper().sleep_for(2s));
  const auto calls = [&] { return drill.warehouse_calls(alone, worker); };
  const std::int64_t before = calls();
  SERIN_CHECK(drill.context().sleeper().sleep_for(stretch));
  const std::int64_t healthy = calls() - before;
  drill.expect("the warehouse's calls can be counted", before >= 0 && healthy > 0,
               fmt::format("{} in {} while it was well", healthy, format_duration(stretch)));
  SERIN_CHECK(drill.stage_warehouse("down"));
  const std::int64_t at_fault = calls();
  SERIN_CHECK(drill.context().sleeper().sleep_for(stretch));
  const std::int64_t outage = calls() - at_fault;
  drill.expect("an outage makes at most 1.1 times the calls of a healthy stretch",
               static_cast<double>(outage) <= 1.1 * static_cast<double>(healthy),
               fmt::format("{} against {}", outage, healthy));
  drill.expect("the breaker opens", any_breaker_open(drill, alone), drill.breaker_of(alone[0], "warehouse"));
  const std::int64_t later = calls();
  SERIN_CHECK(drill.context().sleeper().sleep_for(stretch));
  const std::int64_t quiet = calls() - later;
  drill.expect("behind an open breaker it is left alone",
               static_cast<double>(quiet) <= 0.2 * static_cast<double>(healthy),
               fmt::format("{} against {}", quiet, healthy));
  SERIN_CHECK(drill.stage_warehouse(""));
  return expect_recovery(drill, replicas);
}

constexpr Drill drills[] = {
    {"warehouse-slow", "the warehouse answers after five seconds", slow},
    {"warehouse-down", "the warehouse is down", down},
    {"missing-column", "a column of the feature store is gone", missing_column},
    {"retry-storm", "the warehouse is down while users go on asking", retry_storm},
};

}  // namespace

std::span<const Drill> warehouse_drills() { return drills; }

}  // namespace serin::tool
