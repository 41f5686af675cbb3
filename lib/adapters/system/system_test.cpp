// Goal: this machine behind the ports does what the ports promise. Method: the real thing, in a temporary folder.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <latch>
#include <thread>

#include "serin/system/clock.hpp"
#include "serin/system/environment.hpp"
#include "serin/system/files.hpp"
#include "serin/system/json_log.hpp"
#include "serin/system/random.hpp"
#include "serin/system/tasks.hpp"

namespace serin {
namespace {

struct Folder {
  Folder() {
    char pattern[] = "/tmp/serin-system-XXXXXX";
    path = mkdtemp(pattern);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string path;
};

TEST(SystemSleeper, never_wakes_early_and_a_signal_ends_the_wait_at_once) {
  StopSignal stop;
  SystemSleeper sleeper(stop);
  const Instant before = sleeper.now();
  ASSERT_TRUE(sleeper.sleep_for(20ms));
  EXPECT_GE(sleeper.now() - before, 20ms);
  kill(getpid(), SIGINT);
  const Instant asked = sleeper.now();
  EXPECT_EQ(sleeper.sleep_for(30s).error().code(), Errc::cancelled);
  EXPECT_LT(sleeper.now() - asked, 5s);
  stop.clear();
  EXPECT_TRUE(sleeper.sleep_for(1ms)) << "after clear() one can wait again, to restore what must be restored";
}

TEST(SystemSleeper, an_event_ends_a_wait_at_once_and_so_does_a_signal) {
  StopSignal stop;
  SystemSleeper sleeper(stop);
  PatientSleeper patient;
  Event late;
  EXPECT_FALSE(sleeper.wait(late, sleeper.now() + 5ms).value());
  EXPECT_FALSE(patient.wait(late, patient.now() + 5ms).value());
  for (int i = 0; i < 200; ++i) {
    Event event;
    const std::jthread other([&] { event.set(); });
    Sleeper& one = i % 2 == 0 ? static_cast<Sleeper&>(sleeper) : patient;
    ASSERT_TRUE(one.wait(event, Instant::max()).value());
  }
  kill(getpid(), SIGINT);
  EXPECT_EQ(sleeper.wait(late, Instant::max()).error().code(), Errc::cancelled);
  late.set();
  EXPECT_TRUE(sleeper.wait(late, Instant::max()).value()) << "what happened counts more than the stop";
}

TEST(SystemTasks, run_beside_the_caller_as_many_as_there_are_threads_and_no_more) {
  std::latch go(1);
  std::latch began(2);
  std::atomic<int> ran = 0;
  {
    SystemTasks tasks(2);
    for (int i = 0; i < 2; ++i)
      ASSERT_TRUE(tasks.start([&] {
        began.count_down();
        go.wait();
        ++ran;
      }));
    EXPECT_FALSE(tasks.start([&] { ++ran; })) << "no thread is free";
    began.wait();
    EXPECT_FALSE(tasks.start([&] { ++ran; }));
    go.count_down();
  }
  EXPECT_EQ(ran, 2) << "the end waits for what runs";
}

TEST(Files, are_replaced_whole_and_errors_name_the_path) {
  const Folder folder;
  const std::string file = folder.path + "/a/b/x";
  EXPECT_EQ(read_file(file).error().code(), Errc::not_found);
  ASSERT_TRUE(make_folders(folder.path + "/a/b"));
  ASSERT_TRUE(write_file(file, "one"));
  ASSERT_TRUE(write_file(file, "two"));
  EXPECT_EQ(std::filesystem::status(file).permissions(), std::filesystem::perms{0600}) << "its owner's";
  ASSERT_TRUE(write_file(file, "two", Readers::everybody));
  EXPECT_EQ(std::filesystem::status(file).permissions(), std::filesystem::perms{0644});
  EXPECT_EQ(read_file(file).value(), "two");
  EXPECT_EQ(read_file(file, 2).error().code(), Errc::exhausted);
  EXPECT_EQ(make_folders(file).error().code(), Errc::conflict);
  EXPECT_EQ(file_digest(file).value(), "sha256:3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3");
  EXPECT_NE(write_file("/proc/none/x", "").error().detail().find("/proc/none/x"), std::string::npos);
}

TEST(JsonLog, writes_one_valid_line_whatever_the_bytes) {
  const Folder folder;
  const std::string file = folder.path + "/log";
  const int descriptor = open(file.c_str(), O_WRONLY | O_CREAT, 0600);
  const SystemClock clock;
  JsonLog log(descriptor, LogLevel::info, clock);
  Logger(log).debug("unseen");
  Logger(log).info("said \"so\"\n", {{"count", 3}, {"bad", "\xff\x01"}, {"ok", true}, {"ratio", 0.5}});
  close(descriptor);
  const std::string line = read_file(file).value();
  EXPECT_NE(line.find(R"("event":"said \"so\"\u000a","count":3,"bad":"\ufffd\u0001","ok":true,"ratio":0.5})"),
            std::string::npos)
      << line;
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
}

TEST(Environment, an_empty_variable_is_as_good_as_none_where_one_is_required) {
  const Environment environment({{"A", "1"}, {"B", ""}});
  EXPECT_EQ(environment.required("A").value(), "1");
  EXPECT_NE(environment.required("B").error().detail().find('B'), std::string::npos);
  EXPECT_FALSE(environment.required("C"));
  EXPECT_FALSE(Environment::of_process().all().empty());
}

TEST(SystemRandom, differs_between_two) { EXPECT_NE(SystemRandom().next(), SystemRandom().next()); }

}  // namespace
}  // namespace serin
