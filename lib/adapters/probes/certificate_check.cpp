#include "serin/probes/certificate_check.hpp"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include <array>
#include <ctime>
#include <memory>

#include "detail_resolve.hpp"
#include "detail_socket.hpp"
#include "serin/system/files.hpp"

namespace serin::probes {
namespace {

using health::CheckAnswer;

struct Free {
  void operator()(SSL_CTX* value) const noexcept { SSL_CTX_free(value); }
  void operator()(SSL* value) const noexcept { SSL_free(value); }
  void operator()(X509* value) const noexcept { X509_free(value); }
  void operator()(BIO* value) const noexcept { BIO_free(value); }
};
using Certificate = std::unique_ptr<X509, Free>;
using Session = std::unique_ptr<SSL, Free>;

constexpr Duration longest = 3650 * 24h;

Result<WallTime> time_of(const ASN1_TIME* time) {
  std::tm broken{};
  if (ASN1_TIME_to_tm(time, &broken) != 1) return fail(Errc::data_loss, "the certificate has a date that is none");
  return WallTime(std::chrono::seconds(timegm(&broken)));
}

/// `untrusted` is what OpenSSL's verification says, empty when it is content or was not asked.
CheckAnswer judge(X509& certificate, std::string_view untrusted, Duration degraded_before, WallTime now,
                  std::vector<LogField> details) {
  const auto from = time_of(X509_get0_notBefore(&certificate));
  const auto to = time_of(X509_get0_notAfter(&certificate));
  if (!from || !to) return CheckAnswer::fail("data_loss", "the certificate has no dates", std::move(details));
  const Duration left = *to - now;
  details.emplace_back("not_after", format_rfc3339(*to));
  details.emplace_back("days_left", static_cast<std::int64_t>(std::chrono::floor<std::chrono::days>(left).count()));
  if (left <= 0s)
    return CheckAnswer::fail("certificate_expired", "the certificate expired at " + format_rfc3339(*to),
                             std::move(details));
  if (*from > now)
    return CheckAnswer::fail("certificate_not_yet_valid", "the certificate is valid from " + format_rfc3339(*from),
                             std::move(details));
  if (!untrusted.empty()) return CheckAnswer::fail("certificate_untrusted", std::string(untrusted), std::move(details));
  if (left < degraded_before)
    return CheckAnswer::warn("certificate_ends_soon", "the certificate expires at " + format_rfc3339(*to),
                             std::move(details));
  return CheckAnswer::pass(std::move(details));
}

Result<std::shared_ptr<SSL_CTX>> make_context(const std::string& ca_file) {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_client_method()), Free());
  if (!context) return fail(Errc::internal, "OpenSSL makes no context");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  // The handshake goes on with a bad certificate, so that the answer can say what is bad about it and when it ends.
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  if (ca_file.empty()) {
    SSL_CTX_set_default_verify_paths(context.get());
  } else {
    SERIN_CHECK(read_file(ca_file, 16u << 20));
    if (SSL_CTX_load_verify_locations(context.get(), ca_file.c_str(), nullptr) != 1) {
      ERR_clear_error();
      return fail(Errc::data_loss, ca_file + ": not PEM");
    }
  }
  return context;
}

/// What OpenSSL has written so far, onto the socket.
Status flush(SSL& session, const Descriptor& socket, const Wait& wait) {
  std::array<char, 4096> piece{};
  for (;;) {
    const int count = BIO_read(SSL_get_wbio(&session), piece.data(), static_cast<int>(piece.size()));
    if (count <= 0) return {};
    SERIN_CHECK(send_all(socket, {piece.data(), static_cast<std::size_t>(count)}, wait));
  }
}

