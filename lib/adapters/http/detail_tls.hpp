#pragma once
#include <openssl/ssl.h>

#include <deque>
#include <memory>
#include <string>

#include "serin/http/options.hpp"

namespace serin::http {

struct FreeSsl {
  void operator()(SSL* one) const noexcept { SSL_free(one); }
  void operator()(SSL_CTX* one) const noexcept { SSL_CTX_free(one); }
  void operator()(SSL_SESSION* one) const noexcept { SSL_SESSION_free(one); }
};
using SslPointer = std::unique_ptr<SSL, FreeSsl>;

/// What servers of one origin gave us to go on with. Each is used once, as TLS 1.3 wants it. Threads: its loop.
class Tickets {
 public:
  void keep(std::unique_ptr<SSL_SESSION, FreeSsl> one);
  [[nodiscard]] std::unique_ptr<SSL_SESSION, FreeSsl> take();

 private:
  std::deque<std::unique_ptr<SSL_SESSION, FreeSsl>> kept_;
};

/// Whom a session believes. Threads: any, once made.
class TlsContext {
 public:
  /// Errors: not_found (a file), invalid_argument (what is in it), internal.
  [[nodiscard]] static Result<TlsContext> make(const Tls& options);
  /// A connection to `host` over a socket that does not block. `tickets` outlive it.
  [[nodiscard]] Result<SslPointer> connect(int socket, const std::string& host, Tickets& tickets) const;

 private:
  explicit TlsContext(std::unique_ptr<SSL_CTX, FreeSsl> context) : context_(std::move(context)) {}
  std::unique_ptr<SSL_CTX, FreeSsl> context_;
  bool verify_ = true;
};

/// Why the last operation failed, and whether that was the certificate. Empties OpenSSL's list of errors.
struct TlsFailure {
  bool certificate = false;
  std::string text;
};
[[nodiscard]] TlsFailure tls_failure(SSL* ssl, int system_error);

}  // namespace serin::http
