#include "serin/rollout/sql_journal.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "serin/ports/sql_cell.hpp"
#include "serin/rollout/sql_columns.hpp"

namespace serin::rollout {
namespace {

constexpr Duration patience = 5s;

// Columns of `rollouts`, in the order in which read() takes them.
constexpr std::string_view columns =
    "id, service, candidate, plan, before, baseline, created, created_at, state, held_in, stage, reason";

SqlValue of(std::string_view name) { return std::string(name); }
SqlValue of(Instant at) { return static_cast<std::int64_t>(at.time_since_epoch().count()); }
Instant instant(const SqlValue& value) { return Instant(Duration(sql_number(value))); }

std::vector<SqlValue> progress_values(std::int64_t id, const Progress& progress) {
  return {id, of(state_name(progress.state)), of(state_name(progress.held_in)), std::int64_t{progress.stage},
          progress.reason};
}

Result<Event> event_of(const SqlRow& row) {
  Event event{.seq = sql_number(row[0]),
              .kind = EventKind::note,
              .stage = static_cast<int>(sql_number(row[2])),
              .split = {},
              .seen = {},
              .text = sql_text(row[5]),
              .wall = wall_of_unix_ms(sql_number(row[6])),
              .at = instant(row[7]),
              .done = {}};
  SERIN_TRY(event.kind, parse_event(sql_text(row[1])));
  SERIN_TRY(event.split, parse_split_json(sql_text(row[3])));
  SERIN_TRY(event.seen, parse_split_json(sql_text(row[4])));
  if (!std::holds_alternative<std::monostate>(row[8])) event.done = instant(row[8]);
  return event;
}

SqlValue of(const std::optional<LatencyHistogram>& latency) { return latency ? SqlValue(latency->text()) : SqlValue(); }

Bucket bucket_of(const SqlRow& row) {
  return {.second = sql_number(row[0]),
          .stage = static_cast<int>(sql_number(row[1])),
          .canary_requests = sql_number(row[2]),
          .canary_errors = sql_number(row[3]),
          .canary_hidden = sql_number(row[4]),
          .baseline_requests = sql_number(row[5]),
          .baseline_errors = sql_number(row[6]),
          .baseline_hidden = sql_number(row[7]),
          .unattributed = sql_number(row[8]),
          .lost = sql_number(row[9]),
          .canary_latency = LatencyHistogram::parse(sql_text(row[12])),
          .baseline_latency = LatencyHistogram::parse(sql_text(row[13])),
          .worse = sql_real(row[10]).value_or(0),
          .healthy = sql_real(row[11]).value_or(0)};
}

}  // namespace

Deadline SqlJournal::soon() const { return Deadline::after(clock_.now(), patience); }

Result<std::unique_ptr<SqlJournal>> SqlJournal::open(Sql& sql, const Clock& clock) {
  std::unique_ptr<SqlJournal> journal(new SqlJournal(sql, clock));
  const Status made = sql.transaction(
      [](SqlSession& session) -> Status {
        for (const std::string_view statement :
             {"CREATE TABLE IF NOT EXISTS rollouts(id INTEGER PRIMARY KEY AUTOINCREMENT, service TEXT, candidate TEXT, "
              "plan TEXT, before TEXT, baseline TEXT, created INTEGER, created_at INTEGER, state TEXT, held_in TEXT, "
              "stage INTEGER, reason TEXT)",
              "CREATE TABLE IF NOT EXISTS rollout_events(rollout INTEGER, seq INTEGER, kind TEXT, stage INTEGER, "
              "split TEXT, seen TEXT, text TEXT, wall INTEGER, at INTEGER, done INTEGER, PRIMARY KEY(rollout, seq)) "
              "WITHOUT ROWID",
              "CREATE TABLE IF NOT EXISTS rollout_evidence(rollout INTEGER, second INTEGER, stage INTEGER, "
              "canary_requests INTEGER, canary_errors INTEGER, canary_hidden INTEGER, baseline_requests INTEGER, "
              "baseline_errors INTEGER, baseline_hidden INTEGER, unattributed INTEGER, lost INTEGER, worse REAL, "
              "healthy REAL, PRIMARY KEY(rollout, second)) WITHOUT ROWID",
              "CREATE TABLE IF NOT EXISTS rollout_orders(rollout INTEGER, seq INTEGER, id INTEGER, kind TEXT, by_whom "
              "TEXT, reason TEXT, given INTEGER, obeyed INTEGER, percent REAL, PRIMARY KEY(rollout, seq)) WITHOUT "
              "ROWID"})
          SERIN_CHECK(session.execute(statement, {}));
        // NULL in rows of earlier versions: not known.
        SERIN_CHECK(ensure_column(session, "rollout_evidence", "canary_latency", "TEXT"));
        return ensure_column(session, "rollout_evidence", "baseline_latency", "TEXT");
      },
      journal->soon());
  if (!made) return pass(made.error().in("the journal"));
  return journal;
}

Result<std::int64_t> SqlJournal::create(const Record& record) {
  std::int64_t id = 0;
  SERIN_CHECK(sql_.transaction(
      [&](SqlSession& session) -> Status {
        const std::vector<SqlValue> service{record.service.str()};
        SERIN_TRY(const SqlTable open,
                  session.query("SELECT id, state FROM rollouts WHERE service = $1 AND state NOT IN ('promoted', "
                                "'rolled_back', 'failed_to_start') ORDER BY id LIMIT 1",
                                service));
        if (!open.rows.empty())
          return fail(Errc::conflict,
                      fmt::format("rollout {} of {} is not ended, it is {}", sql_number(open.rows[0][0]),
                                  record.service, sql_text(open.rows[0][1])));
        const std::vector<SqlValue> values{record.service.str(),
                                           release_json(record.candidate),
                                           plan_json(record.plan),
                                           split_json(record.before),
                                           record.baseline.str(),
                                           unix_ms(record.created),
                                           of(record.created_at),
                                           of(state_name(record.progress.state)),
                                           of(state_name(record.progress.held_in)),
                                           std::int64_t{record.progress.stage},
                                           record.progress.reason};
        SERIN_TRY(const SqlTable made,
                  session.query("INSERT INTO rollouts(service, candidate, plan, before, baseline, created, created_at, "
                                "state, held_in, stage, reason) VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) "
                                "RETURNING id",
                                values));
        id = sql_number(made.rows.at(0).at(0));
        return {};
      },
      soon()));
  return id;
}

Status SqlJournal::write(std::int64_t id, const Event& event, const Progress& progress) {
  return sql_.transaction(
      [&](SqlSession& session) -> Status {
        const SqlValue done = event.done ? of(*event.done) : SqlValue();
        const std::vector<SqlValue> values{id,
                                           event.seq,
                                           of(event_name(event.kind)),
                                           std::int64_t{event.stage},
                                           split_json(event.split),
                                           split_json(event.seen),
                                           event.text,
                                           unix_ms(event.wall),
                                           of(event.at),
                                           done};
        SERIN_CHECK(session.execute(
            "INSERT INTO rollout_events(rollout, seq, kind, stage, split, seen, text, wall, at, done) VALUES($1, $2, "
            "$3, "
            "$4, $5, $6, $7, $8, $9, $10) ON CONFLICT(rollout, seq) DO UPDATE SET seen = $6, text = $7, done = $10",
            values));
        if (event.order) {
          const Order& order = *event.order;
          const std::vector<SqlValue> given{id,
                                            event.seq,
                                            order.id,
                                            of(order_name(order.kind)),
                                            order.by,
                                            order.reason,
                                            unix_ms(order.given),
                                            std::int64_t{event.obeyed ? 1 : 0},
                                            order.percent};
          SERIN_CHECK(session.execute(
              "INSERT INTO rollout_orders(rollout, seq, id, kind, by_whom, reason, given, obeyed, percent) VALUES($1, "
              "$2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
              given));
        }
        SERIN_TRY(const std::int64_t changed,
                  session.execute("UPDATE rollouts SET state = $2, held_in = $3, stage = $4, reason = $5 WHERE id = $1",
                                  progress_values(id, progress)));
        if (changed != 1) return fail(Errc::not_found, fmt::format("the journal has no rollout {}", id));
        return {};
      },
      soon());
}

Status SqlJournal::add(std::int64_t id, std::span<const Bucket> buckets) {
  if (buckets.empty()) return {};
  return sql_.transaction(
      [&](SqlSession& session) -> Status {
        for (const Bucket& bucket : buckets) {
          const std::vector<SqlValue> values{id,
                                             bucket.second,
                                             std::int64_t{bucket.stage},
                                             bucket.canary_requests,
                                             bucket.canary_errors,
                                             bucket.canary_hidden,
                                             bucket.baseline_requests,
                                             bucket.baseline_errors,
                                             bucket.baseline_hidden,
                                             bucket.unattributed,
                                             bucket.lost,
                                             bucket.worse,
                                             bucket.healthy,
                                             of(bucket.canary_latency),
                                             of(bucket.baseline_latency)};
          SERIN_CHECK(session.execute(
              "INSERT INTO rollout_evidence(rollout, second, stage, canary_requests, canary_errors, canary_hidden, "
              "baseline_requests, baseline_errors, baseline_hidden, unattributed, lost, worse, healthy, "
              "canary_latency, "
              "baseline_latency) VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT "
              "DO NOTHING",
              values));
        }
        return {};
      },
      soon());
}

Result<Record> SqlJournal::read(const SqlRow& row) {
  SERIN_TRY(ServiceName service, ServiceName::make(sql_text(row[1])));
  SERIN_TRY(ReleaseSpec candidate, parse_release_json(sql_text(row[2])));
  SERIN_TRY(ReleaseName baseline, ReleaseName::make(sql_text(row[5])));
  Record record{.id = sql_number(row[0]),
                .service = std::move(service),
                .candidate = std::move(candidate),
                .plan = {},
                .before = {},
                .baseline = std::move(baseline),
                .created = wall_of_unix_ms(sql_number(row[6])),
                .created_at = instant(row[7]),
                .progress = {.stage = static_cast<int>(sql_number(row[10])), .reason = sql_text(row[11])},
                .events = {},
                .buckets = {}};
  SERIN_TRY(record.plan, parse_plan_json(sql_text(row[3])));
  SERIN_TRY(record.before, parse_split_json(sql_text(row[4])));
  SERIN_TRY(record.progress.state, parse_state(sql_text(row[8])));
  SERIN_TRY(record.progress.held_in, parse_state(sql_text(row[9])));
  SERIN_TRY(
      const SqlTable events,
      sql_.query("SELECT seq, kind, stage, split, seen, text, wall, at, done FROM rollout_events WHERE rollout = $1 "
                 "ORDER BY seq",
                 {record.id}, soon()));
  for (const SqlRow& event_row : events.rows) {
    SERIN_TRY(Event event, event_of(event_row));
    record.events.push_back(std::move(event));
  }
  SERIN_CHECK(read_orders(record));
  return record;
}

Status SqlJournal::read_orders(Record& record) {
  // Most rollouts had none, and a history reads many.
  if (std::ranges::find(record.events, EventKind::order, &Event::kind) == record.events.end()) return {};
  SERIN_TRY(
      const SqlTable orders,
      sql_.query("SELECT seq, id, kind, by_whom, reason, given, obeyed, percent FROM rollout_orders WHERE rollout = $1",
                 {record.id}, soon()));
  for (const SqlRow& row : orders.rows) {
    const auto event = std::ranges::find(record.events, sql_number(row[0]), &Event::seq);
    if (event == record.events.end()) continue;
    event->order = Order{.id = sql_number(row[1]),
                         .rollout = record.id,
                         .kind = OrderKind::pause,
                         .percent = sql_real(row[7]).value_or(0),
                         .by = sql_text(row[3]),
                         .reason = sql_text(row[4]),
                         .given = wall_of_unix_ms(sql_number(row[5]))};
    SERIN_TRY(event->order->kind, parse_order(sql_text(row[2])));
    event->obeyed = sql_number(row[6]) != 0;
  }
  return {};
}

Result<Record> SqlJournal::load(std::int64_t id) {
  SERIN_TRY(const SqlTable table,
            sql_.query(fmt::format("SELECT {} FROM rollouts WHERE id = $1", columns), {id}, soon()));
  if (table.rows.empty()) return fail(Errc::not_found, fmt::format("there is no rollout {}", id));
  SERIN_TRY(Record record, read(table.rows.front()));
  SERIN_TRY(
      const SqlTable buckets,
      sql_.query(
          "SELECT second, stage, canary_requests, canary_errors, canary_hidden, baseline_requests, "
          "baseline_errors, baseline_hidden, unattributed, lost, worse, healthy, canary_latency, baseline_latency FROM "
          "rollout_evidence WHERE rollout = $1 ORDER BY second",
          {id}, soon()));
  for (const SqlRow& row : buckets.rows) record.buckets.push_back(bucket_of(row));
  return record;
}

Result<std::vector<Record>> SqlJournal::history(const std::optional<ServiceName>& service, int limit) {
  const std::string sql =
      fmt::format("SELECT {} FROM rollouts WHERE $1 = '' OR service = $1 ORDER BY id DESC LIMIT $2", columns);
  SERIN_TRY(const SqlTable table,
            sql_.query(sql, {service ? service->str() : std::string(), std::int64_t{limit}}, soon()));
  std::vector<Record> records;
  for (const SqlRow& row : table.rows) {
    SERIN_TRY(Record record, read(row));
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace serin::rollout
