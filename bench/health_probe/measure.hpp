#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/process/process.hpp"

namespace serin::probe {

/// What wrk and the kernel say of one run.
struct Run {
  std::string server;
  int connections = 0;
  double requests_per_second = 0;
  double p50_us = 0;
  double p99_us = 0;
  double cpu_us = 0;     ///< of the server, a request
  double switches = 0;   ///< of the server, of its own will, a request
  double memory_mb = 0;  ///< resident
  double errors = 0;     ///< socket errors and answers that were no 2xx
  [[nodiscard]] std::string csv() const;
};
inline constexpr std::string_view csv_head =
    "server,connections,requests_per_second,p50_us,p99_us,cpu_us,switches,memory_mb,errors\n";
[[nodiscard]] std::vector<Run> read_csv(std::string_view text);

/// What wrk printed. Nothing, when that is no result.
[[nodiscard]] std::optional<Run> read_wrk(std::string_view text);

/// A server in a process of its own on core 0. Errors: as spawn; deadline_exceeded, when it does not answer in time.
class Target {
 public:
  static Result<Target> start(std::string name, const std::string& folder);
  ~Target();
  Target(Target&& other) noexcept;
  Target& operator=(Target&&) = delete;
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  /// wrk on core 1 against it. Errors: internal, with what wrk said.
  [[nodiscard]] Result<Run> measure(int connections, int seconds) const;

 private:
  Target(std::string name, std::uint16_t port, ProcessId process)
      : name_(std::move(name)), port_(port), process_(process) {}
  std::string name_;
  std::uint16_t port_;
  ProcessId process_;
};

}  // namespace serin::probe
