// Goal: an error means the same to everybody, and an unknown one is not repeated blindly. Method: the tables, line by
// line.
#include "serin/outcome/outcome.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace serin {
namespace {

TEST(Outcome, of_http_follows_the_meaning_of_the_status) {
  EXPECT_EQ(classify_http(204), OutcomeClass::success);
  EXPECT_EQ(classify_http(304), OutcomeClass::success);
  for (const int status : {425, 500, 502, 503}) EXPECT_EQ(classify_http(status), OutcomeClass::transient) << status;
  for (const int status : {408, 504}) EXPECT_EQ(classify_http(status), OutcomeClass::timeout) << status;
  EXPECT_EQ(classify_http(429), OutcomeClass::throttled);
  EXPECT_EQ(classify_http(503, true), OutcomeClass::throttled);
  for (const int status : {400, 401, 403, 404, 409, 501, 505, 0, 999})
    EXPECT_EQ(classify_http(status), OutcomeClass::permanent) << status;
}

TEST(Outcome, of_systems_and_databases_is_as_documented) {
  EXPECT_EQ(classify_errno(ECONNREFUSED), OutcomeClass::transient);
  EXPECT_EQ(classify_errno(ETIMEDOUT), OutcomeClass::timeout);
  EXPECT_EQ(classify_errno(ECANCELED), OutcomeClass::ignored);
  EXPECT_EQ(classify_errno(EINVAL), OutcomeClass::permanent);
  EXPECT_EQ(classify_sqlite(5 | (2 << 8)), OutcomeClass::transient) << "SQLITE_BUSY_SNAPSHOT";
  EXPECT_EQ(classify_sqlite(11), OutcomeClass::permanent) << "SQLITE_CORRUPT";
  EXPECT_EQ(classify_postgres("40001"), OutcomeClass::transient);
  EXPECT_EQ(classify_postgres("08006"), OutcomeClass::transient);
  EXPECT_EQ(classify_postgres("53300"), OutcomeClass::throttled);
  EXPECT_EQ(classify_postgres("57014"), OutcomeClass::timeout);
  EXPECT_EQ(classify_postgres("23505"), OutcomeClass::permanent);
  EXPECT_EQ(classify_postgres(""), OutcomeClass::permanent);
  EXPECT_EQ(classify_google(14), OutcomeClass::transient);
  EXPECT_EQ(classify_google(8), OutcomeClass::throttled);
  EXPECT_EQ(classify_google(3), OutcomeClass::permanent);
}

TEST(Outcome, of_our_own_errors_blames_no_peer_for_our_limits) {
  EXPECT_EQ(classify(Errc::rejected), OutcomeClass::ignored);
  EXPECT_EQ(classify(Errc::unavailable), OutcomeClass::transient);
  EXPECT_TRUE(is_surely_not_executed(Errc::rejected));
  EXPECT_FALSE(is_surely_not_executed(Errc::unavailable));
  EXPECT_EQ(classify(Result<int>(7)), OutcomeClass::success);
  for (const OutcomeClass outcome : {OutcomeClass::success, OutcomeClass::permanent, OutcomeClass::ignored})
    EXPECT_FALSE(is_retryable(outcome) || is_failure(outcome)) << outcome_class_name(outcome);
}

}  // namespace
}  // namespace serin
