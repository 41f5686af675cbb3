#pragma once
#include <stop_token>
#include <string>
#include <string_view>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"

namespace serin::google {

/// Where the Bearer token of a call comes from. Threads: any.
class TokenSource {
 public:
  virtual ~TokenSource() = default;
  /// A token that is valid now; from memory nearly always. Empty: calls carry no Authorization at all.
  /// Errors: permission_denied (refused, with the way out), unavailable, deadline_exceeded, cancelled.
  virtual Result<std::string> token(Deadline deadline, std::stop_token stop) = 0;
  /// A service answered 401 to this token: it is not handed out again.
  virtual void reject(std::string_view token) = 0;
  /// The project that is billed for calls (x-goog-user-project); empty: the one that is called.
  [[nodiscard]] virtual std::string quota_project() const { return {}; }
};

/// Always the same token: an emulator's "owner", a token that somebody else keeps fresh, or none. Threads: any.
class FixedToken final : public TokenSource {
 public:
  explicit FixedToken(std::string token = {}) : token_(std::move(token)) {}
  Result<std::string> token(Deadline, std::stop_token) override { return token_; }
  void reject(std::string_view) override {}

 private:
  std::string token_;
};

}  // namespace serin::google
