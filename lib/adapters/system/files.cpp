#include "serin/system/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>

namespace serin {
namespace {

Errc errc_of(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR: return Errc::not_found;
    case EACCES:
    case EPERM:
    case EROFS: return Errc::permission_denied;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EFBIG: return Errc::exhausted;
    case EEXIST:
    case EADDRINUSE: return Errc::conflict;
    default: return Errc::unavailable;
  }
}

struct Descriptor {
  int number;
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
};

/// Calls `take` with each piece of the file.
template <class Take>
Status read_pieces(const std::string& path, Take take) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.number < 0) return fail_errno(errno, path);
  char buffer[65536];
  for (;;) {
    const ssize_t count = ::read(file.number, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno(errno, path);
    if (count == 0) return {};
    SERIN_CHECK(take(std::string_view(buffer, static_cast<std::size_t>(count))));
  }
}

}  // namespace

std::unexpected<Error> fail_errno(int error, std::string_view what) {
  return fail(errc_of(error), fmt::format("{}: {}", what, std::generic_category().message(error)));
}

Result<std::string> read_file(const std::string& path, std::size_t most) {
  std::string out;
  SERIN_CHECK(read_pieces(path, [&](std::string_view piece) -> Status {
    if (out.size() + piece.size() > most)
      return fail(Errc::exhausted, fmt::format("{} is larger than {} bytes", path, most));
    out += piece;
    return {};
  }));
  return out;
}

Status write_file(const std::string& path, std::string_view content, Readers readers) {
  const std::string temporary = fmt::format("{}.{}.tmp", path, ::getpid());
  {
    const Descriptor file{::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
    if (file.number < 0) return fail_errno(errno, path);
    int error = 0;
    while (!content.empty() && error == 0) {
      const ssize_t count = ::write(file.number, content.data(), content.size());
      if (count >= 0) content.remove_prefix(static_cast<std::size_t>(count));
      if (count < 0 && errno != EINTR) error = errno;
    }
    // After open(), whose mode the umask cuts.
    if (error == 0 && readers == Readers::everybody && ::fchmod(file.number, 0644) != 0) error = errno;
    if (error == 0 && ::fsync(file.number) != 0) error = errno;
    if (error != 0) {
      ::unlink(temporary.c_str());
      return fail_errno(error, path);
    }
  }
  if (::rename(temporary.c_str(), path.c_str()) == 0) return {};
  const int error = errno;
  ::unlink(temporary.c_str());
  return fail_errno(error, path);
}

Status make_folders(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!error && std::filesystem::is_directory(path)) return {};
  if (!error || error.value() == ENOTDIR || error.value() == EEXIST)
    return fail(Errc::conflict, path + ": a file is in the way of the folder");
  return fail_errno(error.value(), path);
}

Result<std::string> file_digest(const std::string& path) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  SERIN_ASSERT(context != nullptr && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1);
  SERIN_CHECK(read_pieces(path, [&](std::string_view piece) -> Status {
    SERIN_ASSERT(EVP_DigestUpdate(context.get(), piece.data(), piece.size()) == 1);
    return {};
  }));
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  SERIN_ASSERT(EVP_DigestFinal_ex(context.get(), hash, &size) == 1);
  std::string out = "sha256:";
  for (unsigned int i = 0; i < size; ++i) out += fmt::format("{:02x}", hash[i]);
  return out;
}

void write_all(int descriptor, std::string_view text) noexcept {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace serin
