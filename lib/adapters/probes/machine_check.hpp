#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "serin/base/error.hpp"
#include "serin/ports/check.hpp"

// Disk, memory and load of this machine. They read files of the kernel and ask nobody.
namespace serin::probes {

struct DiskOptions {
  std::string path;                  ///< any file or folder on the disk; absolute
  std::int64_t min_free = 10 << 20;  ///< bytes free for us; fewer is down; >= 0
  double min_free_ratio = 0;         ///< of the whole; less is down; 0 to 1, 0: does not count
};
/// Down when too little is free, or the path is not there. Details: path, exists, total, free, threshold (bytes).
/// A network disk that hangs, hangs the check: the kernel offers no deadline. Errors: invalid_argument.
Result<health::CheckFunction> disk_check(DiskOptions options);

struct MemoryOptions {
  double degraded_above = 0.9;  ///< used share; above 0, at most down_above
  double down_above = 0.98;     ///< at most 1
  std::string root = "/";       ///< where proc and sys/fs/cgroup are
};
/// How much of its memory this process has used: of the tightest cgroup v2 limit above it (usage without inactive file
/// cache, as it is taken back first); without a limit its RSS against RSS + MemAvailable. Unknown when neither can be
/// read. Errors: invalid_argument.
Result<health::CheckFunction> memory_check(MemoryOptions options = {});

struct LoadOptions {
  double degraded_above = 0.7;  ///< of the load of one minute for each core; > 0
  int cores = 0;                ///< 0: those of the machine
  std::string root = "/";       ///< where proc is
};
/// Degraded when more is runnable than the cores can run; never down: a restart does not help. Of the whole machine,
/// as the kernel counts no other load. Errors: invalid_argument.
Result<health::CheckFunction> load_check(LoadOptions options = {});

// The kernel's texts. Pure.

/// "0::/a/b" of /proc/self/cgroup; nothing without cgroup v2.
[[nodiscard]] std::optional<std::string> cgroup_path(std::string_view text);
/// Bytes of memory.max; nothing for "max" and for what is no number.
[[nodiscard]] std::optional<std::int64_t> cgroup_bytes(std::string_view text);
/// A number behind a word: `field("inactive_file 42", "inactive_file")`, `field("VmRSS:\t 12 kB", "VmRSS:")`.
[[nodiscard]] std::optional<std::int64_t> field(std::string_view text, std::string_view name);
/// The first number of /proc/loadavg.
[[nodiscard]] std::optional<double> load_of_minute(std::string_view text);

}  // namespace serin::probes
