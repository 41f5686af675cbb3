// Goal: a database that is busy is asked again, one that is gone is left alone and found again, and nothing is written
// twice. Method: a database that answers as told, on fake time.
#include "serin/guard/guarded_sql.hpp"

#include <gtest/gtest.h>

#include "serin/sim/world.hpp"

namespace serin::guard {
namespace {

struct ScriptedSql final : Sql {
  using Sql::execute;
  using Sql::query;
  Status answer() {
    ++calls;
    if (failures-- > 0) return fail(code, "as told");
    failures = 0;
    return {};
  }
  Result<SqlTable> query(std::string_view, std::span<const SqlValue>, Deadline) override {
    SERIN_CHECK(answer());
    return SqlTable{};
  }
  Result<std::int64_t> execute(std::string_view, std::span<const SqlValue>, Deadline) override {
    SERIN_CHECK(answer());
    return 1;
  }
  Status transaction(const std::function<Status(SqlSession&)>&, Deadline) override { return answer(); }
  int calls = 0;
  int failures = 0;
  Errc code = Errc::unavailable;
};

struct GuardedDatabase : testing::Test {
  Deadline soon() { return Deadline::after(world.now(), 30s); }
  sim::World world;
  ScriptedSql inner;
  std::unique_ptr<Target> target = [this] {
    TargetPolicy policy = usual_policy().value();
    policy.breaker = breaker::BreakerOptions{.calls = 10, .min_calls = 6};
    return Target::make("warehouse", world.sleeper(), world.random(), policy).value();
  }();
  GuardedSql sql{inner, *target};
};

TEST_F(GuardedDatabase, a_query_is_tried_again_and_a_write_is_not) {
  inner.failures = 2;
  EXPECT_TRUE(sql.query("SELECT 1", {}, soon()).has_value());
  EXPECT_EQ(inner.calls, 3);
  inner.failures = 1;
  EXPECT_FALSE(sql.execute("UPDATE x", {}, soon()).has_value());
  EXPECT_EQ(inner.calls, 4) << "it may have been done";
  inner.failures = 1;
  EXPECT_FALSE(sql.transaction([](SqlSession&) -> Status { return {}; }, soon()).has_value());
  EXPECT_EQ(inner.calls, 5);
}

TEST_F(GuardedDatabase, a_refused_statement_is_an_answer_and_opens_nothing) {
  inner.code = Errc::invalid_argument;
  inner.failures = 50;
  for (int i = 0; i < 50; ++i) EXPECT_EQ(sql.query("SELEC", {}, soon()).error().code(), Errc::invalid_argument);
  EXPECT_EQ(inner.calls, 50);
  EXPECT_EQ(target->breaker()->snapshot(world.now()).state, breaker::State::closed);
}

TEST_F(GuardedDatabase, that_is_gone_is_left_alone_and_found_again_without_a_restart) {
  inner.failures = 1'000'000;
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(sql.execute("UPDATE x", {}, soon()).has_value());
  EXPECT_LT(inner.calls, 10) << "the breaker opened";
  inner.failures = 0;
  world.advance(2min);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(sql.execute("UPDATE x", {}, soon()).has_value());
  EXPECT_EQ(target->breaker()->snapshot(world.now()).state, breaker::State::closed);
}

}  // namespace
}  // namespace serin::guard
