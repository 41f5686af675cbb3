// Goal: each kind of credentials file is read, and a bad one says which field is wrong and what to do, without a
// secret. Method: files as Google's tools write them, and each with one thing wrong, in a table.
#include "serin/google/credentials_file.hpp"

#include <gtest/gtest.h>

#include "scripted_http.hpp"

namespace serin::google {
namespace {

Result<CredentialsFile> parse(std::string_view text) { return parse_credentials(text, "/etc/c.json"); }
std::string wrong(std::string_view text) {
  const auto file = parse(text);
  return file ? "(it was taken)" : file.error().text();
}

const std::string key_file = R"({"type":"service_account","project_id":"p","private_key_id":"k1",
  "private_key":"S3CRET","client_email":"a@p.iam.gserviceaccount.com","token_uri":"https://oauth2.googleapis.com/token",
  "universe_domain":"googleapis.com"})";

TEST(Credentials_file, of_a_service_account) {
  const auto file = parse(key_file);
  ASSERT_TRUE(file) << file.error().text();
  const auto& key = std::get<ServiceAccountKey>(file->source);
  EXPECT_EQ(key.email, "a@p.iam.gserviceaccount.com");
  EXPECT_EQ(key.key_id, "k1");
  EXPECT_EQ(key.private_key, "S3CRET");
  EXPECT_EQ(key.token.origin, "https://oauth2.googleapis.com");
  EXPECT_EQ(key.token.path, "/token");
  EXPECT_EQ(file->project, "p");
  EXPECT_FALSE(file->impersonation);
}

TEST(Credentials_file, of_a_user) {
  const auto file = parse(R"({"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r",
    "quota_project_id":"q"})");
  ASSERT_TRUE(file) << file.error().text();
  const auto& user = std::get<AuthorizedUser>(file->source);
  EXPECT_EQ(user.client_id + user.client_secret + user.refresh_token, "csr");
  EXPECT_EQ(user.token.origin, "https://oauth2.googleapis.com") << "the address that all use";
  EXPECT_EQ(file->quota_project, "q");
}

TEST(Credentials_file, of_an_external_account_with_a_file) {
  const auto file = parse(R"({"type":"external_account","audience":"//iam.googleapis.com/x","subject_token_type":"jwt",
    "token_url":"http://127.0.0.1:9/v1/token","credential_source":{"file":"/var/t","format":{"type":"json",
    "subject_token_field_name":"id"}},"service_account_impersonation_url":
    "https://i.googleapis.com/v1/projects/-/serviceAccounts/b@p.iam.gserviceaccount.com:generateAccessToken",
    "service_account_impersonation":{"token_lifetime_seconds":900}})");
  ASSERT_TRUE(file) << file.error().text();
  const auto& account = std::get<ExternalAccount>(file->source);
  EXPECT_EQ(account.source.file, "/var/t");
  EXPECT_EQ(account.source.field, "id");
  EXPECT_EQ(account.token.origin, "http://127.0.0.1:9") << "this machine may do without TLS";
  ASSERT_TRUE(file->impersonation);
  EXPECT_EQ(file->impersonation->email, "b@p.iam.gserviceaccount.com");
  EXPECT_EQ(file->impersonation->lives, 15min);
}

TEST(Credentials_file, of_an_external_account_with_an_address) {
  const auto file = parse(R"({"type":"external_account","audience":"a","subject_token_type":"jwt",
    "token_url":"https://sts.googleapis.com/v1/token","credential_source":{"url":"http://169.254.169.254/t?a=b%20c&d",
    "headers":{"Metadata":"True"}}})");
  ASSERT_TRUE(file) << file.error().text();
  const SubjectSource& source = std::get<ExternalAccount>(file->source).source;
  EXPECT_EQ(source.url->origin, "http://169.254.169.254");
  EXPECT_EQ(source.url->path, "/t");
  EXPECT_EQ(source.url->query, (Query{{"a", "b c"}, {"d", ""}}));
  EXPECT_EQ(source.headers.find("metadata"), "True");
}

TEST(Credentials_file, of_an_impersonated_service_account) {
  const auto file =
      parse(R"({"type":"impersonated_service_account","delegates":["d1"],"service_account_impersonation_url":
    "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/b%40p:generateAccessToken",
    "source_credentials":{"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r"}})");
  ASSERT_TRUE(file) << file.error().text();
  EXPECT_TRUE(std::holds_alternative<AuthorizedUser>(file->source));
  EXPECT_EQ(file->type, "impersonated_service_account");
  EXPECT_EQ(file->impersonation->email, "b@p");
  EXPECT_EQ(file->impersonation->delegates, std::vector<std::string>{"d1"});
}

