#include "program.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace serin::tool {
namespace {

Errc errc_of(int error) {
  if (error == ENOENT) return Errc::not_found;
  if (error == EACCES) return Errc::permission_denied;
  return Errc::exhausted;
}

}  // namespace

Result<ProgramResult> run_program(const std::vector<std::string>& argv,
                                  const std::map<std::string, std::string>& environment) {
  SERIN_ASSERT(!argv.empty());
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return fail(Errc::exhausted, fmt::format("no pipe: {}", std::strerror(errno)));

  std::vector<std::string> words = argv;
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);

  std::vector<std::string> additions;
  for (const auto& [name, value] : environment) additions.push_back(name + "=" + value);
  std::vector<char*> variables;
  for (std::string& addition : additions) variables.push_back(addition.data());
  // Ours come after: of two with one name the first counts, and the additions stand first.
  for (char** variable = environ; *variable != nullptr; ++variable) variables.push_back(*variable);
  variables.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  pid_t child = 0;
  const int error = posix_spawn(&child, argv[0].c_str(), &actions, nullptr, pointers.data(), variables.data());
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (error != 0) {
    close(ends[0]);
    return fail(errc_of(error), fmt::format("{} cannot be started: {}", argv[0], std::strerror(error)));
  }

  ProgramResult result;
  char buffer[65536];
  for (;;) {
    const ssize_t count = read(ends[0], buffer, sizeof buffer);
    if (count > 0) result.output.append(buffer, static_cast<std::size_t>(count));
    if (count == 0 || (count < 0 && errno != EINTR)) break;
  }
  close(ends[0]);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

}  // namespace serin::tool
