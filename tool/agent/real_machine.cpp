#include "serin/agent/real_machine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <fstream>

#include "serin/base/text.hpp"
#include "serin/system/files.hpp"

namespace serin::agent {
namespace {

constexpr std::size_t newest_kept = 1000;  // looks of processes that are long gone
constexpr std::streamoff tail = 4096;
constexpr std::size_t longest_words = 300;

std::string upper(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

}  // namespace

std::map<std::string, std::string> replica_environment(const MachineOptions& options, const ServiceName& service,
                                                       const ReleaseSpec& release, const std::string& replica,
                                                       std::uint16_t port) {
  std::map<std::string, std::string> out = options.environment;
  out["LOG_LEVEL"] = options.log_level;
  for (const auto& [name, value] : release.labels) out["SERIN_LABEL_" + upper(name)] = value;
  for (const auto& [name, value] : release.environment) out[name] = value;
  // Last, so that nothing a release brings can make it pass for another.
  out["PORT"] = std::to_string(port);
  out["SERIN_SERVICE"] = service.str();
  out["SERIN_RELEASE"] = release.name.str();
  out["SERIN_REPLICA"] = replica;
  out["SERIN_ENVIRONMENT"] = options.fleet_environment;
  out["SERIN_DIGEST"] = release.digest;
  return out;
}

RealMachine::RealMachine(MachineOptions options, HttpClient& http, const Clock& clock)
    : options_(std::move(options)), http_(http), clock_(clock) {
  for (int i = 0; i < options_.probers; ++i) threads_.emplace_back([this](const std::stop_token& stop) { run(stop); });
}

RealMachine::~RealMachine() {
  for (std::jthread& thread : threads_) thread.request_stop();
  threads_.clear();
}

Result<std::uint16_t> RealMachine::free_port() {
  constexpr std::size_t remembered = 200;
  for (int attempt = 0; attempt < 100; ++attempt) {
    SERIN_TRY(const std::uint16_t port, serin::free_port());
    if (std::ranges::find(given_, port) != given_.end()) continue;
    given_.push_back(port);
    if (given_.size() > remembered) given_.pop_front();
    return port;
  }
  return fail(Errc::exhausted, "the kernel has no free port");
}

Result<ProcessId> RealMachine::start(const ServiceName& service, const ReleaseSpec& release, const std::string& replica,
                                     std::uint16_t port, const std::string& log) {
  SERIN_CHECK(make_folders(fmt::format("{}/{}", options_.logs, service)));
  return spawn({.command = release.command,
                .environment = replica_environment(options_, service, release, replica, port),
                .directory = release.directory,
                .output = log});
}

void RealMachine::signal(const ProcessId& process, int number) {
  // The whole group: a release may be a script that starts the program.
  if (is_running(process)) static_cast<void>(send_signal_to_group(process, number));
}

void RealMachine::begin_probe(const std::string& key, const std::string& address, const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (!running_.insert(key).second) return;
  waiting_.push_back({key, address, path});
  arrived_.notify_one();
}

std::optional<Probe> RealMachine::last_probe(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = newest_.find(key);
  if (found == newest_.end()) return std::nullopt;
  return found->second;
}

void RealMachine::run(const std::stop_token& stop) {
  for (;;) {
    Look look;
    {
      std::unique_lock lock(mutex_);
      if (!arrived_.wait(lock, stop, [&] { return !waiting_.empty(); })) return;
      look = std::move(waiting_.front());
      waiting_.pop_front();
    }
    Probe probe{.began = clock_.now(), .reason = {}};
    const Result<HttpResponse> answer = http_.send("http://" + look.address, {.target = look.path},
                                                   Deadline::after(probe.began, options_.probe_timeout));
    if (!answer) {
      probe.reason = answer.error().detail();
    } else {
      probe.answered = true;
      probe.ready = answer->status == 200;
      if (!probe.ready) probe.reason = fmt::format("HTTP {} {}", answer->status, answer->body.substr(0, longest_words));
    }
    const std::lock_guard lock(mutex_);
    running_.erase(look.key);
    if (newest_.size() > newest_kept) newest_.clear();
    newest_[look.key] = std::move(probe);
  }
}

std::string RealMachine::log_of(const ServiceName& service, const std::string& replica) {
  return fmt::format("{}/{}/{}.log", options_.logs, service, replica);
}

std::string RealMachine::last_words(const std::string& log) {
  std::ifstream file(log, std::ios::binary | std::ios::ate);
  if (!file) return {};
  const std::streamoff size = file.tellg();
  file.seekg(std::max<std::streamoff>(0, size - tail));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::string words;
  for (const std::string_view line : split(text, '\n'))
    if (!trim(line).empty()) words = trim(line);
  return words.substr(0, longest_words);
}

}  // namespace serin::agent
