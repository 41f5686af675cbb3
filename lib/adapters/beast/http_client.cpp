#include "serin/beast/http_client.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <deque>
#include <map>
#include <mutex>
#include <optional>

#include "serin/base/text.hpp"

namespace serin {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;

/// A connection with an event loop of its own: whoever uses it runs the loop until the answer or the deadline.
struct Line {
  asio::io_context io{1};
  Socket socket{io};
  beast::flat_buffer buffer;
  Instant used{};
};

struct Origin {
  std::string host;
  std::string port;
};

Result<Origin> parse_origin(std::string_view origin) {
  constexpr std::string_view scheme = "http://";
  if (origin.starts_with("https://"))
    return fail(Errc::unsupported, fmt::format("{}: this client has no TLS; use http:// on a local address", origin));
  const std::string_view rest = origin.starts_with(scheme) ? origin.substr(scheme.size()) : std::string_view();
  const std::size_t colon = rest.rfind(':');
  const std::string_view host = rest.substr(0, colon);
  const std::string_view port = colon == std::string_view::npos ? "80" : rest.substr(colon + 1);
  const auto number = to_int(port);
  if (host.empty() || host.find_first_of("/ \r\n") != std::string_view::npos || !number || *number < 1 ||
      *number > 65535)
    return fail(Errc::invalid_argument, fmt::format("'{}' is no origin like http://127.0.0.1:8080", origin));
  return Origin{std::string(host), std::string(port)};
}

/// Until when a caller waits, and what ends it sooner.
struct Patience {
  Deadline deadline;
  const std::stop_token& stop;
};

/// Runs the loop until `done`, the deadline or a requested stop; in the last two cases everything pending is cancelled
/// and has ended when it returns.
bool run_until_done(Line& line, const bool& done, const Patience& patience) {
  line.io.restart();
  const auto until = std::chrono::steady_clock::time_point(
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(patience.deadline.at().time_since_epoch()));
  {
    // After restart(), so that a stop that was requested before is not forgotten; gone before the loop runs again, so
    // that a late one cannot end the clearing up.
    const std::stop_callback wake(patience.stop, [&line] { line.io.stop(); });
    while (!done) {
      const std::size_t ran = patience.deadline == Deadline::never() ? line.io.run_one() : line.io.run_one_until(until);
      if (ran == 0) break;
    }
  }
  if (done) return true;
  boost::system::error_code ignored;
  line.socket.close(ignored);
  line.io.restart();
  line.io.run();
  return false;
}

/// Whether a kept connection is still quiet: closed by the peer, or with bytes nobody asked for, it is of no use.
bool is_quiet(Line& line) {
  pollfd state{.fd = line.socket.native_handle(), .events = POLLIN, .revents = 0};
  return ::poll(&state, 1, 0) == 0;
}

std::unexpected<Error> unavailable(std::string_view origin, std::string_view step,
                                   const boost::system::error_code& error) {
  return fail(Errc::unavailable, fmt::format("{} {}: {}", step, origin, error.message()));
}

std::unexpected<Error> ended(std::string_view origin, std::string_view step, const std::stop_token& stop) {
  if (stop.stop_requested()) return fail(Errc::cancelled, fmt::format("{} {}: the caller gave up", step, origin));
  return fail(Errc::deadline_exceeded, fmt::format("{} {}: no answer before the deadline", step, origin));
}

Result<std::unique_ptr<Line>> connect(std::string_view name, const Origin& origin, const Patience& patience) {
  auto line = std::make_unique<Line>();
  boost::system::error_code error;
  asio::ip::tcp::endpoint endpoint;
  const asio::ip::address address = asio::ip::make_address(origin.host, error);
  if (!error) {
    endpoint = {address, static_cast<std::uint16_t>(*to_int(origin.port))};
  } else {
    // Blocking, bounded by the system's resolver alone: names other than localhost are rare here.
    asio::ip::tcp::resolver resolver(line->io);
    const auto found = resolver.resolve(origin.host, origin.port, error);
    if (error || found.empty()) return unavailable(name, "resolve", error);
    endpoint = *found.begin();
  }
  bool done = false;
  line->socket.async_connect(endpoint, [&](boost::system::error_code result) {
    error = result;
    done = true;
  });
  if (!run_until_done(*line, done, patience)) return ended(name, "connect", patience.stop);
  if (error) return unavailable(name, "connect", error);
  line->socket.set_option(asio::ip::tcp::no_delay(true), error);
  return line;
}

std::string wire(const HttpRequest& request, const Origin& origin) {
  std::string out = fmt::format("{} {} HTTP/1.1\r\n", request.method, request.target);
  if (!request.headers.find("Host")) out += fmt::format("Host: {}:{}\r\n", origin.host, origin.port);
  for (const auto& [name, value] : request.headers) out += fmt::format("{}: {}\r\n", name, value);
  const bool has_body = !request.body.empty() || (request.method != "GET" && request.method != "HEAD");
  if (has_body) out += fmt::format("Content-Length: {}\r\n", request.body.size());
  out += "\r\n";
  return out + request.body;
}

bool is_line_safe(std::string_view text) { return text.find_first_of("\r\n") == std::string_view::npos; }

Status check_request(const HttpRequest& request) {
  bool good = is_line_safe(request.method) && is_line_safe(request.target) && request.target.starts_with('/') &&
              request.target.find(' ') == std::string::npos;
  for (const auto& [name, value] : request.headers) good = good && is_line_safe(name) && is_line_safe(value);
  if (!good) return fail(Errc::invalid_argument, "a request line or header holds a blank or a line break");
  return {};
}

struct Answer {
  HttpResponse response;
  bool keep_alive = false;
};

/// Nothing was received: the peer closed an idle connection as we wrote. Only then may a safe request be sent again.
struct Exchange {
  Result<Answer> answer;
  bool nothing_received = false;
};

Exchange exchange(Line& line, std::string_view name, const std::string& bytes, bool head, std::size_t limit,
                  const Patience& patience) {
  boost::system::error_code error;
  bool done = false;
  asio::async_write(line.socket, asio::buffer(bytes), [&](boost::system::error_code result, std::size_t) {
    error = result;
    done = true;
  });
  if (!run_until_done(line, done, patience)) return {ended(name, "send to", patience.stop), false};
  if (error) return {unavailable(name, "send to", error), true};

  beast::http::response_parser<beast::http::string_body> parser;
  parser.body_limit(limit);
  parser.skip(head);
  done = false;
  beast::http::async_read(line.socket, line.buffer, parser, [&](boost::system::error_code result, std::size_t) {
    error = result;
    done = true;
  });
  if (!run_until_done(line, done, patience)) return {ended(name, "receive from", patience.stop), false};
  if (error == beast::http::error::body_limit)
    return {fail(Errc::exhausted, fmt::format("{}: the answer is larger than {} bytes", name, limit)), false};
  if (error && error.category() == beast::http::make_error_code(beast::http::error::bad_method).category() &&
      error != beast::http::error::end_of_stream && error != beast::http::error::partial_message)
    return {fail(Errc::data_loss, fmt::format("{}: the answer is no HTTP: {}", name, error.message())), false};
  if (error) return {unavailable(name, "receive from", error), !parser.got_some()};

  Answer answer{.keep_alive = parser.keep_alive()};
  auto message = parser.release();
  answer.response.status = message.result_int() > 999 ? 0 : static_cast<int>(message.result_int());
  for (const auto& field : message)
    answer.response.headers.add(std::string_view(field.name_string().data(), field.name_string().size()),
                                std::string_view(field.value().data(), field.value().size()));
  answer.response.body = std::move(message.body());
  return {std::move(answer), false};
}

}  // namespace

