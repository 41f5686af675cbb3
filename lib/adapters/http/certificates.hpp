// Authorities and certificates for tests, made on the spot.
#pragma once
#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

namespace serin::http {

struct FreeX509 {
  void operator()(X509* one) const noexcept { X509_free(one); }
  void operator()(EVP_PKEY* one) const noexcept { EVP_PKEY_free(one); }
  void operator()(SSL_CTX* one) const noexcept { SSL_CTX_free(one); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeX509>;
using Certificate = std::unique_ptr<X509, FreeX509>;
using ServerContext = std::unique_ptr<SSL_CTX, FreeX509>;

/// A folder that goes with it.
class Folder {
 public:
  Folder() {
    std::string text = (std::filesystem::temp_directory_path() / "serin-http-XXXXXX").string();
    path = mkdtemp(text.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(const Folder&) = delete;
  std::filesystem::path path;
};

class Authority {
 public:
  Authority() : key_(EVP_EC_gen("P-256")), own_(make("test authority", "CA:TRUE", "", key_.get(), 0, 3600)) {}
  struct Issued {
    Key key;
    Certificate certificate;
  };
  /// \param names  as openssl takes them: "DNS:localhost,IP:127.0.0.1". \param from, to  seconds from now
  [[nodiscard]] Issued issue(const std::string& names, long from = -60, long to = 3600) const {
    Key key(EVP_EC_gen("P-256"));
    Certificate certificate = make("test server", "CA:FALSE", names, key.get(), from, to);
    return {std::move(key), std::move(certificate)};
  }
  /// What a server shows. \param asks  for a certificate of this authority in return
  [[nodiscard]] ServerContext server(const Issued& issued, bool asks = false, int most_version = 0) const {
    ServerContext context(SSL_CTX_new(TLS_server_method()));
    EXPECT_EQ(SSL_CTX_use_certificate(context.get(), issued.certificate.get()), 1);
    EXPECT_EQ(SSL_CTX_use_PrivateKey(context.get(), issued.key.get()), 1);
    if (most_version != 0) SSL_CTX_set_max_proto_version(context.get(), most_version);
    SSL_CTX_set_session_id_context(context.get(), reinterpret_cast<const unsigned char*>("test"), 4);
    if (asks) {
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), own_.get());
      SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }
    return context;
  }
  void write(const std::filesystem::path& path) const { write_certificate(path, *own_); }
  static void write_certificate(const std::filesystem::path& path, X509& certificate) {
    FILE* file = fopen(path.c_str(), "w");
    ASSERT_NE(file, nullptr);
    EXPECT_EQ(PEM_write_X509(file, &certificate), 1);
    fclose(file);
  }
  static void write_key(const std::filesystem::path& path, EVP_PKEY& key) {
    FILE* file = fopen(path.c_str(), "w");
    ASSERT_NE(file, nullptr);
    EXPECT_EQ(PEM_write_PrivateKey(file, &key, nullptr, nullptr, 0, nullptr, nullptr), 1);
    fclose(file);
  }

 private:
  [[nodiscard]] Certificate make(const char* name, const char* constraint, const std::string& names, EVP_PKEY* key,
                                 long from, long to) const {
    Certificate one(X509_new());
    X509_set_version(one.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(one.get()), ++serial_);
    X509_gmtime_adj(X509_getm_notBefore(one.get()), from);
    X509_gmtime_adj(X509_getm_notAfter(one.get()), to);
    X509_NAME* subject = X509_get_subject_name(one.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
    X509_set_issuer_name(one.get(), own_ ? X509_get_subject_name(own_.get()) : subject);
    X509_set_pubkey(one.get(), key);
    X509V3_CTX context;
    X509V3_set_ctx(&context, own_ ? own_.get() : one.get(), one.get(), nullptr, nullptr, 0);
    const auto extend = [&](int kind, const char* value) {
      X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value);
      EXPECT_NE(extension, nullptr) << value;
      X509_add_ext(one.get(), extension, -1);
      X509_EXTENSION_free(extension);
    };
    extend(NID_basic_constraints, constraint);
    if (!names.empty()) extend(NID_subject_alt_name, names.c_str());
    EXPECT_NE(X509_sign(one.get(), key_.get(), EVP_sha256()), 0);
    return one;
  }
  mutable long serial_ = 0;
  Key key_;
  Certificate own_;
};

}  // namespace serin::http
