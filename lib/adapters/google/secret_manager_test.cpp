// Goal: secrets come as they were stored or not at all, and nothing of them stands in an error. Method: answers as the
// service writes them, with the right checksum and wrong ones; checksums are compared with those of RFC 3720.
#include "serin/google/secret_manager.hpp"

#include <gtest/gtest.h>

#include "client_under_test.hpp"
#include "serin/base/text.hpp"
#include "serin/google/checks.hpp"
#include "serin/google/crc32c.hpp"

namespace serin::google {
namespace {

TEST(Crc32c, is_that_of_the_rfc) {
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43U);
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(""), 0U);
}

class Secrets : public ClientUnderTest<SecretManager> {
 protected:
  static std::string payload(const std::string& data, std::int64_t sum) {
    return R"({"name":"projects/1/secrets/s/versions/7","payload":{"data":")" + base64_encode(data) +
           R"(","dataCrc32c":")" + std::to_string(sum) + "\"}}";
  }
  static std::string good(const std::string& data) { return payload(data, crc32c(data)); }
};

TEST_F(Secrets, come_with_the_version_that_latest_stands_for) {
  http.then(200, good("pass"));
  const auto secret = client.access("db-password", "latest", soon());
  ASSERT_TRUE(secret) << secret.error().text();
  EXPECT_EQ(secret->data, "pass");
  EXPECT_EQ(secret->version, "7");
  EXPECT_EQ(asked(), "GET /v1/projects/p/secrets/db-password/versions/latest:access");
  EXPECT_EQ(http.asked().front().origin, "https://secretmanager.googleapis.com");
}

TEST_F(Secrets, that_came_damaged_are_read_once_more_and_then_refused) {
  http.then(200, payload("S3CRET", 1)).then(200, good("S3CRET"));
  EXPECT_EQ(client.access("s", "1", soon())->data, "S3CRET");
  http.clear();
  http.then(200, payload("S3CRET", 1));
  const auto damaged = client.access("s", "1", soon());
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().text(),
            "data_loss: /v1/projects/p/secrets/s/versions/1:access: the content does not match its checksum");
  EXPECT_EQ(http.count(), 2u);
  http.clear();
  http.then(200, R"({"name":"x","payload":{"data":"UzNDUkVU"}})");
  EXPECT_NE(client.access("s", "1", soon()).error().text().find("without a checksum"), std::string::npos);
  http.clear();
  http.then(200, R"({"name":"x","payload":{"data":"S3CRET!","dataCrc32c":"1"}})");
  EXPECT_EQ(client.access("s", "1", soon()).error().text().find("S3CRET"), std::string::npos);
}

TEST_F(Secrets, are_asked_for_again_after_two_seconds_and_more) {
  http.then(503, "").then(429, "").then(200, good("x"));
  ASSERT_TRUE(client.access("s", "1", soon()));
  EXPECT_EQ(http.count(), 3u);
  EXPECT_EQ(client.api().options().retry.backoff.first, 2s);
}

TEST_F(Secrets, that_are_not_there_or_not_for_us_say_so) {
  http.then(404, R"({"error":{"status":"NOT_FOUND","message":"Secret [s] not found"}})");
  EXPECT_EQ(client.access("s", "1", soon()).error().text(),
            "not_found: secretmanager: GET /v1/projects/p/secrets/s/versions/1:access: 404 NOT_FOUND: Secret [s] not "
            "found");
  http.clear();
  http.then(400, R"({"error":{"status":"FAILED_PRECONDITION","message":"is in DESTROYED state"}})");
  EXPECT_EQ(errc_name(client.access("s", "1", soon()).error().code()), "conflict");
}

