#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/ports/http.hpp"

namespace serin::endpoints {

/// Somebody who may see more than anybody.
struct Principal {
  std::string name;
};

/// Says who sent a request. Nothing: anybody. Threads: any.
struct Authenticator {
  std::function<std::optional<Principal>(const HttpRequest&)> who = {};
  /// It looks at nothing but Authorization. Then requests without it may get an answer that was prepared for anybody.
  bool reads_only_authorization = false;
};

/// Whoever sends `Authorization: Bearer <key>`. The comparison takes the same time wherever the texts differ.
/// Errors: invalid_argument (empty key).
[[nodiscard]] Result<Authenticator> bearer(std::string key, std::string principal = "bearer");
/// Whoever sends this user and password, with the same care. Errors: invalid_argument (empty password, ':' in user).
[[nodiscard]] Result<Authenticator> basic(std::string user, const std::string& password);
/// Whoever sends from one of these addresses or networks: "10.0.0.0/8", "::1", "fd00::/8". It is the address of the
/// connection: behind a proxy that is the proxy's. Errors: invalid_argument, with the text.
[[nodiscard]] Result<Authenticator> address_list(const std::vector<std::string>& networks);
/// The first one that knows the caller. Of none: nobody is known.
[[nodiscard]] Authenticator any_of(std::vector<Authenticator> authenticators);

/// Whether they are equal; the time depends on the size of `shown` only. Pure.
[[nodiscard]] bool same_secret(std::string_view shown, std::string_view secret) noexcept;

}  // namespace serin::endpoints
