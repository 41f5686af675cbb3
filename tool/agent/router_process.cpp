#include "serin/agent/router_process.hpp"

#include <fmt/format.h>
#include <sys/wait.h>

#include <csignal>
#include <set>

#include "serin/base/text.hpp"
#include "serin/system/files.hpp"

namespace serin::agent {
namespace {

constexpr std::string_view process_fact = "router process";
constexpr std::string_view log_port_fact = "router log port";

/// "127.0.0.1:0" as address and port.
Result<std::pair<std::string, std::uint16_t>> parse_listen(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  const std::optional<std::int64_t> port =
      colon == std::string::npos ? std::nullopt : to_int(std::string_view(text).substr(colon + 1));
  if (!port || *port < 0 || *port > 65535)
    return fail(Errc::invalid_argument, fmt::format("'{}' is not an address and a port", text));
  return std::pair(text.substr(0, colon), static_cast<std::uint16_t>(*port));
}

}  // namespace

std::string port_fact(const ServiceName& service) { return fmt::format("port of {}", service); }

Result<std::string> service_address(control::ControlStore& store, const config::ServiceSpec& service) {
  SERIN_TRY(const auto listen, parse_listen(service.listen));
  if (listen.second != 0) return service.listen;
  SERIN_TRY(const std::optional<std::string> port, store.fact(port_fact(service.name)));
  if (!port) return fail(Errc::not_found, fmt::format("{} has no port yet: run `serin up`", service.name));
  return fmt::format("{}:{}", listen.first, *port);
}

RouterProcess::RouterProcess(const config::FleetSpec& fleet, const Places& places, control::ControlStore& store,
                             haproxy::TrafficCounter& counter, const Environment& environment, Sleeper& sleeper,
                             Logger logger)
    : fleet_(fleet),
      places_(places),
      store_(store),
      counter_(counter),
      environment_(environment),
      sleeper_(sleeper),
      logger_(std::move(logger)) {}

Status RouterProcess::choose_ports() {
  // The kernel may name the same port twice as long as nobody listens on it.
  std::set<std::uint16_t> taken;
  const auto another_port = [&taken]() -> Result<std::uint16_t> {
    for (int attempt = 0; attempt < 100; ++attempt) {
      SERIN_TRY(const std::uint16_t port, free_port());
      if (!taken.contains(port)) return port;
    }
    return fail(Errc::exhausted, "the kernel has no free port");
  };
  for (const config::ServiceSpec& service : fleet_.services) {
    SERIN_TRY(const auto listen, parse_listen(service.listen));
    std::uint16_t port = listen.second;
    SERIN_TRY(const std::optional<std::string> kept, store_.fact(port_fact(service.name)));
    if (port == 0 && kept) port = static_cast<std::uint16_t>(to_int(*kept).value_or(0));
    if (port != 0 && listen.second == 0 && taken.contains(port)) port = 0;
    if (port == 0) {
      SERIN_TRY(port, another_port());
      SERIN_CHECK(store_.save_fact(port_fact(service.name), std::to_string(port)));
    }
    const Status free = check_port_free(listen.first, port);
    if (free) {
      taken.insert(port);
      continue;
    }
    // A port that we chose ourselves may be chosen again; one that somebody wrote down may not.
    if (listen.second != 0) return pass(free.error().in(fmt::format("service {}", service.name)));
    SERIN_TRY(port, another_port());
    SERIN_CHECK(store_.save_fact(port_fact(service.name), std::to_string(port)));
    taken.insert(port);
  }
  return {};
}

Result<haproxy::RouterConfig> RouterProcess::config() {
  haproxy::RouterConfig out{.socket = places_.socket, .log_port = receiver_->port(), .services = {}};
  for (const config::ServiceSpec& service : fleet_.services) {
    SERIN_TRY(std::string listen, service_address(store_, service));
    out.services.push_back({.name = service.name, .listen = std::move(listen), .servers = {}});
  }
  // What runs already is in the file, with its weights, so that a router that comes back serves at once.
  SERIN_TRY(const std::vector<control::ObservedReplica> replicas, store_.replicas());
  for (haproxy::ServiceLines& lines : out.services) {
    std::vector<haproxy::Server> servers;
    for (const control::ObservedReplica& seen : replicas)
      if (seen.service == lines.name && !seen.replica.address.empty())
        servers.push_back({.name = seen.replica.name,
                           .address = seen.replica.address,
                           .in_rotation = seen.replica.state == ReplicaState::ready});
    SERIN_TRY(const Split split, store_.split(lines.name));
    const std::vector<haproxy::Weight> weights = haproxy::plan_weights(split, servers);
    for (std::size_t i = 0; i < servers.size(); ++i)
      lines.servers.push_back({.name = servers[i].name,
                               .address = servers[i].address,
                               .weight = weights[i].weight,
                               .in_rotation = servers[i].in_rotation});
  }
  return out;
}

Status RouterProcess::spawn_it() {
  SERIN_TRY(const haproxy::RouterConfig wanted, config());
  const std::string file = places_.router + "/haproxy.cfg";
  const std::string output = places_.router + "/haproxy.log";
  SERIN_CHECK(write_file(file, haproxy::render(wanted)));
  // The distribution's own folder of system programs is in root's PATH only.
  std::map<std::string, std::string> environment{
      {"PATH", environment_.value_or("PATH", "/usr/bin:/bin") + ":/usr/local/sbin:/usr/sbin:/sbin"}};
  const auto process =
      spawn({.command = {fleet_.router_program, "-db", "-f", file}, .environment = environment, .output = output});
  if (!process && process.error().code() == Errc::not_found)
    return fail(
        Errc::not_found,
        fmt::format("HAProxy is the router and is not there ({}): apt-get install haproxy, or set router.program "
                    "in {}",
                    process.error().detail(), fleet_.file));
  if (!process) return pass(process.error());
  process_ = *process;
  SERIN_CHECK(store_.save_fact(std::string(process_fact), fmt::format("{} {}", process_->pid, process_->started)));
  return wait_until_it_answers();
}

Status RouterProcess::wait_until_it_answers() {
  const haproxy::RuntimeSocket socket(places_.socket, sleeper_);
  const Deadline deadline = Deadline::after(sleeper_.now(), 10s);
  for (;;) {
    const Result<std::string> answer = socket.ask("show info", Deadline::after(sleeper_.now(), 1s));
    if (answer && answer->find(fmt::format("Pid: {}\n", process_->pid)) != std::string::npos) return {};
    if (const std::optional<ProcessEnd> ended = poll_end(*process_)) {
      process_.reset();
      const Result<std::string> said = read_file(places_.router + "/haproxy.log");
      return fail(Errc::invalid_argument,
                  fmt::format("HAProxy did not start ({}): {}", ended->text(),
                              said ? said->substr(said->size() > 1000 ? said->size() - 1000 : 0) : ""));
    }
    if (deadline.passed(sleeper_.now()))
      return fail(Errc::deadline_exceeded, "HAProxy was started but does not answer on its socket");
    SERIN_CHECK(sleeper_.sleep_for(5ms));
  }
}

Status RouterProcess::start() {
  SERIN_CHECK(make_folders(places_.router));
  SERIN_TRY(const std::optional<std::string> log_port, store_.fact(std::string(log_port_fact)));
  const auto on_line = [this](std::string_view line) {
    counter_.add(line, std::chrono::floor<std::chrono::seconds>(sleeper_.now().time_since_epoch()).count());
  };
  SERIN_TRY(const std::optional<std::string> known, store_.fact(std::string(process_fact)));
  if (known) {
    const std::vector<std::string_view> words = split(*known, ' ');
    const ProcessId process{.pid = static_cast<int>(to_int(words[0]).value_or(0)),
                            .started = words.size() > 1 ? to_int(words[1]).value_or(0) : 0};
    const haproxy::RuntimeSocket socket(places_.socket, sleeper_);
    if (log_port && is_running(process) && socket.ask("show info", Deadline::after(sleeper_.now(), 2s))) {
      process_ = process;
      SERIN_TRY(receiver_,
                haproxy::LogReceiver::start(static_cast<std::uint16_t>(to_int(*log_port).value_or(0)), on_line));
      logger_.info("router adopted", {{"pid", process.pid}});
      return {};
    }
    if (is_running(process)) static_cast<void>(send_signal(process, SIGKILL));  // it runs but nobody can talk to it
  }
  SERIN_TRY(receiver_, haproxy::LogReceiver::start(0, on_line));
  SERIN_CHECK(store_.save_fact(std::string(log_port_fact), std::to_string(receiver_->port())));
  SERIN_CHECK(choose_ports());
  return spawn_it();
}

void RouterProcess::look(Instant now) {
  if (process_) {
    const std::optional<ProcessEnd> ended = poll_end(*process_);
    if (!ended) return;
    logger_.error("router ended", {{"how", ended->text()}});
    process_.reset();
  }
  if (now < next_try_) return;
  next_try_ = now + 1s;
  if (const Status again = spawn_it(); !again) logger_.error("router not restarted", {{"error", again.error().text()}});
}

void RouterProcess::stop(Sleeper& patient) {
  if (!process_) return;
  static_cast<void>(send_signal(*process_, SIGUSR1));  // lets requests in flight finish
  const auto wait = [&](Duration most) {
    const Deadline deadline = Deadline::after(patient.now(), most);
    while (is_running(*process_) && !deadline.passed(patient.now())) static_cast<void>(patient.sleep_for(20ms));
  };
  wait(2s);
  if (is_running(*process_)) static_cast<void>(send_signal(*process_, SIGKILL));
  wait(2s);
  process_.reset();
}

}  // namespace serin::agent
