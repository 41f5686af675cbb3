#include "serin/haproxy/runtime_socket.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "serin/base/text.hpp"
#include "serin/system/files.hpp"

namespace serin::haproxy {
namespace {

struct Descriptor {
  int number;
  explicit Descriptor(int n) : number(n) {}
  ~Descriptor() {
    if (number >= 0) close(number);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
};

/// Milliseconds for poll(), rounded up so that it does not spin at the end.
int milliseconds_left(Deadline deadline, const Clock& clock) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline.left(clock.now())).count();
  return static_cast<int>(std::min<std::int64_t>(left, 60'000));
}

Status wait_for(int descriptor, short what, Deadline deadline, const Clock& clock) {
  pollfd waiting{.fd = descriptor, .events = what, .revents = 0};
  for (;;) {
    const int ready = poll(&waiting, 1, milliseconds_left(deadline, clock));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return fail_errno(errno, "waiting for HAProxy");
    if (deadline.passed(clock.now()))
      return fail(Errc::deadline_exceeded, "HAProxy's runtime socket did not answer in time");
  }
}

std::int64_t number_in(const std::vector<std::string_view>& cells, std::size_t column) {
  return column < cells.size() ? to_int(cells[column]).value_or(0) : 0;
}

}  // namespace

Result<Statistics> parse_statistics(std::string_view csv) {
  const std::vector<std::string_view> lines = split(csv, '\n');
  if (lines.empty() || !lines.front().starts_with("# pxname"))
    return fail(Errc::data_loss, fmt::format("HAProxy's statistics begin with '{}'", csv.substr(0, 80)));
  std::map<std::string_view, std::size_t> columns;
  const std::vector<std::string_view> header = split(lines.front().substr(2), ',');
  for (std::size_t i = 0; i < header.size(); ++i) columns[header[i]] = i;
  for (const std::string_view needed :
       {"svname", "scur", "wretr", "wredis", "req_tot", "hrsp_2xx", "hrsp_5xx", "hrsp_other"})
    if (!columns.contains(needed))
      return fail(Errc::data_loss, fmt::format("HAProxy's statistics have no column {}", needed));
  Statistics statistics;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::vector<std::string_view> cells = split(lines[i], ',');
    if (cells.size() < header.size() - 1) continue;
    Counters counters{.requests = number_in(cells, columns["req_tot"]),
                      .in_flight = number_in(cells, columns["scur"]),
                      .retries = number_in(cells, columns["wretr"]),
                      .redispatches = number_in(cells, columns["wredis"])};
    for (const std::string_view name : {"hrsp_1xx", "hrsp_2xx", "hrsp_3xx", "hrsp_4xx", "hrsp_5xx", "hrsp_other"})
      counters.answers += number_in(cells, columns[name]);
    statistics.emplace(fmt::format("{}/{}", cells[0], cells[1]), counters);
  }
  return statistics;
}

Result<std::map<std::string, std::vector<Server>>> parse_servers(std::string_view text) {
  std::map<std::string, std::vector<Server>> servers;
  std::map<std::string_view, std::size_t> columns;
  for (const std::string_view line : split(text, '\n')) {
    if (line.starts_with("# ")) {
      const std::vector<std::string_view> header = split(line.substr(2), ' ');
      for (std::size_t i = 0; i < header.size(); ++i) columns[header[i]] = i;
      continue;
    }
    const std::vector<std::string_view> cells = split(line, ' ');
    if (cells.size() < 10) continue;  // the version number, blank lines
    for (const std::string_view needed :
         {"be_name", "srv_name", "srv_addr", "srv_admin_state", "srv_uweight", "srv_port"})
      if (!columns.contains(needed) || columns[needed] >= cells.size())
        return fail(Errc::data_loss, fmt::format("HAProxy's servers have no column {}", needed));
    servers[std::string(cells[columns["be_name"]])].push_back(
        {.name = std::string(cells[columns["srv_name"]]),
         .address = fmt::format("{}:{}", cells[columns["srv_addr"]], cells[columns["srv_port"]]),
         .in_rotation = number_in(cells, columns["srv_admin_state"]) == 0,
         .weight = static_cast<int>(number_in(cells, columns["srv_uweight"]))});
  }
  if (columns.empty())
    return fail(Errc::data_loss, fmt::format("HAProxy's servers begin with '{}'", text.substr(0, 80)));
  return servers;
}

Result<std::string> RuntimeSocket::ask(std::string_view command, Deadline deadline) const {
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  if (path_.size() >= sizeof where.sun_path)
    return fail(Errc::invalid_argument, fmt::format("{} is too long for a socket's path", path_));
  std::memcpy(where.sun_path, path_.data(), path_.size());
  const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (socket.number < 0) return fail_errno(errno, "no socket");
  if (connect(socket.number, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0)
    return fail(Errc::unavailable, fmt::format("HAProxy does not listen at {}: {}", path_, std::strerror(errno)));
  std::string out = std::string(command) + "\n";
  while (!out.empty()) {
    const ssize_t sent = ::send(socket.number, out.data(), out.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      out.erase(0, static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      SERIN_CHECK(wait_for(socket.number, POLLOUT, deadline, clock_));
    } else if (errno != EINTR) {
      return fail(Errc::unavailable, fmt::format("HAProxy closed its runtime socket: {}", std::strerror(errno)));
    }
  }
  std::string answer;
  std::array<char, 16384> buffer{};
  for (;;) {
    const ssize_t got = recv(socket.number, buffer.data(), buffer.size(), 0);
    if (got > 0) {
      answer.append(buffer.data(), static_cast<std::size_t>(got));
    } else if (got == 0) {
      return answer;
    } else if (errno == EAGAIN) {
      SERIN_CHECK(wait_for(socket.number, POLLIN, deadline, clock_));
    } else if (errno != EINTR) {
      return fail(Errc::unavailable, fmt::format("HAProxy closed its runtime socket: {}", std::strerror(errno)));
    }
  }
}

Status RuntimeSocket::order(std::string_view command, Deadline deadline) const {
  SERIN_TRY(const std::string answer, ask(command, deadline));
  const std::string_view said = trim(answer);
  if (said.empty() || said == "New server registered." || said == "Server deleted." ||
      said.starts_with("no need to change") || said.find(" changed from ") != std::string_view::npos)
    return {};
  return fail(Errc::internal, fmt::format("HAProxy to '{}': {}", command, said));
}

Result<Statistics> RuntimeSocket::statistics(Deadline deadline) const {
  SERIN_TRY(const std::string text, ask("show stat", deadline));
  return parse_statistics(text);
}

Result<std::map<std::string, std::vector<Server>>> RuntimeSocket::servers(Deadline deadline) const {
  SERIN_TRY(const std::string text, ask("show servers state", deadline));
  return parse_servers(text);
}

}  // namespace serin::haproxy
