// Goal: clients are shared as far as they are the same, real credentials never go over an open wire, and a child of a
// fork leaves its parent's clients alone. Method: a scripted HTTP client; a real fork, whose child says by its exit
// code what it saw.
#include "serin/google/clients.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "scripted_http.hpp"
#include "serin/google/cloud_run.hpp"
#include "serin/google/secret_manager.hpp"
#include "serin/sim/world.hpp"
#include "serin/system/files.hpp"

namespace serin::google {
namespace {

class ClientsTest : public testing::Test {
 protected:
  ClientsTest() : folder(testing::TempDir() + "google_clients_" + std::to_string(::getpid())) {
    std::filesystem::create_directories(folder);
    for (const char* name : {"one", "two"})
      EXPECT_TRUE(write_file(folder + "/" + name,
                             R"({"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r"})"));
  }
  ~ClientsTest() override { std::filesystem::remove_all(folder); }
  Clients& clients() {
    if (!made) {
      variables.try_emplace("GOOGLE_APPLICATION_CREDENTIALS", folder + "/one");
      made = std::make_unique<Clients>(AuthWorld{.http = http, .sleeper = world.sleeper(), .random = world.random()},
                                       Environment(variables), options);
    }
    return *made;
  }
  SecretManager* secrets(const Place& place, const ClientWishes& wishes = {}) {
    const auto client = clients().get<SecretManager>(place, wishes);
    EXPECT_TRUE(client) << client.error().text();
    return client ? client->get() : nullptr;
  }
  std::string folder;
  sim::World world;
  ScriptedHttp http{world.sleeper()};
  std::map<std::string, std::string> variables;
  ClientsOptions options;
  std::unique_ptr<Clients> made;
};

TEST_F(ClientsTest, are_the_same_for_the_same_place_credentials_and_endpoint) {
  SecretManager* const first = secrets({.project = "p"});
  EXPECT_EQ(secrets({.project = "p"}), first);
  EXPECT_NE(secrets({.project = "q"}), first);
  EXPECT_NE(secrets({.project = "p", .location = "eu"}), first);
  EXPECT_NE(secrets({.project = "p"}, {.credentials_file = folder + "/two"}), first);
  EXPECT_NE(secrets({.project = "p"}, {.endpoint = "https://secretmanager.eu.rep.googleapis.com"}), first);
  EXPECT_EQ(clients().size(), 5u);
  EXPECT_TRUE(clients().get<CloudRun>({.project = "p"}));
  EXPECT_EQ(clients().size(), 6u);
  EXPECT_EQ(secrets({.project = "p"}), first);
}

TEST_F(ClientsTest, share_their_credentials) {
  http.then(200, R"({"access_token":"t","expires_in":3600})").then(404, "");
  const Deadline deadline = Deadline::after(world.now(), 1min);
  EXPECT_FALSE((*clients().get<SecretManager>({.project = "p"}))->access("s", "1", deadline));
  EXPECT_FALSE((*clients().get<CloudRun>({.project = "q"}))->get_service("s", deadline));
  EXPECT_EQ(http.count(), 3u) << "one token for both";
  EXPECT_EQ(header(http.last(), "Authorization"), "Bearer t");
}

TEST_F(ClientsTest, of_an_emulator_carry_no_real_token) {
  variables["SECRETMANAGER_EMULATOR_HOST"] = "127.0.0.1:8085/some/path";
  http.then(404, "");
  const Deadline deadline = Deadline::after(world.now(), 1min);
  EXPECT_FALSE(secrets({.project = "p"})->access("s", "1", deadline));
  EXPECT_EQ(http.asked().back().origin, "http://127.0.0.1:8085");
  EXPECT_EQ(header(http.last(), "Authorization"), "Bearer owner");
  EXPECT_FALSE(secrets({.project = "p"}, {.endpoint = "http://example.com"})->access("s", "1", deadline));
  EXPECT_EQ(header(http.last(), "Authorization"), "Bearer owner") << "http is an open wire";
  EXPECT_EQ(http.count(), 2u) << "no token was asked for";
}

TEST_F(ClientsTest, are_at_our_own_emulator_when_the_environment_names_it_and_none_for_the_service) {
  variables["SERIN_GOOGLE_EMULATOR"] = "http://127.0.0.1:9";
  http.then(404, "");
  EXPECT_FALSE(secrets({.project = "p"})->access("s", "1", Deadline::after(world.now(), 1min)));
  EXPECT_EQ(http.asked().back().origin, "http://127.0.0.1:9");
}

TEST_F(ClientsTest, are_where_the_options_say_before_the_environment) {
  variables["SERIN_GOOGLE_EMULATOR"] = "http://127.0.0.1:9";
  variables["SECRETMANAGER_EMULATOR_HOST"] = "127.0.0.1:1";
  options.emulator = "http://127.0.0.1:2";
  options.endpoints["secretmanager"] = "http://127.0.0.1:3";
  http.then(404, "");
  const Deadline deadline = Deadline::after(world.now(), 1min);
  EXPECT_FALSE(secrets({.project = "p"})->access("s", "1", deadline));
  EXPECT_EQ(http.asked().back().origin, "http://127.0.0.1:3");
  EXPECT_FALSE((*clients().get<CloudRun>({.project = "p", .location = "l"}))->get_service("s", deadline));
  EXPECT_EQ(http.asked().back().origin, "http://127.0.0.1:2");
}

TEST_F(ClientsTest, that_cannot_be_made_say_why) {
  EXPECT_EQ(clients().get<SecretManager>({}).error().text(), "invalid_argument: secretmanager: no project is named");
  EXPECT_EQ(errc_name(clients().get<SecretManager>({.project = "p"}, {.credentials_file = "/none"}).error().code()),
            "not_found");
  EXPECT_FALSE(clients().get<SecretManager>({.project = "p"}, {.endpoint = "https://a/b"}));
}

TEST_F(ClientsTest, outlive_the_cache_that_made_them) {
  http.then(200, R"({"access_token":"t","expires_in":3600})").then(404, "");
  const std::shared_ptr<SecretManager> client = *clients().get<SecretManager>({.project = "p"});
  made.reset();
  EXPECT_FALSE(client->access("s", "1", Deadline::after(world.now(), 1min)));
  EXPECT_EQ(http.count(), 2u);
}

TEST_F(ClientsTest, of_the_parent_are_not_those_of_a_child) {
  SecretManager* const parents = secrets({.project = "p"});
  const pid_t child = ::fork();
  if (child == 0) {
    const bool is_empty = made->size() == 0;
    const auto own = made->get<SecretManager>({.project = "p"});
    const bool is_own = own && own->get() != parents;
    const auto again = made->get<SecretManager>({.project = "p"});
    const bool is_kept = again && again->get() == own->get();
    ::_exit(is_empty && is_own && is_kept ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_EQ(secrets({.project = "p"}), parents);
}

}  // namespace
}  // namespace serin::google
