#include "serin/endpoints/caller.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "address.hpp"
#include "serin/base/text.hpp"

namespace serin::endpoints {
namespace {

/// What follows the scheme in Authorization.
std::optional<std::string_view> credentials(const HttpRequest& request, std::string_view scheme) {
  const auto header = request.headers.find("Authorization");
  if (!header) return std::nullopt;
  const std::size_t blank = header->find(' ');
  if (blank == std::string_view::npos || !equal_ignoring_case(header->substr(0, blank), scheme)) return std::nullopt;
  return trim(header->substr(blank));
}

}  // namespace

bool same_secret(std::string_view shown, std::string_view secret) noexcept {
  unsigned difference = shown.size() == secret.size() && !secret.empty() ? 0 : 1;
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const char other = secret.empty() ? '\0' : secret[i % secret.size()];
    difference |= static_cast<unsigned>(static_cast<unsigned char>(shown[i]) ^ static_cast<unsigned char>(other));
  }
  return difference == 0;
}

Result<Authenticator> bearer(std::string key, std::string principal) {
  if (key.empty()) return fail(Errc::invalid_argument, "a bearer key is empty: everybody would have it");
  auto who = [key = std::move(key), name = std::move(principal)](const HttpRequest& request) {
    const auto shown = credentials(request, "Bearer");
    return shown && same_secret(*shown, key) ? std::optional<Principal>({.name = name}) : std::nullopt;
  };
  return Authenticator{.who = std::move(who), .reads_only_authorization = true};
}

Result<Authenticator> basic(std::string user, const std::string& password) {
  if (password.empty()) return fail(Errc::invalid_argument, fmt::format("the password of '{}' is empty", user));
  if (user.find(':') != std::string::npos) return fail(Errc::invalid_argument, "a user's name may not have a ':'");
  auto who = [both = user + ":" + password, name = std::move(user)](const HttpRequest& request) {
    const auto shown = credentials(request, "Basic");
    const auto decoded = shown ? base64_decode(*shown) : std::nullopt;
    return decoded && same_secret(*decoded, both) ? std::optional<Principal>({.name = name}) : std::nullopt;
  };
  return Authenticator{.who = std::move(who), .reads_only_authorization = true};
}

Result<Authenticator> address_list(const std::vector<std::string>& networks) {
  std::vector<Network> list;
  for (const std::string& text : networks) {
    const auto network = parse_network(text);
    if (!network)
      return fail(Errc::invalid_argument,
                  fmt::format("'{}' is no address and no network (\"10.0.0.0/8\", \"::1\")", text));
    list.push_back(*network);
  }
  auto who = [list = std::move(list)](const HttpRequest& request) -> std::optional<Principal> {
    const auto address = parse_address(request.peer);
    const auto contains = [&](const Network& network) { return network.contains(*address); };
    if (!address || std::ranges::none_of(list, contains)) return std::nullopt;
    return Principal{.name = request.peer};
  };
  return Authenticator{.who = std::move(who), .reads_only_authorization = false};
}

Authenticator any_of(std::vector<Authenticator> authenticators) {
  std::erase_if(authenticators, [](const Authenticator& one) { return !one.who; });
  const bool only = std::ranges::all_of(authenticators, &Authenticator::reads_only_authorization);
  auto who = [list = std::move(authenticators)](const HttpRequest& request) -> std::optional<Principal> {
    for (const Authenticator& one : list)
      if (auto principal = one.who(request)) return principal;
    return std::nullopt;
  };
  return {.who = std::move(who), .reads_only_authorization = only};
}

}  // namespace serin::endpoints
