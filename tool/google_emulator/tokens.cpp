#include "tokens.hpp"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "serin/base/text.hpp"

namespace serin::google_emulator {
namespace {

constexpr Duration life_of_tokens = 3599s;

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

std::unique_ptr<EVP_PKEY, FreeKey> read_key(const std::string& pem) {
  const auto source = [&pem] {
    return std::unique_ptr<BIO, FreeKey>(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  };
  std::unique_ptr<EVP_PKEY, FreeKey> key(PEM_read_bio_PrivateKey(source().get(), nullptr, nullptr, nullptr));
  if (!key) key.reset(PEM_read_bio_PUBKEY(source().get(), nullptr, nullptr, nullptr));
  return key;
}

std::optional<std::string> base64url(std::string_view text) {
  std::string plain(text);
  for (char& c : plain) c = c == '-' ? '+' : c == '_' ? '/' : c;
  while (plain.size() % 4 != 0) plain += '=';
  return base64_decode(plain);
}

HttpResponse oauth_error(int status, std::string_view error, std::string_view what) {
  return HttpResponse::json(status, json::serialize(json::object{{"error", error}, {"error_description", what}}));
}

HttpResponse plain(std::string text) {
  HttpResponse out = HttpResponse::text(200, std::move(text));
  out.headers.set("Metadata-Flavor", "Google");
  return out;
}

}  // namespace

struct Tokens::Key {
  std::unique_ptr<EVP_PKEY, FreeKey> key;
  std::string email;  ///< of the service account; empty: any issuer
};

Tokens::Tokens(std::string project, Clock& clock, Random& random, std::unique_ptr<Key> key)
    : project_(std::move(project)), clock_(clock), random_(random), key_(std::move(key)) {}
Tokens::~Tokens() = default;

Result<std::unique_ptr<Tokens>> Tokens::make(std::string project, const std::string& credentials, Clock& clock,
                                             Random& random) {
  std::unique_ptr<Key> key;
  if (!credentials.empty()) {
    key = std::make_unique<Key>();
    std::string pem = credentials;
    if (const json::value file = parsed(credentials); file.is_object()) {
      pem = text_at(file.get_object(), "private_key");
      key->email = text_at(file.get_object(), "client_email");
    }
    key->key = read_key(pem);
    if (!key->key)
      return fail(Errc::invalid_argument, "the credentials hold no key: neither a service account's JSON nor a PEM");
  }
  return std::unique_ptr<Tokens>(new Tokens(std::move(project), clock, random, std::move(key)));
}

std::string Tokens::issue(Duration life) {
  std::string token = "ya29.emulator-" + random_hex(random_, 40);
  const std::lock_guard lock(mutex_);
  const Instant now = clock_.now();
  std::erase_if(issued_, [now](const auto& entry) { return entry.second < now; });
  issued_[token] = now + life;
  return token;
}

std::string Tokens::judge_jwt(std::string_view jwt) const {
  const std::vector<std::string_view> parts = split(jwt, '.');
  if (parts.size() != 3) return "Invalid JWT: it has not three parts.";
  const auto header = base64url(parts[0]);
  const auto claims = base64url(parts[1]);
  const auto signature = base64url(parts[2]);
  if (!header || !claims || !signature) return "Invalid JWT: a part is no base64url.";
  const json::value head = parsed(*header);
  const json::value body = parsed(*claims);
  if (!head.is_object() || !body.is_object()) return "Invalid JWT: a part is no JSON object.";
  if (text_at(head.get_object(), "alg") != "RS256") return "Invalid JWT: alg is not RS256.";
  const json::object& claim = body.get_object();
  const std::int64_t now = unix_ms(clock_.wall()) / 1000;
  const std::int64_t issued = int_at(claim, "iat");
  const std::int64_t expires = int_at(claim, "exp");
  if (expires <= now) return "Invalid JWT: exp is over.";
  if (issued > now + 300) return "Invalid JWT: iat is in the future.";
  if (expires - issued > 3600) return "Invalid JWT: it is valid for more than an hour.";
  if (text_at(claim, "aud").empty() && text_at(claim, "scope").empty()) return "Invalid JWT: neither aud nor scope.";
  if (!key_) return "";
  if (!key_->email.empty() && text_at(claim, "iss") != key_->email) return "Invalid JWT: iss is another account.";
  const std::string_view signed_part = jwt.substr(0, parts[0].size() + 1 + parts[1].size());
  const std::vector<unsigned char> data(signed_part.begin(), signed_part.end());
  const std::vector<unsigned char> proof(signature->begin(), signature->end());
  const std::unique_ptr<EVP_MD_CTX, FreeKey> context(EVP_MD_CTX_new());
  if (EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key_->key.get()) != 1 ||
      EVP_DigestVerify(context.get(), proof.data(), proof.size(), data.data(), data.size()) != 1)
    return "Invalid JWT Signature.";
  return "";
}

HttpResponse Tokens::token(const HttpRequest& request) {
  HttpRequest form{.target = "/?" + request.body};
  json::value body = parsed(request.body);
  const auto field = [&](std::string_view name) {
    return body.is_object() ? text_at(body.get_object(), name) : form.query(name).value_or("");
  };
  const std::string grant = field("grant_type");
  json::object out{{"token_type", "Bearer"},
                   {"expires_in", std::chrono::floor<std::chrono::seconds>(life_of_tokens).count()}};
  if (grant == "urn:ietf:params:oauth:grant-type:jwt-bearer") {
    if (const std::string wrong = judge_jwt(field("assertion")); !wrong.empty())
      return oauth_error(400, "invalid_grant", wrong);
  } else if (grant == "refresh_token") {
    if (field("refresh_token").empty() || field("client_id").empty())
      return oauth_error(400, "invalid_request", "refresh_token and client_id are needed");
  } else if (grant == "urn:ietf:params:oauth:grant-type:token-exchange") {
    if (field("subject_token").empty() || field("audience").empty())
      return oauth_error(400, "invalid_request", "subject_token and audience are needed");
    out["issued_token_type"] = "urn:ietf:params:oauth:token-type:access_token";
  } else {
    return oauth_error(400, "unsupported_grant_type", "Invalid grant_type: " + grant);
  }
  out["access_token"] = issue(life_of_tokens);
  return HttpResponse::json(200, json::serialize(out));
}

HttpResponse Tokens::impersonate(const HttpRequest& request, const std::string& email) {
  if (!admits(request))
    return answer_of(Failure{401, "UNAUTHENTICATED", "authError", "Request had invalid credentials."});
  const json::value body = parsed(request.body);
  const json::array* scopes = body.is_object() ? array_at(body.get_object(), "scope") : nullptr;
  if (scopes == nullptr || scopes->empty())
    return answer_of(Failure{400, "INVALID_ARGUMENT", "invalid", "scope is needed to impersonate " + email});
  const std::string asked = text_at(body.get_object(), "lifetime");
  const std::int64_t seconds = asked.empty() ? 3600 : to_int(asked.substr(0, asked.size() - 1)).value_or(0);
  if (seconds < 1 || seconds > 43'200 || (!asked.empty() && !asked.ends_with('s')))
    return answer_of(Failure{400, "INVALID_ARGUMENT", "invalid", "lifetime must be from 1s to 43200s"});
  const WallTime end = std::chrono::floor<std::chrono::seconds>(clock_.wall()) + std::chrono::seconds(seconds);
  return HttpResponse::json(200, json::serialize(json::object{{"accessToken", issue(std::chrono::seconds(seconds))},
                                                              {"expireTime", format_rfc3339(end)}}));
}

HttpResponse Tokens::metadata(const HttpRequest& request) {
  const auto flavor = request.headers.find("Metadata-Flavor");
  if (!flavor || *flavor != "Google") return HttpResponse::text(403, "Missing Metadata-Flavor:Google header.\n");
  const std::string email = "emulator@" + project_ + ".iam.gserviceaccount.com";
  std::string_view path = request.path();
  constexpr std::string_view root = "/computeMetadata/v1/";
  if (!path.starts_with(root)) return HttpResponse::text(404, "not found\n");
  path.remove_prefix(root.size());
  if (path.ends_with('/') && !path.empty()) path.remove_suffix(1);
  if (path.empty()) return plain("instance/\nproject/\nuniverse/\n");
  if (path == "project/project-id") return plain(project_);
  if (path == "project/numeric-project-id") return plain("1");
  if (path == "universe/universe-domain") return plain("googleapis.com");
  if (path == "instance/zone") return plain("projects/1/zones/us-central1-a");
  if (path == "instance/id") return plain("1");
  constexpr std::string_view accounts = "instance/service-accounts";
  if (path == accounts) return plain("default/\n" + email + "/\n");
  for (const std::string_view account : {std::string_view("default"), std::string_view(email)}) {
    const std::string base = fmt::format("{}/{}", accounts, account);
    if (path == base + "/email") return plain(email);
    if (path == base + "/scopes") return plain("https://www.googleapis.com/auth/cloud-platform\n");
    if (path == base + "/token" || path == base) {
      json::object out;
      if (path == base) {
        out = {{"aliases", json::array{"default"}},
               {"email", email},
               {"scopes", json::array{"https://www.googleapis.com/auth/cloud-platform"}}};
      } else {
        out = {{"access_token", issue(life_of_tokens)},
               {"expires_in", std::chrono::floor<std::chrono::seconds>(life_of_tokens).count()},
               {"token_type", "Bearer"}};
      }
      HttpResponse answer = HttpResponse::json(200, json::serialize(out));
      answer.headers.set("Metadata-Flavor", "Google");
      return answer;
    }
  }
  HttpResponse out = HttpResponse::text(404, "not found\n");
  out.headers.set("Metadata-Flavor", "Google");
  return out;
}

std::optional<HttpResponse> Tokens::answer(const HttpRequest& request) {
  const std::string_view path = request.path();
  if (path.starts_with("/computeMetadata/")) return metadata(request);
  // How libraries find out whether there is a metadata server.
  if (path == "/" && request.method == "GET" && request.headers.find("Metadata-Flavor"))
    return plain("computeMetadata/\n");
  if (request.method != "POST") return std::nullopt;
  if (path == "/token" || path == "/oauth2/v4/token" || path == "/v1/token") return token(request);
  if (const auto parts = match("/v1/projects/{}/serviceAccounts/{}:generateAccessToken", path))
    return impersonate(request, (*parts)[1]);
  return std::nullopt;
}

bool Tokens::admits(const HttpRequest& request) {
  if (!key_) return true;
  const auto header = request.headers.find("Authorization");
  if (!header || !header->starts_with("Bearer ")) return false;
  const std::string token(header->substr(7));
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = issued_.find(token); found != issued_.end()) return found->second > clock_.now();
  }
  return std::ranges::count(token, '.') == 2 && judge_jwt(token).empty();
}

}  // namespace serin::google_emulator
