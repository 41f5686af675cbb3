// Goal: no file makes the reader of credentials crash, and none that is taken lacks what its kind needs or sends a
// secret over plain HTTP to another machine. Method: libFuzzer; the same bytes are read as an address too.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "serin/google/credentials_file.hpp"

namespace {

void check(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace serin::google;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto url = parse_url(text)) check(url->path.starts_with('/') && url->origin.find('@') == std::string::npos);
  const auto file = parse_credentials(text, "f");
  if (!file) return 0;
  if (const auto* key = std::get_if<ServiceAccountKey>(&file->source))
    check(!key->email.empty() && !key->private_key.empty() && key->token.is_secure);
  if (const auto* user = std::get_if<AuthorizedUser>(&file->source))
    check(!user->refresh_token.empty() && user->token.is_secure);
  if (const auto* account = std::get_if<ExternalAccount>(&file->source))
    check(account->token.is_secure && account->source.file.empty() == account->source.url.has_value());
  if (file->impersonation) check(file->impersonation->generate.is_secure && !file->impersonation->email.empty());
  return 0;
}
