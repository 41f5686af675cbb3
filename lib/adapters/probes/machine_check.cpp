#include "serin/probes/machine_check.hpp"

#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "serin/base/text.hpp"
#include "serin/system/files.hpp"

namespace serin::probes {
namespace {

using health::CheckAnswer;

std::string text_of(const std::string& root, std::string_view path) {
  return read_file(fmt::format("{}{}{}", root, root.ends_with('/') ? "" : "/", path), 1u << 20).value_or(std::string());
}

struct Used {
  std::int64_t used = 0;
  std::int64_t limit = 0;
  std::string_view source;
  [[nodiscard]] double ratio() const { return static_cast<double>(used) / static_cast<double>(limit); }
};

/// The level of the hierarchy that is nearest to its limit: any of them ends the process.
std::optional<Used> of_cgroup(const std::string& root) {
  std::optional<std::string> path = cgroup_path(text_of(root, "proc/self/cgroup"));
  std::optional<Used> worst;
  while (path) {
    const std::string folder = "sys/fs/cgroup" + (*path == "/" ? std::string() : *path);
    const auto limit = cgroup_bytes(text_of(root, folder + "/memory.max"));
    const auto usage = cgroup_bytes(text_of(root, folder + "/memory.current"));
    if (limit && usage && *limit > 0) {
      const std::int64_t cache = field(text_of(root, folder + "/memory.stat"), "inactive_file").value_or(0);
      const Used used{.used = std::max<std::int64_t>(*usage - cache, 0), .limit = *limit, .source = "cgroup"};
      if (!worst || used.ratio() > worst->ratio()) worst = used;
    }
    const std::size_t slash = path->rfind('/');
    if (*path == "/" || slash == std::string::npos) break;
    *path = slash == 0 ? "/" : path->substr(0, slash);
  }
  return worst;
}

std::optional<Used> of_machine(const std::string& root) {
  const auto resident = field(text_of(root, "proc/self/status"), "VmRSS:");
  const auto available = field(text_of(root, "proc/meminfo"), "MemAvailable:");
  if (!resident || !available || *resident + *available <= 0) return std::nullopt;
  return Used{.used = *resident * 1024, .limit = (*resident + *available) * 1024, .source = "machine"};
}

}  // namespace

std::optional<std::string> cgroup_path(std::string_view text) {
  for (const std::string_view line : split(text, '\n'))
    if (line.starts_with("0::/")) return std::string(line.substr(3));
  return std::nullopt;
}

std::optional<std::int64_t> cgroup_bytes(std::string_view text) { return to_int(trim(text)); }

std::optional<std::int64_t> field(std::string_view text, std::string_view name) {
  for (std::string_view line : split(text, '\n')) {
    if (!line.starts_with(name)) continue;
    line.remove_prefix(name.size());
    if (!line.starts_with(' ') && !line.starts_with('\t')) continue;
    line = trim(line);
    return to_int(line.substr(0, line.find(' ')));
  }
  return std::nullopt;
}

std::optional<double> load_of_minute(std::string_view text) {
  const auto load = to_double(text.substr(0, text.find(' ')));
  return load && *load >= 0 ? load : std::nullopt;
}

Result<health::CheckFunction> disk_check(DiskOptions options) {
  if (!options.path.starts_with('/')) return fail(Errc::invalid_argument, "path is not absolute");
  if (options.min_free < 0) return fail(Errc::invalid_argument, "min_free is negative");
  if (!(options.min_free_ratio >= 0 && options.min_free_ratio <= 1))
    return fail(Errc::invalid_argument, "min_free_ratio is not 0 to 1");
  return [options = std::move(options)](const health::CheckContext&) {
    std::vector<LogField> details{{"path", options.path}};
    struct statvfs disk {};
    if (::statvfs(options.path.c_str(), &disk) != 0) {
      const int error = errno;
      details.emplace_back("exists", error != ENOENT && error != ENOTDIR);
      return CheckAnswer::fail(error == ENOENT || error == ENOTDIR ? "path_missing" : "unreadable",
                               fail_errno(error, options.path).error().detail(), std::move(details));
    }
    const auto total = static_cast<std::int64_t>(disk.f_blocks * disk.f_frsize);
    const auto free = static_cast<std::int64_t>(disk.f_bavail * disk.f_frsize);
    const auto share = static_cast<std::int64_t>(options.min_free_ratio * static_cast<double>(total));
    const std::int64_t threshold = std::max(options.min_free, share);
    details.emplace_back("exists", true);
    details.emplace_back("total", total);
    details.emplace_back("free", free);
    details.emplace_back("threshold", threshold);
    if (free >= threshold) return CheckAnswer::pass(std::move(details));
    return CheckAnswer::fail("disk_full", fmt::format("{} bytes are free, {} are needed", free, threshold),
                             std::move(details));
  };
}

Result<health::CheckFunction> memory_check(MemoryOptions options) {
  if (!(options.degraded_above > 0 && options.degraded_above <= options.down_above && options.down_above <= 1))
    return fail(Errc::invalid_argument, "not 0 < degraded_above <= down_above <= 1");
  return [options = std::move(options)](const health::CheckContext&) {
    std::optional<Used> used = of_cgroup(options.root);
    if (!used) used = of_machine(options.root);
    if (!used) return CheckAnswer::unknown("unreadable", "neither cgroup nor /proc says how much memory is used");
    std::vector<LogField> details{
        {"used", used->used}, {"limit", used->limit}, {"ratio", used->ratio()}, {"source", used->source}};
    const std::string sentence = fmt::format("{:.0f} % of the memory is used", used->ratio() * 100);
    if (used->ratio() > options.down_above) return CheckAnswer::fail("memory_full", sentence, std::move(details));
    if (used->ratio() > options.degraded_above) return CheckAnswer::warn("memory_high", sentence, std::move(details));
    return CheckAnswer::pass(std::move(details));
  };
}

Result<health::CheckFunction> load_check(LoadOptions options) {
  if (!(options.degraded_above > 0)) return fail(Errc::invalid_argument, "degraded_above is not above 0");
  if (options.cores < 0) return fail(Errc::invalid_argument, "cores is negative");
  if (options.cores == 0) options.cores = static_cast<int>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
  return [options = std::move(options)](const health::CheckContext&) {
    const auto load = load_of_minute(text_of(options.root, "proc/loadavg"));
    if (!load) return CheckAnswer::unknown("unreadable", "/proc/loadavg does not say what the load is");
    const double each = *load / options.cores;
    std::vector<LogField> details{{"load", *load}, {"cores", options.cores}, {"per_core", each}};
    if (each <= options.degraded_above) return CheckAnswer::pass(std::move(details));
    return CheckAnswer::warn("load_high", fmt::format("the load is {:.2f} for each core", each), std::move(details));
  };
}

}  // namespace serin::probes
