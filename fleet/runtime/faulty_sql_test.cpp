// Goal: a drill stages and ends faults of the warehouse while the service runs, and a wrong file is none. Method: a
// database that counts, a file that the test writes, simulated time.
#include "serin/fleet_runtime/faulty_sql.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "serin/sim/world.hpp"

namespace serin::fleet {
namespace {

TEST(ParseSqlFault, knows_its_forms_and_names_a_wrong_line) {
  EXPECT_EQ(parse_sql_fault("warehouse=slow:5s\n")->slow, 5s);
  EXPECT_TRUE(parse_sql_fault("# later\nwarehouse=down # now\n")->down);
  EXPECT_EQ(parse_sql_fault("warehouse=error:0.3")->errors, 0.3);
  EXPECT_FALSE(parse_sql_fault("")->down);
  for (const char* wrong : {"bus=down", "warehouse=gone", "warehouse=slow:x", "warehouse=error:2"}) {
    const auto fault = parse_sql_fault(wrong);
    ASSERT_FALSE(fault) << wrong;
    EXPECT_EQ(fault.error().code(), Errc::invalid_argument);
    EXPECT_NE(fault.error().detail().find(wrong), std::string::npos) << fault.error().detail();
  }
}

struct CountingSql final : Sql {
  Result<SqlTable> query(std::string_view, std::span<const SqlValue>, Deadline) override {
    ++reached;
    return SqlTable();
  }
  Result<std::int64_t> execute(std::string_view, std::span<const SqlValue>, Deadline) override { return ++reached; }
  Status transaction(const std::function<Status(SqlSession&)>&, Deadline) override {
    ++reached;
    return {};
  }
  int reached = 0;
};

TEST(FaultySql, is_what_the_file_says_now) {
  std::string file = testing::TempDir() + "serin-faults-XXXXXX";
  const int descriptor = mkstemp(file.data());
  ASSERT_GE(descriptor, 0);
  close(descriptor);
  const auto stage = [&](std::string_view text) { std::ofstream(file) << text; };
  sim::World world;
  CountingSql inner;
  FaultySql sql(inner, world.sleeper(), world.random(), file, Logger(world.log()));
  const auto ask = [&] {
    world.advance(200ms);
    return sql.query("SELECT 1", {}, Deadline::after(world.now(), 2s));
  };
  EXPECT_TRUE(ask());
  stage("warehouse=slow:5s");
  const Instant before = world.now();
  EXPECT_EQ(ask().error().code(), Errc::deadline_exceeded);
  EXPECT_EQ(world.now() - before, 2s + 200ms) << "it is given up at the deadline and not later";
  stage("warehouse=slow:1s");
  EXPECT_TRUE(ask()) << "slow, but in time";
  stage("warehouse=down");
  EXPECT_EQ(ask().error().code(), Errc::unavailable);
  stage("warehouse=nonsense");
  EXPECT_TRUE(ask());
  stage("");
  EXPECT_TRUE(ask());
  EXPECT_EQ(inner.reached, 4);
  EXPECT_EQ(sql.calls(), 6);
  unlink(file.c_str());
}

}  // namespace
}  // namespace serin::fleet
