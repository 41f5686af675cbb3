// Goal: secrets, metrics, logs and Cloud Run keep their promises, tokens are verified when there is a key, and faults
// happen as staged. Method: calls over the handler, in simulated time.
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "emulator_under_test.hpp"
#include "serin/base/text.hpp"

namespace serin::google_emulator {
namespace {

using Others = Emulator;

TEST_F(Others, secrets_have_versions_with_checksums_and_states) {
  const std::string root = "/v1/projects/p/secrets";
  EXPECT_EQ(post(root + "?secretId=key", R"({"replication":{"automatic":{}}})").text("name"), "projects/p/secrets/key");
  EXPECT_EQ(post(root + "?secretId=key", R"({"replication":{"automatic":{}}})").status, 409);
  EXPECT_EQ(
      post(root + "/key:addVersion", R"({"payload":{"data":"MTIzNDU2Nzg5","dataCrc32c":"3808858755"}})").text("state"),
      "ENABLED")
      << "CRC-32C of 123456789";
  EXPECT_EQ(post(root + "/key:addVersion", R"({"payload":{"data":"MTIzNDU2Nzg5","dataCrc32c":"1"}})").status, 400);
  EXPECT_EQ(get(root + "/key/versions/latest:access").text("payload/dataCrc32c"), "3808858755");
  post(root + "/key:addVersion", R"({"payload":{"data":"Yg=="}})");
  EXPECT_EQ(get(root + "/key/versions/latest:access").text("name"), "projects/p/secrets/key/versions/2");
  EXPECT_EQ(post(root + "/key/versions/2:disable", "{}").text("state"), "DISABLED");
  EXPECT_EQ(get(root + "/key/versions/2:access").text("error/status"), "FAILED_PRECONDITION");
  EXPECT_EQ(post(root + "/key/versions/2:enable", R"({"etag":"\"old\""})").status, 400);
  EXPECT_EQ(post(root + "/key/versions/1:destroy", "{}").text("state"), "DESTROYED");
  EXPECT_EQ(get(root + "/key/versions?filter=state:DISABLED").text("versions/0/name"),
            "projects/p/secrets/key/versions/2");
  EXPECT_EQ(get(root + "/key/versions/9:access").status, 404);
  EXPECT_EQ(send("DELETE", root + "/key").status, 200);
  EXPECT_EQ(get(root + "/key/versions/2").status, 404);
}

TEST_F(Others, time_series_are_written_in_order_and_aligned) {
  const std::string root = "/v3/projects/p/timeSeries";
  const WallTime start = std::chrono::floor<std::chrono::minutes>(world.sleeper().wall());
  const auto write = [&](const std::string& zone, Duration at, const std::string& value) {
    return post(root, R"({"timeSeries":[{"metric":{"type":"custom.googleapis.com/x","labels":{"zone":")" + zone +
                          R"("}},"resource":{"type":"global"},"points":[{"interval":{"endTime":")" +
                          format_rfc3339(start + at) + R"("},"value":{"doubleValue":)" + value + "}}]}]}");
  };
  EXPECT_EQ(write("a", 10s, "1").status, 200);
  EXPECT_EQ(write("a", 20s, "3").status, 200);
  EXPECT_EQ(write("b", 20s, "10").status, 200);
  EXPECT_EQ(write("a", 20s, "4").status, 400) << "not newer";
  EXPECT_EQ(write("a", 10min, "4").status, 400) << "in the future";
  const std::string all = root + "?interval.startTime=" + format_rfc3339(start) +
                          "&interval.endTime=" + format_rfc3339(start + 1min) +
                          "&filter=metric.type%3D%22custom.googleapis.com/x%22";
  EXPECT_EQ(get(all + "%20AND%20metric.labels.zone%3D%22a%22").text("timeSeries/0/points/0/value/doubleValue"), "3");
  const std::string align = "&aggregation.alignmentPeriod=60s&aggregation.perSeriesAligner=";
  EXPECT_EQ(get(all + align + "ALIGN_MEAN").text("timeSeries/0/points/0/value/doubleValue"), "2E0");
  EXPECT_EQ(get(all + align + "ALIGN_COUNT").text("timeSeries/0/points/0/value/int64Value"), "2");
  EXPECT_EQ(get(all + align + "ALIGN_SUM&aggregation.crossSeriesReducer=REDUCE_SUM")
                .text("timeSeries/0/points/0/value/doubleValue"),
            "1.4E1");
  EXPECT_EQ(get(all + align + "ALIGN_PERCENTILE_99").status, 501);
  EXPECT_EQ(get("/v3/projects/p/metricDescriptors/custom.googleapis.com/x").text("valueType"), "DOUBLE");
  EXPECT_EQ(get(root + "?filter=metric.type%3D%22x%22").status, 400) << "without an interval";
  const std::string policy = post("/v3/projects/p/alertPolicies", R"({"displayName":"x"})").text("name");
  EXPECT_EQ(get("/v3/" + policy).text("displayName"), "x");
}

