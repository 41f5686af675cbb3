#include "detail_socket.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <utility>

#include "detail_resolve.hpp"
#include "serin/system/files.hpp"

namespace serin::probes {

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}
Descriptor::Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(number_, other.number_);
  return *this;
}

void Wait::Wake::operator()() const noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(event, &one, sizeof one);
}

Wait::Wait(const health::CheckContext& context, const Clock& clock)
    : clock_(clock),
      deadline_(context.deadline),
      stop_(context.stop),
      event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (event_.is_open()) wake_.emplace(stop_, Wake{event_.number()});
}
Wait::~Wait() = default;

Result<bool> Wait::ready_until(int descriptor, short events, Deadline sooner) const {
  if (!event_.is_open()) return fail(Errc::exhausted, "no descriptor is left to wait with");
  const Deadline until = deadline_.sooner(sooner);
  for (;;) {
    const Instant now = clock_.now();
    if (deadline_.passed(now)) return fail(Errc::deadline_exceeded, "no answer in time");
    if (stop_.stop_requested()) return fail(Errc::cancelled, "asked to stop before there was an answer");
    if (until.passed(now)) return false;
    // Rounded up, so that it does not spin at the end; bounded, so that it fits an int.
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until.left(now)).count();
    std::array<pollfd, 2> waiting{pollfd{.fd = descriptor, .events = events, .revents = 0},
                                  pollfd{.fd = event_.number(), .events = POLLIN, .revents = 0}};
    const int found = ::poll(waiting.data(), waiting.size(), static_cast<int>(std::min<std::int64_t>(left, 60'000)));
    if (found < 0 && errno != EINTR) return fail_errno(errno, "waiting for a peer");
    if (found > 0 && waiting[0].revents != 0) return true;
  }
}

Status Wait::ready(int descriptor, short events) const {
  const Result<bool> found = ready_until(descriptor, events, Deadline::never());
  if (!found) return pass(found.error());
  return {};
}

std::string Peer::text() const {
  return host.contains(':') ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

Status check_peer(const Peer& peer) {
  if (peer.host.empty()) return fail(Errc::invalid_argument, "host is empty");
  if (peer.host.size() > 253) return fail(Errc::invalid_argument, "host is longer than 253 bytes");
  if (peer.host.find_first_of("@/ \r\n\t") != std::string::npos)
    return fail(Errc::invalid_argument, "host is not a plain name or address");
  if (peer.port < 1 || peer.port > 65535)
    return fail(Errc::invalid_argument, fmt::format("port is {}, not 1 to 65535", peer.port));
  return {};
}

namespace {

Result<Descriptor> connect_to(const Address& address, int port, const Wait& wait) {
  const SocketAddress where = socket_address(address, port);
  Descriptor socket(::socket(where.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.is_open()) return fail_errno(errno, "socket");
  if (::connect(socket.number(), where.get(), where.size) == 0) return socket;
  if (errno != EINPROGRESS) return fail_errno(errno, "connect");
  SERIN_CHECK(wait.ready(socket.number(), POLLOUT));
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(socket.number(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) return fail_errno(errno, "connect");
  if (error != 0) return fail_errno(error, "connect");
  return socket;
}

}  // namespace

Result<Descriptor> dial(const Peer& peer, const Wait& wait) {
  SERIN_TRY(const std::vector<Address> addresses, resolve(peer.host, {}, wait));
  Result<Descriptor> last = fail(Errc::not_found, fmt::format("{} has no address", peer.host));
  for (const Address& address : addresses) {
    last = connect_to(address, peer.port, wait);
    if (last || last.error().code() != Errc::unavailable) break;
  }
  if (!last) return pass(last.error().in(peer.text()));
  return last;
}

Status send_all(const Descriptor& socket, std::string_view bytes, const Wait& wait) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(socket.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      SERIN_CHECK(wait.ready(socket.number(), POLLOUT));
    } else if (errno != EINTR) {
      return fail_errno(errno, "send");
    }
  }
  return {};
}

Status receive_some(const Descriptor& socket, std::string& buffer, const Wait& wait) {
  for (;;) {
    std::array<char, 4096> piece{};
    const ssize_t count = ::recv(socket.number(), piece.data(), piece.size(), 0);
    if (count > 0) {
      buffer.append(piece.data(), static_cast<std::size_t>(count));
      return {};
    }
    if (count == 0) return fail(Errc::unavailable, "the peer closed the connection");
    if (errno == EAGAIN) {
      SERIN_CHECK(wait.ready(socket.number(), POLLIN));
    } else if (errno != EINTR) {
      return fail_errno(errno, "receive");
    }
  }
}

health::CheckAnswer answer_of(const Error& error, std::vector<LogField> details) {
  std::string reason(errc_name(error.code()));
  if (error.code() == Errc::cancelled || error.code() == Errc::internal)
    return health::CheckAnswer::unknown(std::move(reason), error.detail(), std::move(details));
  if (error.code() == Errc::deadline_exceeded) reason = "timeout";
  return health::CheckAnswer::fail(std::move(reason), error.detail(), std::move(details));
}

}  // namespace serin::probes
