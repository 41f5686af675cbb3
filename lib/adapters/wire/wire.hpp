#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "serin/ports/http.hpp"

// HTTP/1.1 as bytes and nothing else, for every program that has its own server: what it needs to put an HttpHandler
// behind it in ten lines (examples/beast_host). Pure. Threads: any.
namespace serin::wire {

/// A head at the start of what came in.
struct PlainHead {
  HttpHead head;         ///< points into the bytes
  std::size_t size = 0;  ///< of the head, with the empty line that ends it
};

/// Whether a request of that method can be plain, as HttpHead means it: GET and HEAD.
[[nodiscard]] constexpr bool can_be_plain(std::string_view method) noexcept {
  return method == "GET" || method == "HEAD";
}
/// Whether a field leaves a request plain. Names compare without case.
[[nodiscard]] bool leaves_plain(std::string_view name, std::string_view value) noexcept;

/// The head when it is complete, plain, and written as every probe writes it: GET or HEAD, a path, HTTP/1.1, one field
/// a line. Nothing otherwise: a real parser has to look. Whatever this accepts is one request of just these bytes.
[[nodiscard]] std::optional<PlainHead> read_plain_head(std::string_view bytes) noexcept;

/// What of a prepared answer goes to who asked with this method: all of it, or only its head for HEAD.
[[nodiscard]] std::string_view answer_to(std::string_view method, std::string_view prepared) noexcept;

struct AnswerStyle {
  bool keep_alive = true;       ///< false: "Connection: close"
  bool head_only = false;       ///< the request was HEAD
  bool old_keep_alive = false;  ///< an HTTP/1.0 client asked to keep the connection and has to be told
};

/// Appends the answer as it goes on the wire. Fields whose value has a line break are left out, and Content-Length is
/// ours.
void append_answer(std::string& out, const HttpResponse& response, AnswerStyle style);

/// The parts of a prepared answer, for a host that writes status and fields itself. Views into the bytes.
class AnswerReader {
 public:
  explicit AnswerReader(std::string_view answer) noexcept;
  /// 0 when the bytes are no answer.
  [[nodiscard]] int status() const noexcept { return status_; }
  /// The next field; nothing after the last.
  std::optional<std::pair<std::string_view, std::string_view>> next() noexcept;
  [[nodiscard]] std::string_view body() const noexcept { return body_; }

 private:
  int status_ = 0;
  std::string_view fields_;
  std::string_view body_;
};

/// The handler's answer, however it makes it; waits for one that comes later. For hosts with a thread a request.
[[nodiscard]] HttpResponse ask(HttpHandler& handler, const HttpRequest& request);

}  // namespace serin::wire
