#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "detail_loop.hpp"
#include "detail_tls.hpp"

namespace serin::http {

struct Moved {
  enum class What : std::uint8_t { some, later, ended, failed };
  What what = What::later;
  std::size_t size = 0;
};

/// Bytes over a connected socket, with or without TLS. Never blocks. Threads: its loop.
class Channel {
 public:
  Channel() = default;
  explicit Channel(Socket socket) : socket_(std::move(socket)) {}
  [[nodiscard]] int number() const noexcept { return socket_.number(); }
  [[nodiscard]] Moved read(std::span<char> room);
  /// `rest` follows `bytes` as soon as possible; what was taken of both counts.
  [[nodiscard]] Moved write(std::string_view bytes, std::string_view rest = {});
  /// What the last failure was about.
  [[nodiscard]] std::string failure() const { return failure_; }

  /// Begins TLS over it. Errors: internal.
  Status begin_tls(const TlsContext& context, const std::string& host, Tickets& tickets);
  /// `later` until it is `some`. Errors: permission_denied (certificate), unavailable.
  Result<bool> shake_hands();
  [[nodiscard]] bool was_resumed() const noexcept { return ssl_ && SSL_session_reused(ssl_.get()) == 1; }

  /// Whether a connection that nobody uses is still of use: open, and nothing was said that nobody asked for.
  [[nodiscard]] bool is_quiet();
  /// Says goodbye where that is custom; not after a failure.
  void close_politely() noexcept;

 private:
  [[nodiscard]] Moved moved_by_tls(int result);
  // Before ssl_: its descriptor must live longer.
  Socket socket_;
  SslPointer ssl_;
  std::string failure_;
};

}  // namespace serin::http
