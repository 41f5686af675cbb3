#include "serin/service/service.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <exception>

namespace serin {
namespace {

namespace json = boost::json;

constexpr std::string_view metrics_path = "/metrics";

bool matches(std::string_view pattern, std::string_view path) {
  if (!pattern.ends_with("/*")) return pattern == path;
  const std::string_view prefix = pattern.substr(0, pattern.size() - 1);
  return path.starts_with(prefix) && path.size() > prefix.size() &&
         path.find('/', prefix.size()) == std::string_view::npos;
}

}  // namespace

HttpResponse error_response(int status, std::string_view text) {
  return HttpResponse::json(status,
                            json::serialize(json::object{{"error", json::string_view(text.data(), text.size())}}));
}

int http_status_of(Errc code) noexcept {
  switch (code) {
    case Errc::invalid_argument: return 400;
    case Errc::not_found: return 404;
    case Errc::conflict: return 409;
    case Errc::permission_denied: return 403;
    case Errc::rejected: return 429;
    case Errc::unavailable:
    case Errc::exhausted:
    case Errc::cancelled: return 503;
    case Errc::deadline_exceeded: return 504;
    case Errc::unsupported: return 501;
    case Errc::data_loss:
    case Errc::internal: return 500;
  }
  return 500;
}

Result<std::unique_ptr<Service>> Service::make(ServiceOptions options, health::HealthSource& health,
                                               metrics::Registry& metrics, Logger logger, const Clock& clock) {
  if (!options.key.empty() && !options.health.authenticator.who) {
    SERIN_TRY(options.health.authenticator, endpoints::bearer(options.key));
  }
  SERIN_TRY(endpoints::Endpoints endpoints,
            endpoints::Endpoints::make(std::move(options.health), std::move(options.identity), health, clock));
  std::string key = std::move(options.key);
  std::unique_ptr<Service> made(new Service(std::move(key), std::move(endpoints), metrics, std::move(logger), clock));
  return made;
}

Service::Service(std::string key, endpoints::Endpoints endpoints, metrics::Registry& metrics, Logger logger,
                 const Clock& clock)
    : key_(std::move(key)),
      endpoints_(std::move(endpoints)),
      metrics_(metrics),
      logger_(std::move(logger)),
      clock_(clock),
      in_flight_(metrics.gauge("http_requests_in_flight", "Requests being served.")) {}

void Service::route(std::string method, std::string path, Handler handler, Answers answers) {
  metrics::Histogram& seconds =
      metrics_.histogram("http_request_duration_seconds", "From the whole request to the answer.",
                         metrics::latency_bounds(), {{"route", path}});
  routes_.push_back({.method = std::move(method),
                     .path = std::move(path),
                     .handler = std::move(handler),
                     .answers = answers,
                     .seconds = &seconds});
}

bool Service::has_key(const HttpRequest& request) const {
  const auto header = request.headers.find("Authorization");
  constexpr std::string_view scheme = "Bearer ";
  return !key_.empty() && header && header->starts_with(scheme) &&
         endpoints::same_secret(header->substr(scheme.size()), key_);
}

bool Service::is_immediate(const HttpRequest& request) const noexcept {
  const std::string_view path = request.path();
  if (path == metrics_path || endpoints_.owns(path)) return true;
  // As dispatch() chooses: the first route that fits.
  for (const Route& route : routes_)
    if (route.method == request.method && matches(route.path, path)) return route.answers == Answers::from_memory;
  return false;
}

bool Service::handle_later(const HttpRequest& request, const std::function<void(HttpResponse)>& respond) {
  return endpoints_.owns(request.path()) && endpoints_.handle_later(request, respond);
}

std::shared_ptr<const std::string> Service::prepared(const HttpHead& head) const noexcept {
  return endpoints_.prepared(head);
}

HttpResponse Service::dispatch(const HttpRequest& request, const Route*& route) {
  std::string allow;
  for (const Route& candidate : routes_) {
    if (!matches(candidate.path, request.path())) continue;
    if (candidate.method != request.method) {
      allow += (allow.empty() ? "" : ", ") + candidate.method;
      continue;
    }
    route = &candidate;
    try {
      return candidate.handler(request);
    } catch (const std::exception& error) {
      logger_.error("handler threw", {{"path", request.path()}, {"error", error.what()}});
    } catch (...) {
      logger_.error("handler threw", {{"path", request.path()}});
    }
    return error_response(500, "internal error");
  }
  if (allow.empty()) return error_response(404, "there is no such path");
  HttpResponse response = error_response(405, "this path does not know that method");
  response.headers.set("Allow", allow);
  return response;
}

HttpResponse Service::handle(const HttpRequest& request) {
  const std::string_view path = request.path();
  if (endpoints_.owns(path)) return endpoints_.handle(request);
  if (path == metrics_path) {
    if (request.method != "GET" && request.method != "HEAD") {
      HttpResponse response = error_response(405, "GET or HEAD");
      response.headers.set("Allow", "GET, HEAD");
      return response;
    }
    HttpResponse response = HttpResponse::text(200, metrics_.expose());
    response.headers.set("Content-Type", metrics::exposition_type);
    return response;
  }
  const Instant began = clock_.now();
  in_flight_.add(1);
  const Route* route = nullptr;
  HttpResponse response = dispatch(request, route);
  in_flight_.add(-1);
  count(request, route, response.status, clock_.now() - began);
  return response;
}

HttpResponse Service::overloaded(const HttpRequest& request) {
  count(request, nullptr, 503, Duration::zero());
  return HttpHandler::overloaded(request);
}

void Service::count(const HttpRequest& request, const Route* route, int status, Duration lasted) {
  // The route, not the path: what a caller can choose freely is no label.
  const std::string_view name = route != nullptr ? std::string_view(route->path) : std::string_view("other");
  metrics_
      .counter("http_requests_total", "Requests that were answered.",
               {{"route", std::string(name)}, {"status", std::to_string(status)}})
      .add();
  if (route != nullptr) route->seconds->observe(seconds_of(lasted));
  const double milliseconds = 1000 * seconds_of(lasted);
  if (status >= 500)
    logger_.warn("request", {{"method", request.method},
                             {"path", request.path()},
                             {"status", status},
                             {"ms", milliseconds},
                             {"peer", request.peer}});
  else
    logger_.info("request", {{"method", request.method},
                             {"path", request.path()},
                             {"status", status},
                             {"ms", milliseconds},
                             {"peer", request.peer}});
}

}  // namespace serin
