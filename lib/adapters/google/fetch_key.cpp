#include <fmt/format.h>
#include <fmt/ranges.h>

#include "detail_fetchers.hpp"
#include "serin/google/detail_json.hpp"
#include "detail_jwt.hpp"

// Tokens with a service account's key or a user's refresh token: one POST of a form, or no request at all.
namespace serin::google {
namespace json = boost::json;
namespace {

constexpr Duration key_lives = 1h;  // the longest that Google takes

class KeyFetcher final : public TokenFetcher {
 public:
  KeyFetcher(ServiceAccountKey account, RsaKey key, TokenEndpoint endpoint, Sleeper& sleeper, std::string scope,
             bool self_signed)
      : account_(std::move(account)),
        key_(std::move(key)),
        endpoint_(std::move(endpoint)),
        sleeper_(sleeper),
        scope_(std::move(scope)),
        self_signed_(self_signed) {}
  Result<FetchedToken> access(Deadline deadline, const std::stop_token& stop) override {
    if (self_signed_) {
      // The services take what we sign as it is (AIP-4111): a token without a round trip.
      SERIN_TRY(std::string jwt, make_jwt(key_, account_.key_id,
                                          {.issuer = account_.email,
                                           .subject = account_.email,
                                           .scope = scope_,
                                           .issued = sleeper_.wall(),
                                           .lives = key_lives}));
      return FetchedToken{std::move(jwt), key_lives};
    }
    SERIN_TRY(const std::string body, grant({.scope = scope_}, deadline, stop));
    return read_token(body, account_.email);
  }
  Result<FetchedToken> identity(const std::string& audience, Deadline deadline, const std::stop_token& stop) override {
    SERIN_TRY(const std::string body, grant({.target_audience = audience}, deadline, stop));
    SERIN_TRY(const json::object object, parse_object(body, "the answer with an ID token"));
    return read_id_token(text_of(object, "id_token"), sleeper_.wall());
  }

 private:
  Result<std::string> grant(JwtClaims claims, Deadline deadline, const std::stop_token& stop) {
    claims.issuer = account_.email;
    claims.audience = endpoint_.url().origin + endpoint_.url().path;
    claims.issued = sleeper_.wall();
    claims.lives = key_lives;
    SERIN_TRY(const std::string jwt, make_jwt(key_, account_.key_id, claims));
    ApiError said;
    Result<std::string> body = endpoint_.post(
        {{"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"}, {"assertion", jwt}}, {}, deadline, stop, said);
    if (!body && said.reason == "invalid_grant")
      return fail(body.error().code(), body.error().detail() + "; the key " + account_.key_id + " of " +
                                           account_.email + " was deleted, or the clock of this machine is wrong");
    return body;
  }
  ServiceAccountKey account_;
  RsaKey key_;
  TokenEndpoint endpoint_;
  Sleeper& sleeper_;
  std::string scope_;
  bool self_signed_;
};

class UserFetcher final : public TokenFetcher {
 public:
  UserFetcher(AuthorizedUser user, TokenEndpoint endpoint) : user_(std::move(user)), endpoint_(std::move(endpoint)) {}
  Result<FetchedToken> access(Deadline deadline, const std::stop_token& stop) override {
    ApiError said;
    const Result<std::string> body = endpoint_.post({{"grant_type", "refresh_token"},
                                                     {"client_id", user_.client_id},
                                                     {"client_secret", user_.client_secret},
                                                     {"refresh_token", user_.refresh_token}},
                                                    {}, deadline, stop, said);
    if (!body && said.reason == "invalid_grant")
      return fail(body.error().code(),
                  body.error().detail() + "; the login has ended: run: gcloud auth application-default login");
    if (!body) return pass(body.error());
    return read_token(*body, "a user");
  }
  Result<FetchedToken> identity(const std::string&, Deadline, const std::stop_token&) override {
    return fail(Errc::unsupported,
                "a user has no ID token for an audience of choice; impersonate a service account instead");
  }

