#pragma once
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>
#include <string>
#include <string_view>

#include "detail_jwt.hpp"
#include "serin/base/text.hpp"

// Keys made for a test by OpenSSL, and signatures checked by OpenSSL: neither by what is under test.
namespace serin::google {

using TestKey = std::shared_ptr<EVP_PKEY>;

[[nodiscard]] inline TestKey make_rsa(unsigned bits) { return {EVP_RSA_gen(bits), &EVP_PKEY_free}; }

/// One for the whole program: making it takes a tenth of a second.
[[nodiscard]] inline const TestKey& test_key() {
  static const TestKey key = make_rsa(2048);
  return key;
}

/// \param passphrase  null: not encrypted
[[nodiscard]] inline std::string pem_of(const TestKey& key, const char* passphrase = nullptr) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
  std::string secret(passphrase == nullptr ? "" : passphrase);
  PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), passphrase == nullptr ? nullptr : EVP_aes_256_cbc(),
                                passphrase == nullptr ? nullptr : secret.data(), static_cast<int>(secret.size()),
                                nullptr, nullptr);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

/// Whether the third part of a JWT is the signature of the first two.
[[nodiscard]] inline bool is_signed_by(const TestKey& key, std::string_view jwt) {
  const std::size_t last = jwt.rfind('.');
  if (last == std::string_view::npos) return false;
  const auto signature = base64url_decode(jwt.substr(last + 1));
  if (!signature) return false;
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  return EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature->data()), signature->size(),
                          reinterpret_cast<const unsigned char*>(jwt.data()), last) == 1;
}

/// One of a JWT's parts, decoded: 0 the header, 1 the claims.
[[nodiscard]] inline std::string part_of(std::string_view jwt, std::size_t index) {
  const auto parts = split(jwt, '.');
  return index < parts.size() ? base64url_decode(parts[index]).value_or("(not base64url)") : "(none)";
}

}  // namespace serin::google
