#pragma once
#include <memory>

#include "serin/ports/clock.hpp"
#include "serin/ports/http.hpp"

namespace serin {

struct HttpClientOptions {
  std::size_t idle_per_origin = 32;        ///< connections kept for reuse; >= 0
  Duration idle_timeout = 30s;             ///< one that was idle for longer is not used again
  std::size_t response_limit = 64u << 20;  ///< bytes of an answer
};

/// HTTP/1.1 without TLS, blocking, with kept connections. Threads: any.
class BeastHttpClient final : public HttpClient {
 public:
  /// \param clock  outlives it; its instants must be those of steady_clock
  explicit BeastHttpClient(const Clock& clock, HttpClientOptions options = {});
  ~BeastHttpClient() override;
  using HttpClient::send;
  /// A name that is no address is resolved by the system, blocking: neither deadline nor `stop` reach into that.
  Result<HttpResponse> send(std::string_view origin, HttpRequest request, Deadline deadline,
                            std::stop_token stop) override;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace serin
