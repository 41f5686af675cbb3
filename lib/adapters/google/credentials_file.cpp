#include "serin/google/credentials_file.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "serin/google/detail_json.hpp"
#include "serin/base/text.hpp"

namespace serin::google {
namespace json = boost::json;
namespace {

/// Reads the fields of one file; errors name the file and the field.
class Reader {
 public:
  Reader(const json::object& object, std::string name) : object_(object), name_(std::move(name)) {}
  [[nodiscard]] std::unexpected<Error> bad(std::string_view field, std::string_view what) const {
    return fail(Errc::invalid_argument, fmt::format("{}: field {} {}", name_, field, what));
  }
  [[nodiscard]] Result<std::string> text(std::string_view field, std::string_view way_out) const {
    const json::value* found = member(object_, field);
    if (found == nullptr) return bad(field, fmt::format("is missing; {}", way_out));
    if (!found->is_string()) return bad(field, "is no text");
    if (found->get_string().empty()) return bad(field, fmt::format("is empty; {}", way_out));
    return std::string(std::string_view(found->get_string()));
  }
  /// An address that secrets may be sent to.
  [[nodiscard]] Result<Url> secure_url(std::string_view field, std::string_view otherwise) const {
    std::string text = text_of(object_, field);
    if (text.empty()) text = otherwise;
    if (text.empty()) return bad(field, "is missing");
    const Result<Url> url = parse_url(text);
    if (!url) return bad(field, url.error().detail());
    if (!url->is_secure) return bad(field, "is not https: secrets are not sent over http, but to this machine");
    return *url;
  }
  [[nodiscard]] const json::object& object() const { return object_; }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  const json::object& object_;
  std::string name_;
};

constexpr std::string_view new_key = "create a new key for the service account, or use credentials without a key";
constexpr std::string_view log_in = "run: gcloud auth application-default login";
constexpr std::string_view new_config = "run: gcloud iam workload-identity-pools create-cred-config";
constexpr std::string_view google_token = "https://oauth2.googleapis.com/token";
constexpr std::string_view google_sts = "https://sts.googleapis.com/v1/token";

Result<ServiceAccountKey> service_account(const Reader& in) {
  ServiceAccountKey out;
  SERIN_TRY(out.email, in.text("client_email", new_key));
  SERIN_TRY(out.private_key, in.text("private_key", new_key));
  out.key_id = text_of(in.object(), "private_key_id");
  SERIN_TRY(out.token, in.secure_url("token_uri", google_token));
  return out;
}

Result<AuthorizedUser> authorized_user(const Reader& in) {
  AuthorizedUser out;
  SERIN_TRY(out.client_id, in.text("client_id", log_in));
  SERIN_TRY(out.client_secret, in.text("client_secret", log_in));
  SERIN_TRY(out.refresh_token, in.text("refresh_token", log_in));
  SERIN_TRY(out.token, in.secure_url("token_uri", google_token));
  return out;
}

Result<SubjectSource> subject_source(const Reader& in) {
  const json::object* const source = object_of(in.object(), "credential_source");
  if (source == nullptr) return in.bad("credential_source", fmt::format("is missing; {}", new_config));
  SubjectSource out;
  out.file = text_of(*source, "file");
  const std::string url = text_of(*source, "url");
  for (const std::string_view other : {"environment_id", "executable", "certificate"})
    if (source->contains(other))
      return fail(Errc::unsupported,
                  fmt::format("{}: credential_source.{} is not built in; write the token into a file and name it in "
                              "credential_source.file",
                              in.name(), other));
  if (out.file.empty() == url.empty()) return in.bad("credential_source", "names not one of file and url");
  if (!url.empty()) {
    // Where it comes from is often a metadata server of another cloud, without TLS.
    const Result<Url> address = parse_url(url);
    if (!address) return in.bad("credential_source.url", address.error().detail());
    out.url = *address;
    if (const json::object* const headers = object_of(*source, "headers"))
      for (const auto& [name, value] : *headers) {
        if (!value.is_string()) return in.bad("credential_source.headers", "holds something that is no text");
        const std::string_view text = value.get_string();
        if (std::string_view(name).find_first_of("\r\n: ") != std::string_view::npos || name.empty() ||
            text.find_first_of("\r\n") != std::string_view::npos)
          return in.bad("credential_source.headers", "holds a name or a value that is no header");
        out.headers.set(name, text);
      }
  }
  const std::string format = text_of(*source, "format.type");
  if (format == "json") {
    out.field = text_of(*source, "format.subject_token_field_name");
    if (out.field.empty()) return in.bad("credential_source.format.subject_token_field_name", "is missing");
  } else if (!format.empty() && format != "text") {
    return in.bad("credential_source.format.type", "is neither text nor json");
  }
  return out;
}

Result<ExternalAccount> external_account(const Reader& in) {
  ExternalAccount out;
  SERIN_TRY(out.audience, in.text("audience", new_config));
  SERIN_TRY(out.subject_token_type, in.text("subject_token_type", new_config));
  SERIN_TRY(out.token, in.secure_url("token_url", google_sts));
  SERIN_TRY(out.source, subject_source(in));
  out.client_id = text_of(in.object(), "client_id");
  out.client_secret = text_of(in.object(), "client_secret");
  out.user_project = text_of(in.object(), "workforce_pool_user_project");
  return out;
}

/// ".../serviceAccounts/EMAIL:generateAccessToken"
Result<Impersonation> impersonation(const Reader& in) {
  constexpr std::string_view before = "/serviceAccounts/";
  constexpr std::string_view after = ":generateAccessToken";
  Impersonation out;
  SERIN_TRY(out.generate, in.secure_url("service_account_impersonation_url", ""));
  const std::string_view target = out.generate.path;
  const std::size_t begin = target.find(before);
  if (begin == std::string_view::npos || !target.ends_with(after) ||
      begin + before.size() + after.size() >= target.size())
    return in.bad("service_account_impersonation_url", "does not end in /serviceAccounts/EMAIL:generateAccessToken");
  out.email =
      percent_decode(target.substr(begin + before.size(), target.size() - begin - before.size() - after.size()), false);
  for (const json::value& delegate : array_of(in.object(), "delegates")) {
    if (!delegate.is_string()) return in.bad("delegates", "holds something that is no text");
    out.delegates.emplace_back(std::string_view(delegate.get_string()));
  }
  if (const auto seconds = int_of(in.object(), "service_account_impersonation.token_lifetime_seconds")) {
    if (*seconds < 600 || *seconds > 43'200)
      return in.bad("service_account_impersonation.token_lifetime_seconds", "is not from 600 to 43200");
    out.lives = std::chrono::seconds(*seconds);
  }
  return out;
}

Result<CredentialsFile> read(const Reader& in, bool may_impersonate);

Result<CredentialsFile> impersonated(const Reader& in) {
  const json::object* const source = object_of(in.object(), "source_credentials");
  if (source == nullptr) return in.bad("source_credentials", fmt::format("is missing; {}", log_in));
  SERIN_TRY(CredentialsFile out, read(Reader(*source, in.name() + ": source_credentials"), false));
  if (out.impersonation) return in.bad("source_credentials", "impersonate a service account themselves");
  SERIN_TRY(out.impersonation, impersonation(in));
  return out;
}

std::unexpected<Error> unknown_type(const Reader& in, std::string_view type) {
  if (type == "external_account_authorized_user" || type == "gdch_service_account")
    return fail(Errc::unsupported,
                fmt::format("{}: credentials of type {} are not built in; use one of service_account, authorized_user, "
                            "external_account, impersonated_service_account",
                            in.name(), type));
  if (type.empty() && (in.object().contains("installed") || in.object().contains("web")))
    return fail(Errc::invalid_argument,
                fmt::format("{}: is the file of an OAuth client, not of credentials; {}", in.name(), log_in));
  if (type.empty()) return in.bad("type", "is missing: this is no file with credentials");
  return in.bad("type", "is none of service_account, authorized_user, external_account, impersonated_service_account");
}

Result<CredentialsFile> read(const Reader& in, bool may_impersonate) {
  CredentialsFile out;
  out.type = text_of(in.object(), "type");
  const std::string universe = text_of(in.object(), "universe_domain");
  if (!universe.empty() && universe != "googleapis.com")
    return fail(Errc::unsupported, fmt::format("{}: universe_domain is not googleapis.com", in.name()));
  if (out.type == "service_account") {
    SERIN_TRY(out.source, service_account(in));
  } else if (out.type == "authorized_user") {
    SERIN_TRY(out.source, authorized_user(in));
  } else if (out.type == "external_account") {
    SERIN_TRY(out.source, external_account(in));
    if (in.object().contains("service_account_impersonation_url")) {
      SERIN_TRY(out.impersonation, impersonation(in));
    }
  } else if (out.type == "impersonated_service_account" && may_impersonate) {
    SERIN_TRY(CredentialsFile inner, impersonated(in));
    inner.type = out.type;
    out = std::move(inner);
  } else {
    return unknown_type(in, out.type);
  }
  if (const std::string project = text_of(in.object(), "project_id"); !project.empty()) out.project = project;
  if (const std::string quota = text_of(in.object(), "quota_project_id"); !quota.empty()) out.quota_project = quota;
  return out;
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  const std::size_t scheme = text.starts_with("https://") ? 8 : text.starts_with("http://") ? 7 : 0;
  const auto is_odd = [](char c) { return c <= ' ' || c == 0x7F; };
  if (scheme == 0 || std::ranges::any_of(text, is_odd) || text.find('#') != std::string_view::npos)
    return fail(Errc::invalid_argument, "is no address like https://host/path");
  const std::size_t end = std::min(text.find_first_of("/?", scheme), text.size());
  const std::string_view host = text.substr(scheme, end - scheme);
  if (host.empty() || host.find('@') != std::string_view::npos)
    return fail(Errc::invalid_argument, "is no address like https://host/path");
  const std::string_view name = host.substr(0, host.starts_with('[') ? host.find(']') + 1 : host.find(':'));
  const bool is_here = name == "127.0.0.1" || name == "localhost" || name == "[::1]";
  const std::size_t question = std::min(text.find('?', end), text.size());
  Url out{.origin = std::string(text.substr(0, end)),
          .path = std::string(text.substr(end, question - end)),
          .is_secure = scheme == 8 || is_here};
  if (out.path.empty()) out.path = "/";
  if (question + 1 < text.size())
    for (const std::string_view piece : split(text.substr(question + 1), '&')) {
      const std::size_t equals = std::min(piece.find('='), piece.size());
      out.query.emplace_back(percent_decode(piece.substr(0, equals), true),
                             percent_decode(piece.substr(std::min(piece.size(), equals + 1)), true));
    }
  return out;
}

Result<CredentialsFile> parse_credentials(std::string_view text, std::string_view name) {
  const Result<json::object> object = parse_object(text, name);
  if (!object)
    return fail(Errc::invalid_argument, fmt::format("{}; it was cut off or is another file", object.error().detail()));
  return read(Reader(*object, std::string(name)), true);
}

}  // namespace serin::google
