#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <map>

#include "clients.hpp"

// The same for all: it costs so little that the clients are what is measured.
namespace serin::bench_http {
namespace {

std::string answer(std::string_view body) {
  return fmt::format(
      "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nServer: bench\r\nContent-Type: text/plain\r\n"
      "Cache-Control: no-store\r\nContent-Length: {}\r\n\r\n{}",
      body.size(), body);
}

}  // namespace

int serve() {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof where;
  auto* address = static_cast<sockaddr*>(static_cast<void*>(&where));
  if (::bind(listener, address, size) != 0 || ::listen(listener, 1024) != 0) return 1;
  ::getsockname(listener, address, &size);
  fmt::print("{}\n", ntohs(where.sin_port));
  std::fflush(stdout);

  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  const auto add = [epoll](int number) {
    epoll_event event{.events = EPOLLIN, .data = {.fd = number}};
    epoll_ctl(epoll, EPOLL_CTL_ADD, number, &event);
  };
  add(listener);
  add(STDIN_FILENO);
  const std::string fixed = answer(std::string(body_size, 'x'));
  std::map<int, std::string> begun;  // requests that came in pieces
  std::int64_t connections = 0;
  std::int64_t requests = 0;
  std::array<epoll_event, 256> events{};
  std::array<char, 16384> buffer{};
  for (;;) {
    const int count = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      const int number = events[static_cast<std::size_t>(i)].data.fd;
      if (number == STDIN_FILENO) return 0;
      if (number == listener) {
        for (int one = 0; (one = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC)) >= 0; ++connections) {
          const int yes = 1;
          setsockopt(one, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
          add(one);
        }
        continue;
      }
      const ssize_t got = ::recv(number, buffer.data(), buffer.size(), 0);
      if (got <= 0) {
        begun.erase(number);
        ::close(number);
        continue;
      }
      std::string& text = begun[number];
      text.append(buffer.data(), static_cast<std::size_t>(got));
      while (text.find("\r\n\r\n") != std::string::npos) {
        const bool stats = text.starts_with("GET /stats ");
        if (!stats) ++requests;
        const std::string told = stats ? answer(fmt::format("{} {}", connections, requests)) : std::string();
        const std::string& out = stats ? told : fixed;
        [[maybe_unused]] const auto sent = ::send(number, out.data(), out.size(), MSG_NOSIGNAL);
        text.erase(0, text.find("\r\n\r\n") + 4);
      }
    }
  }
}

}  // namespace serin::bench_http
