#include "verb.hpp"

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

}  // namespace serin::tool
