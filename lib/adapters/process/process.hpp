#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "serin/base/error.hpp"

namespace serin {

/// Names a process for good: a pid alone is given to somebody else one day.
struct ProcessId {
  int pid = 0;
  std::int64_t started = 0;  ///< in the kernel's ticks since boot
  friend bool operator==(const ProcessId&, const ProcessId&) = default;
};

struct SpawnOptions {
  std::vector<std::string> command;                ///< program (a path, or a name looked up in PATH) and arguments
  std::map<std::string, std::string> environment;  ///< all of it: nothing is inherited
  std::string directory;                           ///< working folder; empty: ours
  std::string output;                              ///< file that standard output and error are added to; empty: nowhere
};

/// How a process ended.
struct ProcessEnd {
  std::optional<int> code;    ///< of exit()
  std::optional<int> signal;  ///< that killed it
  /// "exit code 3", "killed by signal 9 (Killed)", "ended while nobody watched".
  [[nodiscard]] std::string text() const;
};

/// Starts a program in a session of its own, so that neither Ctrl-C in our terminal nor our end reaches it. Signals
/// are unblocked and at their defaults, no descriptor of ours is open in it. Returns once the program runs.
/// Errors: not_found, permission_denied (program, folder, output), exhausted, invalid_argument (no command).
Result<ProcessId> spawn(const SpawnOptions& options);

/// Nothing while it runs. A child of ours is reaped; of an adopted process (started by an earlier agent) the kernel
/// does not tell how it ended. Threads: any, but one a process.
std::optional<ProcessEnd> poll_end(const ProcessId& process);
[[nodiscard]] inline bool is_running(const ProcessId& process) { return !poll_end(process); }
/// Errors: not_found, when it does not run any more.
Status send_signal(const ProcessId& process, int signal);
/// Also to everything it started, which shares its session.
Status send_signal_to_group(const ProcessId& process, int signal);
/// The id of a process that runs. Errors: not_found.
Result<ProcessId> identify(int pid);

/// A port of 127.0.0.1 that was free a moment ago. Errors: exhausted.
Result<std::uint16_t> free_port();
/// Whether something listens there, or nothing could. Errors: conflict, naming the address.
Status check_port_free(const std::string& address, std::uint16_t port);

/// A lock that the kernel takes back when its process ends, however it ends. Threads: any.
class FileLock {
 public:
  /// Errors: conflict, with what the holder wrote into the file; permission_denied, exhausted.
  static Result<FileLock> acquire(const std::string& path, const std::string& content);
  /// Waits for it, at most about `milliseconds`. Errors: deadline_exceeded.
  static Result<FileLock> wait(const std::string& path, int milliseconds);
  ~FileLock();
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

}  // namespace serin