TEST_F(Others, log_entries_are_written_once_and_found_by_filter) {
  const auto write = [&](const std::string& severity, const std::string& id) {
    return post("/v2/entries:write", R"({"logName":"projects/p/logs/app","resource":{"type":"global"},"entries":[
      {"severity":")" + severity + R"(","insertId":")" +
                                         id + R"(","timestamp":"2026-01-01T00:00:00Z","jsonPayload":{"n":7}}]})");
  };
  EXPECT_EQ(write("INFO", "1").status, 200);
  EXPECT_EQ(write("INFO", "1").status, 200);
  EXPECT_EQ(write("ERROR", "2").status, 200);
  const auto count = [&](const std::string& filter) {
    const Answer found = post("/v2/entries:list", R"({"resourceNames":["projects/p"],"filter":)" +
                                                      json::serialize(json::string(filter)) + "}");
    return found.at("entries").is_array() ? static_cast<int>(found.at("entries").get_array().size()) : -found.status;
  };
  EXPECT_EQ(count(""), 2) << "the same insertId twice is one entry";
  EXPECT_EQ(count("severity>=WARNING"), 1);
  EXPECT_EQ(count(R"(logName="projects/p/logs/app" AND jsonPayload.n=7 AND NOT severity=ERROR)"), 1);
  EXPECT_EQ(count(R"(timestamp>"2026-01-02T00:00:00Z")"), 0);
  EXPECT_EQ(count("a=1 OR b=2"), -501);
  EXPECT_EQ(get("/v2/projects/p/logs").text("logNames/0"), "projects/p/logs/app");
  EXPECT_EQ(send("DELETE", "/v2/projects/p/logs/app").status, 200);
  EXPECT_EQ(count(""), 0);
}

TEST_F(Others, a_service_gets_revisions_traffic_and_etags) {
  const std::string root = "/v2/projects/p/locations/l";
  const Answer making = post(root + "/services?serviceId=api", R"({"template":{"containers":[{"image":"one"}]}})");
  EXPECT_EQ(making.text("done"), "false");
  EXPECT_EQ(get("/v2/" + making.text("name")).text("done"), "true");
  EXPECT_EQ(get("/v2/" + making.text("name")).text("response/@type"),
            "type.googleapis.com/google.cloud.run.v2.Service");
  const Answer service = get(root + "/services/api");
  EXPECT_EQ(service.text("terminalCondition/state"), "CONDITION_SUCCEEDED");
  EXPECT_EQ(service.text("generation"), "1");
  const std::string first = service.text("latestReadyRevision");
  EXPECT_EQ(send("PATCH", root + "/services/api", R"({"etag":"\"old\""})").text("error/status"), "ABORTED");
  EXPECT_EQ(
      send("PATCH", root + "/services/api?updateMask=template",
           R"({"etag":)" + json::serialize(service.at("etag")) + R"(,"template":{"containers":[{"image":"two"}]}})")
          .status,
      200);
  const std::string traffic = R"({"traffic":[{"type":"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION","revision":")" +
                              first.substr(first.rfind('/') + 1) + R"(","percent":)";
  EXPECT_EQ(send("PATCH", root + "/services/api?updateMask=traffic", traffic + "50}]}").status, 400)
      << "not 100 percent";
  EXPECT_EQ(send("PATCH", root + "/services/api?updateMask=traffic", traffic + "100}]}").status, 200);
  const Answer after = get(root + "/services/api");
  EXPECT_EQ(after.text("trafficStatuses/0/revision"), first.substr(first.rfind('/') + 1));
  EXPECT_NE(after.text("latestReadyRevision"), first);
  EXPECT_EQ(send("DELETE", "/v2/" + first).text("error/status"), "FAILED_PRECONDITION") << "it serves traffic";
  EXPECT_EQ(get(root + "/services/api/revisions").at("revisions").get_array().size(), 2U);
}

