#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <boost/json/serialize.hpp>
#include <memory>
#include <optional>

#include "serin/google/detail_json.hpp"
#include "detail_jwt.hpp"
#include "serin/base/text.hpp"

namespace serin::google {
namespace json = boost::json;
namespace {

/// Asked for when a key is encrypted; without it OpenSSL would ask at the terminal.
int no_passphrase(char*, int, int, void*) { return 0; }

std::int64_t seconds_since_1970(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

}  // namespace

Result<RsaKey> RsaKey::of_pem(std::string_view pem) {
  if (pem.size() > 64u << 10) return fail(Errc::invalid_argument, "is larger than any key");
  const std::unique_ptr<BIO, decltype(&BIO_free)> bytes(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                        &BIO_free);
  if (!bytes) return fail(Errc::exhausted, "out of memory");
  std::shared_ptr<EVP_PKEY> key(PEM_read_bio_PrivateKey(bytes.get(), nullptr, &no_passphrase, nullptr), &EVP_PKEY_free);
  if (!key) return fail(Errc::invalid_argument, "is no private key in PEM without a passphrase");
  if (EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA) return fail(Errc::invalid_argument, "is no RSA key");
  if (EVP_PKEY_get_bits(key.get()) < 2048) return fail(Errc::invalid_argument, "is an RSA key below 2048 bits");
  return RsaKey(std::static_pointer_cast<void>(key));
}

Result<std::string> RsaKey::sign(std::string_view text) const {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  auto* const key = static_cast<EVP_PKEY*>(key_.get());
  const auto* const bytes = reinterpret_cast<const unsigned char*>(text.data());
  std::size_t size = 0;
  if (!context || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, bytes, text.size()) != 1)
    return fail(Errc::internal, "OpenSSL does not sign with this key");
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, bytes, text.size()) != 1)
    return fail(Errc::internal, "OpenSSL does not sign with this key");
  signature.resize(size);
  return signature;
}

std::string base64url_encode(std::string_view bytes) {
  std::string out = base64_encode(bytes);
  while (out.ends_with('=')) out.pop_back();
  for (char& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return out;
}

std::optional<std::string> base64url_decode(std::string_view text) {
  std::string padded(text);
  for (char& c : padded) {
    if (c == '+' || c == '/' || c == '=') return std::nullopt;
    c = c == '-' ? '+' : c == '_' ? '/' : c;
  }
  padded.append((4 - padded.size() % 4) % 4, '=');
  return base64_decode(padded);
}

Result<std::string> make_jwt(const RsaKey& key, std::string_view key_id, const JwtClaims& claims) {
  json::object header{{"alg", "RS256"}, {"typ", "JWT"}};
  if (!key_id.empty()) header["kid"] = key_id;
  json::object body{{"iss", claims.issuer},
                    {"iat", seconds_since_1970(claims.issued)},
                    {"exp", seconds_since_1970(claims.issued + claims.lives)}};
  if (!claims.subject.empty()) body["sub"] = claims.subject;
  if (!claims.audience.empty()) body["aud"] = claims.audience;
  if (!claims.scope.empty()) body["scope"] = claims.scope;
  if (!claims.target_audience.empty()) body["target_audience"] = claims.target_audience;
  std::string out = base64url_encode(json::serialize(header)) + "." + base64url_encode(json::serialize(body));
  SERIN_TRY(const std::string signature, key.sign(out));
  return out + "." + base64url_encode(signature);
}

std::optional<WallTime> expiry_of_jwt(std::string_view jwt) {
  const std::vector<std::string_view> parts = split(jwt, '.');
  if (parts.size() != 3) return std::nullopt;
  const std::optional<std::string> body = base64url_decode(parts[1]);
  if (!body) return std::nullopt;
  const Result<json::object> claims = parse_object(*body, "a token");
  const std::optional<std::int64_t> seconds = claims ? int_of(*claims, "exp") : std::nullopt;
  constexpr std::int64_t last = 9'000'000'000;  // nanoseconds in 64 bits end in 2262
  if (!seconds || *seconds < 0 || *seconds > last) return std::nullopt;
  return WallTime(std::chrono::seconds(*seconds));
}

}  // namespace serin::google
