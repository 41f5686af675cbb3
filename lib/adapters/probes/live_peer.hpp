#pragma once
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

#include "serin/ports/check.hpp"
#include "serin/system/clock.hpp"

namespace serin::probes {

/// A socket of 127.0.0.1 on a free port.
inline int bound(int type, std::uint16_t& port) {
  const int number = ::socket(AF_INET, type | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(number, reinterpret_cast<sockaddr*>(&address), size), 0);
  ::getsockname(number, reinterpret_cast<sockaddr*>(&address), &size);
  port = ntohs(address.sin_port);
  return number;
}

/// Accepts connections one after the other and hands each to a script; without a script it keeps them open, silent.
class LivePeer {
 public:
  explicit LivePeer(std::function<void(int connection)> script = {}) : script_(std::move(script)) {
    listener_ = bound(SOCK_STREAM, port);
    EXPECT_EQ(::listen(listener_, 64), 0);
    thread_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        pollfd waiting{.fd = listener_, .events = POLLIN, .revents = 0};
        if (::poll(&waiting, 1, 20) != 1) continue;
        const int connection = ::accept(listener_, nullptr, nullptr);
        ++connections;
        if (script_) {
          script_(connection);
          ::close(connection);
        } else {
          open_.push_back(connection);
        }
      }
    });
  }
  ~LivePeer() {
    thread_ = {};
    for (const int one : open_) ::close(one);
    ::close(listener_);
  }
  LivePeer(const LivePeer&) = delete;
  std::uint16_t port = 0;
  std::atomic<int> connections = 0;

 private:
  int listener_ = -1;
  std::function<void(int)> script_;
  std::vector<int> open_;
  std::jthread thread_;
};

/// A port that refuses: bound, but nobody listens.
class Refusing {
 public:
  Refusing() : number_(bound(SOCK_STREAM, port)) {}
  ~Refusing() { ::close(number_); }
  Refusing(const Refusing&) = delete;
  std::uint16_t port = 0;

 private:
  int number_;
};

/// Runs a check with a deadline, and measures that it was kept.
struct Live : testing::Test {
  SystemClock clock;
  health::CheckAnswer run(const Result<health::CheckFunction>& check, Duration patience = 10s,
                          std::stop_token stop = {}) const {
    EXPECT_TRUE(check) << check.error().text();
    const Instant began = clock.now();
    health::CheckAnswer answer = (*check)({.deadline = Deadline::after(began, patience), .stop = std::move(stop)});
    EXPECT_LT(clock.now() - began, patience + 1s) << "the deadline was not kept";
    return answer;
  }
  /// Everything that an answer shows.
  static std::string shown(const health::CheckAnswer& answer) {
    std::string text = answer.error + answer.reason;
    for (const LogField& one : answer.details) {
      text += " " + one.key + "=";
      if (const auto* value = std::get_if<std::string>(&one.value)) text += *value;
    }
    return text;
  }
};

}  // namespace serin::probes