 private:
  AuthorizedUser user_;
  TokenEndpoint endpoint_;
};

}  // namespace

Result<std::shared_ptr<Api>> open_api(const OpenApiOptions& options, const AuthWorld& world) {
  struct Both {
    FixedToken nobody;
    std::unique_ptr<Api> api;
  };
  auto both = std::make_shared<Both>();
  ApiOptions inner{.service = options.service, .endpoint = options.origin};
  inner.retry.attempt_timeout = options.attempt;
  inner.retry.max_attempts = options.attempts;
  SERIN_TRY(both->api, Api::make(world.http, both->nobody, world.sleeper, world.random, std::move(inner)));
  return std::shared_ptr<Api>(both, both->api.get());
}

Result<TokenEndpoint> TokenEndpoint::make(std::string service, Url url, const AuthWorld& world) {
  SERIN_TRY(std::shared_ptr<Api> api, open_api({.service = std::move(service), .origin = url.origin}, world));
  return TokenEndpoint(std::move(url), std::move(api));
}

Result<std::string> TokenEndpoint::post(const Query& form, const HttpHeaders& headers, Deadline deadline,
                                        const std::stop_token& stop, ApiError& error) const {
  ApiCall call{.method = "POST",
               .path = url_.path,
               .query = url_.query,
               .body = form_encode(form),
               .deadline = deadline,
               .stop = stop,
               .idempotency = Idempotency::idempotent,  // one token more than needed hurts nobody
               .headers = headers,
               .error = &error};
  call.headers.set("Content-Type", "application/x-www-form-urlencoded");
  SERIN_TRY(HttpResponse response, api_->call(call));
  return std::move(response.body);
}

Result<FetchedToken> read_token(std::string_view body, std::string_view what) {
  SERIN_TRY(const json::object object, parse_object(body, fmt::format("the answer with a token for {}", what)));
  FetchedToken out{.value = text_of(object, "access_token")};
  const std::optional<std::int64_t> seconds = int_of(object, "expires_in");
  // A token goes into a header: what could end the line there is no token.
  if (out.value.empty() || out.value.find_first_of("\r\n ") != std::string::npos || !seconds || *seconds <= 0)
    return fail(Errc::data_loss, fmt::format("the answer with a token for {} holds none that lives", what));
  out.lives = std::chrono::seconds(std::min<std::int64_t>(*seconds, 86'400));
  return out;
}

Result<FetchedToken> read_id_token(std::string jwt, WallTime now) {
  const std::optional<WallTime> expires = expiry_of_jwt(jwt);
  if (!expires) return fail(Errc::data_loss, "the answer with an ID token holds none");
  if (*expires <= now) return fail(Errc::data_loss, "the ID token has expired already: is this machine's clock right?");
  return FetchedToken{.value = std::move(jwt), .lives = *expires - now};
}

Result<std::shared_ptr<TokenFetcher>> fetch_with_key(const ServiceAccountKey& key, const AuthWorld& world,
                                                     const Scopes& scopes, bool self_signed, const std::string& name) {
  const Result<RsaKey> rsa = RsaKey::of_pem(key.private_key);
  if (!rsa)
    return fail(Errc::invalid_argument, fmt::format("{}: field private_key {}; create a new key for {}", name,
                                                    rsa.error().detail(), key.email));
  SERIN_TRY(TokenEndpoint endpoint, TokenEndpoint::make("oauth2", key.token, world));
  return std::make_shared<KeyFetcher>(key, *rsa, std::move(endpoint), world.sleeper,
                                      fmt::format("{}", fmt::join(scopes, " ")), self_signed);
}

Result<std::shared_ptr<TokenFetcher>> fetch_as_user(const AuthorizedUser& user, const AuthWorld& world) {
  SERIN_TRY(TokenEndpoint endpoint, TokenEndpoint::make("oauth2", user.token, world));
  return std::make_shared<UserFetcher>(user, std::move(endpoint));
}

}  // namespace serin::google
