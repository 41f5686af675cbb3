#include "detail_cookies.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <vector>

#include "serin/base/text.hpp"

namespace serin::http {
namespace {

constexpr std::size_t most_of_domain = 50;
constexpr std::size_t most = 1000;
constexpr std::size_t most_bytes = 4096;
constexpr std::int64_t most_age = 400L * 24 * 3600;  // as browsers do

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// The number that `text` begins with, of `least` to `most_digits` digits; nothing when there are more or fewer.
std::optional<int> leading(std::string_view text, std::size_t least, std::size_t most_digits) {
  std::size_t size = 0;
  while (size < text.size() && is_digit(text[size])) ++size;
  if (size < least || size > most_digits) return {};
  return static_cast<int>(*to_int(text.substr(0, size)));
}

struct Clock3 {
  int hour, minute, second;
};
std::optional<Clock3> time_of(std::string_view text) {
  const auto parts = split(text, ':');
  if (parts.size() != 3) return {};
  const auto whole = [](std::string_view part) -> std::optional<int> {
    return std::ranges::all_of(part, is_digit) ? leading(part, 1, 2) : std::nullopt;
  };
  const auto hour = whole(parts[0]);
  const auto minute = whole(parts[1]);
  const auto second = leading(parts[2], 1, 2);
  if (!hour || !minute || !second) return {};
  return Clock3{*hour, *minute, *second};
}
std::optional<unsigned> month_of(std::string_view text) {
  constexpr std::array<std::string_view, 12> names{"jan", "feb", "mar", "apr", "may", "jun",
                                                   "jul", "aug", "sep", "oct", "nov", "dec"};
  for (unsigned i = 0; i < names.size(); ++i)
    if (text.size() >= 3 && equal_ignoring_case(text.substr(0, 3), names[i])) return i + 1;
  return {};
}

bool is_address(const std::string& host) {
  std::array<unsigned char, 16> bytes;
  return inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 || inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}
/// RFC 6265, 5.1.3.
bool is_within(std::string_view host, std::string_view domain) {
  if (host == domain) return true;
  return host.size() > domain.size() && host.ends_with(domain) && host[host.size() - domain.size() - 1] == '.' &&
         !is_address(std::string(host));
}
/// 5.1.4.
bool path_matches(std::string_view path, std::string_view of_cookie) {
  if (!path.starts_with(of_cookie)) return false;
  return path.size() == of_cookie.size() || of_cookie.ends_with('/') || path[of_cookie.size()] == '/';
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

/// Everything after the first ';'. False: the cookie must not be kept.
bool read_attributes(std::string_view text, Cookie& cookie, const Origin& origin, WallTime now) {
  bool has_age = false;
  for (std::string_view part : split(text, ';')) {
    const std::size_t equals = std::min(part.find('='), part.size());
    const std::string_view name = trim(part.substr(0, equals));
    const std::string_view value = equals < part.size() ? trim(part.substr(equals + 1)) : std::string_view();
    if (equal_ignoring_case(name, "Secure")) {
      cookie.secure = true;
    } else if (equal_ignoring_case(name, "Path")) {
      if (value.starts_with('/')) cookie.path = value;
    } else if (equal_ignoring_case(name, "Max-Age")) {
      const auto seconds = to_int(value);
      if (!seconds) continue;
      has_age = true;
      cookie.expires = *seconds <= 0 ? WallTime::min() : now + std::chrono::seconds(std::min(*seconds, most_age));
    } else if (equal_ignoring_case(name, "Expires")) {
      if (const auto date = parse_cookie_date(value); date && !has_age)
        cookie.expires = std::min(*date, now + std::chrono::seconds(most_age));
    } else if (equal_ignoring_case(name, "Domain")) {
      std::string domain = lower(value);
      if (domain.starts_with('.')) domain.erase(0, 1);
      if (domain.empty() || domain == origin.host) {
        cookie.host_only = domain.empty() || is_address(origin.host);
        continue;
      }
      if (domain.find('.') == std::string::npos || !is_within(origin.host, domain)) return false;
      cookie.domain = domain;
      cookie.host_only = false;
    }
  }
  return true;
}

}  // namespace

std::optional<WallTime> parse_cookie_date(std::string_view text) {
  std::optional<Clock3> time;
  std::optional<int> day;
  std::optional<unsigned> month;
  std::optional<int> year;
  std::size_t at = 0;
  const auto is_part = [](char c) {
    return is_digit(c) || c == ':' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           static_cast<unsigned char>(c) >= 0x7f;
  };
  while (at < text.size()) {
    if (!is_part(text[at])) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && is_part(text[end])) ++end;
    const std::string_view part = text.substr(at, end - at);
    at = end;
    // Each part is the first of what is still missing that it can be.
    const auto is = [](auto& place, const auto& value) {
      if (place || !value) return false;
      place = value;
      return true;
    };
    if (is(time, time_of(part)) || is(day, leading(part, 1, 2)) || is(month, month_of(part))) continue;
    is(year, leading(part, 2, 4));
  }
  if (!time || !day || !month || !year) return {};
  if (*year >= 70 && *year <= 99) *year += 1900;
  if (*year >= 0 && *year <= 69) *year += 2000;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(*month),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (*year < 1601 || !date.ok() || time->hour > 23 || time->minute > 59 || time->second > 59) return {};
  // Nanoseconds since 1970 end in 2262.
  if (*year > 2261) return WallTime::max();
  if (*year < 1678) return WallTime::min();
  return WallTime(std::chrono::sys_days(date).time_since_epoch() + std::chrono::hours(time->hour) +
                  std::chrono::minutes(time->minute) + std::chrono::seconds(time->second));
}

std::optional<Cookie> parse_cookie(std::string_view text, const Origin& origin, std::string_view path, WallTime now) {
  if (text.size() > most_bytes ||
      std::ranges::any_of(text, [](char c) { return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 127; }))
    return {};
  const std::size_t end = std::min(text.find(';'), text.size());
  const std::string_view pair = text.substr(0, end);
  const std::size_t equals = pair.find('=');
  if (equals == std::string_view::npos) return {};
  Cookie cookie{.name = std::string(trim(pair.substr(0, equals))),
                .value = std::string(trim(pair.substr(equals + 1))),
                .domain = origin.host,
                .path = std::string(path.substr(0, std::max<std::size_t>(path.rfind('/'), 1)))};
  if (cookie.name.empty() || !path.starts_with('/')) return {};
  if (!read_attributes(end < text.size() ? text.substr(end + 1) : std::string_view(), cookie, origin, now)) return {};
  if (cookie.secure && !origin.tls) return {};
  if (cookie.name.starts_with("__Secure-") && !cookie.secure) return {};
  if (cookie.name.starts_with("__Host-") && (!cookie.secure || !cookie.host_only || cookie.path != "/")) return {};
  return cookie;
}

void CookieJar::take(const Origin& origin, std::string_view path, const HttpHeaders& headers, WallTime now) {
  for (const auto& [name, value] : headers) {
    if (!equal_ignoring_case(name, "Set-Cookie")) continue;
    auto cookie = parse_cookie(value, origin, path, now);
    if (!cookie) continue;
    const std::lock_guard lock(mutex_);
    const auto is_same = [&](const Cookie& one) {
      return one.name == cookie->name && one.domain == cookie->domain && one.path == cookie->path;
    };
    // Without TLS nobody may put something in the place of what only TLS could have set.
    if (!origin.tls && std::ranges::any_of(cookies_, [&](const Cookie& one) { return is_same(one) && one.secure; }))
      continue;
    cookies_.remove_if([&](const Cookie& one) { return is_same(one) || (one.expires && *one.expires <= now); });
    if (cookie->expires && *cookie->expires <= now) continue;
    const auto is_of_domain = [&](const Cookie& one) { return one.domain == cookie->domain; };
    if (std::ranges::count_if(cookies_, is_of_domain) >= static_cast<std::ptrdiff_t>(most_of_domain))
      cookies_.erase(std::ranges::find_if(cookies_, is_of_domain));
    if (cookies_.size() >= most) cookies_.pop_front();
    cookies_.push_back(std::move(*cookie));
  }
}

std::string CookieJar::header(const Origin& origin, std::string_view path, WallTime now) {
  const std::lock_guard lock(mutex_);
  std::vector<const Cookie*> fitting;
  for (const Cookie& one : cookies_) {
    if (one.expires && *one.expires <= now) continue;
    if (one.secure && !origin.tls) continue;
    if (one.host_only ? one.domain != origin.host : !is_within(origin.host, one.domain)) continue;
    if (!path_matches(path, one.path)) continue;
    // Behind those whose path is as long: the older ones come first (5.4).
    const auto place =
        std::ranges::find_if(fitting, [&](const Cookie* other) { return other->path.size() < one.path.size(); });
    fitting.insert(place, &one);
  }
  std::string out;
  for (const Cookie* one : fitting) {
    if (!out.empty()) out += "; ";
    out += one->name + "=" + one->value;
  }
  return out;
}

}  // namespace serin::http
