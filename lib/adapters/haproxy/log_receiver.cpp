#include "serin/haproxy/log_receiver.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <map>
#include <string>
#include <vector>

#include "serin/system/files.hpp"

namespace serin::haproxy {
namespace {

constexpr std::size_t longest_line = 65536;  // far beyond `maxlen`: more is not a line of ours

}  // namespace

Result<std::unique_ptr<LogReceiver>> LogReceiver::start(std::uint16_t port,
                                                        std::function<void(std::string_view)> on_line) {
  std::unique_ptr<LogReceiver> receiver(new LogReceiver);
  receiver->on_line_ = std::move(on_line);
  receiver->listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  receiver->wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (receiver->listener_ < 0 || receiver->wake_ < 0) return fail_errno(errno, "no socket for the access log");
  const int on = 1;
  setsockopt(receiver->listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  where.sin_port = htons(port);
  if (bind(receiver->listener_, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0 ||
      listen(receiver->listener_, 8) != 0) {
    if (errno == EADDRINUSE) return fail(Errc::conflict, fmt::format("port {} of the access log is taken", port));
    return fail_errno(errno, fmt::format("cannot listen on port {} for the access log", port));
  }
  socklen_t size = sizeof where;
  getsockname(receiver->listener_, reinterpret_cast<sockaddr*>(&where), &size);
  receiver->port_ = ntohs(where.sin_port);
  receiver->thread_ = std::jthread([self = receiver.get()](const std::stop_token& stop) { self->run(stop); });
  return receiver;
}

LogReceiver::~LogReceiver() {
  if (thread_.joinable()) {
    thread_.request_stop();
    const std::uint64_t one = 1;
    const ssize_t ignored = write(wake_, &one, sizeof one);
    static_cast<void>(ignored);
    thread_.join();
  }
  if (listener_ >= 0) close(listener_);
  if (wake_ >= 0) close(wake_);
}

void LogReceiver::run(const std::stop_token& stop) {
  std::map<int, std::string> rests;  // by connection: what has come of its next line
  std::array<char, 65536> buffer{};
  while (!stop.stop_requested()) {
    std::vector<pollfd> waiting{{.fd = wake_, .events = POLLIN, .revents = 0},
                                {.fd = listener_, .events = POLLIN, .revents = 0}};
    for (const auto& [descriptor, rest] : rests) waiting.push_back({.fd = descriptor, .events = POLLIN, .revents = 0});
    if (poll(waiting.data(), waiting.size(), -1) < 0) continue;
    if (waiting[1].revents != 0) {
      const int accepted = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (accepted >= 0) rests.try_emplace(accepted);
    }
    for (std::size_t i = 2; i < waiting.size(); ++i) {
      if (waiting[i].revents == 0) continue;
      const int descriptor = waiting[i].fd;
      const ssize_t got = recv(descriptor, buffer.data(), buffer.size(), 0);
      if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
        close(descriptor);
        rests.erase(descriptor);
        continue;
      }
      if (got < 0) continue;
      std::string& rest = rests[descriptor];
      rest.append(buffer.data(), static_cast<std::size_t>(got));
      std::size_t begin = 0;
      for (std::size_t end = rest.find('\n'); end != std::string::npos; end = rest.find('\n', begin)) {
        on_line_(std::string_view(rest).substr(begin, end - begin));
        begin = end + 1;
      }
      rest.erase(0, begin);
      if (rest.size() > longest_line) rest.clear();
    }
  }
  for (const auto& [descriptor, rest] : rests) close(descriptor);
}

}  // namespace serin::haproxy