struct BeastHttpClient::Parts {
  Parts(const Clock& given, HttpClientOptions chosen) : clock(given), options(chosen) {}

  /// The connection used last that is still good; older ones are closed on the way.
  std::unique_ptr<Line> take(const std::string& origin) {
    const std::lock_guard lock(mutex);
    auto& idle = lines[origin];
    const Instant now = clock.now();
    while (!idle.empty()) {
      auto line = std::move(idle.back());
      idle.pop_back();
      if (now - line->used < options.idle_timeout && is_quiet(*line)) return line;
    }
    return nullptr;
  }
  void give(const std::string& origin, std::unique_ptr<Line> line) {
    line->used = clock.now();
    const std::lock_guard lock(mutex);
    auto& idle = lines[origin];
    idle.push_back(std::move(line));
    if (idle.size() > options.idle_per_origin) idle.pop_front();
  }

  const Clock& clock;
  HttpClientOptions options;
  std::mutex mutex;
  std::map<std::string, std::deque<std::unique_ptr<Line>>> lines;  // guarded by mutex
};

BeastHttpClient::BeastHttpClient(const Clock& clock, HttpClientOptions options)
    : parts_(std::make_unique<Parts>(clock, options)) {}
BeastHttpClient::~BeastHttpClient() = default;

Result<HttpResponse> BeastHttpClient::send(std::string_view origin, HttpRequest request, Deadline deadline,
                                           std::stop_token stop) {
  SERIN_TRY(const Origin parsed, parse_origin(origin));
  SERIN_CHECK(check_request(request));
  const std::string key(origin);
  const std::string bytes = wire(request, parsed);
  const bool safe = request.method == "GET" || request.method == "HEAD";
  if (stop.stop_requested() || deadline.passed(parts_->clock.now())) return ended(origin, "connect", stop);
  const Patience patience{.deadline = deadline, .stop = stop};

  std::unique_ptr<Line> line = parts_->take(key);
  bool reused = line != nullptr;
  for (;;) {
    if (!line) {
      SERIN_TRY(line, connect(origin, parsed, patience));
    }
    Exchange result =
        exchange(*line, origin, bytes, request.method == "HEAD", parts_->options.response_limit, patience);
    if (result.answer) {
      if (result.answer->keep_alive) parts_->give(key, std::move(line));
      return std::move(result.answer->response);
    }
    // One more try, on a fresh connection: a kept one may die between the look and the write. Never for a request that
    // could take effect twice.
    if (!(reused && safe && result.nothing_received)) return pass(result.answer.error());
    reused = false;
    line = nullptr;
  }
}

}  // namespace serin
