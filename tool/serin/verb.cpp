#include "verb.hpp"

#include <fmt/format.h>

#include <fstream>

namespace serin::tool {

Exit exit_of(const Error& error) noexcept {
  switch (error.code()) {
    case Errc::invalid_argument:
    case Errc::not_found: return Exit::usage;
    case Errc::conflict:
    case Errc::deadline_exceeded:
    case Errc::unavailable:
    case Errc::rejected:
    case Errc::permission_denied:
    case Errc::exhausted:
    case Errc::cancelled:
    case Errc::data_loss:
    case Errc::unsupported:
    case Errc::internal: return Exit::held;
  }
  return Exit::held;
}

void VerbContext::fail_with(const Error& error) {
  err("serin: " + error.detail() + "\n");
  finish(exit_of(error));
}

Status write_report_to(const std::string& path, std::string_view text, bool append) {
  std::ofstream file(path, std::ios::binary | (append ? std::ios::app : std::ios::trunc));
  file << text << std::flush;
  if (!file) return fail(Errc::unavailable, fmt::format("the report cannot be written to {}", path));
  return {};
}

std::optional<std::pair<std::string, std::string>> name_and_value(const std::string& word) {
  const std::size_t equals = word.find('=');
  if (equals == std::string::npos || equals == 0) return std::nullopt;
  return std::pair{word.substr(0, equals), word.substr(equals + 1)};
}

Result<std::pair<std::string, std::string>> split_url(const std::string& url, std::string_view path) {
  const std::string_view scheme = url.starts_with("https://") ? "https://" : "http://";
  if (!url.starts_with(scheme) || url.size() == scheme.size())
    return fail(Errc::invalid_argument, fmt::format("'{}' is no address like http://127.0.0.1:8080/path", url));
  const std::size_t slash = url.find('/', scheme.size());
  if (slash == std::string::npos) return std::pair{url, std::string(path)};
  return std::pair{url.substr(0, slash), url.substr(slash)};
}

}  // namespace serin::tool