TEST_F(Secrets, get_new_versions_with_a_checksum_and_only_once) {
  http.then(200, R"({"name":"projects/1/secrets/s/versions/8","state":"ENABLED","createTime":"2026-04-09T18:03:00Z",
    "etag":"\"e\""})");
  const auto added = client.add_version("s", "123456789", soon());
  ASSERT_TRUE(added) << added.error().text();
  EXPECT_EQ(asked(), "POST /v1/projects/p/secrets/s:addVersion");
  EXPECT_EQ(http.last().body, R"({"payload":{"data":"MTIzNDU2Nzg5","dataCrc32c":"3808858755"}})");
  EXPECT_EQ(added->version, "8");
  EXPECT_EQ(added->state, SecretState::enabled);
  EXPECT_EQ(added->etag, "\"e\"");
  EXPECT_EQ(added->created, WallTime(std::chrono::seconds(1'775'757'780)));
  http.clear();
  http.then(503, "");
  EXPECT_FALSE(client.add_version("s", "x", soon()));
  EXPECT_EQ(http.count(), 1u) << "it may have been stored";
  EXPECT_EQ(errc_name(client.add_version("s", std::string(65'537, 'x'), soon()).error().code()), "invalid_argument");
}

TEST_F(Secrets, are_listed_over_pages) {
  http.then(200, R"({"secrets":[{"name":"projects/1/secrets/a"}],"nextPageToken":"n 1"})")
      .then(200, R"({"nextPageToken":"n2"})")
      .then(200, R"({"secrets":[{"name":"projects/1/secrets/b"}]})");
  EXPECT_EQ(*client.secrets(soon()), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(asked(1), "GET /v1/projects/p/secrets?pageToken=n%201");
  http.clear();
  http.then(200, R"({"versions":[{"name":"x/versions/2","state":"DISABLED"},{"name":"x/versions/1","state":3}]})");
  const auto versions = client.versions("a", "state:ENABLED", soon());
  ASSERT_EQ(versions->size(), 2u);
  EXPECT_EQ(versions->at(0).state, SecretState::disabled);
  EXPECT_EQ(versions->at(1).state, SecretState::destroyed) << "enums may be numbers";
  EXPECT_EQ(asked(), "GET /v1/projects/p/secrets/a/versions?filter=state%3AENABLED");
}

TEST_F(Secrets, with_a_list_that_never_ends_are_given_up) {
  http.then(200, R"({"nextPageToken":"again"})");
  EXPECT_EQ(errc_name(client.secrets(Deadline::never()).error().code()), "exhausted");
}

TEST_F(Secrets, are_created_enabled_disabled_and_destroyed) {
  http.then(200, "{}");
  ASSERT_TRUE(client.create("s", soon()));
  EXPECT_EQ(asked(), "POST /v1/projects/p/secrets?secretId=s");
  EXPECT_EQ(http.last().body, R"({"replication":{"automatic":{}}})");
  ASSERT_TRUE(client.enable("s", "1", "", soon()));
  EXPECT_EQ(asked() + http.last().body, "POST /v1/projects/p/secrets/s/versions/1:enable{}");
  ASSERT_TRUE(client.disable("s", "1", "e1", soon()));
  EXPECT_EQ(asked() + http.last().body, R"(POST /v1/projects/p/secrets/s/versions/1:disable{"etag":"e1"})");
  ASSERT_TRUE(client.destroy("s", "1", "", soon()));
  EXPECT_EQ(asked(), "POST /v1/projects/p/secrets/s/versions/1:destroy");
  http.clear();
  http.then(400, R"({"error":{"status":"FAILED_PRECONDITION","message":"etag"}})");
  EXPECT_EQ(errc_name(client.disable("s", "1", "old", soon()).error().code()), "conflict");
}

TEST_F(Secrets, whose_names_are_odd_stay_one_segment) {
  http.then(200, good("x"));
  ASSERT_TRUE(client.access("../a/b?c", "1", soon()));
  EXPECT_EQ(asked(), "GET /v1/projects/p/secrets/..%2Fa%2Fb%3Fc/versions/1:access");
}

TEST_F(Secrets, are_checked_by_their_metadata_alone) {
  const auto check = secret_check(client, "s");
  const auto status = [&] { return std::string(health_status_name(check({soon(), {}}).status)); };
  http.then(200, R"({"name":"x/versions/7","state":"ENABLED"})");
  EXPECT_EQ(status(), "up");
  EXPECT_EQ(asked(), "GET /v1/projects/p/secrets/s/versions/latest") << "not its content";
  http.clear();
  http.then(200, R"({"name":"x/versions/7","state":"DISABLED"})");
  EXPECT_EQ(status(), "down");
  EXPECT_EQ(check({soon(), {}}).reason, "disabled");
  http.clear();
  http.then(200, R"({"name":"x/versions/7"})");
  EXPECT_EQ(status(), "unknown") << "unknown is never healthy";
  http.clear();
  http.then(403, R"({"error":{"status":"PERMISSION_DENIED","message":"no"}})");
  EXPECT_EQ(status(), "down");
  EXPECT_EQ(check({soon(), {}}).reason, "permission_denied");
  http.clear();
  http.then(Errc::rejected, "the pool is full");
  EXPECT_EQ(health_status_name(check({in(1s), {}}).status), "unknown") << "nobody was asked";
}

}  // namespace
}  // namespace serin::google
