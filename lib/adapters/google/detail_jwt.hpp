#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"

// Private to the module: JSON Web Tokens (RFC 7519), signed with RS256 (RFC 7518, 3.3).
namespace serin::google {

/// The private half of a service account's key. A value; copies share it. Threads: any.
class RsaKey {
 public:
  /// \param pem  PKCS#8 or PKCS#1 in PEM, not encrypted. Errors: invalid_argument; what it says holds nothing of `pem`.
  static Result<RsaKey> of_pem(std::string_view pem);
  /// RSASSA-PKCS1-v1_5 with SHA-256. Errors: internal.
  [[nodiscard]] Result<std::string> sign(std::string_view text) const;

 private:
  explicit RsaKey(std::shared_ptr<void> key) : key_(std::move(key)) {}
  std::shared_ptr<void> key_;  // an EVP_PKEY
};

[[nodiscard]] std::string base64url_encode(std::string_view bytes);
/// Nothing when the text is not base64url without padding.
[[nodiscard]] std::optional<std::string> base64url_decode(std::string_view text);

struct JwtClaims {
  std::string issuer;
  std::string subject;          ///< empty: none
  std::string audience;         ///< empty: none
  std::string scope;            ///< separated by blanks; empty: none
  std::string target_audience;  ///< of an ID token that is asked for; empty: none
  WallTime issued;
  Duration lives = 1h;
};
/// \param key_id  "kid" of the header; empty: none. Errors: internal (OpenSSL refuses).
Result<std::string> make_jwt(const RsaKey& key, std::string_view key_id, const JwtClaims& claims);
/// When a JWT ends by its own word ("exp"); nothing when it does not say so. Its signature is not looked at.
[[nodiscard]] std::optional<WallTime> expiry_of_jwt(std::string_view jwt);

}  // namespace serin::google
