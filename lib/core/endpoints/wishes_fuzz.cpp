// Goal: nothing that a caller can write into its target, Accept or Authorization makes an answer anything but a whole
// answer: a known code, JSON where it says JSON, no secret, and no more than a stranger may see without the key.
// Method: libFuzzer; the input's lines are target, Accept, Authorization and peer.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "fake_health.hpp"
#include "serin/base/text.hpp"
#include "serin/endpoints/endpoints.hpp"

namespace {

using namespace serin;

struct NoClock final : Clock {
  Instant now() const override { return Instant(std::chrono::hours(1)); }
  WallTime wall() const override { return {}; }
};

struct Stage {
  Stage() {
    source.group_names = {"core"};
    source.checks.push_back({.name = "db",
                             .groups = {"core"},
                             .answer = health::CheckAnswer::fail("why77", "token=hunter2", {{"host77", "db1"}})});
    endpoints::EndpointsOptions options;
    options.authenticator = endpoints::any_of({endpoints::bearer("sesame-open-now").value(),
                                               endpoints::basic("user", "a long password").value(),
                                               endpoints::address_list({"10.0.0.0/8", "fd00::/8"}).value()});
    all = endpoints::Endpoints::make(std::move(options), {.service = "shop"}, source, clock).value();
  }
  NoClock clock;
  endpoints::FakeHealth source;
  std::optional<endpoints::Endpoints> all;
};

void require(bool held) {
  if (!held) std::abort();
}

/// Whether quotes and brackets close and no control character stands in a text: what a caller could break.
bool is_closed(std::string_view json) {
  std::string open;
  bool quoted = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (static_cast<unsigned char>(c) < 0x20) return false;
    if (quoted && c == '\\') ++i;
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == '{' || c == '[') open += c;
    if (c != '}' && c != ']') continue;
    if (open.empty() || open.back() != (c == '}' ? '{' : '[')) return false;
    open.pop_back();
  }
  return !quoted && open.empty() && json.starts_with('{');
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Stage stage;
  const std::string text(data, data + size);
  const auto lines = split(text, '\n');
  const auto line = [&](std::size_t i) { return i < lines.size() ? std::string(lines[i]) : std::string(); };
  const HttpRequest request{
      .target = line(0), .headers = {{"Accept", line(1)}, {"Authorization", line(2)}}, .peer = line(3)};
  const HttpResponse answer = stage.all->handle(request);
  const auto is_one_of = [&](auto... codes) { return ((answer.status == codes) || ...); };
  require(is_one_of(200, 400, 401, 404, 500, 503));
  require(answer.body.find("hunter2") == std::string::npos);
  require(answer.headers.find("Cache-Control").has_value());
  if (answer.headers.find("Content-Type").value_or("").ends_with("json")) require(is_closed(answer.body));
  const bool anonymous = !endpoints::any_of({endpoints::bearer("sesame-open-now").value(),
                                             endpoints::basic("user", "a long password").value(),
                                             endpoints::address_list({"10.0.0.0/8", "fd00::/8"}).value()})
                              .who(request);
  if (anonymous) require(answer.body.find("why77") == std::string::npos || text.find("why77") != std::string::npos);
  return 0;
}
