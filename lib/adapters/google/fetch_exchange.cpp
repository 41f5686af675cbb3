#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json/serialize.hpp>

#include "detail_fetchers.hpp"
#include "serin/google/detail_json.hpp"
#include "serin/base/text.hpp"
#include "serin/system/files.hpp"

// Tokens in exchange for others: somebody else's at the token service (RFC 8693), and one's own for a service
// account's.
namespace serin::google {
namespace json = boost::json;
namespace {

constexpr std::size_t most_subject = 1u << 20;  // bytes of a file or an answer with a token

class ExchangeFetcher final : public TokenFetcher {
 public:
  ExchangeFetcher(ExternalAccount account, TokenEndpoint endpoint, std::shared_ptr<Api> subject, std::string scope)
      : account_(std::move(account)),
        endpoint_(std::move(endpoint)),
        subject_(std::move(subject)),
        scope_(std::move(scope)) {}
  Result<FetchedToken> access(Deadline deadline, const std::stop_token& stop) override {
    SERIN_TRY(const std::string subject, subject_token(deadline, stop));
    Query form{{"grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"},
               {"audience", account_.audience},
               {"scope", scope_},
               {"requested_token_type", "urn:ietf:params:oauth:token-type:access_token"},
               {"subject_token", subject},
               {"subject_token_type", account_.subject_token_type}};
    if (!account_.user_project.empty() && account_.client_id.empty())
      form.emplace_back("options", json::serialize(json::object{{"userProject", account_.user_project}}));
    HttpHeaders headers;
    if (!account_.client_id.empty())
      headers.set("Authorization", "Basic " + base64_encode(account_.client_id + ":" + account_.client_secret));
    ApiError said;
    const Result<std::string> body = endpoint_.post(form, headers, deadline, stop, said);
    if (!body && is_permanent(said))
      return fail(body.error().code(), body.error().detail() +
                                           "; check that the token is of the issuer and for the audience that the "
                                           "workload identity provider expects, and that it has not expired");
    if (!body) return pass(body.error());
    return read_token(*body, account_.audience);
  }
  Result<FetchedToken> identity(const std::string&, Deadline, const std::stop_token&) override {
    return fail(Errc::unsupported, "an external account has no ID token; impersonate a service account instead");
  }

