// Goal: each kind of credentials gets its tokens as Google asks for them, and the search for credentials goes as
// documented: in order, and no further than a file that is named and bad.
// Method: a scripted HTTP client that plays the token endpoints, fake time, files in a folder of the test's own. Signed
// tokens are checked by OpenSSL.
#include "serin/google/credentials.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "scripted_http.hpp"
#include "serin/sim/world.hpp"
#include "serin/system/files.hpp"
#include "test_keys.hpp"

namespace serin::google {
namespace {

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '\n' ? std::string("\\n") : std::string(1, c);
  return out;
}
std::string key_file() {
  return R"({"type":"service_account","project_id":"p","private_key_id":"k1","client_email":"a@p","private_key":")" +
         escaped(pem_of(test_key())) + R"(","token_uri":"https://oauth2.googleapis.com/token"})";
}
const std::string user_file =
    R"({"type":"authorized_user","client_id":"c","client_secret":"s3cret","refresh_token":"r3fresh"})";
const std::string token_answer = R"({"access_token":"ya29.x","expires_in":3599,"token_type":"Bearer"})";
const HttpHeaders google_flavor{{"Metadata-Flavor", "Google"}};

class CredentialsTest : public testing::Test {
 protected:
  CredentialsTest() : folder(testing::TempDir() + "google_credentials_" + std::to_string(::getpid())) {
    std::filesystem::create_directories(folder);
  }
  ~CredentialsTest() override { std::filesystem::remove_all(folder); }
  std::string write(const std::string& name, const std::string& content) {
    const std::string path = folder + "/" + name;
    EXPECT_TRUE(write_file(path, content));
    return path;
  }
  Deadline in(Duration time) { return Deadline::after(world.now(), time); }
  std::unique_ptr<Credentials> of(const std::string& text, AuthOptions options = {}) {
    auto made = Credentials::of_text(text, "c.json", auth, std::move(options));
    EXPECT_TRUE(made) << made.error().text();
    return made ? *std::move(made) : nullptr;
  }
  std::string token(TokenSource& source) {
    const auto token = source.token(in(1min), {});
    return token ? *token : token.error().text();
  }
  Result<std::unique_ptr<Credentials>> find(std::map<std::string, std::string> variables, AuthOptions options = {}) {
    variables.try_emplace("HOME", folder);
    return Credentials::find(Environment(std::move(variables)), auth, std::move(options), in(1min));
  }
  std::string name_of(std::map<std::string, std::string> variables, AuthOptions options = {}) {
    const auto found = find(std::move(variables), std::move(options));
    return found ? (*found)->name() : found.error().text();
  }

  std::string folder;
  sim::World world;
  ScriptedHttp http{world.sleeper()};
  AuthWorld auth{.http = http, .sleeper = world.sleeper(), .random = world.random(), .log = &world.log()};
};

