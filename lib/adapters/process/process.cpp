#include "serin/process/process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "serin/base/text.hpp"
#include "serin/system/files.hpp"

namespace serin {
namespace {

/// What the kernel says about a process: fields after the name, which may hold blanks and brackets itself.
struct Stat {
  char state = '?';
  std::int64_t started = 0;
};

std::optional<Stat> stat_of(int pid) {
  const Result<std::string> text = read_file(fmt::format("/proc/{}/stat", pid));
  if (!text) return std::nullopt;
  const std::size_t end = text->rfind(')');
  if (end == std::string::npos) return std::nullopt;
  const std::vector<std::string_view> fields = split(std::string_view(*text).substr(end + 2), ' ');
  if (fields.size() < 20) return std::nullopt;
  const std::optional<std::int64_t> started = to_int(fields[19]);
  if (fields[0].empty() || !started) return std::nullopt;
  return Stat{.state = fields[0][0], .started = *started};
}

ProcessEnd end_of(int status) {
  if (WIFEXITED(status)) return {.code = WEXITSTATUS(status)};
  if (WIFSIGNALED(status)) return {.signal = WTERMSIG(status)};
  return {};
}

/// The program's path; execve does not look into PATH.
Result<std::string> find_program(const std::string& name, const std::map<std::string, std::string>& environment) {
  if (name.find('/') != std::string::npos) {
    if (access(name.c_str(), X_OK) == 0) return name;
    return fail_errno(errno, fmt::format("cannot run {}", name));
  }
  const auto path = environment.find("PATH");
  const std::string folders =
      path != environment.end() ? path->second : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  for (const std::string_view folder : split(folders, ':')) {
    std::string candidate = fmt::format("{}/{}", folder, name);
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return fail(Errc::not_found, fmt::format("there is no program '{}' in {}", name, folders));
}

/// What the child needs, made before the fork: after it only async-signal-safe calls are allowed.
struct Prepared {
  std::string program;
  std::vector<std::string> words;
  std::vector<std::string> variables;
  std::vector<char*> argv;
  std::vector<char*> envp;
  int output = -1;
  int input = -1;
  const char* directory = nullptr;
};

enum class Step : int { directory, program };

[[noreturn]] void become(const Prepared& prepared, int report) {
  const auto give_up = [&](Step step) {
    const std::array<int, 2> what{static_cast<int>(step), errno};
    const ssize_t ignored = write(report, what.data(), sizeof what);
    static_cast<void>(ignored);
    _exit(127);
  };
  setsid();
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int number = 1; number < NSIG; ++number)
    if (number != SIGKILL && number != SIGSTOP) signal(number, SIG_DFL);
  dup2(prepared.input, STDIN_FILENO);
  dup2(prepared.output, STDOUT_FILENO);
  dup2(prepared.output, STDERR_FILENO);
  if (prepared.directory != nullptr && chdir(prepared.directory) != 0) give_up(Step::directory);
  // Whatever was opened without close-on-exec stays ours; the report pipe closes itself by a successful exec.
  for (int descriptor = 3; descriptor < 1024; ++descriptor)
    if (descriptor != report) close(descriptor);
  execve(prepared.program.c_str(), prepared.argv.data(), prepared.envp.data());
  give_up(Step::program);
  _exit(127);
}

/// Closes on the way out.
struct Descriptor {
  int number = -1;
  Descriptor() = default;
  explicit Descriptor(int n) : number(n) {}
  ~Descriptor() {
    if (number >= 0) close(number);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
};

}  // namespace

std::string ProcessEnd::text() const {
  if (code) return fmt::format("exit code {}", *code);
  if (signal) return fmt::format("killed by signal {} ({})", *signal, strsignal(*signal));
  return "ended while nobody watched";
}

Result<ProcessId> spawn(const SpawnOptions& options) {
  if (options.command.empty()) return fail(Errc::invalid_argument, "a process needs a command");
  Prepared prepared;
  SERIN_TRY(prepared.program, find_program(options.command.front(), options.environment));
  prepared.words = options.command;
  for (const auto& [name, value] : options.environment) prepared.variables.push_back(fmt::format("{}={}", name, value));
  for (std::string& word : prepared.words) prepared.argv.push_back(word.data());
  prepared.argv.push_back(nullptr);
  for (std::string& variable : prepared.variables) prepared.envp.push_back(variable.data());
  prepared.envp.push_back(nullptr);
  if (!options.directory.empty()) prepared.directory = options.directory.c_str();

  const Descriptor input(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const std::string target = options.output.empty() ? "/dev/null" : options.output;
  const Descriptor output(open(target.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
  if (output.number < 0) return fail_errno(errno, fmt::format("cannot write {}", target));
  prepared.input = input.number;
  prepared.output = output.number;
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno(errno, "no pipe for a new process");
  const Descriptor read_end(ends[0]);
  auto write_end = std::make_unique<Descriptor>(ends[1]);

  const int pid = fork();
  if (pid < 0) return fail_errno(errno, "no new process");
  if (pid == 0) become(prepared, write_end->number);
  write_end.reset();
  std::array<int, 2> what{};
  ssize_t got = 0;
  do got = read(read_end.number, what.data(), sizeof what);
  while (got < 0 && errno == EINTR);
  if (got == static_cast<ssize_t>(sizeof what)) {
    waitpid(pid, nullptr, 0);
    if (what[0] == static_cast<int>(Step::directory))
      return fail_errno(what[1], fmt::format("cannot enter {}", options.directory));
    return fail_errno(what[1], fmt::format("cannot run {}", prepared.program));
  }
  // It may have ended already; then its start time cannot be read and nobody else can have got its pid: it is not
  // reaped.
  const std::optional<Stat> stat = stat_of(pid);
  return ProcessId{.pid = pid, .started = stat ? stat->started : 0};
}

std::optional<ProcessEnd> poll_end(const ProcessId& process) {
  if (process.pid <= 1) return ProcessEnd{};
  int status = 0;
  const int reaped = waitpid(process.pid, &status, WNOHANG);
  if (reaped == process.pid) return end_of(status);
  if (reaped == 0) return std::nullopt;  // our child, and alive
  const std::optional<Stat> stat = stat_of(process.pid);
  if (!stat || stat->state == 'Z' || stat->state == 'X') return ProcessEnd{};
  if (stat->started != process.started) return ProcessEnd{};  // its pid is somebody else's by now
  return std::nullopt;
}

Status send_signal(const ProcessId& process, int signal) {
  if (!is_running(process)) return fail(Errc::not_found, fmt::format("process {} does not run", process.pid));
  if (kill(process.pid, signal) != 0) return fail_errno(errno, fmt::format("cannot signal process {}", process.pid));
  return {};
}

Status send_signal_to_group(const ProcessId& process, int signal) {
  if (process.pid <= 1) return fail(Errc::not_found, "no process");
  if (kill(-process.pid, signal) != 0)
    return fail_errno(errno, fmt::format("cannot signal process group {}", process.pid));
  return {};
}

Result<ProcessId> identify(int pid) {
  const std::optional<Stat> stat = stat_of(pid);
  if (!stat || stat->state == 'Z') return fail(Errc::not_found, fmt::format("there is no process {}", pid));
  return ProcessId{.pid = pid, .started = stat->started};
}

}  // namespace serin
