#pragma once
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// Programs that are measured from outside: pinned, read to their end, reaped.
namespace serin::bench_http {

struct Ended {
  std::string output;
  int code = -1;
  std::int64_t peak_kb = 0;  ///< resident memory
};
/// \param core  where it runs; negative: anywhere
[[nodiscard]] Ended run_child(const std::vector<std::string>& command, int core);

/// The server, for as long as this is there.
class ServerProcess {
 public:
  explicit ServerProcess(const std::string& program);
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

 private:
  pid_t pid_ = -1;
  int input_ = -1;
  std::uint16_t port_ = 0;
};

}  // namespace serin::bench_http
