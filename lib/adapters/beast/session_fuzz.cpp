// Goal: whatever bytes arrive in whatever pieces, the connection's state holds, and what is answered from memory is
// exactly what the real parser would have taken for a request: no smuggling between the two. Method: the same bytes
// through two sessions, one whose handler prepares everything and one whose handler prepares nothing; they must see the
// same requests in the same order, up to where one of them ends.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "detail_session.hpp"

namespace {
using namespace serin;

struct Recorder final : HttpHandler {
  explicit Recorder(bool prepares) : prepares_(prepares) {}
  bool is_immediate(const HttpRequest&) const noexcept override { return true; }
  HttpResponse handle(const HttpRequest& request) override {
    seen.push_back(request.method + " " + request.target + "\n" + request.body);
    return HttpResponse::text(200, "handled");
  }
  std::shared_ptr<const std::string> prepared(const HttpHead& head) const noexcept override {
    if (!prepares_) return nullptr;
    seen.push_back(std::string(head.method) + " " + std::string(head.target) + "\n");
    return bytes_;
  }
  mutable std::vector<std::string> seen;

 private:
  bool prepares_;
  std::shared_ptr<const std::string> bytes_ =
      std::make_shared<const std::string>("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nup");
};

/// Everything until the session wants no more. `piece`: bytes that arrive, and that go out, at a time.
std::vector<std::string> run(std::string_view bytes, std::size_t piece, bool prepares) {
  Recorder handler(prepares);
  serving::Session session({.head = 512, .body = 256}, handler);
  for (;;) switch (session.next(false)) {
      case serving::Session::Step::close: return handler.seen;
      case serving::Session::Step::request: session.answer(handler.handle(session.take()), false); break;
      case serving::Session::Step::write:
        if (session.pending().empty()) std::abort();
        session.sent(std::min(piece, session.pending().size()));
        break;
      case serving::Session::Step::read: {
        if (bytes.empty()) return handler.seen;
        const auto room = session.room();
        const std::size_t size = std::min({piece, bytes.size(), room.size()});
        if (size == 0) std::abort();
        std::memcpy(room.data(), bytes.data(), size);
        session.received(size);
        bytes.remove_prefix(size);
        break;
      }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text(data + 1, data + size);
  const std::size_t piece = data[0] == 0 ? text.size() + 1 : data[0];
  if (run(text, piece, true) != run(text, piece, false)) std::abort();
  return 0;
}
