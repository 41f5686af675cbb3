#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "serin/google/token_cache.hpp"
#include "serin/google/token_source.hpp"
#include "serin/ports/http.hpp"
#include "serin/system/environment.hpp"

namespace serin::google {

class TokenFetcher;

/// What credentials need of the world. All of it outlives them.
struct AuthWorld {
  HttpClient& http;  ///< must not try again by itself
  Sleeper& sleeper;
  Random& random;
  Tasks* tasks = nullptr;  ///< renews tokens in the background; null: a caller does it
  LogSink* log = nullptr;  ///< hears of renewals that failed
};

struct AuthOptions {
  std::string file;  ///< with credentials; it wins over everything the environment says. Empty: none
  std::vector<std::string> scopes = {"https://www.googleapis.com/auth/cloud-platform"};  ///< at least one
  /// A service account's key signs its tokens itself, without a round trip. False: the token endpoint is asked.
  bool self_signed = true;
  std::string quota_project;  ///< billed for calls; empty: GOOGLE_CLOUD_QUOTA_PROJECT, then what the file says
};

/// Who calls. Tokens are kept, renewed in time and by one at a time (TokenCache). Threads: any.
class Credentials final : public TokenSource {
 public:
  /// Application Default Credentials, in this order: options.file; GOOGLE_APPLICATION_CREDENTIALS; the file of `gcloud
  /// auth application-default login` (in CLOUDSDK_CONFIG, or ~/.config/gcloud); the metadata server. A file that is
  /// named and bad is an error: nothing further is looked at. Without the metadata server the network is not touched.
  /// Errors: not_found (none anywhere, with what was looked for), invalid_argument, unsupported, permission_denied,
  /// each naming file, field and the way out. \param deadline  of looking for the metadata server
  static Result<std::unique_ptr<Credentials>> find(const Environment& environment, const AuthWorld& world,
                                                   AuthOptions options, Deadline deadline);
  /// Of a file's content. \param name  of the file, in errors
  static Result<std::unique_ptr<Credentials>> of_text(std::string_view text, const std::string& name,
                                                      const AuthWorld& world, const AuthOptions& options = {});
  static Result<std::unique_ptr<Credentials>> of_file(const std::string& path, const AuthWorld& world,
                                                      const AuthOptions& options = {});
  /// Of the machine this runs on. Nothing is asked yet.
  static Result<std::unique_ptr<Credentials>> of_metadata(const Environment& environment, const AuthWorld& world,
                                                          const AuthOptions& options = {});

  Result<std::string> token(Deadline deadline, std::stop_token stop) override { return cache_.token(deadline, stop); }
  void reject(std::string_view token) override { cache_.reject(token); }
  [[nodiscard]] std::string quota_project() const override { return quota_project_; }
  /// Tokens that say who calls, for services of one's own (Cloud Run wants its address as audience). Kept and renewed
  /// like the others. Errors: unsupported, later, where these credentials cannot have one (users).
  [[nodiscard]] std::unique_ptr<TokenSource> id_tokens(std::string audience) const;
  /// The project of the file or of the machine. Errors: not_found, with the way out.
  Result<std::string> project(Deadline deadline, const std::stop_token& stop) const;
  /// "service account a@b (/etc/key.json)": for people and as a key of caches; no secret.
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

 private:
  Credentials(std::shared_ptr<TokenFetcher> fetcher, const AuthWorld& world, std::string name);
  static Result<std::unique_ptr<Credentials>> of_named_file(const std::string& path, std::string_view named_by,
                                                            const AuthWorld& world, const AuthOptions& options);

  std::shared_ptr<TokenFetcher> fetcher_;
  TokenWorld world_;
  std::string name_;
  std::string project_;
  std::string quota_project_;
  TokenCache cache_;
};

/// GOOGLE_CLOUD_PROJECT, then GCLOUD_PROJECT, then what the credentials say. Errors: not_found, with the way out.
Result<std::string> find_project(const Environment& environment, const Credentials& credentials, Deadline deadline);

}  // namespace serin::google