 private:
  static bool is_permanent(const ApiError& said) {
    return said.http_status >= 400 && said.http_status < 500 && said.outcome == OutcomeClass::permanent;
  }
  Result<std::string> subject_token(Deadline deadline, const std::stop_token& stop) {
    const SubjectSource& source = account_.source;
    const std::string from = source.url ? source.url->origin : source.file;
    std::string text;
    if (source.url) {
      SERIN_TRY(text, fetch_subject(deadline, stop));
    } else {
      const Result<std::string> read = read_file(source.file, most_subject);
      if (!read) return pass(read.error().in("credential_source.file"));
      text = *read;
    }
    if (!source.field.empty()) {
      const Result<json::object> object = parse_object(text, from);
      if (!object) return pass(object.error().in("credential_source"));
      text = text_of(*object, source.field);
    }
    text = std::string(trim(text));
    if (text.empty())
      return fail(Errc::data_loss, fmt::format("credential_source: {} holds no token{}", from,
                                               source.field.empty() ? "" : " in field " + source.field));
    return text;
  }
  Result<std::string> fetch_subject(Deadline deadline, const std::stop_token& stop) {
    const Url& url = *account_.source.url;
    const ApiCall call{
        .path = url.path, .query = url.query, .deadline = deadline, .stop = stop, .headers = account_.source.headers};
    Result<HttpResponse> response = subject_->call(call);
    if (!response) return pass(response.error().in("credential_source.url"));
    if (response->body.size() > most_subject)
      return fail(Errc::data_loss, "credential_source.url: too large an answer");
    return std::move(response->body);
  }
  ExternalAccount account_;
  TokenEndpoint endpoint_;
  std::shared_ptr<Api> subject_;  // null: a file
  std::string scope_;
};

class OtherFetcher final : public TokenFetcher {
 public:
  OtherFetcher(Impersonation target, std::shared_ptr<TokenFetcher> source, const AuthWorld& world, Scopes scopes,
               const std::string& name)
      : target_(std::move(target)),
        source_(std::move(source)),
        sleeper_(world.sleeper),
        scopes_(scopes.begin(), scopes.end()),
        tokens_(
            [inner = source_](Deadline deadline, const std::stop_token& stop) { return inner->access(deadline, stop); },
            {.sleeper = world.sleeper, .random = world.random, .tasks = world.tasks, .log = world.log},
            name + " (source)") {}
  Status connect(const AuthWorld& world) {
    ApiOptions options{.service = "iamcredentials", .endpoint = target_.generate.origin};
    options.retry.attempt_timeout = 10s;
    SERIN_TRY(api_, Api::make(world.http, tokens_, world.sleeper, world.random, std::move(options)));
    return {};
  }
  Result<FetchedToken> access(Deadline deadline, const std::stop_token& stop) override {
    const json::object body{
        {"scope", scopes_},
        {"lifetime", fmt::format("{}s", std::chrono::floor<std::chrono::seconds>(target_.lives).count())},
        {"delegates", delegates()}};
    SERIN_TRY(const json::object answer, post(target_.generate.path, body, deadline, stop));
    FetchedToken out{.value = text_of(answer, "accessToken")};
    const std::optional<WallTime> expires = time_of(answer, "expireTime");
    if (out.value.empty() || out.value.find_first_of("\r\n ") != std::string::npos || !expires)
      return fail(Errc::data_loss, "the answer with a token of " + target_.email + " holds none");
    out.lives = std::min(*expires - sleeper_.wall(), target_.lives);
    if (out.lives <= 0s)
      return fail(Errc::data_loss,
                  "the token of " + target_.email + " has expired already: is this machine's clock right?");
    return out;
  }
  Result<FetchedToken> identity(const std::string& audience, Deadline deadline, const std::stop_token& stop) override {
    constexpr std::string_view verb = "generateAccessToken";
    std::string target = target_.generate.path;
    target.replace(target.size() - verb.size(), verb.size(), "generateIdToken");
    const json::object body{{"audience", audience}, {"includeEmail", true}, {"delegates", delegates()}};
    SERIN_TRY(const json::object answer, post(target, body, deadline, stop));
    return read_id_token(text_of(answer, "token"), sleeper_.wall());
  }
  Result<std::string> project(Deadline deadline, const std::stop_token& stop) override {
    return source_->project(deadline, stop);
  }

 private:
  [[nodiscard]] json::array delegates() const {
    return json::array(target_.delegates.begin(), target_.delegates.end());
  }
  Result<json::object> post(const std::string& path, const json::object& body, Deadline deadline,
                            const std::stop_token& stop) {
    ApiError said;
    const Result<HttpResponse> response = api_->call({.method = "POST",
                                                      .path = path,
                                                      .body = json::serialize(body),
                                                      .deadline = deadline,
                                                      .stop = stop,
                                                      .idempotency = Idempotency::idempotent,
                                                      .error = &said});
    if (!response && said.http_status == 403)
      return fail(response.error().code(),
                  fmt::format("{}; grant roles/iam.serviceAccountTokenCreator on {} to whoever "
                              "impersonates it",
                              response.error().detail(), target_.email));
    if (!response) return pass(response.error());
    return parse_object(response->body, "the answer with a token of " + target_.email);
  }
  Impersonation target_;
  std::shared_ptr<TokenFetcher> source_;
  Sleeper& sleeper_;
  json::array scopes_;
  TokenCache tokens_;
  std::unique_ptr<Api> api_;
};

}  // namespace

Result<std::shared_ptr<TokenFetcher>> fetch_in_exchange(const ExternalAccount& account, const AuthWorld& world,
                                                        const Scopes& scopes) {
  SERIN_TRY(TokenEndpoint endpoint, TokenEndpoint::make("sts", account.token, world));
  std::shared_ptr<Api> subject;
  if (account.source.url) {
    SERIN_TRY(subject, open_api({.service = "credential_source", .origin = account.source.url->origin}, world));
  }
  return std::make_shared<ExchangeFetcher>(account, std::move(endpoint), std::move(subject),
                                           fmt::format("{}", fmt::join(scopes, " ")));
}

Result<std::shared_ptr<TokenFetcher>> fetch_as_other(const Impersonation& target, std::shared_ptr<TokenFetcher> source,
                                                     const AuthWorld& world, const Scopes& scopes,
                                                     const std::string& name) {
  auto out = std::make_shared<OtherFetcher>(target, std::move(source), world, scopes, name);
  SERIN_CHECK(out->connect(world));
  return out;
}

}  // namespace serin::google
