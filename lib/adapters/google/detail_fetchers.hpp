#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "serin/google/api.hpp"
#include "serin/google/credentials.hpp"
#include "serin/google/credentials_file.hpp"
#include "serin/google/token_cache.hpp"

// Private to the module: one class for each way to get a token. None of them remembers a token.
namespace serin::google {

/// Asks for new tokens. Threads: any.
class TokenFetcher {
 public:
  virtual ~TokenFetcher() = default;
  /// An access token for the scopes that it was made with.
  virtual Result<FetchedToken> access(Deadline deadline, const std::stop_token& stop) = 0;
  /// An ID token for whom it is shown to. Errors: unsupported, where these credentials cannot have one.
  virtual Result<FetchedToken> identity(const std::string& audience, Deadline deadline,
                                        const std::stop_token& stop) = 0;
  /// The project that the credentials belong to; empty: none is known.
  virtual Result<std::string> project(Deadline, const std::stop_token&) { return std::string(); }
};

struct OpenApiOptions {
  std::string service;  ///< in messages
  std::string origin;
  Duration attempt = 10s;
  int attempts = 4;
};
/// An Api whose calls carry no token, as they are on the way to get one.
Result<std::shared_ptr<Api>> open_api(const OpenApiOptions& options, const AuthWorld& world);

/// One address that hands out tokens, asked with a form. Threads: any.
class TokenEndpoint {
 public:
  /// \param service  in messages
  static Result<TokenEndpoint> make(std::string service, Url url, const AuthWorld& world);
  /// The answer to the form. Errors: as Api; what OAuth says stands in `error`.
  [[nodiscard]] Result<std::string> post(const Query& form, const HttpHeaders& headers, Deadline deadline,
                                         const std::stop_token& stop, ApiError& error) const;
  [[nodiscard]] const Url& url() const { return url_; }

 private:
  TokenEndpoint(Url url, std::shared_ptr<Api> api) : url_(std::move(url)), api_(std::move(api)) {}
  Url url_;
  std::shared_ptr<Api> api_;
};

using Scopes = std::vector<std::string>;
Result<std::shared_ptr<TokenFetcher>> fetch_with_key(const ServiceAccountKey& key, const AuthWorld& world,
                                                     const Scopes& scopes, bool self_signed, const std::string& name);
Result<std::shared_ptr<TokenFetcher>> fetch_as_user(const AuthorizedUser& user, const AuthWorld& world);
Result<std::shared_ptr<TokenFetcher>> fetch_in_exchange(const ExternalAccount& account, const AuthWorld& world,
                                                        const Scopes& scopes);
/// \param source  whose tokens are exchanged; made with the scope of the whole platform
Result<std::shared_ptr<TokenFetcher>> fetch_as_other(const Impersonation& target, std::shared_ptr<TokenFetcher> source,
                                                     const AuthWorld& world, const Scopes& scopes,
                                                     const std::string& name);

/// Where a machine of Google's asks who it is.
struct MetadataServer {
  std::string origin;     ///< "http://169.254.169.254"
  bool is_sure = false;   ///< somebody said that there is one: nobody has to look
  Duration timeout = 3s;  ///< of one request
};
Result<std::shared_ptr<TokenFetcher>> fetch_from_metadata(const MetadataServer& server, const AuthWorld& world,
                                                          const Scopes& scopes);
/// Whether it is there: it answers, in three tries, and says that it is Google's.
bool is_metadata_there(const MetadataServer& server, const AuthWorld& world, Deadline deadline);

/// {"access_token", "expires_in"} as number or text. \param value, lives  names of the fields
Result<FetchedToken> read_token(std::string_view body, std::string_view what);
/// A JWT that lives as long as it says.
Result<FetchedToken> read_id_token(std::string jwt, WallTime now);

}  // namespace serin::google
