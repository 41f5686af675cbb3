#pragma once
#include <string>
#include <string_view>

namespace serin {

/// `text` with every secret it shows replaced by "***": the user-info of URLs, what follows "bearer", and the values of
/// names that end in password, passwd, passphrase, pwd, secret, token, key or authorization, in any case, after '=' or
/// ':', bare or quoted. In doubt it hides too much. Linear in the size of `text`; doing it twice changes nothing more.
/// Does not see: names or separators that are percent-encoded, secrets without a name. Any thread.
[[nodiscard]] std::string redact(std::string_view text);

}  // namespace serin
