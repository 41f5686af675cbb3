#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <thread>

#include "serin/base/error.hpp"

namespace serin::haproxy {

/// Takes lines from HAProxy's log ring, which connects to us over TCP and keeps what we have not read. Threads: any.
class LogReceiver {
 public:
  /// \param port     0: the kernel chooses
  /// \param on_line  called for each line, on the receiver's thread; must not block for long
  /// Errors: conflict (taken), exhausted.
  static Result<std::unique_ptr<LogReceiver>> start(std::uint16_t port, std::function<void(std::string_view)> on_line);
  ~LogReceiver();
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

 private:
  LogReceiver() = default;
  void run(const std::stop_token& stop);
  int listener_ = -1;
  int wake_ = -1;
  std::uint16_t port_ = 0;
  std::function<void(std::string_view)> on_line_;
  std::jthread thread_;
};

}  // namespace serin::haproxy
