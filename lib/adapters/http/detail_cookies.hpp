#pragma once
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "detail_url.hpp"
#include "serin/base/time.hpp"
#include "serin/ports/http.hpp"

namespace serin::http {

/// Dates as servers write them into cookies (RFC 6265, 5.1.1): any order of day, month, year and time. Nothing for what
/// is none. Pure.
[[nodiscard]] std::optional<WallTime> parse_cookie_date(std::string_view text);

struct Cookie {
  std::string name;
  std::string value;
  std::string domain;
  std::string path;
  std::optional<WallTime> expires;  ///< nothing: as long as the session
  bool host_only = true;
  bool secure = false;
};
/// What Set-Cookie means to who asked for `path` of `origin`; nothing for what must not be kept. Pure.
[[nodiscard]] std::optional<Cookie> parse_cookie(std::string_view text, const Origin& origin, std::string_view path,
                                                 WallTime now);

/// The cookies of a session: at most 50 of a domain and 1000 in all, the oldest go first. There is no list of public
/// suffixes: a cookie for a domain without a dot is refused, one for "co.uk" is not. Threads: any.
class CookieJar {
 public:
  void take(const Origin& origin, std::string_view path, const HttpHeaders& headers, WallTime now);
  /// "a=1; b=2", longer paths first; empty without any.
  [[nodiscard]] std::string header(const Origin& origin, std::string_view path, WallTime now);

 private:
  std::mutex mutex_;
  std::list<Cookie> cookies_;  // guarded by mutex_; the oldest first
};

}  // namespace serin::http
