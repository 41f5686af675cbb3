// Goal: the examples of other people's servers do what their first lines say. Method: each is started on a port of the
// kernel's choice and asked as curl would.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "serin/base/text.hpp"
#include "serin/http/session.hpp"
#include "serin/process/process.hpp"
#include "serin/system/clock.hpp"
#include "serin/system/files.hpp"

namespace serin {
namespace {

class Host : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "serin-host-XXXXXX").string();
    folder = mkdtemp(pattern.data());
    const auto spawned = spawn({.command = {std::string(std::getenv("SERIN_BIN_DIR")) + "/" + GetParam(), "0"},
                                .environment = {},
                                .directory = {},
                                .output = folder + "/out"});
    ASSERT_TRUE(spawned) << spawned.error().text();
    process = *spawned;
    // It says where it listens; there is nothing to wait on but looking.
    std::string said;
    while (!said.ends_with('\n')) {
      ASSERT_TRUE(is_running(process));
      said = read_file(folder + "/out").value_or("");
    }
    origin = fmt::format("http://127.0.0.1:{}", trim(std::string_view(said).substr(5)));
  }
  void TearDown() override {
    if (process.pid != 0 && send_signal(process, SIGKILL)) {
      siginfo_t info{};
      waitid(P_PID, static_cast<id_t>(process.pid), &info, WEXITED);
    }
    std::filesystem::remove_all(folder);
  }
  HttpResponse ask(HttpRequest request) {
    auto answer = client.send(origin, std::move(request), Deadline::after(clock.now(), 10s));
    EXPECT_TRUE(answer) << answer.error().text();
    return answer.value_or(HttpResponse{.status = 0, .headers = {}, .body = {}});
  }
  std::string folder;
  ProcessId process;
  std::string origin;
  SystemClock clock;
  http::Session client{clock};
};

TEST_P(Host, answers_probes_beside_its_own_routes) {
  for (const HttpHeaders& headers : {HttpHeaders{}, HttpHeaders{{"Accept", "application/json"}}}) {
    const HttpResponse health = ask({.target = "/health", .headers = headers});
    EXPECT_EQ(health.status, 200);
    EXPECT_EQ(health.body, R"({"status":"up"})");
    EXPECT_EQ(health.headers.find("Content-Type"), "application/json");
  }
  EXPECT_EQ(ask({.method = "HEAD", .target = "/health"}).body, "");
  EXPECT_EQ(ask({.target = "/hello"}).body, "hello from /hello\n");
}

INSTANTIATE_TEST_SUITE_P(Examples, Host, testing::Values("beast_host", "httplib_host"));

}  // namespace
}  // namespace serin
