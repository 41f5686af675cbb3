#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "serin/http/options.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/http.hpp"

namespace serin::http {

/// Whether a request may reach the server a second time, when a kept connection dies before anything of the answer.
enum class Resend : std::uint8_t {
  by_method,  ///< GET, HEAD, OPTIONS, TRACE, PUT, DELETE, and whatever carries an Idempotency-Key
  allowed,    ///< the caller knows that a second delivery does no harm
  never,      ///< at most once, whatever the method
};

/// Takes a piece of the body; `head` has the status and headers and an empty body. Nothing of it is kept in the answer.
/// An error ends the request with it.
using BodySink = std::function<Status(const HttpResponse& head, std::string_view piece)>;
/// Writes the next piece into `room` and returns its size; 0 is the end. An error ends the request with it.
using BodySource = std::function<Result<std::size_t>(std::span<char> room)>;

struct Request {
  std::string origin;   ///< "https://example.org", "http://127.0.0.1:8080": no path
  HttpRequest message;  ///< Host, Content-Length, Accept-Encoding and Cookie are added where they are missing
  /// Absolute: the time in the line counts too. Without one, `timeouts.total` begins when a connection is there.
  std::optional<Deadline> deadline;
  std::stop_token stop;  ///< ends the request at once, wherever it is
  std::optional<Timeouts> timeouts;
  Resend resend = Resend::by_method;
  std::optional<int> redirects;
  std::optional<std::size_t> body_limit;
  /// The body instead of `message.body`: chunked, or with Content-Length when `source_size` says how much it is. Asked
  /// once, so such a request is never sent a second time, and no redirect that keeps the body is followed.
  BodySource source;
  std::optional<std::uint64_t> source_size;
  BodySink sink;
  std::string tag;  ///< for Hold
};

/// What it took to get an answer.
struct Trip {
  bool reused = false;   ///< the connection had served before
  bool resumed = false;  ///< TLS of a new connection was resumed
  int resends = 0;       ///< times the request was sent again, on a fresh connection
  int redirects = 0;     ///< that were followed
  Duration waited{};     ///< until a connection was there
  std::string url;       ///< of the answer, when redirects were followed
};
struct Answer {
  HttpResponse response;
  Trip trip;
};
/// Told once. On the loop's thread: it must not block, and not throw.
using Done = std::move_only_function<void(Result<Answer>)>;

enum class CloseReason : std::uint8_t {
  idle,       ///< nobody needed it for idle_timeout
  lifetime,   ///< max_lifetime
  announced,  ///< the answer said "Connection: close", or ended with the connection
  peer,       ///< the server closed or reset it while it was idle
  broken,     ///< it failed, or was not HTTP, while a request was on it
  cancelled,  ///< a request on it was given up
  evicted,    ///< another origin needed the place
  ended,      ///< the session went
};
constexpr std::size_t close_reasons = 8;
[[nodiscard]] std::string_view close_reason_name(CloseReason reason) noexcept;

/// Counted since the session began, but what is said to be "now".
struct OriginStats {
  std::string origin;
  std::int64_t requests = 0;    ///< that were sent, resends included
  std::int64_t opened = 0;      ///< connections
  std::int64_t failed = 0;      ///< connections that could not be opened
  std::int64_t reused = 0;      ///< requests on a connection that had served before
  std::int64_t handshakes = 0;  ///< of TLS
  std::int64_t resumed = 0;     ///< of these, with a remembered session
  std::int64_t resends = 0;
  std::int64_t ambiguous = 0;  ///< requests that may have been executed, and were not sent again
  std::int64_t refused = 0;    ///< the line was full, or the wait too long
  std::int64_t waiting = 0;    ///< requests in the line now
  std::int64_t opening = 0;    ///< connections being opened now
  std::int64_t in_use = 0;     ///< connections that serve a request now
  std::int64_t leases = 0;     ///< requests that hold a connection now; in_use, or something leaks
  std::int64_t idle = 0;       ///< connections kept now
  std::int64_t closed[close_reasons] = {};
};

/// Keeps connections to many origins and sends requests over them: HTTP/1.1, with or without TLS. One thread does the
/// input and output of all; none is made for a request, and none before the first request.
///
/// A connection serves one request at a time. Who finds none waits in its origin's line, first come, first served, and
/// gets the next that is returned or opened, whichever is sooner. The connection used last is used first, so that those
/// nobody needs grow old and go. One that died while idle is noticed when it dies, and again before it is used.
///
/// A request that could take effect twice is never sent twice: see Resend. Nothing is retried beyond that; core/retry
/// does it. HTTP/2 is not offered: a server that speaks nothing else is `unavailable`.
///
/// In a child after fork() the session starts afresh: the parent's connections are closed there without a word on them,
/// cookies and counters begin anew. Threads: any.
class Session final : public HttpClient {
 public:
  /// With the default options, which are all right. `clock` outlives it; its instants must be those of steady_clock.
  explicit Session(const Clock& clock);
  /// Errors: invalid_argument (an option out of its range, a file without a certificate), not_found (a file).
  [[nodiscard]] static Result<std::unique_ptr<Session>> make(SessionOptions options, const Clock& clock);
  /// Requests that are still on their way end as `cancelled` first. A lookup of a name that is under way is awaited.
  ~Session() override;

  using HttpClient::send;
  /// The deadline is the only limit, apart from Timeouts::wait and connect.
  Result<HttpResponse> send(std::string_view origin, HttpRequest request, Deadline deadline,
                            std::stop_token stop) override;
  /// `source` and `sink` are called on the caller's thread and may block: meanwhile nothing is read from the peer.
  /// Errors: invalid_argument (request or origin), rejected (the line is full), deadline_exceeded (any timeout),
  /// unavailable (refused, reset, closed; the text says "may have been executed" where that is so), permission_denied
  /// (its certificate), data_loss (not HTTP, or cut in the middle of its compression), exhausted (larger than a limit,
  /// or too many redirects), cancelled, unsupported (a scheme or a proxy's), and what sink and source say.
  /// Called on the loop's thread, it is refused: invalid_argument.
  Result<Answer> send(Request request);
  /// The same without a thread that waits: `done` gets what send() would return, and never during this call, unless the
  /// session's thread cannot be had (exhausted). `source` and `sink` are called on the loop's thread and must not
  /// block.
  void send_async(Request request, Done done);

  /// Opens connections until `count` are idle. Errors: as send(), of the first that failed; exhausted (over a limit).
  Status warm_up(std::string_view origin, std::size_t count, Deadline deadline);
  /// By origin. Never blocks for long.
  [[nodiscard]] std::vector<OriginStats> stats() const;

 private:
  class Parts;
  explicit Session(std::unique_ptr<Parts> parts);
  [[nodiscard]] Parts& parts() const;

  mutable std::atomic<Parts*> parts_;  // owned; exchanged in a forked child
};

}  // namespace serin::http
