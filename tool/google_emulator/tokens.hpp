#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api.hpp"

// Private to the module.
namespace serin::google_emulator {

/// The token endpoint, STS, generateAccessToken and the metadata server. With a key the assertions are verified and
/// every other API wants a token that was given out here, or one signed with the key. Threads: any.
class Tokens {
 public:
  /// \param credentials  a service account's JSON or a PEM with a public or private key; empty: everything is accepted
  /// Errors: invalid_argument, when no key is in it.
  static Result<std::unique_ptr<Tokens>> make(std::string project, const std::string& credentials, Clock& clock,
                                              Random& random);
  ~Tokens();
  /// Answers the paths that have to do with tokens; nothing for others.
  [[nodiscard]] std::optional<HttpResponse> answer(const HttpRequest& request);
  /// Whether a call may pass.
  [[nodiscard]] bool admits(const HttpRequest& request);

 private:
  struct Key;
  Tokens(std::string project, Clock& clock, Random& random, std::unique_ptr<Key> key);
  HttpResponse token(const HttpRequest& request);
  HttpResponse metadata(const HttpRequest& request);
  HttpResponse impersonate(const HttpRequest& request, const std::string& email);
  [[nodiscard]] std::string issue(Duration life);
  /// Empty when it is good, else what is wrong.
  [[nodiscard]] std::string judge_jwt(std::string_view jwt) const;

  std::string project_;
  Clock& clock_;
  Random& random_;
  std::unique_ptr<Key> key_;  ///< null: everything is accepted
  std::mutex mutex_;
  std::map<std::string, Instant> issued_;  // guarded by mutex_
};

}  // namespace serin::google_emulator
