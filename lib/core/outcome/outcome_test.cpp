// Goal: an error means the same to everybody, and an unknown one is not repeated blindly. Method: the tables, line by
// line.
#include "serin/outcome/outcome.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <map>
#include <string_view>

namespace serin {
namespace {

using enum OutcomeClass;

/// Every number of a range that stands in no row is permanent: the tables are complete as they stand here.
template <class Classify>
void expect_table(const std::map<int, OutcomeClass>& rows, int from, int to, const Classify& classify) {
  for (int code = from; code <= to; ++code) {
    const auto row = rows.find(code);
    EXPECT_EQ(classify(code), row == rows.end() ? permanent : row->second) << code;
  }
}

TEST(Outcome, of_http_follows_the_meaning_of_the_status) {
  std::map<int, OutcomeClass> rows{{408, timeout},   {504, timeout},   {522, timeout},   {524, timeout},
                                   {429, throttled}, {425, transient}, {500, transient}, {502, transient},
                                   {503, transient}, {520, transient}, {521, transient}, {523, transient},
                                   {499, ignored}};
  for (int status = 200; status < 400; ++status) rows[status] = success;
  expect_table(rows, -1, 1000, [](int status) { return classify_http(status); });
  rows[503] = throttled;
  expect_table(rows, -1, 1000, [](int status) { return classify_http(status, true); });
}

TEST(Outcome, of_a_system_call_follows_posix) {
  const std::map<int, OutcomeClass> rows{
      {0, success},           {ECONNREFUSED, transient},  {ECONNRESET, transient},  {ECONNABORTED, transient},
      {EPIPE, transient},     {ENETDOWN, transient},      {ENETUNREACH, transient}, {ENETRESET, transient},
      {EHOSTDOWN, transient}, {EHOSTUNREACH, transient},  {ENOTCONN, transient},    {ESHUTDOWN, transient},
      {ESTALE, transient},    {EBUSY, transient},         {EAGAIN, transient},      {EINTR, transient},
      {ETIME, timeout},       {ETIMEDOUT, timeout},       {EMFILE, throttled},      {ENFILE, throttled},
      {ENOBUFS, throttled},   {EADDRNOTAVAIL, throttled}, {ENOMEM, throttled},      {ECANCELED, ignored}};
  expect_table(rows, -5, 200, classify_errno);
  expect_table(rows, 0, 200, [](int code) { return classify_asio("system", code); });
  expect_table(rows, 0, 200, [](int code) { return classify_asio("generic", code); });
  expect_table({{0, success}, {2, transient}}, -20, 20, [](int code) { return classify_asio("asio.misc", code); });
  expect_table({{0, success}, {2, transient}}, -20, 20, [](int code) { return classify_asio("asio.netdb", code); });
  expect_table({{0, success}, {-3, transient}}, -20, 20, [](int code) { return classify_asio("asio.addrinfo", code); });
  expect_table({{0, success}}, -20, 20, [](int code) { return classify_asio("asio.ssl", code); });
}

TEST(Outcome, of_sqlite_follows_its_result_codes) {
  const std::map<int, OutcomeClass> rows{{0, success},   {100, success},  {101, success}, {5, transient},
                                         {6, transient}, {15, transient}, {7, throttled}, {9, timeout}};
  expect_table(rows, 0, 255, classify_sqlite);
  EXPECT_EQ(classify_sqlite(261), transient) << "BUSY_RECOVERY";
  EXPECT_EQ(classify_sqlite(517), transient) << "BUSY_SNAPSHOT";
  EXPECT_EQ(classify_sqlite(773), timeout) << "BUSY_TIMEOUT";
  EXPECT_EQ(classify_sqlite(262), transient) << "LOCKED_SHAREDCACHE";
  EXPECT_EQ(classify_sqlite(2067), permanent) << "CONSTRAINT_UNIQUE";
  EXPECT_EQ(classify_sqlite(11), permanent) << "CORRUPT";
  EXPECT_EQ(classify_sqlite(13), permanent) << "FULL";
}

TEST(Outcome, of_postgres_follows_its_appendix) {
  const std::map<std::string_view, OutcomeClass> rows{
      {"00000", success},   {"01000", success},   {"02000", success},   {"08000", transient}, {"08001", transient},
      {"08003", transient}, {"08004", transient}, {"08006", transient}, {"08007", transient}, {"08P01", permanent},
      {"40001", transient}, {"40P01", transient}, {"40002", permanent}, {"40003", permanent}, {"53000", throttled},
      {"53100", permanent}, {"53200", throttled}, {"53300", throttled}, {"53400", throttled}, {"55006", transient},
      {"55P03", transient}, {"55000", permanent}, {"57014", timeout},   {"57P01", transient}, {"57P02", transient},
      {"57P03", transient}, {"57P04", permanent}, {"57P05", timeout},   {"25P03", timeout},   {"25P02", permanent},
      {"23505", permanent}, {"28P01", permanent}, {"42601", permanent}, {"58030", permanent}, {"XX000", permanent},
      {"", permanent},      {"08", permanent},    {"080061", permanent}};
  for (const auto& [state, outcome] : rows) EXPECT_EQ(classify_postgres(state), outcome) << state;
}

TEST(Outcome, of_google_follows_its_codes_and_reasons) {
  expect_table(
      {{0, success}, {1, ignored}, {4, timeout}, {8, throttled}, {10, transient}, {13, transient}, {14, transient}}, -1,
      20, classify_google);
  const std::map<std::string_view, OutcomeClass> rows{{"rateLimitExceeded", throttled},
                                                      {"userRateLimitExceeded", throttled},
                                                      {"concurrentLimitExceeded", throttled},
                                                      {"RATE_LIMIT_EXCEEDED", throttled},
                                                      {"RESOURCE_EXHAUSTED", throttled},
                                                      {"jobRateLimitExceeded", throttled},
                                                      {"backendError", transient},
                                                      {"internalError", transient},
                                                      {"jobBackendError", transient},
                                                      {"jobInternalError", transient},
                                                      {"tableUnavailable", transient},
                                                      {"transientError", transient},
                                                      {"backendNotConnected", transient},
                                                      {"badGateway", transient},
                                                      {"serviceUnavailable", transient},
                                                      {"UNAVAILABLE", transient},
                                                      {"INTERNAL", transient},
                                                      {"ABORTED", transient},
                                                      {"timeout", timeout},
                                                      {"gatewayTimeout", timeout},
                                                      {"requestTimeout", timeout},
                                                      {"DEADLINE_EXCEEDED", timeout},
                                                      {"stopped", ignored},
                                                      {"CANCELLED", ignored},
                                                      {"quotaExceeded", permanent},
                                                      {"dailyLimitExceeded", permanent},
                                                      {"sharingRateLimitExceeded", permanent},
                                                      {"accessDenied", permanent},
                                                      {"accessNotConfigured", permanent},
                                                      {"authError", permanent},
                                                      {"badRequest", permanent},
                                                      {"billingNotEnabled", permanent},
                                                      {"blocked", permanent},
                                                      {"duplicate", permanent},
                                                      {"forbidden", permanent},
                                                      {"insufficientPermissions", permanent},
                                                      {"invalid", permanent},
                                                      {"invalidQuery", permanent},
                                                      {"notFound", permanent},
                                                      {"notImplemented", permanent},
                                                      {"resourcesExceeded", permanent},
                                                      {"responseTooLarge", permanent},
                                                      {"ratelimitexceeded", permanent},
                                                      {"", permanent}};
  for (const auto& [reason, outcome] : rows) EXPECT_EQ(classify_google_reason(reason), outcome) << reason;
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
