// Goal: processes are started as they were described, are told apart from later ones with the same pid, and their ends
// are seen. Method: /bin/sh in a temporary folder.
#include "serin/process/process.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "serin/system/clock.hpp"
#include "serin/system/files.hpp"

namespace serin {
namespace {

class Processes : public testing::Test {
 protected:
  Processes() {
    std::string pattern = (std::filesystem::temp_directory_path() / "serin-process-XXXXXX").string();
    folder = mkdtemp(pattern.data());
  }
  ~Processes() override { std::filesystem::remove_all(folder); }
  Result<ProcessId> shell(const std::string& script, std::map<std::string, std::string> environment = {}) {
    return spawn({.command = {"/bin/sh", "-c", script},
                  .environment = std::move(environment),
                  .directory = folder,
                  .output = folder + "/out"});
  }
  /// Blocks in the kernel until the child has ended, without reaping it.
  ProcessEnd end_of(const ProcessId& process) {
    siginfo_t info{};
    waitid(P_PID, static_cast<id_t>(process.pid), &info, WEXITED | WNOWAIT);
    return poll_end(process).value_or(ProcessEnd{.code = -1});
  }
  std::string output() { return read_file(folder + "/out").value_or(""); }
  std::string folder;
};

TEST_F(Processes, run_as_described) {
  const auto process = shell("pwd; echo $GREETING; echo ${HOME:-none} >&2; exit 3", {{"GREETING", "hello"}});
  ASSERT_TRUE(process) << process.error().text();
  EXPECT_EQ(end_of(*process).text(), "exit code 3");
  EXPECT_EQ(output(), folder + "\nhello\nnone\n") << "its folder, its environment and nothing of ours, both outputs";
}

TEST_F(Processes, a_signal_that_ended_one_is_named) {
  const auto process = shell("exec sleep 60");
  ASSERT_TRUE(process);
  EXPECT_TRUE(is_running(*process));
  ASSERT_TRUE(send_signal(*process, SIGTERM)) << "blocked signals of ours would make it deaf";
  EXPECT_EQ(end_of(*process).text(), "killed by signal 15 (Terminated)");
  EXPECT_FALSE(send_signal(*process, SIGTERM));
}

TEST_F(Processes, signals_blocked_here_are_not_blocked_there) {
  StopSignal stop;  // blocks SIGTERM and SIGINT in this process
  const auto process = shell("exec sleep 60");
  ASSERT_TRUE(process);
  ASSERT_TRUE(send_signal(*process, SIGINT));
  EXPECT_EQ(end_of(*process).signal, SIGINT);
}

TEST_F(Processes, another_one_with_the_same_pid_is_not_it) {
  const auto process = shell("exec sleep 60");
  ASSERT_TRUE(process);
  const auto again = identify(process->pid);
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, *process);
  EXPECT_FALSE(is_running({.pid = getpid(), .started = 1}))
      << "this pid is taken by a process that started at another time";
  EXPECT_TRUE(is_running(identify(getpid()).value())) << "one that is no child of ours";
  ASSERT_TRUE(send_signal_to_group(*process, SIGKILL));
  end_of(*process);
}

TEST_F(Processes, what_cannot_be_started_says_why) {
  const auto missing = spawn({.command = {"/does/not/exist"}});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), Errc::not_found) << missing.error().text();
  EXPECT_EQ(spawn({.command = {"no-such-program-anywhere"}}).error().code(), Errc::not_found);
  const auto folder_missing = spawn({.command = {"/bin/true"}, .directory = folder + "/no"});
  ASSERT_FALSE(folder_missing);
  EXPECT_NE(folder_missing.error().detail().find("cannot enter"), std::string::npos) << folder_missing.error().text();
  EXPECT_FALSE(spawn({.command = {"/bin/true"}, .output = folder + "/no/out"}));
  EXPECT_FALSE(spawn({}));
  std::ofstream(folder + "/text") << "no program";
  std::filesystem::permissions(folder + "/text", std::filesystem::perms::owner_all);
  const auto text = spawn({.command = {folder + "/text"}});
  EXPECT_FALSE(text) << "exec format error is reported by the starter, not lost in the child";
}

TEST_F(Processes, a_taken_port_is_named) {
  const auto port = free_port();
  ASSERT_TRUE(port);
  EXPECT_TRUE(check_port_free("127.0.0.1", *port));
  EXPECT_FALSE(check_port_free("no address", 80));
}

TEST_F(Processes, a_lock_is_held_by_one_and_names_him) {
  const std::string path = folder + "/lock";
  {
    const auto first = FileLock::acquire(path, "process 7");
    ASSERT_TRUE(first);
    const auto second = FileLock::acquire(path, "process 8");
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().detail().find("process 7"), std::string::npos) << second.error().text();
    EXPECT_FALSE(FileLock::wait(path, 20));
  }
  EXPECT_TRUE(FileLock::acquire(path, "process 8")) << "free again";
}

}  // namespace
}  // namespace serin
