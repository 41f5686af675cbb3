#include "serin/cloud_run/probe_http.hpp"

#include <string>

namespace serin::cloud_run {

Result<HttpResponse> ProbeHttp::send(std::string_view origin, HttpRequest request, Deadline deadline,
                                     std::stop_token stop) {
  constexpr std::string_view plain = "http://";
  const std::string secure =
      origin.starts_with(plain) ? "https://" + std::string(origin.substr(plain.size())) : std::string(origin);
  return http_.send(secure, std::move(request), deadline, std::move(stop));
}

}  // namespace serin::cloud_run
