#include "emulator_process.hpp"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>

namespace serin::google_test {
namespace {

/// What it says until it serves: "google emulator listens on http://127.0.0.1:41234 (...)".
std::string origin_said(int from) {
  std::string said;
  std::array<char, 512> piece{};
  constexpr std::string_view before = "listens on ";
  for (;;) {
    const ssize_t count = read(from, piece.data(), piece.size());
    if (count <= 0) return {};
    said.append(piece.data(), static_cast<std::size_t>(count));
    const std::size_t begin = said.find(before);
    const std::size_t end = said.find(' ', begin == std::string::npos ? begin : begin + before.size());
    if (begin != std::string::npos && end != std::string::npos)
      return said.substr(begin + before.size(), end - begin - before.size());
  }
}

}  // namespace

EmulatorProcess::EmulatorProcess() {
  const char* folder = std::getenv("SERIN_BIN_DIR");
  const std::string program = std::string(folder == nullptr ? "build/release/bin" : folder) + "/serin";
  std::array<int, 2> output{};
  if (pipe(output.data()) != 0) return;
  process_ = fork();
  if (process_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(output[1], STDOUT_FILENO);
    close(output[0]);
    close(output[1]);
    execl(program.c_str(), "serin", "emulate", "google", "--port", "0", "--project", "p", nullptr);
    _exit(127);
  }
  close(output[1]);
  origin_ = origin_said(output[0]);
  close(output[0]);
  EXPECT_FALSE(origin_.empty()) << program << " emulate google did not start";
}

EmulatorProcess::~EmulatorProcess() {
  if (process_ <= 0) return;
  kill(process_, SIGTERM);
  waitpid(process_, nullptr, 0);
}

}  // namespace serin::google_test
