#include "serin/base/error.hpp"

#include <cstdio>
#include <cstdlib>

namespace serin {

std::string_view errc_name(Errc code) noexcept {
  switch (code) {
    case Errc::invalid_argument: return "invalid_argument";
    case Errc::not_found: return "not_found";
    case Errc::conflict: return "conflict";
    case Errc::deadline_exceeded: return "deadline_exceeded";
    case Errc::unavailable: return "unavailable";
    case Errc::rejected: return "rejected";
    case Errc::permission_denied: return "permission_denied";
    case Errc::exhausted: return "exhausted";
    case Errc::cancelled: return "cancelled";
    case Errc::data_loss: return "data_loss";
    case Errc::unsupported: return "unsupported";
    case Errc::internal: return "internal";
  }
  return "internal";
}

bool is_transient(Errc code) noexcept {
  switch (code) {
    case Errc::deadline_exceeded:
    case Errc::unavailable:
    case Errc::rejected:
    case Errc::conflict: return true;
    case Errc::invalid_argument:
    case Errc::not_found:
    case Errc::permission_denied:
    case Errc::exhausted:
    case Errc::cancelled:
    case Errc::data_loss:
    case Errc::unsupported:
    case Errc::internal: return false;
  }
  return false;
}

const std::string& Error::detail() const noexcept {
  static const std::string nothing;  // of one that was moved from
  return detail_ ? *detail_ : nothing;
}

Error Error::in(std::string_view where) const { return {code_, std::string(where) + ": " + detail()}; }

std::string Error::text() const { return std::string(errc_name(code_)) + ": " + detail(); }

void assertion_failed(const char* condition, const char* file, int line) {
  // The process is lost: plain stdio, no logger that could itself be broken.
  std::fprintf(stderr, "serin: broken invariant: %s (%s:%d)\n", condition, file, line);
  std::abort();
}

}  // namespace serin
