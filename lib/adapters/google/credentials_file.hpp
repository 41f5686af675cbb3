#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/google/url.hpp"
#include "serin/ports/http.hpp"

// What files with credentials hold, as Google's tools write them. Plain data; holds secrets, so it is never printed.
namespace serin::google {

/// An address apart. \see parse_url
struct Url {
  std::string origin;     ///< "https://oauth2.googleapis.com"
  std::string path;       ///< "/token"; as it was written
  Query query = {};       ///< decoded
  bool is_secure = true;  ///< https, or this machine itself
};
/// Errors: invalid_argument for anything but http(s)://host[:port][/path], without user-info or fragment.
/// Pure.
[[nodiscard]] Result<Url> parse_url(std::string_view text);

/// "type": "service_account"
struct ServiceAccountKey {
  std::string email;
  std::string key_id;
  std::string private_key;  ///< PEM
  Url token;
};
/// "type": "authorized_user": what `gcloud auth application-default login` leaves
struct AuthorizedUser {
  std::string client_id;
  std::string client_secret;
  std::string refresh_token;
  Url token;
};
/// Where somebody else's token is found: a file that is read anew each time, or an address.
struct SubjectSource {
  std::string file;
  std::optional<Url> url = {};
  HttpHeaders headers = {};  ///< for `url`
  std::string field;         ///< of a JSON object; empty: the whole text is the token
};
/// "type": "external_account": workload identity federation (RFC 8693)
struct ExternalAccount {
  std::string audience;
  std::string subject_token_type;
  Url token;
  SubjectSource source;
  std::string client_id;  ///< empty: none
  std::string client_secret;
  std::string user_project;  ///< workforce_pool_user_project; empty: none
};
/// The token of what is above is exchanged for one of this service account.
struct Impersonation {
  Url generate;  ///< ".../serviceAccounts/EMAIL:generateAccessToken"
  std::string email;
  std::vector<std::string> delegates = {};
  Duration lives = 1h;
};

struct CredentialsFile {
  std::string type;  ///< as the file says it
  std::variant<ServiceAccountKey, AuthorizedUser, ExternalAccount> source;
  std::optional<Impersonation> impersonation = {};
  std::string project;        ///< empty: the file names none
  std::string quota_project;  ///< empty: none
};
/// Errors: invalid_argument (field and way out), unsupported (a kind of credentials that is not built in). No error
/// holds a value of a secret field. \param name  of the file, in errors. Pure.
[[nodiscard]] Result<CredentialsFile> parse_credentials(std::string_view text, std::string_view name);

}  // namespace serin::google
