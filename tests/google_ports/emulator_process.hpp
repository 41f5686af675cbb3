#pragma once
#include <sys/types.h>

#include <string>

namespace serin::google_test {

/// `serin emulate google` as a child of this process, on a port that the kernel chose, with its state in memory. Ended
/// and reaped with the object, and by the kernel should this process die before. Threads: one.
class EmulatorProcess {
 public:
  /// Returns once it serves; a test that cannot start it fails, with origin() empty.
  EmulatorProcess();
  ~EmulatorProcess();
  EmulatorProcess(const EmulatorProcess&) = delete;
  EmulatorProcess& operator=(const EmulatorProcess&) = delete;
  /// "http://127.0.0.1:41234"
  [[nodiscard]] const std::string& origin() const noexcept { return origin_; }

 private:
  pid_t process_ = -1;
  std::string origin_;
};

}  // namespace serin::google_test