TEST_F(Others, a_revision_that_is_to_fail_is_not_ready_and_a_job_has_executions) {
  const std::string root = "/v2/projects/p/locations/l";
  post(root + "/services?serviceId=api", R"({"template":{"containers":[{"image":"one"}]}})");
  const std::string ready = get(root + "/services/api").text("latestReadyRevision");
  const Answer changing =
      send("PATCH", root + "/services/api?updateMask=template",
           R"({"template":{"annotations":{"serin.dev/fail":"crashed"},"containers":[{"image":"two"}]}})");
  EXPECT_EQ(get("/v2/" + changing.text("name")).text("error/message"), "crashed");
  const Answer service = get(root + "/services/api");
  EXPECT_EQ(service.text("terminalCondition/state"), "CONDITION_FAILED");
  EXPECT_EQ(service.text("latestReadyRevision"), ready);
  EXPECT_NE(service.text("latestCreatedRevision"), ready);
  post(root + "/jobs?jobId=nightly",
       R"({"template":{"taskCount":3,"template":{"containers":[{"name":"m","image":"j"}]}}})");
  const Answer running = post(root + "/jobs/nightly:run", R"({"overrides":{"containerOverrides":[{"args":["x"]}]}})");
  const std::string execution = running.text("metadata/name");
  EXPECT_EQ(get("/v2/" + execution).text("succeededCount"), "3");
  EXPECT_EQ(get("/v2/" + execution).text("template/containers/0/args/0"), "x");
  EXPECT_EQ(get(root + "/jobs/nightly").text("executionCount"), "1");
}

TEST_F(Others, the_metadata_server_wants_its_header) {
  const std::string path = "/computeMetadata/v1/instance/service-accounts/default/token";
  EXPECT_EQ(get(path).status, 403);
  const Answer token = get(path, {{"Metadata-Flavor", "Google"}});
  EXPECT_EQ(token.text("token_type"), "Bearer");
  EXPECT_EQ(*token.raw.headers.find("Metadata-Flavor"), "Google");
  EXPECT_EQ(get("/computeMetadata/v1/project/project-id", {{"Metadata-Flavor", "Google"}}).raw.body, "p");
}

/// A key, and what is signed with it.
struct Signer {
  Signer() : key(EVP_RSA_gen(2048)) {}
  ~Signer() { EVP_PKEY_free(key); }
  Signer(const Signer&) = delete;
  Signer& operator=(const Signer&) = delete;
  [[nodiscard]] std::string pem() const {
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PKCS8PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    std::string out(data, static_cast<std::size_t>(size));
    BIO_free(bio);
    return out;
  }
  static std::string url(const std::string& bytes) {
    std::string out = base64_encode(bytes);
    for (char& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
    while (out.ends_with('=')) out.pop_back();
    return out;
  }
  [[nodiscard]] std::string jwt(std::int64_t now, const std::string& issuer) const {
    const std::string text = url(R"({"alg":"RS256","typ":"JWT"})") + "." +
                             url(R"({"iss":")" + issuer + R"(","scope":"x","aud":"y","iat":)" + std::to_string(now) +
                                 R"(,"exp":)" + std::to_string(now + 3600) + "}");
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    const std::vector<unsigned char> data(text.begin(), text.end());
    std::size_t size = 0;
    EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key);
    EVP_DigestSign(context, nullptr, &size, data.data(), data.size());
    std::vector<unsigned char> signature(size);
    EVP_DigestSign(context, signature.data(), &size, data.data(), data.size());
    EVP_MD_CTX_free(context);
    return text + "." + url(std::string(signature.begin(), signature.begin() + static_cast<std::ptrdiff_t>(size)));
  }
  EVP_PKEY* key;
};

