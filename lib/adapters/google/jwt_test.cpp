// Goal: tokens that we sign are what RFC 7515 and Google ask for, and keys that are none are told apart without a leak.
// Method: OpenSSL makes the keys and checks the signatures; nothing of ours checks ours.
#include <gtest/gtest.h>
#include <openssl/ec.h>

#include "detail_jwt.hpp"
#include "test_keys.hpp"

namespace serin::google {
namespace {

constexpr WallTime when{std::chrono::seconds(1'775'757'780)};

TEST(A_jwt, is_signed_so_that_openssl_verifies_it) {
  const RsaKey key = *RsaKey::of_pem(pem_of(test_key()));
  const std::string jwt = *make_jwt(key, "k1",
                                    {.issuer = "a@p.iam.gserviceaccount.com",
                                     .subject = "a@p.iam.gserviceaccount.com",
                                     .scope = "s1 s2",
                                     .issued = when + 999ms});
  EXPECT_TRUE(is_signed_by(test_key(), jwt));
  EXPECT_FALSE(is_signed_by(make_rsa(2048), jwt)) << "the check itself can fail";
  EXPECT_EQ(part_of(jwt, 0), R"({"alg":"RS256","typ":"JWT","kid":"k1"})");
  EXPECT_EQ(part_of(jwt, 1), R"({"iss":"a@p.iam.gserviceaccount.com","iat":1775757780,"exp":1775761380,)"
                             R"("sub":"a@p.iam.gserviceaccount.com","scope":"s1 s2"})");
  EXPECT_EQ(jwt.find_first_of("+/="), std::string::npos) << "base64url without padding";
}

TEST(A_jwt, leaves_out_what_it_does_not_claim) {
  const RsaKey key = *RsaKey::of_pem(pem_of(test_key()));
  const std::string jwt =
      *make_jwt(key, "", {.issuer = "i", .audience = "a", .target_audience = "t", .issued = when, .lives = 10min});
  EXPECT_EQ(part_of(jwt, 0), R"({"alg":"RS256","typ":"JWT"})");
  EXPECT_EQ(part_of(jwt, 1), R"({"iss":"i","iat":1775757780,"exp":1775758380,"aud":"a","target_audience":"t"})");
}

TEST(A_key, that_is_none_is_refused_without_a_word_of_it) {
  const TestKey elliptic(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  const std::string whole = pem_of(test_key());
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "is no private key in PEM without a passphrase"},
      {"secret-text", "is no private key in PEM without a passphrase"},
      {whole.substr(0, whole.size() / 2), "is no private key in PEM without a passphrase"},
      {pem_of(test_key(), "passphrase"), "is no private key in PEM without a passphrase"},
      {pem_of(elliptic), "is no RSA key"},
      {pem_of(make_rsa(1024)), "is an RSA key below 2048 bits"},
      {std::string(100'000, 'x'), "is larger than any key"}};
  for (const auto& [pem, words] : cases) {
    const auto key = RsaKey::of_pem(pem);
    ASSERT_FALSE(key) << words;
    EXPECT_EQ(key.error().detail(), words);
  }
}

TEST(A_jwt, of_others_tells_when_it_ends) {
  const auto jwt = [](const std::string& claims) { return "e30." + base64url_encode(claims) + ".sig"; };
  EXPECT_EQ(expiry_of_jwt(jwt(R"({"exp":1775757780})")), when);
  EXPECT_EQ(expiry_of_jwt(jwt(R"({"exp":-1})")), std::nullopt);
  EXPECT_EQ(expiry_of_jwt(jwt(R"({"exp":99999999999})")), std::nullopt);
  EXPECT_EQ(expiry_of_jwt(jwt(R"({"sub":"x"})")), std::nullopt);
  EXPECT_EQ(expiry_of_jwt(jwt("[]")), std::nullopt);
  for (const char* text : {"", "a.b", "a.b.c", "a.!.c", "..", "a.b.c.d"}) EXPECT_EQ(expiry_of_jwt(text), std::nullopt);
}

TEST(Base64url, goes_there_and_back) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) {
    bytes += static_cast<char>(i * 7);
    EXPECT_EQ(base64url_decode(base64url_encode(bytes)), bytes);
  }
  EXPECT_EQ(base64url_decode("a+b/"), std::nullopt) << "the other alphabet";
  EXPECT_EQ(base64url_decode("YQ=="), std::nullopt) << "padding";
}

}  // namespace
}  // namespace serin::google
