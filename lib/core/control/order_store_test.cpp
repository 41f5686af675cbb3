// Goal: an order survives both processes, and has one answer. Method: SQLite on a file, read through a second store.
#include "serin/control/order_store.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "serin/sim/world.hpp"
#include "serin/sqlite/sqlite_sql.hpp"

namespace serin::control {
namespace {

using rollout::Order;
using rollout::OrderAnswer;
using rollout::OrderKind;

class OrdersOnFile : public testing::Test {
 protected:
  OrdersOnFile() {
    std::string pattern = (std::filesystem::temp_directory_path() / "serin-orders-XXXXXX").string();
    folder = mkdtemp(pattern.data());
    sql = SqliteSql::open({.path = folder + "/state.db"}, world.sleeper()).value();
    store = OrderStore::open(*sql, world.sleeper()).value();
  }
  ~OrdersOnFile() override {
    store.reset();
    sql.reset();
    std::filesystem::remove_all(folder);
  }
  std::int64_t give(std::int64_t rollout, OrderKind kind, std::string reason = {}) {
    return store
        ->give({.rollout = rollout,
                .kind = kind,
                .percent = 12.5,
                .by = "anna@host",
                .reason = std::move(reason),
                .given = {}})
        .value();
  }
  sim::World world;
  std::string folder;
  std::unique_ptr<SqliteSql> sql;
  std::unique_ptr<OrderStore> store;
};

TEST_F(OrdersOnFile, are_there_for_another_process_in_their_order_and_only_for_their_rollout) {
  const std::int64_t first = give(3, OrderKind::pause, "lunch");
  give(4, OrderKind::abort);
  const std::int64_t second = give(3, OrderKind::promote_full);
  const auto other_sql = SqliteSql::open({.path = folder + "/state.db"}, world.sleeper()).value();
  const auto other = OrderStore::open(*other_sql, world.sleeper()).value();
  const std::vector<Order> waiting = other->waiting(3).value();
  ASSERT_EQ(waiting.size(), 2u);
  EXPECT_EQ(waiting[0], (Order{.id = first,
                               .rollout = 3,
                               .kind = OrderKind::pause,
                               .percent = 12.5,
                               .by = "anna@host",
                               .reason = "lunch",
                               .given = waiting[0].given}));
  EXPECT_EQ(unix_ms(waiting[0].given), unix_ms(world.sleeper().wall()));
  EXPECT_EQ(waiting[1].id, second);
  EXPECT_EQ(waiting[1].kind, OrderKind::promote_full);
  EXPECT_GT(second, first);
}

TEST_F(OrdersOnFile, have_one_answer_and_the_first_one_stays) {
  const std::int64_t id = give(3, OrderKind::pause);
  EXPECT_FALSE(store->find(id)->answer);
  ASSERT_TRUE(store->answer(id, {.accepted = true, .text = "paused at 5 %"}));
  ASSERT_TRUE(store->answer(id, {.accepted = false, .text = "it is over"}));
  EXPECT_EQ(store->find(id)->answer, (OrderAnswer{true, "paused at 5 %"}));
  EXPECT_TRUE(store->waiting(3)->empty());
  EXPECT_EQ(store->answer(99, {}).error().code(), Errc::not_found);
  EXPECT_EQ(store->find(99).error().code(), Errc::not_found);
}

}  // namespace
}  // namespace serin::control
