#include "serin/probes/file_check.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <memory>
#include <mutex>
#include <optional>

#include "detail_socket.hpp"
#include "serin/system/files.hpp"

namespace serin::probes {
namespace {

using health::CheckAnswer;

std::string sha256(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr);
  std::string text = "sha256:";
  for (unsigned i = 0; i < size; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

struct Version {
  dev_t device;
  ino_t inode;
  off_t size;
  std::int64_t seconds;
  std::int64_t nanoseconds;
  friend bool operator==(const Version&, const Version&) = default;
};

class File {
 public:
  File(FileOptions options, std::function<Status(std::string_view)> load)
      : options_(std::move(options)), load_(std::move(load)) {}

  CheckAnswer run(const health::CheckContext& context) {
    std::vector<LogField> details{{"path", options_.path}};
    struct stat status {};
    if (::stat(options_.path.c_str(), &status) != 0)
      return answer_of(fail_errno(errno, options_.path).error(), std::move(details));
    // A pipe would be read until somebody closes it.
    if (!S_ISREG(status.st_mode)) return CheckAnswer::fail("not_a_file", "it is not a plain file", std::move(details));
    if (context.stop.stop_requested())
      return CheckAnswer::unknown("cancelled", "asked to stop before it was read", std::move(details));
    const Version version{.device = status.st_dev,
                          .inode = status.st_ino,
                          .size = status.st_size,
                          .seconds = status.st_mtim.tv_sec,
                          .nanoseconds = status.st_mtim.tv_nsec};
    const std::lock_guard lock(mutex_);
    if (!known_ || *known_ != version) {
      known_.reset();
      const auto bytes = read_file(options_.path, options_.size_limit);
      if (!bytes) return answer_of(bytes.error(), std::move(details));
      answer_ = judge(*bytes, std::move(details));
      known_ = version;
    }
    return answer_;
  }

 private:
  [[nodiscard]] CheckAnswer judge(std::string_view bytes, std::vector<LogField> details) const {
    details.emplace_back("size", bytes.size());
    details.emplace_back("sha256", sha256(bytes));
    const Status loaded = load_(bytes);
    if (!loaded) return CheckAnswer::fail("does_not_load", loaded.error().detail(), std::move(details));
    return CheckAnswer::pass(std::move(details));
  }

  const FileOptions options_;
  const std::function<Status(std::string_view)> load_;
  std::mutex mutex_;
  std::optional<Version> known_;  // guarded by mutex_
  CheckAnswer answer_;            // guarded by mutex_
};

}  // namespace

Result<health::CheckFunction> file_check(FileOptions options, std::function<Status(std::string_view bytes)> load) {
  if (options.path.empty()) return fail(Errc::invalid_argument, "path is empty");
  if (options.size_limit < 1) return fail(Errc::invalid_argument, "size_limit is not 1 or more");
  if (!load) return fail(Errc::invalid_argument, "nothing says whether it loads");
  // Shared by the copies of the function: they are one check with one memory.
  auto file = std::make_shared<File>(std::move(options), std::move(load));
  return [file](const health::CheckContext& context) { return file->run(context); };
}

}  // namespace serin::probes
