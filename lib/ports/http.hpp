#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"

namespace serin {

/// Header fields in order; names compare without case.
class HttpHeaders {
 public:
  HttpHeaders() = default;
  HttpHeaders(std::initializer_list<std::pair<std::string, std::string>> fields) : fields_(fields) {}
  /// The first field of that name.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept;
  /// Replaces every field of that name.
  void set(std::string_view name, std::string_view value);
  void add(std::string_view name, std::string_view value) { fields_.emplace_back(name, value); }
  [[nodiscard]] auto begin() const noexcept { return fields_.begin(); }
  [[nodiscard]] auto end() const noexcept { return fields_.end(); }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

struct HttpRequest {
  std::string method = "GET";
  std::string target = "/";  ///< path and query as on the wire: "/status?batch_id=7"
  HttpHeaders headers;
  std::string body;
  std::string peer;  ///< address of the client, filled in by a server; empty in a client

  /// The target up to '?'; not decoded.
  [[nodiscard]] std::string_view path() const noexcept;
  /// The decoded value of a query parameter; nothing when absent, empty when it has no '='.
  [[nodiscard]] std::optional<std::string> query(std::string_view name) const;
};

struct HttpResponse {
  int status = 200;
  HttpHeaders headers;
  std::string body;
  /// For those who stage faults: so many bytes of the body go out, then the connection is closed. With `status` 0 there
  /// is no answer at all. Our own server does so; others send the whole.
  std::optional<std::size_t> cut_after;

  [[nodiscard]] static HttpResponse json(int status, std::string body);
  [[nodiscard]] static HttpResponse text(int status, std::string body);
};

/// "Service Unavailable" for 503; empty for codes without a name.
[[nodiscard]] std::string_view http_reason(int status) noexcept;

/// Sends one request to an origin. Threads: any. Keeps connections alive on its own account.
class HttpClient {
 public:
  virtual ~HttpClient() = default;
  /// `origin` is "http://host:port" or "https://host", no path. Any status is a success here: the caller judges it.
  /// A request is sent at most once, unless a kept connection turned out dead and a second delivery does no harm: the
  /// method is GET, HEAD, OPTIONS, TRACE, PUT or DELETE, or there is an Idempotency-Key.
  /// Errors: invalid_argument (origin), unavailable (refused, reset, closed), deadline_exceeded, data_loss (not HTTP),
  /// exhausted (answer over the client's limit), rejected (too many wait already), permission_denied (its certificate),
  /// cancelled (at once, when `stop` is requested; the peer may have received the request).
  virtual Result<HttpResponse> send(std::string_view origin, HttpRequest request, Deadline deadline,
                                    std::stop_token stop) = 0;
  /// The same, which nobody cancels.
  Result<HttpResponse> send(std::string_view origin, HttpRequest request, Deadline deadline) {
    return send(origin, std::move(request), deadline, {});
  }
};

/// What decides about an answer that is prepared: no body, and none of the headers that could ask for another one.
/// Views into what the server has read; valid during the call.
struct HttpHead {
  std::string_view method;
  std::string_view target;
  /// GET or HEAD without a body, Authorization, Cookie, Range, If-..., Expect, Upgrade, Connection but keep-alive, nor
  /// an Accept but */*. Our own server asks about no other heads.
  bool is_plain = true;
};

/// What a server serves. Threads: any; called at the same time from several.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  /// True: handle() answers from memory within microseconds and may run on the network thread, so that no busy worker
  /// can delay it (liveness, readiness from cache, metrics). False: it may block and runs on a bounded pool of workers.
  [[nodiscard]] virtual bool is_immediate(const HttpRequest& request) const noexcept = 0;
  /// Never throws; whatever goes wrong is a response.
  virtual HttpResponse handle(const HttpRequest& request) = 0;
  /// Takes the request and answers later, from any thread, by calling `respond` once: for answers that wait without
  /// doing anything, so that a thousand of them need no thousand workers. False: it did not take it, handle() is asked.
  /// Called on the network thread, before is_immediate(). `request` is valid during the call only. Further calls of
  /// `respond`, and those after the client or the server has gone, do nothing; when every copy of it is gone without a
  /// call, the client gets 500.
  virtual bool handle_later(const HttpRequest& request, const std::function<void(HttpResponse)>& respond);
  /// The whole answer as it goes on the wire on a connection that is kept alive, when it is the same for everybody who
  /// asks like this: what a probe gets between two changes. Nothing: there is none, the request is handled as usual.
  /// Of the bytes HEAD gets the head: they may be the same as for GET. They are not asked for while the server leaves
  /// or when a head comes in pieces: then handle() makes the same answer, so what is prepared must also be
  /// is_immediate(). Called on the network thread for every plain request, so it answers at once.
  [[nodiscard]] virtual std::shared_ptr<const std::string> prepared(const HttpHead& head) const noexcept;
  /// What a client gets when the bounded pool is full (503 with Retry-After unless overridden).
  virtual HttpResponse overloaded(const HttpRequest& request);
};

}  // namespace serin
