// Goal: every mistake gets a clear sentence and the right exit code, and changes nothing. Method: make each mistake.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "fleet_under_test.hpp"

namespace serin::story {
namespace {

std::string with_command(const std::string& more) {
  return "fleet: x\nservices:\n  page:\n    command: [\"${bin}/hello\"]\n" + more;
}

TEST(BadInput, yaml_mistakes_have_a_place_and_a_suggestion) {
  const Folder folder;
  const std::string file = folder.write("fleet.yaml", with_command("    lisen: 127.0.0.1:0\n"));
  const Outcome outcome = run({bin() + "/serin", "--fleet", file, "up"});
  EXPECT_EQ(outcome.code, 2) << outcome.text();
  EXPECT_NE(outcome.err.find("fleet.yaml:5:5: unknown key 'services.page.lisen'; did you mean 'listen'?"),
            std::string::npos)
      << outcome.text();
}

TEST(BadInput, a_policy_file_with_a_mistake_starts_no_fleet) {
  const Folder folder;
  const std::string policies =
      folder.write("resilience.yaml", "resilience:\n  warehouse:\n    retry: {max_attempts: 0}\n");
  const std::string file = folder.write("fleet.yaml", with_command("resilience: \"" + policies + "\"\n"));
  const Outcome outcome = run({bin() + "/serin", "--fleet", file, "up"});
  EXPECT_EQ(outcome.code, 2) << outcome.text();
  EXPECT_NE(outcome.err.find("resilience.yaml:3:27: resilience.warehouse.retry.max_attempts must be from 1 (no retry) "
                             "to 1000, not 0"),
            std::string::npos)
      << outcome.text();
  const std::string gone = folder.write("gone.yaml", with_command("resilience: /nowhere/resilience.yaml\n"));
  const Outcome missing = run({bin() + "/serin", "--fleet", gone, "up"});
  EXPECT_EQ(missing.code, 2) << missing.text();
  EXPECT_NE(missing.err.find("/nowhere/resilience.yaml"), std::string::npos) << missing.text();
}

TEST(BadInput, a_fleet_file_that_is_not_there_is_named) {
  const Outcome outcome = run({bin() + "/serin", "--fleet", "/nowhere/fleet.yaml", "status"});
  EXPECT_EQ(outcome.code, 2) << outcome.text();
  EXPECT_NE(outcome.err.find("/nowhere/fleet.yaml"), std::string::npos) << outcome.text();
}

TEST(BadInput, a_fleet_that_never_was_up_is_said_so) {
  const Folder folder;
  const Outcome outcome =
      run({bin() + "/serin", "--fleet", source() + "/fleet/fleet.yaml", "--state", folder.path() + "/none", "status"});
  EXPECT_EQ(outcome.code, 3) << outcome.text();
  EXPECT_NE(outcome.err.find("serin up"), std::string::npos) << "the way out is named\n" << outcome.text();
}

TEST(BadInput, unknown_words_are_usage) {
  EXPECT_EQ(run({bin() + "/serin", "deplyo"}).code, 2);
  EXPECT_EQ(run({bin() + "/serin"}).code, 2);
  EXPECT_EQ(run({bin() + "/serin", "--help"}).code, 0);
  for (const char* verb : {"up", "status", "deploy", "rollback", "retry", "resume", "pause", "promote", "abort",
                           "approve", "reject", "history", "down", "judge", "demo"}) {
    const Outcome help = run({bin() + "/serin", verb, "--help"});
    EXPECT_EQ(help.code, 0) << verb << help.text();
    EXPECT_GT(help.out.size(), 50u) << verb;
  }
}

TEST(BadInput, a_port_that_is_taken_is_named_and_nothing_stays) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(listener, 1), 0);
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  const std::string port = std::to_string(ntohs(address.sin_port));

  const Folder folder;
  const std::string file = folder.write("fleet.yaml", with_command("    listen: 127.0.0.1:" + port + "\n"));
  const Outcome outcome = run({bin() + "/serin", "--fleet", file, "--state", folder.path() + "/s", "up"});
  EXPECT_EQ(outcome.code, 3) << outcome.text();
  EXPECT_NE(outcome.err.find("127.0.0.1:" + port), std::string::npos) << outcome.text();
  EXPECT_TRUE(processes_mentioning(folder.path()).empty());
  close(listener);
}

TEST(BadInput, haproxy_that_is_absent_is_named_with_the_way_out) {
  const Folder folder;
  const std::string file = folder.write("fleet.yaml", with_command("") + "router: no-such-haproxy\n");
  const Outcome outcome = run({bin() + "/serin", "--fleet", file, "--state", folder.path() + "/s", "up"});
  EXPECT_EQ(outcome.code, 2) << outcome.text();
  EXPECT_NE(outcome.err.find("apt-get install haproxy"), std::string::npos) << outcome.text();
  EXPECT_TRUE(processes_mentioning(folder.path()).empty());
}

TEST(BadInput, an_unknown_service_or_release_is_refused_with_a_suggestion) {
  Fleet fleet;
  ASSERT_EQ(fleet.serin({"up"}).code, 0);
  const Outcome service = fleet.serin({"deploy", "predicton-worker", "--release", "v2"});
  EXPECT_EQ(service.code, 2) << service.text();
  EXPECT_NE(service.err.find("did you mean 'prediction-worker'"), std::string::npos) << service.text();
  const Outcome release = fleet.serin({"deploy", "prediction-worker", "--release", "v22"});
  EXPECT_EQ(release.code, 2) << release.text();
  EXPECT_NE(release.err.find("v2"), std::string::npos) << release.text();
  const Outcome stages = fleet.serin({"deploy", "prediction-worker", "--release", "v2", "--stages", "50,5"});
  EXPECT_EQ(stages.code, 2) << stages.text();
  EXPECT_EQ(fleet.split("prediction-worker"), "v1=100");
}

}  // namespace
}  // namespace serin::story