TEST_F(CredentialsTest, with_a_key_sign_their_tokens_without_a_request) {
  const auto credentials = of(key_file());
  const std::string jwt = token(*credentials);
  EXPECT_TRUE(is_signed_by(test_key(), jwt));
  EXPECT_EQ(part_of(jwt, 0), R"({"alg":"RS256","typ":"JWT","kid":"k1"})");
  EXPECT_EQ(part_of(jwt, 1), R"({"iss":"a@p","iat":1775757780,"exp":1775761380,"sub":"a@p",)"
                             R"("scope":"https://www.googleapis.com/auth/cloud-platform"})");
  EXPECT_EQ(http.count(), 0u);
  EXPECT_EQ(token(*credentials), jwt) << "remembered";
  EXPECT_EQ(credentials->name(), "service account a@p (c.json)");
  EXPECT_EQ(*credentials->project(in(1s), {}), "p");
  world.advance(61min);
  EXPECT_NE(token(*credentials), jwt);
}

TEST_F(CredentialsTest, with_a_key_ask_the_token_endpoint_when_told_to) {
  http.then(200, token_answer);
  const auto credentials = of(key_file(), {.scopes = {"s1", "s2"}, .self_signed = false});
  EXPECT_EQ(token(*credentials), "ya29.x");
  const auto asked = http.asked().front();
  EXPECT_EQ(asked.origin + asked.request.target, "https://oauth2.googleapis.com/token");
  EXPECT_EQ(asked.request.method, "POST");
  EXPECT_EQ(header(asked.request, "Content-Type"), "application/x-www-form-urlencoded");
  EXPECT_EQ(header(asked.request, "Authorization"), "(none)");
  const std::string before = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
  ASSERT_TRUE(asked.request.body.starts_with(before)) << asked.request.body;
  const std::string jwt = asked.request.body.substr(before.size());
  EXPECT_TRUE(is_signed_by(test_key(), jwt));
  EXPECT_EQ(part_of(jwt, 1), R"({"iss":"a@p","iat":1775757780,"exp":1775761380,)"
                             R"("aud":"https://oauth2.googleapis.com/token","scope":"s1 s2"})");
}

TEST_F(CredentialsTest, try_again_when_the_token_endpoint_is_busy_and_take_seconds_as_text) {
  http.then(503, "").then(429, "").then(200, R"({"access_token":"t","expires_in":"100"})").then(200, token_answer);
  const auto credentials = of(user_file);
  EXPECT_EQ(token(*credentials), "t");
  world.advance(101s);
  EXPECT_EQ(token(*credentials), "ya29.x");
}

TEST_F(CredentialsTest, of_a_user_show_the_refresh_token_and_say_when_the_login_has_ended) {
  http.then(200, token_answer);
  auto credentials = of(user_file);
  EXPECT_EQ(token(*credentials), "ya29.x");
  EXPECT_EQ(http.last().body, "grant_type=refresh_token&client_id=c&client_secret=s3cret&refresh_token=r3fresh");
  http.clear();
  http.then(400, R"({"error":"invalid_grant","error_description":"Token has been expired or revoked."})");
  credentials = of(user_file);
  EXPECT_EQ(
      token(*credentials),
      "permission_denied: oauth2: POST /token: 400 (invalid_grant): Token has been expired or revoked.; the login "
      "has ended: run: gcloud auth application-default login");
  EXPECT_EQ(http.count(), 1u);
}

TEST_F(CredentialsTest, whose_token_endpoint_answers_nonsense_have_none) {
  for (const char* body : {"", "{}", "<html>", R"({"access_token":"t"})", R"({"access_token":"t","expires_in":0})",
                           R"({"access_token":"t","expires_in":-5})", R"({"access_token":"","expires_in":5})",
                           R"({"access_token":"a\r\nX: b","expires_in":5})", R"({"access_token":7,"expires_in":5})"}) {
    http.clear();
    http.then(200, body);
    EXPECT_TRUE(token(*of(user_file)).starts_with("data_loss: ")) << body;
  }
}

TEST_F(CredentialsTest, of_an_external_account_exchange_the_token_of_a_file_that_is_read_each_time) {
  const std::string path = write("subject", " eyJ.one\n");
  const std::string file =
      R"({"type":"external_account","audience":"//iam/aud",
    "token_url":"https://sts.googleapis.com/v1/token",
    "subject_token_type":"urn:ietf:params:oauth:token-type:jwt","credential_source":{"file":")" +
      path + R"("}})";
  http.then(200, R"({"access_token":"sts1","expires_in":600})");
  const auto credentials = of(file);
  EXPECT_EQ(token(*credentials), "sts1");
  EXPECT_EQ(http.asked().front().origin + http.last().target, "https://sts.googleapis.com/v1/token");
  EXPECT_EQ(
      http.last().body,
      "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&audience=%2F%2Fiam%2Faud&scope=https%3A"
      "%2F%2Fwww.googleapis.com%2Fauth%2Fcloud-platform&requested_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-"
      "type%3Aaccess_token&subject_token=eyJ.one&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt");
  write("subject", "eyJ.two");
  world.advance(601s);
  EXPECT_EQ(token(*credentials), "sts1");
  EXPECT_NE(http.last().body.find("subject_token=eyJ.two&"), std::string::npos);
  std::filesystem::remove(path);
  world.advance(601s);
  EXPECT_TRUE(token(*credentials).starts_with("not_found: credential_source.file: ")) << token(*credentials);
}

