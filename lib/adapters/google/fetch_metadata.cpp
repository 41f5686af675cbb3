#include <fmt/format.h>
#include <fmt/ranges.h>

#include "detail_fetchers.hpp"
#include "serin/base/text.hpp"

// Tokens of the service account that a machine of Google's runs as.
namespace serin::google {
namespace {

const HttpHeaders flavor{{"Metadata-Flavor", "Google"}};
constexpr std::string_view account = "/computeMetadata/v1/instance/service-accounts/default/";

/// What answers at that address and does not say so is somebody else: a proxy, a captive portal.
bool is_google(const HttpResponse& response) { return response.headers.find("Metadata-Flavor") == "Google"; }

class MetadataFetcher final : public TokenFetcher {
 public:
  MetadataFetcher(std::shared_ptr<Api> api, Sleeper& sleeper, std::string scopes)
      : api_(std::move(api)), sleeper_(sleeper), scopes_(std::move(scopes)) {}
  Result<FetchedToken> access(Deadline deadline, const std::stop_token& stop) override {
    Query query;
    if (!scopes_.empty()) query.emplace_back("scopes", scopes_);
    SERIN_TRY(const std::string body, get(fmt::format("{}token", account), query, deadline, stop));
    return read_token(body, "this machine");
  }
  Result<FetchedToken> identity(const std::string& audience, Deadline deadline, const std::stop_token& stop) override {
    const Query query{{"audience", audience}, {"format", "full"}};
    SERIN_TRY(const std::string body, get(fmt::format("{}identity", account), query, deadline, stop));
    return read_id_token(std::string(trim(body)), sleeper_.wall());
  }
  Result<std::string> project(Deadline deadline, const std::stop_token& stop) override {
    SERIN_TRY(const std::string body, get("/computeMetadata/v1/project/project-id", {}, deadline, stop));
    return std::string(trim(body));
  }

 private:
  Result<std::string> get(std::string path, Query query, Deadline deadline, const std::stop_token& stop) {
    ApiError said;
    Result<HttpResponse> response = api_->call({.path = std::move(path),
                                                .query = std::move(query),
                                                .deadline = deadline,
                                                .stop = stop,
                                                .headers = flavor,
                                                .error = &said});
    if (!response && said.http_status == 404)
      return fail(response.error().code(), response.error().detail() +
                                               "; no service account is attached to this machine: attach one, or name "
                                               "a file in GOOGLE_APPLICATION_CREDENTIALS");
    if (!response) return pass(response.error());
    if (!is_google(*response))
      return fail(Errc::data_loss, "metadata: something else than Google's metadata server answers at its address");
    return std::move(response->body);
  }
  std::shared_ptr<Api> api_;
  Sleeper& sleeper_;
  std::string scopes_;
};

}  // namespace

Result<std::shared_ptr<TokenFetcher>> fetch_from_metadata(const MetadataServer& server, const AuthWorld& world,
                                                          const Scopes& scopes) {
  SERIN_TRY(
      std::shared_ptr<Api> api,
      open_api({.service = "metadata", .origin = server.origin, .attempt = server.timeout, .attempts = 5}, world));
  return std::make_shared<MetadataFetcher>(std::move(api), world.sleeper, fmt::format("{}", fmt::join(scopes, ",")));
}

bool is_metadata_there(const MetadataServer& server, const AuthWorld& world, Deadline deadline) {
  const auto api =
      open_api({.service = "metadata", .origin = server.origin, .attempt = server.timeout, .attempts = 3}, world);
  if (!api) return false;
  const Result<HttpResponse> response = (*api)->call({.path = "/", .deadline = deadline, .headers = flavor});
  return response && is_google(*response);
}

}  // namespace serin::google
