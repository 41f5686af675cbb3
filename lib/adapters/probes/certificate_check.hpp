#pragma once
#include <string>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/ports/check.hpp"
#include "serin/ports/clock.hpp"

namespace serin::probes {

struct CertificateOptions {
  std::string host;                     ///< whose certificate, and the name it must be for; at most 253 bytes
  int port = 443;                       ///< 1 to 65535
  std::string ca_file;                  ///< PEM of who is trusted; empty: this machine's
  std::string server_name;              ///< when the certificate is for another name than `host`
  Duration degraded_before = 30 * 24h;  ///< the end; degraded from then on; 0 to 3650 days
};
/// How long the certificate of a TLS server is good for: a handshake each time, as only a new one shows a new
/// certificate. Down: expired, not yet valid, not trusted, for another name, or no handshake.
/// Errors: invalid_argument, not_found (ca_file), data_loss (ca_file). \param clock  outlives the check
Result<health::CheckFunction> certificate_check(CertificateOptions options, const Clock& clock);

struct CertificateFileOptions {
  std::string path;                     ///< PEM; the first certificate counts
  Duration degraded_before = 30 * 24h;  ///< as above
};
/// The same for our own certificate in a file; who signed it is not looked at.
/// Errors: invalid_argument. \param clock  outlives the check
Result<health::CheckFunction> certificate_file_check(CertificateFileOptions options, const Clock& clock);

}  // namespace serin::probes
