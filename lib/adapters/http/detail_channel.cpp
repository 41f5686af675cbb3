#include "detail_channel.hpp"

#include <openssl/err.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace serin::http {
namespace {

bool is_later(int error) noexcept { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

}  // namespace

Moved Channel::read(std::span<char> room) {
  if (ssl_) {
    ERR_clear_error();
    std::size_t size = 0;
    errno = 0;
    const int result = SSL_read_ex(ssl_.get(), room.data(), room.size(), &size);
    if (result == 1) return {Moved::What::some, size};
    return moved_by_tls(result);
  }
  const ssize_t size = ::recv(socket_.number(), room.data(), room.size(), 0);
  if (size > 0) return {Moved::What::some, static_cast<std::size_t>(size)};
  if (size == 0) return {Moved::What::ended};
  if (is_later(errno)) return {Moved::What::later};
  failure_ = std::strerror(errno);
  return {Moved::What::failed};
}

Moved Channel::write(std::string_view bytes, std::string_view rest) {
  if (ssl_) {
    if (bytes.empty()) bytes = rest;
    ERR_clear_error();
    std::size_t size = 0;
    errno = 0;
    const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &size);
    if (result == 1) return {Moved::What::some, size};
    return moved_by_tls(result);
  }
  ssize_t size = 0;
  if (rest.empty()) {
    size = ::send(socket_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  } else {
    std::array<iovec, 2> parts{iovec{const_cast<char*>(bytes.data()), bytes.size()},
                               iovec{const_cast<char*>(rest.data()), rest.size()}};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    size = ::sendmsg(socket_.number(), &message, MSG_NOSIGNAL);
  }
  if (size >= 0) return {Moved::What::some, static_cast<std::size_t>(size)};
  if (is_later(errno)) return {Moved::What::later};
  failure_ = std::strerror(errno);
  return {Moved::What::failed};
}

Moved Channel::moved_by_tls(int result) {
  const int system_error = errno;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: return {Moved::What::later};
    case SSL_ERROR_ZERO_RETURN: return {Moved::What::ended};
    default: break;
  }
  // Also an end without close_notify: where the answer ends with the connection, it may have been cut by anybody.
  failure_ = tls_failure(ssl_.get(), system_error).text;
  return {Moved::What::failed};
}

Status Channel::begin_tls(const TlsContext& context, const std::string& host, Tickets& tickets) {
  SERIN_TRY(ssl_, context.connect(socket_.number(), host, tickets));
  return {};
}

Result<bool> Channel::shake_hands() {
  ERR_clear_error();
  errno = 0;
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) return true;
  const int system_error = errno;
  const int error = SSL_get_error(ssl_.get(), result);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return false;
  const TlsFailure failure = tls_failure(ssl_.get(), system_error);
  return fail(failure.certificate ? Errc::permission_denied : Errc::unavailable, "TLS: " + failure.text);
}

bool Channel::is_quiet() {
  char byte = 0;
  // Tickets of TLS 1.3 come when they come: they are no answer, and OpenSSL takes them in.
  if (ssl_) return read({&byte, 1}).what == Moved::What::later;
  return ::recv(socket_.number(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && is_later(errno);
}

void Channel::close_politely() noexcept {
  if (!ssl_) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

}  // namespace serin::http
