#include "shell.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace serin::story {
namespace {

std::filesystem::path temporary_folder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "serin-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
  return pattern;
}

void pause_briefly() {
  // Looking for a condition of another process: there is nothing to wait on.
  timespec wait{.tv_sec = 0, .tv_nsec = 20'000'000};
  ::pselect(0, nullptr, nullptr, nullptr, &wait, nullptr);
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) throw std::runtime_error(fmt::format("{} is not set: run through ctest", name));
  return value;
}

}  // namespace

std::string bin() { return variable("SERIN_BIN_DIR"); }
std::string source() { return variable("SERIN_SOURCE_DIR"); }

std::string Outcome::text() const {
  return fmt::format("exit {}{}\n--- out\n{}\n--- err\n{}", code, timed_out ? " (timed out)" : "", out, err);
}

Process::Process(std::vector<std::string> argv, const std::map<std::string, std::string>& environment)
    : folder_(temporary_folder()) {
  const std::string out = folder_ / "out";
  const std::string err = folder_ / "err";
  std::vector<char*> words;
  for (std::string& word : argv) words.push_back(word.data());
  words.push_back(nullptr);
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("no process");
  if (pid_ == 0) {
    setpgid(0, 0);
    dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
    dup2(open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDOUT_FILENO);
    dup2(open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDERR_FILENO);
    for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
    execvp(words[0], words.data());
    _exit(127);
  }
  setpgid(pid_, pid_);  // also here, so that a signal to the group right now finds it
}

Process::~Process() {
  if (!reaped_) {
    kill(-pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  std::filesystem::remove_all(folder_);
}

void Process::signal(int number) const { kill(pid_, number); }
void Process::signal_group(int number) const { kill(-pid_, number); }
std::string Process::err_so_far() const { return read_all(folder_ / "err"); }

Outcome Process::wait(std::chrono::seconds limit) {
  Outcome outcome;
  int status = 0;
  const bool ended = eventually(limit, [&] { return waitpid(pid_, &status, WNOHANG) == pid_; });
  if (!ended) {
    outcome.timed_out = true;
    kill(-pid_, SIGKILL);
    waitpid(pid_, &status, 0);
  }
  reaped_ = true;
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  outcome.out = read_all(folder_ / "out");
  outcome.err = read_all(folder_ / "err");
  return outcome;
}

Outcome run(std::vector<std::string> argv, std::chrono::seconds limit) { return Process(std::move(argv)).wait(limit); }

Folder::Folder() : path_(temporary_folder()) {}
Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}
std::string Folder::write(const std::string& name, const std::string& text) const {
  std::ofstream(path_ / name, std::ios::binary) << text;
  return (path_ / name).string();
}

std::string read_all(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

bool eventually(std::chrono::seconds limit, const std::function<bool()>& condition) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= until) return false;
    pause_briefly();
  }
  return true;
}

std::vector<std::string> processes_mentioning(const std::string& text) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos || name == std::to_string(getpid())) continue;
    std::string line = read_all(entry.path() / "cmdline");
    if (line.empty()) continue;  // a kernel thread, or a zombie: nothing that runs
    if ((line + read_all(entry.path() / "environ")).find(text) == std::string::npos) continue;
    for (char& c : line)
      if (c == '\0') c = ' ';
    found.push_back(fmt::format("{} {}", name, line));
  }
  return found;
}

}  // namespace serin::story