TEST_F(Others, with_a_key_only_signed_assertions_get_tokens_and_only_tokens_get_in) {
  const Signer signer;
  begin(json::serialize(
      json::object{{"type", "service_account"}, {"client_email", "me@p"}, {"private_key", signer.pem()}}));
  const std::int64_t now = unix_ms(world.sleeper().wall()) / 1000;
  EXPECT_EQ(get("/bigquery/v2/projects/p/datasets").text("error/status"), "UNAUTHENTICATED");
  const auto exchange = [&](const std::string& jwt) {
    return post("/token", "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=" + jwt);
  };
  const std::string jwt = signer.jwt(now, "me@p");
  const Answer token = exchange(jwt);
  EXPECT_EQ(token.status, 200) << token.raw.body;
  const auto with = [](const std::string& bearer) { return HttpHeaders{{"Authorization", "Bearer " + bearer}}; };
  EXPECT_EQ(get("/bigquery/v2/projects/p/datasets", with(token.text("access_token"))).status, 200);
  EXPECT_EQ(get("/bigquery/v2/projects/p/datasets", with(jwt)).status, 200) << "signed by itself";
  EXPECT_EQ(get("/bigquery/v2/projects/p/datasets", with("ya29.made-up")).status, 401);
  EXPECT_EQ(exchange(Signer().jwt(now, "me@p")).text("error"), "invalid_grant") << "another key";
  EXPECT_EQ(exchange(signer.jwt(now, "you@p")).text("error"), "invalid_grant");
  EXPECT_EQ(exchange(signer.jwt(now - 7200, "me@p")).text("error"), "invalid_grant") << "over";
  world.advance(2h);
  EXPECT_EQ(get("/bigquery/v2/projects/p/datasets", with(token.text("access_token"))).status, 401) << "expired";
}

TEST_F(Others, without_a_key_every_grant_is_accepted) {
  EXPECT_EQ(post("/token", "grant_type=refresh_token&client_id=a&client_secret=b&refresh_token=c").status, 200);
  EXPECT_EQ(post("/v1/token",
                 "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&audience=a&subject_token=s")
                .status,
            200);
  const Answer impersonated =
      post("/v1/projects/-/serviceAccounts/me@p:generateAccessToken", R"({"scope":["x"],"lifetime":"600s"})");
  EXPECT_NE(impersonated.text("accessToken"), "null");
  EXPECT_EQ(post("/token", "grant_type=other").status, 400);
}

TEST_F(Others, faults_hit_what_they_name_as_often_as_they_say) {
  const auto fault = [&](const std::string& body) { EXPECT_EQ(post("/emulator/faults", body).status, 200) << body; };
  fault(
      R"({"method":"GET","path":"*/datasets*","status":503,"reason":"backendError","retry_after":3,"skip":1,"count":2})");
  EXPECT_EQ(get("/bigquery/v2/projects/p/datasets").status, 200);
  const Answer hit = get("/bigquery/v2/projects/p/datasets");
  EXPECT_EQ(hit.status, 503);
  EXPECT_EQ(*hit.raw.headers.find("Retry-After"), "3");
  EXPECT_EQ(hit.text("error/details/0/retryDelay"), "3s");
  EXPECT_EQ(get("/bigquery/v2/projects/p/datasets").status, 503);
  EXPECT_EQ(get("/bigquery/v2/projects/p/datasets").status, 200);
  EXPECT_EQ(get("/emulator/faults").text("faults/0/hits"), "2");
  fault(R"({"method":"POST","close":"before"})");
  const std::string body = R"({"datasetReference":{"datasetId":"d"}})";
  EXPECT_EQ(post("/bigquery/v2/projects/p/datasets", body).status, 0);
  EXPECT_EQ(get("/bigquery/v2/projects/p/datasets/d").status, 404) << "it was not served";
  fault(R"({"method":"POST","close":"after"})");
  EXPECT_EQ(post("/bigquery/v2/projects/p/datasets", body).status, 0);
  EXPECT_EQ(get("/bigquery/v2/projects/p/datasets/d").status, 200) << "it was, and nobody was told";
  fault(R"({"path":"*","delay":"5s","count":1})");
  const Instant before = world.now();
  get("/bigquery/v2/projects/p/datasets/d");
  EXPECT_EQ(world.now() - before, 5s);
  EXPECT_EQ(post("/emulator/faults", R"({"nope":1})").status, 400);
}

TEST_F(Others, requests_are_logged_with_query_and_body) {
  post("/v1/projects/p/secrets?secretId=a%20b", R"({"x":1})");
  const Answer log = get("/emulator/requests");
  EXPECT_EQ(log.text("requests/0/path"), "/v1/projects/p/secrets");
  EXPECT_EQ(log.text("requests/0/query/secretId"), "a b");
  EXPECT_EQ(log.text("requests/0/body/x"), "1");
  send("DELETE", "/emulator/requests");
  EXPECT_EQ(get("/emulator/requests").text("requests"), "[]");
}

}  // namespace
}  // namespace serin::google_emulator
