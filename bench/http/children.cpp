#include "children.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "serin/base/text.hpp"

namespace serin::bench_http {
namespace {

struct Child {
  pid_t pid = -1;
  int input = -1;   // what it reads
  int output = -1;  // what it writes
};

Child start(const std::vector<std::string>& command, int core) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  std::array<int, 2> in{};
  std::array<int, 2> out{};
  if (pipe2(in.data(), O_CLOEXEC) != 0 || pipe2(out.data(), O_CLOEXEC) != 0) return {};
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    if (core >= 0) {
      cpu_set_t set;
      CPU_ZERO(&set);
      CPU_SET(static_cast<std::size_t>(core), &set);
      sched_setaffinity(0, sizeof set, &set);
    }
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  close(in[0]);
  close(out[1]);
  return {.pid = pid, .input = in[1], .output = out[0]};
}

}  // namespace

Ended run_child(const std::vector<std::string>& command, int core) {
  const Child child = start(command, core);
  Ended ended;
  if (child.pid < 0) return ended;
  std::array<char, 4096> buffer{};
  for (ssize_t size = 0; (size = read(child.output, buffer.data(), buffer.size())) > 0;)
    ended.output.append(buffer.data(), static_cast<std::size_t>(size));
  close(child.output);
  close(child.input);
  int status = 0;
  rusage usage{};
  if (wait4(child.pid, &status, 0, &usage) == child.pid && WIFEXITED(status)) ended.code = WEXITSTATUS(status);
  ended.peak_kb = usage.ru_maxrss;
  return ended;
}

ServerProcess::ServerProcess(const std::string& program) {
  const Child child = start({program, "--serve"}, sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 0 : -1);
  pid_ = child.pid;
  input_ = child.input;
  std::string line;
  for (char byte = 0; read(child.output, &byte, 1) == 1 && byte != '\n';) line += byte;
  close(child.output);
  port_ = static_cast<std::uint16_t>(to_int(line).value_or(0));
}

ServerProcess::~ServerProcess() {
  close(input_);
  waitpid(pid_, nullptr, 0);
}

}  // namespace serin::bench_http