TEST(Credentials_file, that_is_wrong_names_file_field_and_way_out) {
  const std::string external = R"({"type":"external_account","audience":"a","subject_token_type":"t",)";
  const std::string user = R"({"type":"authorized_user","client_id":"c",)";
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "invalid_argument: /etc/c.json: field type is missing: this is no file with credentials"},
      {"{", "invalid_argument: /etc/c.json is no JSON: incomplete JSON; it was cut off or is another file"},
      {"[]", "invalid_argument: /etc/c.json is no JSON object; it was cut off or is another file"},
      {"S3CRET", "invalid_argument: /etc/c.json is no JSON: syntax error; it was cut off or is another file"},
      {R"({"type":5})", "invalid_argument: /etc/c.json: field type is missing: this is no file with credentials"},
      {R"({"type":"S3CRET"})",
       "invalid_argument: /etc/c.json: field type is none of service_account, authorized_user, external_account, "
       "impersonated_service_account"},
      {R"({"installed":{}})",
       "invalid_argument: /etc/c.json: is the file of an OAuth client, not of credentials; run: gcloud auth "
       "application-default login"},
      {R"({"type":"external_account_authorized_user"})",
       "unsupported: /etc/c.json: credentials of type external_account_authorized_user are not built in; use one of "
       "service_account, authorized_user, external_account, impersonated_service_account"},
      {R"({"type":"service_account","universe_domain":"example.org"})",
       "unsupported: /etc/c.json: universe_domain is not googleapis.com"},
      {R"({"type":"service_account","private_key":"S3CRET"})",
       "invalid_argument: /etc/c.json: field client_email is missing; create a new key for the service account, or use "
       "credentials without a key"},
      {R"({"type":"service_account","private_key":["S3CRET"],"client_email":"a"})",
       "invalid_argument: /etc/c.json: field private_key is no text"},
      {R"({"type":"service_account","private_key":"S3CRET","client_email":"a","token_uri":"http://evil.example/t"})",
       "invalid_argument: /etc/c.json: field token_uri is not https: secrets are not sent over http, but to this "
       "machine"},
      {R"({"type":"service_account","private_key":"S3CRET","client_email":"a","token_uri":"https://u:S3CRET@h/"})",
       "invalid_argument: /etc/c.json: field token_uri is no address like https://host/path"},
      {user + R"("client_secret":"S3CRET","refresh_token":""})",
       "invalid_argument: /etc/c.json: field refresh_token is empty; run: gcloud auth application-default login"},
      {external + R"("x":1})",
       "invalid_argument: /etc/c.json: field credential_source is missing; run: gcloud iam workload-identity-pools "
       "create-cred-config"},
      {external + R"("credential_source":{"environment_id":"aws1"}})",
       "unsupported: /etc/c.json: credential_source.environment_id is not built in; write the token into a file and "
       "name "
       "it in credential_source.file"},
      {external + R"("credential_source":{"executable":{"command":"x"}}})",
       "unsupported: /etc/c.json: credential_source.executable is not built in; write the token into a file and name "
       "it "
       "in credential_source.file"},
      {external + R"("credential_source":{"file":"a","url":"https://b"}})",
       "invalid_argument: /etc/c.json: field credential_source names not one of file and url"},
      {external + R"("credential_source":{"url":"https://b","headers":{"A":"b\r\nC: d"}}})",
       "invalid_argument: /etc/c.json: field credential_source.headers holds a name or a value that is no header"},
      {external + R"("credential_source":{"file":"a","format":{"type":"json"}}})",
       "invalid_argument: /etc/c.json: field credential_source.format.subject_token_field_name is missing"},
      {external + R"("credential_source":{"file":"a","format":{"type":"xml"}}})",
       "invalid_argument: /etc/c.json: field credential_source.format.type is neither text nor json"},
      {external + R"("credential_source":{"file":"a"},"service_account_impersonation_url":"https://i/x"})",
       "invalid_argument: /etc/c.json: field service_account_impersonation_url does not end in "
       "/serviceAccounts/EMAIL:generateAccessToken"},
      {R"({"type":"impersonated_service_account"})",
       "invalid_argument: /etc/c.json: field source_credentials is missing; run: gcloud auth application-default "
       "login"},
      {R"({"type":"impersonated_service_account","source_credentials":{"type":"impersonated_service_account"}})",
       "invalid_argument: /etc/c.json: source_credentials: field type is none of service_account, authorized_user, "
       "external_account, impersonated_service_account"},
  };
  for (const auto& [text, words] : cases) {
    EXPECT_EQ(wrong(text), words);
    EXPECT_EQ(wrong(text).find("S3CRET"), std::string::npos) << text;
  }
}

TEST(Address, is_taken_apart_or_refused) {
  EXPECT_EQ(parse_url("https://h")->path, "/");
  EXPECT_EQ(parse_url("https://h?a=1")->query, (Query{{"a", "1"}}));
  EXPECT_EQ(parse_url("https://h:8/p/q")->origin, "https://h:8");
  EXPECT_TRUE(parse_url("http://localhost:80/")->is_secure);
  EXPECT_TRUE(parse_url("http://[::1]:80/")->is_secure);
  EXPECT_FALSE(parse_url("http://127.0.0.1.evil.example/")->is_secure);
  EXPECT_FALSE(parse_url("http://localhost.evil.example/")->is_secure);
  for (const char* text :
       {"", "h", "https://", "https:///p", "ftp://h/", "https://u@h/", "https://h/#f", "https://h/a b"})
    EXPECT_FALSE(parse_url(text)) << text;
}

}  // namespace
}  // namespace serin::google
