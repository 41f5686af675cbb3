#pragma once
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "serin/ports/http.hpp"

// Private to the module.
namespace serin::serving {

struct SessionLimits {
  std::size_t head = 16384;      ///< bytes; more is answered 431
  std::size_t body = 10u << 20;  ///< bytes; more is answered 413
};

/// One connection without its socket: bytes in, requests and bytes out, one request at a time. Threads: one at a time.
class Session {
 public:
  enum class Step {
    read,     ///< it needs more bytes
    request,  ///< take() it and answer() it
    write,    ///< pending() has to go out before anything else
    close,    ///< nothing more to say, and nothing will be understood
  };
  /// \param handler  outlives it; asked for prepared answers only
  Session(SessionLimits limits, HttpHandler& handler) : limits_(limits), handler_(handler) {}

  /// Where bytes that arrive go; never empty. Then received().
  boost::asio::mutable_buffer room();
  void received(std::size_t size) { in_.commit(size); }
  /// Goes as far as it can. What is prepared is answered on the way, unless `leaving`: then every answer is its
  /// connection's last and says so.
  Step next(bool leaving);
  HttpRequest take();
  void answer(const HttpResponse& response, bool leaving);

  /// Bytes that have to go out. Valid until the next call.
  [[nodiscard]] std::string_view pending() const noexcept;
  void sent(std::size_t size);
  /// No request was begun. Bytes of an answer may still be pending.
  [[nodiscard]] bool between_requests() const noexcept { return in_.size() == 0 && !parser_; }
  /// The connection ends when pending() has gone out.
  [[nodiscard]] bool ends() const noexcept { return ends_; }
  [[nodiscard]] bool has_answered() const noexcept { return answered_; }

 private:
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;
  bool answer_prepared();
  void append(std::string_view bytes, const std::shared_ptr<const std::string>& owner);
  Step refuse(int status, std::string_view what);
  Step parse();

  SessionLimits limits_;
  HttpHandler& handler_;
  boost::beast::flat_buffer in_;
  std::optional<Parser> parser_;  ///< of a request that is not prepared, until it is answered
  bool told_to_continue_ = false;
  bool head_only_ = false;
  bool old_client_ = false;
  bool keep_alive_ = true;
  bool ends_ = false;
  bool answered_ = false;
  // What goes out: a prepared answer as it is, or bytes of our own; never both.
  std::shared_ptr<const std::string> prepared_;
  std::string_view piece_;  ///< of *prepared_
  std::string out_;
  std::size_t out_sent_ = 0;
};

}  // namespace serin::serving
