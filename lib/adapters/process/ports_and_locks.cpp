#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "serin/base/text.hpp"
#include "serin/process/process.hpp"
#include "serin/system/files.hpp"

namespace serin {
namespace {

/// A socket bound to the address, or the error of bind.
Result<int> bound(const std::string& address, std::uint16_t port) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  if (inet_pton(AF_INET, address.c_str(), &where.sin_addr) != 1)
    return fail(Errc::invalid_argument, fmt::format("'{}' is no IPv4 address", address));
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return fail_errno(errno, "no socket");
  const int on = 1;  // else the rests of closed connections look like a taken port for a minute
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(descriptor, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0 || listen(descriptor, 1) != 0) {
    const int error = errno;
    close(descriptor);
    if (error == EADDRINUSE)
      return fail(Errc::conflict, fmt::format("{}:{} is taken by another program", address, port));
    return fail_errno(error, fmt::format("cannot listen on {}:{}", address, port));
  }
  return descriptor;
}

}  // namespace

Result<std::uint16_t> free_port() {
  SERIN_TRY(const int descriptor, bound("127.0.0.1", 0));
  sockaddr_in where{};
  socklen_t size = sizeof where;
  getsockname(descriptor, reinterpret_cast<sockaddr*>(&where), &size);
  close(descriptor);
  return ntohs(where.sin_port);
}

Status check_port_free(const std::string& address, std::uint16_t port) {
  SERIN_TRY(const int descriptor, bound(address, port));
  close(descriptor);
  return {};
}

Result<FileLock> FileLock::acquire(const std::string& path, const std::string& content) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (descriptor < 0) return fail_errno(errno, fmt::format("cannot open {}", path));
  FileLock lock(descriptor);
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    const Result<std::string> holder = read_file(path);
    return fail(Errc::conflict, fmt::format("{} is held by {}", path, holder ? trim(*holder) : "somebody"));
  }
  if (!content.empty()) {
    if (ftruncate(descriptor, 0) != 0 ||
        pwrite(descriptor, content.data(), content.size(), 0) != static_cast<ssize_t>(content.size()))
      return fail_errno(errno, fmt::format("cannot write {}", path));
  }
  return lock;
}

Result<FileLock> FileLock::wait(const std::string& path, int milliseconds) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (descriptor < 0) return fail_errno(errno, fmt::format("cannot open {}", path));
  FileLock lock(descriptor);
  for (int waited = 0; flock(descriptor, LOCK_EX | LOCK_NB) != 0; waited += 5) {
    if (waited >= milliseconds)
      return fail(Errc::deadline_exceeded, fmt::format("{} is held for more than {} ms", path, milliseconds));
    ::poll(nullptr, 0, 5);  // flock has no timeout of its own
  }
  return lock;
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) close(descriptor_);
}
FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

}  // namespace serin
