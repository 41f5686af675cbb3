#include "measure.hpp"

#include <fmt/format.h>
#include <sys/wait.h>

#include <array>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "serin/base/text.hpp"
#include "serin/http/session.hpp"
#include "serin/system/clock.hpp"
#include "serin/system/files.hpp"
#include "servers.hpp"

namespace serin::probe {
namespace {

/// The number behind `label`, up to the first character that belongs to none, and what stands there.
std::pair<double, std::string_view> number_after(std::string_view text, std::string_view label) {
  const std::size_t at = text.find(label);
  if (at == std::string_view::npos) return {-1, {}};
  std::string_view rest = text.substr(at + label.size());
  rest.remove_prefix(std::min(rest.size(), rest.find_first_not_of(' ')));
  double number = -1;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  if (error != std::errc{}) return {-1, {}};
  return {number, rest.substr(static_cast<std::size_t>(end - rest.data()))};
}

double microseconds_after(std::string_view text, std::string_view label) {
  const auto [number, unit] = number_after(text, label);
  if (unit.starts_with("us")) return number;
  if (unit.starts_with("ms")) return number * 1e3;
  return unit.starts_with("s") ? number * 1e6 : -1;
}

struct Usage {
  double cpu_us = 0;
  double switches = 0;
  double memory_mb = 0;
};

Usage usage_of(int pid) {
  Usage usage;
  const std::string folder = fmt::format("/proc/{}", pid);
  for (const auto& task : std::filesystem::directory_iterator(folder + "/task")) {
    const std::string path = task.path().string();
    usage.cpu_us += number_after(read_file(path + "/schedstat").value_or(""), "").first / 1e3;
    usage.switches += number_after(read_file(path + "/status").value_or(""), "\nvoluntary_ctxt_switches:\t").first;
  }
  usage.memory_mb = number_after(read_file(folder + "/status").value_or(""), "VmRSS:\t").first / 1024;
  return usage;
}

std::string output_of(const std::string& command) {
  std::string out;
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return out;
  std::array<char, 4096> buffer{};
  while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe)) out.append(buffer.data(), size);
  pclose(pipe);
  return out;
}

}  // namespace

std::string Run::csv() const {
  return fmt::format("{},{},{:.1f},{:.1f},{:.1f},{:.3f},{:.4f},{:.1f},{:.0f}\n", server, connections,
                     requests_per_second, p50_us, p99_us, cpu_us, switches, memory_mb, errors);
}

std::vector<Run> read_csv(std::string_view text) {
  std::vector<Run> runs;
  for (const std::string_view line : split(text, '\n')) {
    const std::vector<std::string_view> cells = split(line, ',');
    if (cells.size() != 9 || cells[0] == "server") continue;
    const auto cell = [&](std::size_t i) { return to_double(cells[i]).value_or(0); };
    runs.push_back({std::string(cells[0]), static_cast<int>(cell(1)), cell(2), cell(3), cell(4), cell(5), cell(6),
                    cell(7), cell(8)});
  }
  return runs;
}

std::optional<Run> read_wrk(std::string_view text) {
  Run run;
  run.requests_per_second = number_after(text, "Requests/sec:").first;
  run.p50_us = microseconds_after(text, " 50%");
  run.p99_us = microseconds_after(text, " 99%");
  for (const std::string_view kind : {"connect ", "read ", "write ", "timeout "})
    if (const auto socket_errors = text.find("Socket errors:"); socket_errors != std::string_view::npos)
      run.errors += number_after(text.substr(socket_errors), kind).first;
  if (text.contains("Non-2xx")) run.errors += number_after(text, "responses:").first;
  if (run.requests_per_second <= 0 || run.p50_us < 0 || run.p99_us < 0) return std::nullopt;
  return run;
}

Result<Target> Target::start(std::string name, const std::string& folder) {
  SERIN_TRY(const std::uint16_t port, free_port());
  std::vector<std::string> command{"/usr/bin/taskset", "-c", "0"};
  if (name == "nginx") {
    SERIN_CHECK(write_file(folder + "/nginx.conf", nginx_configuration(folder, port)));
    command.insert(command.end(), {"/usr/sbin/nginx", "-c", folder + "/nginx.conf", "-e", "/dev/null"});
  } else {
    command.insert(command.end(),
                   {std::filesystem::read_symlink("/proc/self/exe").string(), "--serve", name, std::to_string(port)});
  }
  SERIN_TRY(const ProcessId process,
            spawn({.command = command, .environment = {}, .directory = {}, .output = folder + "/" + name + ".log"}));
  Target target(std::move(name), port, process);
  const SystemClock clock;
  http::Session client(clock);
  const Deadline deadline = Deadline::after(clock.now(), 10s);
  for (;;) {
    const auto answer = client.send(fmt::format("http://127.0.0.1:{}", port), {.target = "/health"}, deadline);
    if (answer && answer->status == 200) return target;
    if (deadline.passed(clock.now()) || !is_running(process))
      return fail(Errc::deadline_exceeded,
                  fmt::format("{} does not serve: {}", target.name(), answer ? answer->body : answer.error().text()));
  }
}

Target::Target(Target&& other) noexcept
    : name_(std::move(other.name_)), port_(other.port_), process_(std::exchange(other.process_, {})) {}

Target::~Target() {
  if (process_.pid == 0 || !send_signal(process_, SIGKILL)) return;
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(process_.pid), &info, WEXITED);
}

Result<Run> Target::measure(int connections, int seconds) const {
  const Usage before = usage_of(process_.pid);
  const std::string said = output_of(fmt::format(
      "taskset -c 1 wrk -t1 -c{} -d{}s --latency http://127.0.0.1:{}/health 2>&1", connections, seconds, port_));
  const Usage after = usage_of(process_.pid);
  std::optional<Run> run = read_wrk(said);
  const auto at = said.find(" requests in ");
  if (!run || at == std::string::npos) return fail(Errc::internal, "wrk said: " + said);
  const auto line = said.rfind('\n', at);
  const double requests = number_after(std::string_view(said).substr(line + 1), "").first;
  run->server = name_;
  run->connections = connections;
  run->cpu_us = (after.cpu_us - before.cpu_us) / requests;
  run->switches = (after.switches - before.switches) / requests;
  run->memory_mb = after.memory_mb;
  return *run;
}

}  // namespace serin::probe
