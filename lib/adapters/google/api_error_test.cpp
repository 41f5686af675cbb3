// Goal: what a Google service says is read as what it means, in every form in which errors come.
// Method: bodies as the services write them, in a table with the class and the code that follow; and what is no error.
#include "serin/google/api_error.hpp"

#include <gtest/gtest.h>

namespace serin::google {
namespace {

std::string with_reason(int code, const std::string& status, const std::string& reason) {
  return R"({"error":{"code":)" + std::to_string(code) + R"(,"message":"m","status":")" + status +
         R"(","errors":[{"domain":"d","reason":")" + reason + R"(","message":"m"}]}})";
}
std::string with_status(int code, const std::string& status) {
  return R"({"error":{"code":)" + std::to_string(code) + R"(,"message":"m","status":")" + status + R"("}})";
}

struct Case {
  const char* name;
  int http;
  std::string body;
  OutcomeClass outcome;
  Errc code;
};
void PrintTo(const Case& row, std::ostream* out) { *out << row.name; }

class Errors : public testing::TestWithParam<Case> {};

TEST_P(Errors, are_read_as_what_they_mean) {
  const Case& row = GetParam();
  const ApiError error = read_error(row.http, row.body);
  EXPECT_EQ(outcome_class_name(error.outcome), outcome_class_name(row.outcome)) << row.body;
  EXPECT_EQ(errc_name(code_of(error)), errc_name(row.code)) << row.body;
}

using enum OutcomeClass;
INSTANTIATE_TEST_SUITE_P(
    Table, Errors,
    testing::Values(
        // The reason decides, whatever the number.
        Case{"rate_403", 403, with_reason(403, "PERMISSION_DENIED", "rateLimitExceeded"), throttled, Errc::exhausted},
        Case{"user_rate_403", 403, with_reason(403, "", "userRateLimitExceeded"), throttled, Errc::exhausted},
        Case{"rate_429", 429, with_reason(429, "RESOURCE_EXHAUSTED", "rateLimitExceeded"), throttled, Errc::exhausted},
        Case{"job_rate_400", 400, with_reason(400, "", "jobRateLimitExceeded"), throttled, Errc::exhausted},
        Case{"job_backend_400", 400, with_reason(400, "", "jobBackendError"), transient, Errc::unavailable},
        Case{"job_internal_400", 400, with_reason(400, "", "jobInternalError"), transient, Errc::unavailable},
        Case{"backend_503", 503, with_reason(503, "", "backendError"), transient, Errc::unavailable},
        Case{"backend_500", 500, with_reason(500, "", "backendError"), transient, Errc::unavailable},
        Case{"bad_gateway", 502, with_reason(502, "", "badGateway"), transient, Errc::unavailable},
        Case{"internal_500", 500, with_reason(500, "INTERNAL", "internalError"), transient, Errc::unavailable},
        Case{"timeout_408", 408, with_reason(408, "", "timeout"), OutcomeClass::timeout, Errc::deadline_exceeded},
        Case{"stopped", 400, with_reason(400, "", "stopped"), ignored, Errc::cancelled},
        // Never again, though the number says "later".
        Case{"quota_403", 403, with_reason(403, "", "quotaExceeded"), permanent, Errc::permission_denied},
        Case{"quota_429", 429, with_reason(429, "RESOURCE_EXHAUSTED", "quotaExceeded"), permanent,
             Errc::permission_denied},
        Case{"daily", 403, with_reason(403, "", "dailyLimitExceeded"), permanent, Errc::permission_denied},
        Case{"access", 403, with_reason(403, "PERMISSION_DENIED", "accessDenied"), permanent, Errc::permission_denied},
        Case{"billing", 403, with_reason(403, "", "billingNotEnabled"), permanent, Errc::permission_denied},
        Case{"too_large", 403, with_reason(403, "", "responseTooLarge"), permanent, Errc::permission_denied},
        Case{"query", 400, with_reason(400, "INVALID_ARGUMENT", "invalidQuery"), permanent, Errc::invalid_argument},
        Case{"missing", 404, with_reason(404, "NOT_FOUND", "notFound"), permanent, Errc::not_found},
        Case{"duplicate", 409, with_reason(409, "ALREADY_EXISTS", "duplicate"), permanent, Errc::conflict},
        Case{"etag", 412, with_reason(412, "", "conditionNotMet"), permanent, Errc::conflict},
        // No reason: the status.
        Case{"unavailable", 503, with_status(503, "UNAVAILABLE"), transient, Errc::unavailable},
        Case{"exhausted", 429, with_status(429, "RESOURCE_EXHAUSTED"), throttled, Errc::exhausted},
        Case{"deadline", 504, with_status(504, "DEADLINE_EXCEEDED"), OutcomeClass::timeout, Errc::deadline_exceeded},
        Case{"internal", 500, with_status(500, "INTERNAL"), transient, Errc::unavailable},
        Case{"unknown", 500, with_status(500, "UNKNOWN"), transient, Errc::unavailable},
        Case{"aborted", 409, with_status(409, "ABORTED"), transient, Errc::conflict},
        Case{"exists", 409, with_status(409, "ALREADY_EXISTS"), permanent, Errc::conflict},
        Case{"precondition", 400, with_status(400, "FAILED_PRECONDITION"), permanent, Errc::conflict},
        Case{"argument", 400, with_status(400, "INVALID_ARGUMENT"), permanent, Errc::invalid_argument},
        Case{"range", 400, with_status(400, "OUT_OF_RANGE"), permanent, Errc::invalid_argument},
        Case{"nobody", 401, with_status(401, "UNAUTHENTICATED"), permanent, Errc::permission_denied},
        Case{"unimplemented", 501, with_status(501, "UNIMPLEMENTED"), permanent, Errc::unsupported},
        Case{"cancelled", 499, with_status(499, "CANCELLED"), ignored, Errc::cancelled},
        Case{"lost", 501, with_status(501, "DATA_LOSS"), permanent, Errc::data_loss},
        // No body that says anything: the number.
        Case{"plain_503", 503, "", transient, Errc::unavailable},
        Case{"html_502", 502, "<html><title>502</title></html>", transient, Errc::unavailable},
        Case{"html_403", 403, "<html>", permanent, Errc::permission_denied},
        Case{"text_429", 429, "slow down", throttled, Errc::exhausted},
        Case{"plain_408", 408, "", OutcomeClass::timeout, Errc::deadline_exceeded},
        Case{"teapot", 418, "{}", permanent, Errc::invalid_argument},
        Case{"redirect", 302, "", success, Errc::internal},
        // A reason that no table knows does not make 503 permanent, nor 403 transient.
        Case{"new_503", 503, with_reason(503, "", "somethingNew"), transient, Errc::unavailable},
        Case{"new_403", 403, with_reason(403, "PERMISSION_DENIED", "somethingNew"), permanent,
             Errc::permission_denied}),
    [](const testing::TestParamInfo<Case>& row) { return std::string(row.param.name); });