TEST_F(CredentialsTest, of_an_external_account_take_a_token_from_an_address_and_impersonate) {
  const std::string file =
      R"({"type":"external_account","audience":"aud",
    "token_url":"https://sts.googleapis.com/v1/token",
    "subject_token_type":"jwt","client_id":"me","client_secret":"pw",
    "credential_source":{"url":"http://169.254.169.254/id?v=1","headers":{"Metadata":"True"},
      "format":{"type":"json","subject_token_field_name":"access_token"}},
    "service_account_impersonation_url":
    "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/b@p:generateAccessToken"})";
  http.then(200, R"({"access_token":"from-azure"})")
      .then(200, R"({"access_token":"sts1","expires_in":3600})")
      .then(200, R"({"accessToken":"imp1","expireTime":"2026-04-09T18:33:00Z"})");
  const auto credentials = of(file, {.scopes = {"narrow"}});
  EXPECT_EQ(token(*credentials), "imp1");
  const auto asked = http.asked();
  ASSERT_EQ(asked.size(), 3u);
  EXPECT_EQ(asked[0].request.target, "/id?v=1");
  EXPECT_EQ(header(asked[0].request, "Metadata"), "True");
  EXPECT_EQ(header(asked[1].request, "Authorization"), "Basic bWU6cHc=");
  EXPECT_NE(asked[1].request.body.find("scope=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcloud-platform&"),
            std::string::npos);
  EXPECT_EQ(asked[2].request.target, "/v1/projects/-/serviceAccounts/b@p:generateAccessToken");
  EXPECT_EQ(header(asked[2].request, "Authorization"), "Bearer sts1");
  EXPECT_EQ(asked[2].request.body, R"({"scope":["narrow"],"lifetime":"3600s","delegates":[]})");
  // 30 minutes are left, and the token that is exchanged is still good: only the exchange is repeated.
  world.advance(31min);
  http.clear();
  http.then(200, R"({"accessToken":"imp2","expireTime":"2026-04-09T19:30:00Z"})");
  EXPECT_EQ(token(*credentials), "imp2");
  EXPECT_EQ(http.count(), 1u);
}

TEST_F(CredentialsTest, that_may_not_impersonate_say_which_role_is_missing) {
  const std::string file = R"({"type":"impersonated_service_account","service_account_impersonation_url":
    "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/b@p:generateAccessToken",
    "source_credentials":)" +
                           user_file + "}";
  http.then(200, token_answer).then(403, R"({"error":{"status":"PERMISSION_DENIED","message":"no"}})");
  EXPECT_EQ(token(*of(file)),
            "permission_denied: iamcredentials: POST /v1/projects/-/serviceAccounts/b@p:generateAccessToken: 403 "
            "PERMISSION_DENIED: no; grant roles/iam.serviceAccountTokenCreator on b@p to whoever impersonates it");
}

TEST_F(CredentialsTest, of_a_machine_ask_its_metadata_server_as_it_wants_to_be_asked) {
  const std::map<std::string, std::string> variables{{"GCE_METADATA_TIMEOUT", "2"}};
  const auto credentials = *Credentials::of_metadata(Environment(variables), auth);
  http.then(503, "").then(200, token_answer, google_flavor);
  EXPECT_EQ(token(*credentials), "ya29.x");
  const auto asked = http.asked().back();
  EXPECT_EQ(asked.origin, "http://169.254.169.254");
  EXPECT_EQ(asked.request.target,
            "/computeMetadata/v1/instance/service-accounts/default/"
            "token?scopes=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcloud-platform");
  EXPECT_EQ(header(asked.request, "Metadata-Flavor"), "Google");
  EXPECT_EQ(asked.deadline.at() - asked.at, 2s);
  http.clear();
  http.then(200, "my-project\n", google_flavor);
  EXPECT_EQ(*credentials->project(in(1s), {}), "my-project");
}

TEST_F(CredentialsTest, of_a_machine_are_tried_five_times) {
  const auto credentials = *Credentials::of_metadata(Environment(), auth);
  http.then(429, "");
  EXPECT_TRUE(token(*credentials).starts_with("exhausted: metadata: "));
  EXPECT_EQ(http.count(), 5u);
}

TEST_F(CredentialsTest, of_a_machine_distrust_an_answer_that_is_not_googles) {
  const auto credentials = *Credentials::of_metadata(Environment(), auth);
  http.then(200, token_answer);
  EXPECT_EQ(token(*credentials),
            "data_loss: metadata: something else than Google's metadata server answers at its address");
}

