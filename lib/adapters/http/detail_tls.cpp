#include "detail_tls.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <array>
#include <cstring>

namespace serin::http {
namespace {

constexpr std::size_t most_tickets = 8;

std::string last_error() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "unknown error";
}

bool is_address(const std::string& host) {
  std::array<unsigned char, 16> bytes;
  return inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 || inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

/// OpenSSL tells of a new session, with TLS 1.3 also long after the handshake.
int on_new_session(SSL* ssl, SSL_SESSION* session) {
  if (auto* tickets = static_cast<Tickets*>(SSL_get_app_data(ssl))) {
    tickets->keep(std::unique_ptr<SSL_SESSION, FreeSsl>(session));
    return 1;  // ours now
  }
  return 0;
}

Status readable(const std::string& file) {
  if (::access(file.c_str(), R_OK) == 0) return {};
  return fail(errno == ENOENT ? Errc::not_found : Errc::permission_denied,
              fmt::format("{}: {}", file, std::strerror(errno)));
}

Status load(SSL_CTX* context, const Tls& options) {
  if (!options.ca_file.empty()) {
    SERIN_CHECK(readable(options.ca_file));
    if (SSL_CTX_load_verify_file(context, options.ca_file.c_str()) != 1)
      return fail(Errc::invalid_argument, fmt::format("{}: no certificates: {}", options.ca_file, last_error()));
  } else if (SSL_CTX_set_default_verify_paths(context) != 1) {
    return fail(Errc::internal, fmt::format("the system's authorities: {}", last_error()));
  }
  if (options.certificate_file.empty()) return {};
  SERIN_CHECK(readable(options.certificate_file));
  if (SSL_CTX_use_certificate_chain_file(context, options.certificate_file.c_str()) != 1)
    return fail(Errc::invalid_argument, fmt::format("{}: no certificate: {}", options.certificate_file, last_error()));
  const std::string& key = options.key_file.empty() ? options.certificate_file : options.key_file;
  SERIN_CHECK(readable(key));
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1)
    return fail(Errc::invalid_argument, fmt::format("{}: no key of that certificate: {}", key, last_error()));
  return {};
}

}  // namespace

void Tickets::keep(std::unique_ptr<SSL_SESSION, FreeSsl> one) {
  kept_.push_back(std::move(one));
  if (kept_.size() > most_tickets) kept_.pop_front();
}

std::unique_ptr<SSL_SESSION, FreeSsl> Tickets::take() {
  if (kept_.empty()) return nullptr;
  auto one = std::move(kept_.back());
  kept_.pop_back();
  // Before TLS 1.3 a session is good for many connections.
  if (SSL_SESSION_get_protocol_version(one.get()) < TLS1_3_VERSION && SSL_SESSION_up_ref(one.get()) == 1)
    kept_.emplace_back(one.get());
  return one;
}

Result<TlsContext> TlsContext::make(const Tls& options) {
  ERR_clear_error();
  TlsContext made(std::unique_ptr<SSL_CTX, FreeSsl>(SSL_CTX_new(TLS_client_method())));
  SSL_CTX* context = made.context_.get();
  if (context == nullptr) return fail(Errc::internal, fmt::format("TLS: {}", last_error()));
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, on_new_session);
  SSL_CTX_set_verify(context, options.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  constexpr std::array<unsigned char, 9> http1{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  SSL_CTX_set_alpn_protos(context, http1.data(), http1.size());
  SERIN_CHECK(load(context, options));
  made.verify_ = options.verify;
  return made;
}

Result<SslPointer> TlsContext::connect(int socket, const std::string& host, Tickets& tickets) const {
  ERR_clear_error();
  SslPointer ssl(SSL_new(context_.get()));
  bool good = ssl && SSL_set_fd(ssl.get(), socket) == 1;
  if (good && is_address(host)) {
    good = !verify_ || X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), host.c_str()) == 1;
  } else if (good) {
    SSL_set_hostflags(ssl.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    good = SSL_set_tlsext_host_name(ssl.get(), host.c_str()) == 1 &&
           (!verify_ || SSL_set1_host(ssl.get(), host.c_str()) == 1);
  }
  if (!good) return fail(Errc::internal, fmt::format("TLS to {}: {}", host, last_error()));
  SSL_set_app_data(ssl.get(), &tickets);
  if (const auto ticket = tickets.take()) SSL_set_session(ssl.get(), ticket.get());
  SSL_set_connect_state(ssl.get());
  return ssl;
}

TlsFailure tls_failure(SSL* ssl, int system_error) {
  TlsFailure failure;
  const long verdict = SSL_get_verify_result(ssl);
  if (ERR_peek_last_error() != 0) {
    const bool verification = ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_CERTIFICATE_VERIFY_FAILED;
    failure.text = last_error();
    if (verification && verdict != X509_V_OK) {
      failure.certificate = true;
      failure.text = fmt::format("its certificate: {}", X509_verify_cert_error_string(verdict));
    }
  } else {
    failure.text = system_error != 0 ? std::strerror(system_error) : "closed by the peer";
  }
  ERR_clear_error();
  return failure;
}

}  // namespace serin::http
