// Goal: the clients of Google's services do what they say over a real socket, with every kind of credentials, through
// faults, and ask for what the services expect. Method: `serin emulate google` as it is installed, which verifies
// signatures; its own record of requests is compared with the calls that Google's clients were seen to make.
#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <boost/json.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "serin/google/checks.hpp"
#include "serin/google/clients.hpp"
#include "serin/http/session.hpp"
#include "serin/system/clock.hpp"
#include "serin/system/random.hpp"
#include "serin/system/tasks.hpp"
#include "shell.hpp"

namespace serin::story {
namespace {

namespace json = boost::json;
using namespace google;

std::string first_line(const std::string& path) {
  std::ifstream stream(path);
  std::string line;
  std::getline(stream, line);
  return line;
}

std::string new_key() {
  const std::shared_ptr<EVP_PKEY> key(EVP_RSA_gen(2048), &EVP_PKEY_free);
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
  PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

class Google : public testing::Test {
 protected:
  /// \param credentials  a file; empty: every call is accepted
  void start(const std::string& credentials = {}) {
    const std::string ready = folder.path() + "/ready";
    std::vector<std::string> command{bin() + "/serin", "emulate", "google",       "--port", "0",
                                     "--data",         "memory",  "--ready-file", ready};
    if (!credentials.empty()) command.insert(command.end(), {"--credentials", credentials});
    emulator = std::make_unique<Process>(std::move(command));
    ASSERT_TRUE(eventually(20s, [&] { return !first_line(ready).empty(); })) << emulator->err_so_far();
    address = first_line(ready);
  }
  [[nodiscard]] Deadline soon() const { return Deadline::after(sleeper.now(), 30s); }
  template <class Client>
  std::shared_ptr<Client> client() {
    auto known = clients().get<Client>(place);
    EXPECT_TRUE(known) << known.error().text();
    return *known;
  }
  Clients& clients() {
    if (!made) made = std::make_unique<Clients>(auth, Environment(), ClientsOptions{.emulator = address});
    return *made;
  }
  /// An Api of Secret Manager with these credentials, at the emulator.
  std::unique_ptr<Api> api(TokenSource& tokens) {
    ApiOptions options = SecretManager::defaults();
    options.endpoint = address;
    return *Api::make(session, tokens, sleeper, random, options);
  }
  json::value ask(const std::string& method, const std::string& path, const std::string& body = {}) {
    const auto answer = session.send(address, {.method = method, .target = path, .body = body}, soon());
    EXPECT_TRUE(answer && answer->status / 100 == 2) << (answer ? answer->body : answer.error().text());
    return answer && !answer->body.empty() ? json::parse(answer->body) : json::value();
  }
  void fault(const std::string& text) { ask("POST", "/emulator/faults", text); }
  /// What was asked since the last look: "POST /v1/x?a=b {body}".
  std::vector<std::string> asked() {
    std::vector<std::string> out;
    const json::value requests = ask("GET", "/emulator/requests");
    for (const json::value& request : requests.at("requests").as_array()) {
      std::string line =
          std::string(request.at("method").as_string()) + " " + std::string(request.at("path").as_string());
      out.push_back(line + " " + json::serialize(request.at("body")));
    }
    ask("DELETE", "/emulator/requests");
    return out;
  }

  Folder folder;
  PatientSleeper sleeper;
  SystemRandom random;
  SystemTasks tasks{2};
  http::Session session{sleeper};
  AuthWorld auth{.http = session, .sleeper = sleeper, .random = random, .tasks = &tasks};
  Place place{.project = "p1", .location = "us-central1"};
  std::unique_ptr<Process> emulator;
  std::string address;
  std::unique_ptr<Clients> made;
};

TEST_F(Google, keeps_secrets) {
  start();
  const auto secrets = client<SecretManager>();
  ASSERT_TRUE(secrets->create("s", soon()));
  EXPECT_EQ(secrets->create("s", soon()).error().code(), Errc::conflict);
  const std::string binary("a\0\xFFz", 4);
  const auto added = secrets->add_version("s", binary, soon());
  ASSERT_TRUE(added) << added.error().text();
  const auto secret = secrets->access("s", "latest", soon());
  ASSERT_TRUE(secret) << secret.error().text();
  EXPECT_EQ(secret->data, binary);
  EXPECT_EQ(secret->version, added->version);
  const auto check = secret_check(*secrets, "s");
  EXPECT_EQ(check({soon(), {}}).status, health::HealthStatus::up);
  EXPECT_EQ(secrets->disable("s", added->version, "\"stale\"", soon()).error().code(), Errc::conflict);
  const auto now = secrets->version("s", added->version, soon());
  ASSERT_TRUE(now) << now.error().text();
  ASSERT_TRUE(secrets->disable("s", added->version, now->etag, soon()));
  EXPECT_EQ(secrets->access("s", added->version, soon()).error().code(), Errc::conflict);
  EXPECT_EQ(check({soon(), {}}).reason, "disabled");
  ASSERT_TRUE(secrets->enable("s", added->version, "", soon()));
  ASSERT_TRUE(secrets->destroy("s", added->version, "", soon()));
  EXPECT_EQ(secrets->versions("s", "", soon())->front().state, SecretState::destroyed);
  EXPECT_EQ(*secrets->secrets(soon()), std::vector<std::string>{"s"});
  EXPECT_EQ(secrets->access("none", "latest", soon()).error().code(), Errc::not_found);
}

TEST_F(Google, keeps_measurements_and_logs) {
  start();
  const auto monitoring = client<CloudMonitoring>();
  const WallTime now = sleeper.wall();
  std::vector<TimeSeries> many;
  const Distribution some = Distribution::of(std::vector<double>{1, 2, 30}, {1.5, 10});
  for (int i = 0; i < 250; ++i)
    many.push_back({.metric = "custom.googleapis.com/x",
                    .labels = {{"i", std::to_string(i)}},
                    .points = {{.end = now, .value = std::int64_t{i}}}});
  many.push_back({.metric = "custom.googleapis.com/d", .points = {{.end = now, .value = some}}});
  const Status written = monitoring->write(many, soon());
  ASSERT_TRUE(written) << written.error().text();
  const auto read = [&](const std::string& metric, std::optional<Aggregation> how) {
    auto list = monitoring->list({.filter = "metric.type = \"custom.googleapis.com/" + metric + "\"",
                                  .from = now - 5min,
                                  .to = now + 1min,
                                  .aggregation = std::move(how),
                                  .page_size = 100},
                                 soon());
    EXPECT_TRUE(list) << list.error().text();
    return list ? list->series : std::vector<TimeSeries>();
  };
  EXPECT_EQ(read("x", {}).size(), 250u) << "over three pages";
  const auto distribution = read("d", {});
  ASSERT_EQ(distribution.size(), 1u);
  EXPECT_TRUE(distribution.front().points.at(0).value == PointValue(some));
  const auto sum = read("x", Aggregation{.period = 60s, .aligner = "ALIGN_MEAN", .reducer = "REDUCE_SUM"});
  ASSERT_EQ(sum.size(), 1u);
  ASSERT_FALSE(sum.front().points.empty());
  EXPECT_EQ(std::get<double>(sum.front().points.front().value), 250.0 * 249 / 2);
  EXPECT_EQ(monitoring_check(*monitoring)({soon(), {}}).status, health::HealthStatus::up);

  const auto logging = client<CloudLogging>();
  std::vector<LogEntry> entries;
  for (int i = 0; i < 1'200; ++i)
    entries.push_back(
        {.severity = i % 2 == 0 ? Severity::error : Severity::info, .text = std::to_string(i), .fields = {{"i", i}}});
  const Status logged = logging->write({.log = "shop"}, entries, soon());
  ASSERT_TRUE(logged) << logged.error().text();
  const auto errors = logging->list({.filter = "severity>=ERROR", .page_size = 200, .most = 5'000}, soon());
  ASSERT_TRUE(errors) << errors.error().text();
  EXPECT_EQ(errors->size(), 600u);
  EXPECT_EQ(errors->front().log, "shop");
  EXPECT_EQ(logging_check(*logging)({soon(), {}}).status, health::HealthStatus::up);
}

TEST_F(Google, runs_services_and_jobs) {
  start();
  const auto run_client = client<CloudRun>();
  const std::string base = "/v2/projects/p1/locations/us-central1";
  ask("POST", base + "/services?serviceId=shop", R"({"template":{"containers":[{"image":"i:1"}]}})");
  const auto first = run_client->get_service("shop", soon());
  ASSERT_TRUE(first) << first.error().text();
  const auto changed = run_client->patch_service("shop", R"({"template":{"containers":[{"image":"i:2"}]}})", "template",
                                                 first->etag, soon());
  ASSERT_TRUE(changed) << changed.error().text();
  const auto done = run_client->wait(changed->name, soon());
  ASSERT_TRUE(done && done->done && !done->error);
  EXPECT_EQ(run_client->patch_service("shop", R"({"labels":{"a":"b"}})", "labels", first->etag, soon()).error().code(),
            Errc::conflict)
      << "it was read before the change";
  const auto revisions = run_client->revisions("shop", soon());
  ASSERT_EQ(revisions->size(), 2u);
  const auto second = run_client->get_service("shop", soon());
  const auto moved = run_client->set_traffic(
      "shop", {{first->latest_ready_revision, 90}, {second->latest_ready_revision, 10, "new"}}, second->etag, soon());
  ASSERT_TRUE(moved) << moved.error().text();
  EXPECT_EQ(run_client->get_service("shop", soon())->traffic_statuses.front().percent, 90);
  EXPECT_EQ(run_client->services(soon())->size(), 1u);
  EXPECT_EQ(run_check(*run_client, "shop")({soon(), {}}).status, health::HealthStatus::up);

  ask("POST", base + "/jobs?jobId=nightly", R"({"template":{"template":{"containers":[{"image":"j:1"}]}}})");
  asked();
  const auto begun = run_client->run_job("nightly", {}, soon());
  ASSERT_TRUE(begun) << begun.error().text();
  ASSERT_TRUE(run_client->wait(begun->name, soon())->done);
  const std::string name = begun->target.substr(begun->target.rfind('/') + 1);
  const auto ended = run_client->wait_for_execution("nightly", name, soon());
  ASSERT_TRUE(ended) << ended.error().text();
  EXPECT_EQ(ended->succeeded, 1);
  const auto calls = asked();
  ASSERT_EQ(calls.size(), 3u);
  EXPECT_EQ(calls[0], "POST " + base + "/jobs/nightly:run {}") << "as Google's own client does";
  EXPECT_TRUE(calls[1].starts_with("POST /v2/" + begun->name + ":wait ")) << calls[1];
  EXPECT_EQ(calls[2], "GET /v2/" + begun->target + " null");
}

TEST_F(Google, is_called_again_when_it_says_later_and_not_when_it_may_have_been_done) {
  start();
  const auto secrets = client<SecretManager>();
  ASSERT_TRUE(secrets->create("s", soon()));
  asked();
  fault(R"({"path":"*:addVersion","status":403,"reason":"rateLimitExceeded","count":1})");
  ASSERT_TRUE(secrets->add_version("s", "x", soon())) << "nothing was done, so it is done now";
  EXPECT_EQ(asked().size(), 2u);
  fault(R"({"path":"*:addVersion","close":"after","count":1})");
  EXPECT_FALSE(secrets->add_version("s", "y", soon()));
  EXPECT_EQ(asked().size(), 1u) << "the answer was lost: it may have been stored";
  EXPECT_EQ(secrets->versions("s", "", soon())->size(), 2u);
  asked();
  fault(R"({"path":"*:access","status":503,"count":1,"retry_after":1})");
  const Instant before = sleeper.now();
  ASSERT_TRUE(secrets->access("s", "latest", soon()));
  EXPECT_GE(sleeper.now() - before, 1s);
  EXPECT_EQ(asked().size(), 2u);
  fault(R"({"path":"*:access","truncate":10,"count":1})");
  const auto cut = secrets->access("s", "latest", soon());
  EXPECT_TRUE(cut || cut.error().code() == Errc::unavailable || cut.error().code() == Errc::data_loss)
      << cut.error().text();
}

TEST_F(Google, believes_every_kind_of_credentials_and_nobody_without) {
  json::object key{{"type", "service_account"},
                   {"project_id", "p1"},
                   {"private_key_id", "k"},
                   {"client_email", "a@p1.example"},
                   {"private_key", new_key()}};
  const std::string verified = folder.write("key.json", json::serialize(key));
  start(verified);
  key["token_uri"] = address + "/token";
  const auto listed = [&](TokenSource& tokens) {
    const auto answer = api(tokens)->call({.path = "/v1/projects/p1/secrets", .deadline = soon()});
    return answer ? std::string("listed") : std::string(errc_name(answer.error().code()));
  };
  const auto with = [&](const json::object& file, const AuthOptions& options = {}) {
    const auto credentials = Credentials::of_text(json::serialize(file), "c.json", auth, options);
    return credentials ? listed(**credentials) : credentials.error().text();
  };
  FixedToken nobody;
  FixedToken somebody("ya29.made-up");
  EXPECT_EQ(listed(nobody), "permission_denied");
  EXPECT_EQ(listed(somebody), "permission_denied");
  EXPECT_EQ(with(key), "listed") << "signed by ourselves";
  EXPECT_EQ(with(key, {.self_signed = false}), "listed") << "by the token endpoint";
  json::object other = key;
  other["private_key"] = new_key();
  EXPECT_EQ(with(other), "permission_denied") << "the signature is verified";
  EXPECT_EQ(with(other, {.self_signed = false}), "permission_denied");
  const json::object user{{"type", "authorized_user"},
                          {"client_id", "c"},
                          {"client_secret", "s"},
                          {"refresh_token", "r"},
                          {"token_uri", address + "/token"}};
  EXPECT_EQ(with(user), "listed");
  json::object external{{"type", "external_account"},
                        {"audience", "//iam.googleapis.com/a"},
                        {"subject_token_type", "urn:ietf:params:oauth:token-type:jwt"},
                        {"token_url", address + "/v1/token"},
                        {"credential_source", {{"file", folder.write("subject", "eyJ.x\n")}}}};
  EXPECT_EQ(with(external), "listed");
  const std::string other_account = address + "/v1/projects/-/serviceAccounts/b@p1:generateAccessToken";
  external["service_account_impersonation_url"] = other_account;
  EXPECT_EQ(with(external), "listed");
  EXPECT_EQ(with({{"type", "impersonated_service_account"},
                  {"service_account_impersonation_url", other_account},
                  {"source_credentials", key}}),
            "listed");
  const std::map<std::string, std::string> variables{{"GCE_METADATA_HOST", address.substr(7)}};
  const auto machine = Credentials::find(Environment(variables), auth, {}, soon());
  ASSERT_TRUE(machine) << machine.error().text();
  EXPECT_EQ(listed(**machine), "listed");
  EXPECT_EQ(*find_project(Environment(), **machine, soon()), "local");
}

TEST_F(Google, is_used_as_the_guide_shows) {
  start();
  ask("POST", "/v2/projects/local/locations/us-central1/services?serviceId=shop",
      R"({"template":{"containers":[{"image":"i:1"}]}})");
  Process example({bin() + "/google_example", "us-central1", "shop"}, {{"SERIN_GOOGLE_EMULATOR", address}});
  const Outcome said = example.wait(60s);
  EXPECT_EQ(said.code, 0) << said.text();
  EXPECT_NE(
      said.out.find("version 1 has 13 bytes, version 1 was stored\n1 series\n1 log entries, the newest says \"slow "
                    "checkout\"\nshop serves shop-"),
      std::string::npos)
      << said.text();
}

}  // namespace
}  // namespace serin::story
