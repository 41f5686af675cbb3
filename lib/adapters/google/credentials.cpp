#include "serin/google/credentials.hpp"

#include <fmt/format.h>

#include "detail_fetchers.hpp"
#include "serin/base/text.hpp"
#include "serin/google/credentials_file.hpp"
#include "serin/system/files.hpp"

namespace serin::google {
namespace {

constexpr std::size_t most_file = 1u << 20;  // bytes; real ones have a few thousand

/// The variable's value; an empty one is as good as none.
std::string set(const Environment& environment, std::string_view name) { return environment.value_or(name, ""); }

bool is_true(const std::string& value) {
  return value == "1" || equal_ignoring_case(value, "true") || equal_ignoring_case(value, "yes");
}

/// The variable of old, and the address that the name metadata.google.internal always has: asking for it by number
/// needs no resolver, which would hang on machines that are not Google's.
MetadataServer metadata_server(const Environment& environment) {
  MetadataServer out;
  std::string host = set(environment, "GCE_METADATA_HOST");
  if (host.empty()) host = set(environment, "GCE_METADATA_ROOT");
  out.is_sure = !host.empty() || set(environment, "METADATA_SERVER_DETECTION") == "assume-present";
  if (host.empty()) host = set(environment, "GCE_METADATA_IP");
  if (host.empty()) host = "169.254.169.254";
  out.origin = host.find("://") == std::string::npos ? "http://" + host : host;
  const auto seconds = to_double(set(environment, "GCE_METADATA_TIMEOUT"));
  if (seconds && *seconds > 0 && *seconds <= 60) out.timeout = duration_of_seconds(*seconds);
  return out;
}

bool is_metadata_off(const Environment& environment) {
  return is_true(set(environment, "NO_GCE_CHECK")) || set(environment, "METADATA_SERVER_DETECTION") == "none";
}

/// Where gcloud leaves a login; empty when there is no place for it.
std::string gcloud_file(const Environment& environment) {
  constexpr std::string_view file = "/application_default_credentials.json";
  if (const std::string config = set(environment, "CLOUDSDK_CONFIG"); !config.empty())
    return config + std::string(file);
  const std::string home = set(environment, "HOME");
  return home.empty() ? std::string() : home + "/.config/gcloud" + std::string(file);
}

std::string who(const CredentialsFile& file) {
  if (file.impersonation) return "service account " + file.impersonation->email + " (impersonated)";
  if (const auto* key = std::get_if<ServiceAccountKey>(&file.source)) return "service account " + key->email;
  if (const auto* user = std::get_if<AuthorizedUser>(&file.source)) return "user of client " + user->client_id;
  return "external account " + std::get<ExternalAccount>(file.source).audience;
}

const Scopes whole_platform{"https://www.googleapis.com/auth/cloud-platform"};

Result<std::shared_ptr<TokenFetcher>> fetcher_of(const CredentialsFile& file, const AuthWorld& world,
                                                 const AuthOptions& options, const std::string& name) {
  // Whoever impersonates needs the right to; what may be done then stands in the scopes of the other's token.
  const Scopes& scopes = file.impersonation ? whole_platform : options.scopes;
  std::shared_ptr<TokenFetcher> source;
  if (const auto* key = std::get_if<ServiceAccountKey>(&file.source)) {
    SERIN_TRY(source, fetch_with_key(*key, world, scopes, options.self_signed, name));
  } else if (const auto* user = std::get_if<AuthorizedUser>(&file.source)) {
    SERIN_TRY(source, fetch_as_user(*user, world));
  } else {
    SERIN_TRY(source, fetch_in_exchange(std::get<ExternalAccount>(file.source), world, scopes));
  }
  if (!file.impersonation) return source;
  return fetch_as_other(*file.impersonation, std::move(source), world, options.scopes, name);
}

Status check(const AuthOptions& options) {
  if (options.scopes.empty()) return fail(Errc::invalid_argument, "scopes are empty");
  return {};
}

}  // namespace

Credentials::Credentials(std::shared_ptr<TokenFetcher> fetcher, const AuthWorld& world, std::string name)
    : fetcher_(std::move(fetcher)),
      world_{.sleeper = world.sleeper, .random = world.random, .tasks = world.tasks, .log = world.log},
      name_(std::move(name)),
      cache_(
          [inner = fetcher_](Deadline deadline, const std::stop_token& stop) { return inner->access(deadline, stop); },
          world_, name_) {}

Result<std::unique_ptr<Credentials>> Credentials::of_text(std::string_view text, const std::string& name,
                                                          const AuthWorld& world, const AuthOptions& options) {
  SERIN_CHECK(check(options));
  SERIN_TRY(const CredentialsFile file, parse_credentials(text, name));
  SERIN_TRY(std::shared_ptr<TokenFetcher> fetcher, fetcher_of(file, world, options, name));
  std::string shown = fmt::format("{} ({})", who(file), name);
  std::unique_ptr<Credentials> out(new Credentials(std::move(fetcher), world, std::move(shown)));
  out->project_ = file.project;
  out->quota_project_ = options.quota_project.empty() ? file.quota_project : options.quota_project;
  return out;
}

Result<std::unique_ptr<Credentials>> Credentials::of_file(const std::string& path, const AuthWorld& world,
                                                          const AuthOptions& options) {
  SERIN_TRY(const std::string text, read_file(path, most_file));
  return of_text(text, path, world, options);
}

Result<std::unique_ptr<Credentials>> Credentials::of_named_file(const std::string& path, std::string_view named_by,
                                                                const AuthWorld& world, const AuthOptions& options) {
  Result<std::unique_ptr<Credentials>> out = of_file(path, world, options);
  if (!out) return pass(out.error().in(fmt::format("credentials named by {}", named_by)));
  return out;
}

Result<std::unique_ptr<Credentials>> Credentials::of_metadata(const Environment& environment, const AuthWorld& world,
                                                              const AuthOptions& options) {
  SERIN_CHECK(check(options));
  const MetadataServer server = metadata_server(environment);
  SERIN_TRY(std::shared_ptr<TokenFetcher> fetcher, fetch_from_metadata(server, world, options.scopes));
  std::string shown = fmt::format("this machine's service account ({})", server.origin);
  std::unique_ptr<Credentials> out(new Credentials(std::move(fetcher), world, std::move(shown)));
  out->quota_project_ = options.quota_project;
  return out;
}

Result<std::unique_ptr<Credentials>> Credentials::find(const Environment& environment, const AuthWorld& world,
                                                       AuthOptions options, Deadline deadline) {
  if (options.quota_project.empty()) options.quota_project = set(environment, "GOOGLE_CLOUD_QUOTA_PROJECT");
  if (!options.file.empty()) return of_named_file(options.file, "the program", world, options);
  if (const std::string path = set(environment, "GOOGLE_APPLICATION_CREDENTIALS"); !path.empty())
    return of_named_file(path, "GOOGLE_APPLICATION_CREDENTIALS", world, options);
  const std::string login = gcloud_file(environment);
  if (!login.empty()) {
    Result<std::unique_ptr<Credentials>> out = of_named_file(login, "gcloud's login", world, options);
    // Only a file that is not there lets the search go on.
    if (out || out.error().code() != Errc::not_found) return out;
  }
  const MetadataServer server = metadata_server(environment);
  const bool is_off = is_metadata_off(environment);
  if (!is_off && (server.is_sure || is_metadata_there(server, world, deadline)))
    return of_metadata(environment, world, options);
  return fail(
      Errc::not_found,
      fmt::format("there are no credentials for Google Cloud: GOOGLE_APPLICATION_CREDENTIALS is not set, {}, {}; "
                  "name a file in GOOGLE_APPLICATION_CREDENTIALS, or run: gcloud auth application-default login",
                  login.empty() ? "HOME is not set" : login + " is not there",
                  is_off ? "the metadata server is not asked (NO_GCE_CHECK, METADATA_SERVER_DETECTION)"
                         : "no metadata server answers at " + server.origin));
}

std::unique_ptr<TokenSource> Credentials::id_tokens(std::string audience) const {
  std::string name = fmt::format("{}, ID token for {}", name_, audience);
  return std::make_unique<TokenCache>(
      [inner = fetcher_, audience = std::move(audience)](Deadline deadline, const std::stop_token& stop) {
        return inner->identity(audience, deadline, stop);
      },
      world_, std::move(name));
}

Result<std::string> Credentials::project(Deadline deadline, const std::stop_token& stop) const {
  if (!project_.empty()) return project_;
  SERIN_TRY(std::string project, fetcher_->project(deadline, stop));
  if (project.empty())
    return fail(Errc::not_found, fmt::format("{} names no project; set GOOGLE_CLOUD_PROJECT", name_));
  return project;
}

Result<std::string> find_project(const Environment& environment, const Credentials& credentials, Deadline deadline) {
  for (const char* name : {"GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT"})
    if (std::string project = set(environment, name); !project.empty()) return project;
  return credentials.project(deadline, {});
}

}  // namespace serin::google