TEST(An_error, is_found_in_the_array_of_a_stream) {
  const ApiError error = read_error(409, "[" + with_status(409, "ABORTED") + "]");
  EXPECT_EQ(error.status, "ABORTED");
  EXPECT_EQ(error.message, "m");
}

TEST(An_error, of_oauth_is_read_too) {
  const ApiError error = read_error(400, R"({"error":"invalid_grant","error_description":"Token has been revoked."})");
  EXPECT_EQ(error.reason, "invalid_grant");
  EXPECT_EQ(error.message, "Token has been revoked.");
  EXPECT_EQ(describe(error), "400 (invalid_grant): Token has been revoked.");
}

TEST(An_error, of_oauth_that_refuses_credentials_is_a_denial) {
  EXPECT_EQ(errc_name(code_of(read_error(400, R"({"error":"invalid_grant"})"))), "permission_denied");
  EXPECT_EQ(errc_name(code_of(read_error(401, R"({"error":"invalid_client"})"))), "permission_denied");
}

TEST(An_error, carries_the_details_that_name_a_reason_and_a_wait) {
  const ApiError error =
      read_error(403, R"({"error":{"code":403,"message":"off","status":"PERMISSION_DENIED","details":[
    {"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"RATE_LIMIT_EXCEEDED","domain":"googleapis.com"},
    {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"3.5s"}, 7, {"@type":5}]}})");
  EXPECT_EQ(error.info_reason, "RATE_LIMIT_EXCEEDED");
  EXPECT_EQ(outcome_class_name(error.outcome), "throttled");
  ASSERT_TRUE(error.retry_delay.has_value());
  EXPECT_EQ(*error.retry_delay, 3500ms);
}

TEST(An_error, whose_info_says_that_a_service_is_off_is_permanent) {
  const ApiError error = read_error(403, R"({"error":{"code":403,"status":"PERMISSION_DENIED","message":"m","details":[
    {"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"SERVICE_DISABLED"}]}})");
  EXPECT_EQ(outcome_class_name(error.outcome), "permanent");
  EXPECT_EQ(describe(error), "403 PERMISSION_DENIED (SERVICE_DISABLED): m");
}

TEST(An_error, with_odd_waits_has_none) {
  for (const char* delay : {"3", "s", "-1s", "1e9s", "infs", "1.2.3s", "", "nans"}) {
    const ApiError error = read_error(429, R"({"error":{"details":[{"@type":"x/google.rpc.RetryInfo","retryDelay":")" +
                                               std::string(delay) + "\"}]}}");
    EXPECT_FALSE(error.retry_delay.has_value()) << delay;
  }
}

TEST(An_error, shows_no_secret_no_control_characters_and_no_end_of_a_page) {
  const ApiError error = read_error(400, R"({"error":{"message":"bad\u0000line\nBearer ya29.abc refresh_token=xyz )" +
                                             std::string(2000, 'a') + "\"}}");
  EXPECT_EQ(error.message.find("ya29"), std::string::npos) << error.message;
  EXPECT_EQ(error.message.find("xyz"), std::string::npos) << error.message;
  EXPECT_EQ(error.message.find('\n'), std::string::npos);
  EXPECT_LE(error.message.size(), 603u);
}

TEST(An_error, whose_names_are_no_words_has_none) {
  const ApiError error = read_error(403, R"({"error":{"status":"A\nB","errors":[{"reason":"<script>"}]}})");
  EXPECT_EQ(error.status, "");
  EXPECT_EQ(error.reason, "");
}

TEST(An_error, of_throttling_was_surely_not_executed_but_a_503_may_have_been) {
  EXPECT_TRUE(read_error(429, "").surely_not_executed());
  EXPECT_TRUE(read_error(403, with_reason(403, "", "rateLimitExceeded")).surely_not_executed());
  ApiError later = read_error(503, "");
  later.outcome = classify(later, true);
  EXPECT_EQ(outcome_class_name(later.outcome), "throttled");
  EXPECT_FALSE(later.surely_not_executed());
}

}  // namespace
}  // namespace serin::google
