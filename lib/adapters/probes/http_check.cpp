#include "serin/probes/http_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "detail_socket.hpp"
#include "serin/base/text.hpp"

namespace serin::probes {
namespace {

using health::CheckAnswer;
using health::HealthStatus;

struct Target {
  std::string origin;  ///< without user-info
  std::string path;
  std::string user_info;
};

Result<Target> parse_url(std::string_view url) {
  if (url.starts_with("https://")) return fail(Errc::unsupported, "url is https, and the client speaks http only");
  if (!url.starts_with("http://")) return fail(Errc::invalid_argument, "url does not begin with http://");
  url.remove_prefix(7);
  Target target;
  const std::size_t slash = std::min(url.find_first_of("/?#"), url.size());
  std::string_view authority = url.substr(0, slash);
  url = url.substr(slash, url.find('#') - slash);
  target.path = url.starts_with('/') ? std::string(url) : "/" + std::string(url);
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    target.user_info = percent_decode(authority.substr(0, at), false);
    authority.remove_prefix(at + 1);
  }
  if (authority.empty()) return fail(Errc::invalid_argument, "url has no host");
  const bool has_port =
      authority.find(':', authority.rfind(']') == std::string_view::npos ? 0 : authority.rfind(']')) !=
      std::string_view::npos;
  for (const std::string_view text : {authority, std::string_view(target.path)})
    if (text.find_first_of(" \r\n\t") != std::string_view::npos)
      return fail(Errc::invalid_argument, "url has white space in it");
  target.origin = fmt::format("http://{}{}", authority, has_port ? "" : ":80");
  return target;
}

CheckAnswer judge_body(const HttpOptions& options, const HttpResponse& response, std::vector<LogField> details) {
  if (!options.content.empty() && !response.body.contains(options.content))
    return CheckAnswer::fail("content_missing", "the expected content is not in the body", std::move(details));
  if (!options.read_health) return CheckAnswer::pass(std::move(details));
  const HealthStatus said = status_in_body(response.body);
  details.emplace_back("said", health::health_status_name(said));
  switch (said) {
    case HealthStatus::up: return CheckAnswer::pass(std::move(details));
    case HealthStatus::degraded:
      return CheckAnswer::warn("peer_degraded", "it says it is degraded", std::move(details));
    case HealthStatus::unknown:
      return CheckAnswer::unknown("no_health_in_body", "its body does not say how it is", std::move(details));
    case HealthStatus::out_of_service:
    case HealthStatus::down: break;
  }
  return CheckAnswer::fail("peer_unhealthy", "it says it is unhealthy", std::move(details));
}

}  // namespace

HealthStatus status_in_body(std::string_view body) {
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse({body.data(), body.size()}, error);
  if (error || !value.is_object()) return HealthStatus::unknown;
  const boost::json::value* status = value.as_object().if_contains("status");
  if (status == nullptr || !status->is_string()) return HealthStatus::unknown;
  const std::string_view word(status->as_string().data(), status->as_string().size());
  const auto is_one_of = [word](std::initializer_list<std::string_view> words) {
    return std::ranges::any_of(words, [word](std::string_view one) { return equal_ignoring_case(word, one); });
  };
  if (is_one_of({"healthy", "pass", "ok", "up"})) return HealthStatus::up;
  if (is_one_of({"degraded", "warn"})) return HealthStatus::degraded;
  if (is_one_of({"unhealthy", "fail", "error", "down"})) return HealthStatus::down;
  if (is_one_of({"out_of_service"})) return HealthStatus::out_of_service;
  return HealthStatus::unknown;
}

Result<health::CheckFunction> http_check(HttpOptions options, HttpClient& client) {
  SERIN_TRY(Target target, parse_url(options.url));
  for (const int code : options.expected)
    if (code < 100 || code > 599) return fail(Errc::invalid_argument, fmt::format("{} is no status code", code));
  if (!target.user_info.empty()) options.headers.set("Authorization", "Basic " + base64_encode(target.user_info));
  return [options = std::move(options), target = std::move(target), &client](const health::CheckContext& context) {
    // A query may hold a token, so only the path is shown.
    const std::string_view path = std::string_view(target.path).substr(0, target.path.find('?'));
    std::vector<LogField> details{{"url", fmt::format("{}{}", target.origin, path)}};
    if (context.stop.stop_requested())
      return CheckAnswer::unknown("cancelled", "asked to stop before it was asked", std::move(details));
    const auto response =
        client.send(target.origin, {.target = target.path, .headers = options.headers}, context.deadline);
    if (!response) return answer_of(response.error(), std::move(details));
    details.emplace_back("code", response->status);
    const bool is_expected = options.expected.empty() ? response->status / 100 == 2
                                                      : std::ranges::count(options.expected, response->status) > 0;
    if (!is_expected)
      return CheckAnswer::fail("unexpected_code", fmt::format("answered {}", response->status), std::move(details));
    return judge_body(options, *response, std::move(details));
  };
}

}  // namespace serin::probes
