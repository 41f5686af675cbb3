#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "serin/endpoints/endpoints.hpp"
#include "serin/metrics/metrics.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/health.hpp"
#include "serin/ports/http.hpp"
#include "serin/ports/log.hpp"

namespace serin {

using health::Identity;

struct ServiceOptions {
  Identity identity;
  /// `Authorization: Bearer <key>` shows details and errors of checks, and opens what a service protects with
  /// has_key(). Empty: there is none, and nobody sees them.
  std::string key = {};
  /// Routes, dialects and disclosure of health. Without an authenticator of its own, callers are known by the key.
  endpoints::EndpointsOptions health = {};
};

/// A service's HTTP side: its own routes, and beside them
///   GET /health                who it is; 200 as long as the process lives, whatever happens to what it depends on
///   GET /ready, /ready/<check> the critical checks; 200, or 503 when one fails, and while it drains
///   GET /startup               200 once it has started
///   GET /health/deep           all checks; /health/group/<name> those of a group
///   GET /metrics               Prometheus' text format
/// all answered from memory on the network's thread. Every other request is logged, one line each, and counted.
/// Threads: any, once the routes are there.
class Service final : public HttpHandler {
 public:
  using Handler = std::function<HttpResponse(const HttpRequest&)>;
  /// Where a route's handler runs.
  enum class Answers : std::uint8_t {
    on_a_worker,  ///< it may block; one of a bounded pool, so that it waits when all are busy
    from_memory,  ///< on the network's thread: within microseconds, also when every worker hangs
  };
  /// \param health, metrics, clock  outlive it
  /// Errors: invalid_argument, every mistake in the options of health.
  static Result<std::unique_ptr<Service>> make(ServiceOptions options, health::HealthSource& health,
                                               metrics::Registry& metrics, Logger logger, const Clock& clock);
  /// A path is exact, or ends in "/*" for one more segment. All routes before the server starts.
  void route(std::string method, std::string path, Handler handler, Answers answers = Answers::on_a_worker);
  /// Whether the request carries the key.
  [[nodiscard]] bool has_key(const HttpRequest& request) const;

  [[nodiscard]] bool is_immediate(const HttpRequest& request) const noexcept override;
  HttpResponse handle(const HttpRequest& request) override;
  bool handle_later(const HttpRequest& request, const std::function<void(HttpResponse)>& respond) override;
  [[nodiscard]] std::shared_ptr<const std::string> prepared(const HttpHead& head) const noexcept override;
  HttpResponse overloaded(const HttpRequest& request) override;

 private:
  struct Route {
    std::string method;
    std::string path;
    Handler handler;
    Answers answers;
    metrics::Histogram* seconds;
  };
  Service(std::string key, endpoints::Endpoints endpoints, metrics::Registry& metrics, Logger logger,
          const Clock& clock);
  HttpResponse dispatch(const HttpRequest& request, const Route*& route);
  void count(const HttpRequest& request, const Route* route, int status, Duration lasted);

  std::string key_;
  endpoints::Endpoints endpoints_;
  metrics::Registry& metrics_;
  Logger logger_;
  const Clock& clock_;
  std::vector<Route> routes_;
  metrics::Gauge& in_flight_;
};

/// A JSON error body: {"error": "<text>"}.
[[nodiscard]] HttpResponse error_response(int status, std::string_view text);
/// The status that fits an error's code: 400, 404, 409, 429, 503, 504 or 500.
[[nodiscard]] int http_status_of(Errc code) noexcept;

}  // namespace serin