/// Errors: unavailable (closed, no TLS), deadline_exceeded, cancelled.
Status shake_hands(SSL& session, const Descriptor& socket, const Wait& wait) {
  for (;;) {
    ERR_clear_error();
    const int done = SSL_connect(&session);
    const int why = SSL_get_error(&session, done);
    ERR_clear_error();
    if (done != 1 && why != SSL_ERROR_WANT_READ)
      return fail(Errc::unavailable, "the peer ended the TLS handshake, or speaks no TLS");
    SERIN_CHECK(flush(session, socket, wait));
    if (done == 1) return {};
    std::string came;
    SERIN_CHECK(receive_some(socket, came, wait));
    BIO_write(SSL_get_rbio(&session), came.data(), static_cast<int>(came.size()));
  }
}

/// Between buffers in memory: OpenSSL's own writes to a socket that was closed would end the process with SIGPIPE.
Result<Session> make_session(SSL_CTX& context, const std::string& name) {
  Session session(SSL_new(&context));
  if (!session) return fail(Errc::internal, "OpenSSL makes no session");
  SSL_set_bio(session.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  const bool is_address = parse_address(name).has_value();
  const int set = is_address ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session.get()), name.c_str())
                             : SSL_set1_host(session.get(), name.c_str());
  if (set != 1) return fail(Errc::internal, "OpenSSL does not take the server's name");
  if (!is_address) {
    std::string copy = name;
    SSL_ctrl(session.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, copy.data());
  }
  return session;
}

CheckAnswer look(const CertificateOptions& options, SSL_CTX& tls, const Clock& clock,
                 const health::CheckContext& context) {
  const Wait wait(context, clock);
  const Peer peer{.host = options.host, .port = options.port};
  std::vector<LogField> details{{"peer", peer.text()}};
  const auto socket = dial(peer, wait);
  if (!socket) return answer_of(socket.error(), std::move(details));
  const auto session = make_session(tls, options.server_name.empty() ? options.host : options.server_name);
  if (!session) return answer_of(session.error(), std::move(details));
  if (const Status done = shake_hands(**session, *socket, wait); !done)
    return answer_of(done.error(), std::move(details));
  const Certificate certificate(SSL_get1_peer_certificate(session->get()));
  if (!certificate) return CheckAnswer::fail("no_certificate", "the peer shows no certificate", std::move(details));
  const long verdict = SSL_get_verify_result(session->get());
  const std::string_view untrusted = verdict == X509_V_OK ? "" : X509_verify_cert_error_string(verdict);
  return judge(*certificate, untrusted, options.degraded_before, clock.wall(), std::move(details));
}

Status check_range(Duration degraded_before) {
  if (degraded_before < 0s || degraded_before > longest)
    return fail(Errc::invalid_argument, "degraded_before is not 0 to 3650 days");
  return {};
}

}  // namespace

Result<health::CheckFunction> certificate_check(CertificateOptions options, const Clock& clock) {
  SERIN_CHECK(check_peer({.host = options.host, .port = options.port}));
  SERIN_CHECK(check_range(options.degraded_before));
  SERIN_TRY(auto tls, make_context(options.ca_file));
  return [options = std::move(options), tls = std::move(tls), &clock](const health::CheckContext& context) {
    return look(options, *tls, clock, context);
  };
}

Result<health::CheckFunction> certificate_file_check(CertificateFileOptions options, const Clock& clock) {
  if (options.path.empty()) return fail(Errc::invalid_argument, "path is empty");
  SERIN_CHECK(check_range(options.degraded_before));
  return [options = std::move(options), &clock](const health::CheckContext&) {
    std::vector<LogField> details{{"path", options.path}};
    const auto text = read_file(options.path, 16u << 20);
    if (!text) return answer_of(text.error(), std::move(details));
    const std::unique_ptr<BIO, Free> bytes(BIO_new_mem_buf(text->data(), static_cast<int>(text->size())));
    const Certificate certificate(PEM_read_bio_X509(bytes.get(), nullptr, nullptr, nullptr));
    ERR_clear_error();
    if (!certificate)
      return CheckAnswer::fail("data_loss", options.path + ": no certificate in it", std::move(details));
    return judge(*certificate, "", options.degraded_before, clock.wall(), std::move(details));
  };
}

}  // namespace serin::probes
