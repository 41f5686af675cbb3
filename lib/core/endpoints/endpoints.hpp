#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "serin/base/error.hpp"
#include "serin/endpoints/options.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/health.hpp"
#include "serin/ports/http.hpp"

namespace serin::endpoints {

/// Answers health probes over HTTP, whatever server they come through: a request goes in, a response comes out. The
/// methods have the names and meanings of HttpHandler's, so that a handler can pass its own on. GET and HEAD only; the
/// answer to HEAD has GET's body, which a server leaves out. No answer runs a check but one of a route `on_demand`
/// through handle_later(). Threads: any.
class Endpoints {
 public:
  /// \param health  outlives it and every answer that handle_later() still owes
  /// \param clock   outlives it
  /// Errors: invalid_argument, every mistake in one sentence: no route, a path twice or with a slash at its end, a
  /// route that another one's checks hide, codes outside of 200 to 599 or that forbid a body, codes below 400 for what
  /// does not serve (unless may_hide_failures), a duration out of range, an identity without a service's name.
  [[nodiscard]] static Result<Endpoints> make(EndpointsOptions options, health::Identity identity,
                                              health::HealthSource& health, const Clock& clock);

  /// Whether a path (without a query) is one of its own. Others are 404 here, and somebody else's to answer.
  [[nodiscard]] bool owns(std::string_view path) const noexcept;
  /// From memory, within microseconds. Whatever goes wrong is a response.
  [[nodiscard]] HttpResponse handle(const HttpRequest& request) const;
  /// Takes requests of routes `on_demand`, and calls `respond` once: at once on this thread, or later on any, at the
  /// deadline at the latest. False: handle() it.
  bool handle_later(const HttpRequest& request, const std::function<void(HttpResponse)>& respond) const;
  /// The whole answer as it goes on the wire of a kept connection, for requests that are plain and to exactly a route
  /// from memory; for HEAD the same as for GET. It is replaced when the health changes and when it is `prepared_for`
  /// old, so that what only time changes shows as well. Reading takes no lock and no memory.
  [[nodiscard]] std::shared_ptr<const std::string> prepared(const HttpHead& head) const noexcept;

 private:
  struct Parts;
  explicit Endpoints(std::shared_ptr<Parts> parts) : parts_(std::move(parts)) {}
  std::shared_ptr<Parts> parts_;  // shared with the answers that are still to be given
};

}  // namespace serin::endpoints
