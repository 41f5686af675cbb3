#include "serin/control/order_store.hpp"

#include <fmt/format.h>

#include "serin/ports/sql_cell.hpp"

namespace serin::control {
namespace {

// In the order in which order_of() takes them.
constexpr std::string_view columns = "id, rollout, kind, by_whom, reason, given, percent";

Result<rollout::Order> order_of(const SqlRow& row) {
  rollout::Order order{.id = sql_number(row[0]),
                       .rollout = sql_number(row[1]),
                       .kind = rollout::OrderKind::pause,
                       .percent = sql_real(row[6]).value_or(0),
                       .by = sql_text(row[3]),
                       .reason = sql_text(row[4]),
                       .given = wall_of_unix_ms(sql_number(row[5]))};
  SERIN_TRY(order.kind, rollout::parse_order(sql_text(row[2])));
  return order;
}

}  // namespace

Result<std::unique_ptr<OrderStore>> OrderStore::open(Sql& sql, const Clock& clock) {
  std::unique_ptr<OrderStore> store(new OrderStore(sql, clock));
  const Result<std::int64_t> made = sql.execute(
      "CREATE TABLE IF NOT EXISTS orders(id INTEGER PRIMARY KEY AUTOINCREMENT, rollout INTEGER, kind TEXT, by_whom "
      "TEXT, reason TEXT, given INTEGER, percent REAL, accepted INTEGER, answer TEXT, answered INTEGER)",
      {}, store->soon());
  if (!made) return pass(made.error().in("the orders"));
  return store;
}

Result<std::int64_t> OrderStore::give(const rollout::Order& order) {
  const std::vector<SqlValue> values{
      order.rollout, std::string(rollout::order_name(order.kind)), order.by, order.reason, unix_ms(clock_.wall()),
      order.percent};
  std::int64_t id = 0;
  SERIN_CHECK(sql_.transaction(
      [&](SqlSession& session) -> Status {
        SERIN_TRY(
            const SqlTable made,
            session.query(
                "INSERT INTO orders(rollout, kind, by_whom, reason, given, percent) VALUES($1, $2, $3, $4, $5, $6) "
                "RETURNING id",
                values));
        id = sql_number(made.rows.at(0).at(0));
        return {};
      },
      soon()));
  return id;
}

Result<KeptOrder> OrderStore::find(std::int64_t id) {
  SERIN_TRY(const SqlTable table,
            sql_.query(fmt::format("SELECT {}, accepted, answer, answered FROM orders WHERE id = $1", columns), {id},
                       soon()));
  if (table.rows.empty()) return fail(Errc::not_found, fmt::format("there is no order {}", id));
  const SqlRow& row = table.rows.front();
  SERIN_TRY(rollout::Order order, order_of(row));
  KeptOrder kept{.order = std::move(order), .answer = {}};
  if (!std::holds_alternative<std::monostate>(row[9]))
    kept.answer = rollout::OrderAnswer{.accepted = sql_number(row[7]) != 0, .text = sql_text(row[8])};
  return kept;
}

Result<std::vector<rollout::Order>> OrderStore::waiting(std::int64_t rollout) {
  SERIN_TRY(
      const SqlTable table,
      sql_.query(fmt::format("SELECT {} FROM orders WHERE rollout = $1 AND answered IS NULL ORDER BY id", columns),
                 {rollout}, soon()));
  std::vector<rollout::Order> orders;
  for (const SqlRow& row : table.rows) {
    SERIN_TRY(rollout::Order order, order_of(row));
    orders.push_back(std::move(order));
  }
  return orders;
}

Status OrderStore::answer(std::int64_t id, const rollout::OrderAnswer& answer) {
  const std::vector<SqlValue> values{id, std::int64_t{answer.accepted ? 1 : 0}, answer.text, unix_ms(clock_.wall())};
  SERIN_TRY(const std::int64_t changed,
            sql_.execute("UPDATE orders SET accepted = $2, answer = $3, answered = $4 WHERE id = $1 AND answered IS "
                         "NULL",
                         values, soon()));
  if (changed == 1) return {};
  SERIN_CHECK(find(id));
  return {};
}

}  // namespace serin::control