TEST_F(CredentialsTest, of_a_machine_without_a_service_account_say_so) {
  const auto credentials = *Credentials::of_metadata(Environment(), auth);
  http.then(404, "");
  EXPECT_NE(token(*credentials).find("no service account is attached to this machine"), std::string::npos);
}

TEST_F(CredentialsTest, have_id_tokens_for_services_of_ones_own) {
  const std::string jwt = "e30." + base64url_encode(R"({"exp":1775758380})") + ".s";  // in 10 minutes
  http.then(200, R"({"id_token":")" + jwt + R"("})");
  const auto key = of(key_file());
  const auto tokens = key->id_tokens("https://mine.run.app");
  EXPECT_EQ(token(*tokens), jwt);
  EXPECT_EQ(token(*tokens), jwt);
  EXPECT_EQ(http.count(), 1u);
  const std::string assertion = http.last().body.substr(http.last().body.find("assertion=") + 10);
  EXPECT_NE(part_of(assertion, 1).find(R"("target_audience":"https://mine.run.app")"), std::string::npos);

  http.clear();
  http.then(200, jwt + "\n", google_flavor);
  EXPECT_EQ(token(*(*Credentials::of_metadata(Environment(), auth))->id_tokens("https://m")), jwt);
  EXPECT_EQ(http.last().target,
            "/computeMetadata/v1/instance/service-accounts/default/identity?audience=https%3A%2F%2Fm&format=full");

  http.clear();
  http.then(200, token_answer).then(200, R"({"token":")" + jwt + R"("})");
  const auto other = of(R"({"type":"impersonated_service_account","service_account_impersonation_url":
    "https://i.googleapis.com/v1/projects/-/serviceAccounts/b@p:generateAccessToken","source_credentials":)" +
                        user_file + "}");
  EXPECT_EQ(token(*other->id_tokens("aud")), jwt);
  EXPECT_EQ(http.last().target, "/v1/projects/-/serviceAccounts/b@p:generateIdToken");
  EXPECT_TRUE(token(*of(user_file)->id_tokens("aud")).starts_with("unsupported: "));
}

TEST_F(CredentialsTest, with_a_bad_key_name_file_and_field) {
  const auto made = Credentials::of_text(
      R"({"type":"service_account","client_email":"a@p","private_key":"-----BEGIN PRIVATE KEY-----S3CRET"})", "k.json",
      auth);
  ASSERT_FALSE(made);
  EXPECT_EQ(
      made.error().text(),
      "invalid_argument: k.json: field private_key is no private key in PEM without a passphrase; create a new key "
      "for a@p");
}

TEST_F(CredentialsTest, are_looked_for_in_order) {
  http.then(200, "", google_flavor);
  const std::string by_code = write("code.json", key_file());
  const std::string by_variable = write("variable.json", user_file);
  const std::map<std::string, std::string> named{{"GOOGLE_APPLICATION_CREDENTIALS", by_variable}};
  std::filesystem::create_directories(folder + "/.config/gcloud");
  const std::string login = write(".config/gcloud/application_default_credentials.json", user_file);
  EXPECT_EQ(name_of(named, {.file = by_code}), "service account a@p (" + by_code + ")");
  EXPECT_EQ(name_of(named), "user of client c (" + by_variable + ")");
  EXPECT_EQ(name_of({}), "user of client c (" + login + ")");
  EXPECT_EQ(name_of({{"GOOGLE_APPLICATION_CREDENTIALS", ""}}), "user of client c (" + login + ")") << "empty is unset";
  EXPECT_EQ(http.count(), 0u) << "a file is found without the network";
  EXPECT_EQ(name_of({{"CLOUDSDK_CONFIG", folder + "/none"}}),
            "this machine's service account (http://169.254.169.254)");
  EXPECT_EQ(http.count(), 1u);
}

TEST_F(CredentialsTest, that_are_named_and_bad_end_the_search) {
  http.then(200, "", google_flavor);
  const std::string missing = folder + "/missing.json";
  EXPECT_TRUE(name_of({{"GOOGLE_APPLICATION_CREDENTIALS", missing}})
                  .starts_with("not_found: credentials named by GOOGLE_APPLICATION_CREDENTIALS: " + missing))
      << name_of({{"GOOGLE_APPLICATION_CREDENTIALS", missing}});
  const std::string bad = write("bad.json", "{}");
  EXPECT_EQ(name_of({{"GOOGLE_APPLICATION_CREDENTIALS", bad}}),
            "invalid_argument: credentials named by GOOGLE_APPLICATION_CREDENTIALS: " + bad +
                ": field type is missing: this is no file with credentials");
  std::filesystem::create_directories(folder + "/.config/gcloud");
  write(".config/gcloud/application_default_credentials.json", "{");
  EXPECT_TRUE(name_of({}).starts_with("invalid_argument: credentials named by gcloud's login: "));
  EXPECT_EQ(http.count(), 0u);
}

TEST_F(CredentialsTest, that_are_nowhere_say_what_was_looked_for) {
  http.then(Errc::unavailable, "no route");
  const std::string words = name_of({});
  EXPECT_TRUE(
      words.starts_with("not_found: there are no credentials for Google Cloud: GOOGLE_APPLICATION_CREDENTIALS is "
                        "not set, " +
                        folder +
                        "/.config/gcloud/application_default_credentials.json is not there, "
                        "no metadata server answers at http://169.254.169.254; name a file"))
      << words;
  EXPECT_EQ(http.count(), 3u) << "three tries";
  http.clear();
  http.then(200, "<html>a captive portal</html>");
  EXPECT_TRUE(name_of({}).starts_with("not_found: "));
  http.clear();
  EXPECT_TRUE(name_of({{"NO_GCE_CHECK", "true"}}).starts_with("not_found: "));
  EXPECT_TRUE(name_of({{"METADATA_SERVER_DETECTION", "none"}}).starts_with("not_found: "));
  EXPECT_EQ(http.count(), 0u);
}

TEST_F(CredentialsTest, of_a_metadata_server_that_is_named_need_no_looking) {
  EXPECT_EQ(name_of({{"GCE_METADATA_HOST", "127.0.0.1:8080"}}),
            "this machine's service account (http://127.0.0.1:8080)");
  EXPECT_EQ(name_of({{"GCE_METADATA_ROOT", "10.0.0.1"}}), "this machine's service account (http://10.0.0.1)");
  EXPECT_EQ(name_of({{"METADATA_SERVER_DETECTION", "assume-present"}, {"GCE_METADATA_IP", "10.0.0.2"}}),
            "this machine's service account (http://10.0.0.2)");
  EXPECT_EQ(http.count(), 0u);
}

TEST_F(CredentialsTest, bill_the_project_that_the_environment_names_before_the_files) {
  const std::string path = write("u.json", R"({"type":"authorized_user","client_id":"c","client_secret":"s",
    "refresh_token":"r","quota_project_id":"file"})");
  const std::string name = "GOOGLE_APPLICATION_CREDENTIALS";
  EXPECT_EQ((*find({{name, path}}))->quota_project(), "file");
  EXPECT_EQ((*find({{name, path}, {"GOOGLE_CLOUD_QUOTA_PROJECT", "variable"}}))->quota_project(), "variable");
  EXPECT_EQ(
      (*find({{name, path}, {"GOOGLE_CLOUD_QUOTA_PROJECT", "variable"}}, {.quota_project = "code"}))->quota_project(),
      "code");
}

TEST_F(CredentialsTest, tell_the_project_after_the_environment_does) {
  const auto key = of(key_file());
  const auto project = [&](std::map<std::string, std::string> variables, const Credentials& credentials) {
    const auto found = find_project(Environment(std::move(variables)), credentials, in(1s));
    return found ? *found : found.error().text();
  };
  EXPECT_EQ(project({{"GOOGLE_CLOUD_PROJECT", "one"}, {"GCLOUD_PROJECT", "two"}}, *key), "one");
  EXPECT_EQ(project({{"GCLOUD_PROJECT", "two"}}, *key), "two");
  EXPECT_EQ(project({}, *key), "p");
  EXPECT_EQ(project({}, *of(user_file)),
            "not_found: user of client c (c.json) names no project; set GOOGLE_CLOUD_PROJECT");
}

}  // namespace
}  // namespace serin::google
