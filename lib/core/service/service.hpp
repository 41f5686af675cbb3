#pragma once
#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "serin/health/health.hpp"
#include "serin/metrics/metrics.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/http.hpp"
#include "serin/ports/log.hpp"

namespace serin {

/// Who a process is, as told by /health and compared by a rollout before any user reaches it.
struct Identity {
  std::string service;
  std::string version;      ///< of the program: "1.2.0"
  std::string revision;     ///< name of the release
  std::string commit;       ///< of its source
  std::string environment;  ///< "local", "staging", "production"
};

/// A service's HTTP side: its own routes, and beside them
///   GET /health        who it is; 200 as long as the process lives, whatever happens to what it depends on
///   GET /ready         the critical checks; 200, or 503 when one fails, and while it drains
///   GET /health/deep   all checks
///   GET /metrics       Prometheus' text format
/// all answered from memory on the network's thread. Texts that may hold secrets are shown to callers with the key only
/// (`Authorization: Bearer <key>`); without a key to nobody. Every other request is logged, one line each, and counted.
/// Threads: any, once the routes are there.
class Service final : public HttpHandler {
 public:
  using Handler = std::function<HttpResponse(const HttpRequest&)>;
  /// \param key  empty: there is none
  /// \param health, metrics, clock  outlive it
  Service(Identity identity, std::string key, health::Health& health, metrics::Registry& metrics, Logger logger,
          const Clock& clock);
  /// A path is exact, or ends in "/*" for one more segment. All routes before the server starts.
  void route(std::string method, std::string path, Handler handler);
  /// From now on not ready, so that nobody sends new requests; those that come are served.
  void begin_drain() noexcept { draining_ = true; }
  /// Whether the request carries the key.
  [[nodiscard]] bool has_key(const HttpRequest& request) const;

  [[nodiscard]] bool is_immediate(const HttpRequest& request) const noexcept override;
  HttpResponse handle(const HttpRequest& request) override;
  HttpResponse overloaded(const HttpRequest& request) override;

 private:
  struct Route {
    std::string method;
    std::string path;
    Handler handler;
    metrics::Histogram* seconds;
  };
  HttpResponse health_answer() const;
  HttpResponse checks_answer(const HttpRequest& request, health::Health::Which which) const;
  HttpResponse dispatch(const HttpRequest& request, const Route*& route);
  void count(const HttpRequest& request, const Route* route, int status, Duration lasted);

  Identity identity_;
  std::string key_;
  health::Health& health_;
  metrics::Registry& metrics_;
  Logger logger_;
  const Clock& clock_;
  std::vector<Route> routes_;
  metrics::Gauge& in_flight_;
  std::atomic<bool> draining_ = false;
};

/// A JSON error body: {"error": "<text>"}.
[[nodiscard]] HttpResponse error_response(int status, std::string_view text);
/// The status that fits an error's code: 400, 404, 409, 429, 503, 504 or 500.
[[nodiscard]] int http_status_of(Errc code) noexcept;

}  // namespace serin
