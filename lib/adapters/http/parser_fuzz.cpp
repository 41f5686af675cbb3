// Goal: whatever bytes a server sends in whatever pieces, the parser holds, keeps its limits, and finds the same answer
// as when they come at once. Method: the same bytes in pieces of a size that the input gives, and in one.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "detail_parser.hpp"

namespace {
using namespace serin;

struct Recorder final : http::Receiver {
  Status on_head(HttpResponse head) override {
    seen += std::to_string(head.status);
    for (const auto& [name, value] : head.headers) seen += name + ":" + value + "\n";
    if (++heads > 1) std::abort();
    return {};
  }
  Status on_body(std::string_view piece) override {
    body += piece;
    if (body.size() > 256) std::abort();
    return {};
  }
  std::string seen;
  std::string body;
  int heads = 0;
};

std::string run(std::string_view bytes, std::size_t piece, bool no_body) {
  Recorder recorder;
  http::Parser parser({.head = 512});
  parser.begin(recorder, no_body, 256);
  while (!bytes.empty()) {
    if (auto taken = parser.put(bytes.substr(0, piece)); !taken) return "refused";
    bytes.remove_prefix(std::min(piece, bytes.size()));
    if (parser.is_done()) break;
  }
  if (!parser.end()) return "cut";
  return recorder.seen + recorder.body;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string text(data + 2, data + size);
  const std::size_t piece = data[0] == 0 ? text.size() + 1 : data[0];
  const bool no_body = data[1] % 2 == 1;
  const std::string whole = run(text, text.size() + 1, no_body);
  const std::string pieces = run(text, piece, no_body);
  // What stands behind the end, or where a limit is passed, may be seen earlier or later.
  if (whole != pieces && whole != "refused" && pieces != "refused") std::abort();
  return 0;
}
