#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serin/google/api.hpp"
#include "serin/google/place.hpp"

namespace serin::google {

enum class SecretState : std::uint8_t { unknown, enabled, disabled, destroyed };

struct SecretVersion {
  std::string secret;   ///< "db-password"
  std::string version;  ///< "7"
  SecretState state = SecretState::unknown;
  std::optional<WallTime> created = {};
  std::string etag;
};
struct SecretPayload {
  std::string version;  ///< that "latest" stood for: "7"
  std::string data;     ///< its bytes match the checksum that came along
};

/// Secret Manager, v1. What a secret holds never stands in an error. Threads: any.
class SecretManager {
 public:
  static constexpr std::string_view service = "secretmanager";
  [[nodiscard]] static ApiOptions defaults();
  SecretManager(std::shared_ptr<Api> api, Place place) : api_(std::move(api)), place_(std::move(place)) {}

  /// A version's content. Errors: not_found, permission_denied, conflict (disabled or destroyed), data_loss (no
  /// checksum, or one that does not match, twice).
  Result<SecretPayload> access(std::string_view secret, std::string_view version, const Within& within);
  /// What is known of a version, without its content.
  Result<SecretVersion> version(std::string_view secret, std::string_view version, const Within& within);
  /// A new version. Not tried again when it may have been stored. Errors: invalid_argument (over 64 KiB), ...
  Result<SecretVersion> add_version(std::string_view secret, std::string_view data, const Within& within);
  /// A new secret without versions, replicated as Google likes. Errors: conflict (there is one).
  Status create(std::string_view secret, const Within& within);
  /// Names of all secrets.
  Result<std::vector<std::string>> secrets(const Within& within);
  /// The newest first. \param filter  "state:ENABLED"; empty: all
  Result<std::vector<SecretVersion>> versions(std::string_view secret, std::string_view filter, const Within& within);
  /// \param etag  of what was read; empty: whatever is there. Errors: conflict, when it changed since then.
  Result<SecretVersion> enable(std::string_view secret, std::string_view version, std::string_view etag,
                               const Within& within);
  Result<SecretVersion> disable(std::string_view secret, std::string_view version, std::string_view etag,
                                const Within& within);
  /// For ever: the content is gone.
  Result<SecretVersion> destroy(std::string_view secret, std::string_view version, std::string_view etag,
                                const Within& within);
  [[nodiscard]] Api& api() const noexcept { return *api_; }

 private:
  [[nodiscard]] std::string secrets_path() const;
  [[nodiscard]] std::string path_of(std::string_view secret, std::string_view version) const;
  Result<SecretVersion> change(std::string_view secret, std::string_view version, std::string_view verb,
                               std::string_view etag, const Within& within);
  std::shared_ptr<Api> api_;
  Place place_;
};

}  // namespace serin::google
