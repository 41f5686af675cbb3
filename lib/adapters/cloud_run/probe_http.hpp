#pragma once
#include "serin/ports/http.hpp"

namespace serin::cloud_run {

/// Cloud Run serves its addresses over TLS only, while a rollout asks a replica as "http://host": this asks
/// "https://host" instead. Threads: any.
class ProbeHttp final : public HttpClient {
 public:
  /// \param http  outlives it
  explicit ProbeHttp(HttpClient& http) : http_(http) {}
  using HttpClient::send;
  Result<HttpResponse> send(std::string_view origin, HttpRequest request, Deadline deadline,
                            std::stop_token stop) override;

 private:
  HttpClient& http_;
};

}  // namespace serin::cloud_run
