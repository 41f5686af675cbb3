#include "serin/wire/wire.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <future>
#include <memory>

#include "serin/base/text.hpp"

namespace serin::wire {
namespace {

constexpr std::array<bool, 256> table_of(std::string_view marks) {
  std::array<bool, 256> table{};
  for (char c = '0'; c <= '9'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c = 'a'; c <= 'z'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c = 'A'; c <= 'Z'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (const char c : marks) table[static_cast<unsigned char>(c)] = true;
  return table;
}
constexpr std::array<bool, 256> in_name = table_of("!#$%&'*+-.^_`|~");         // RFC 9110, 5.6.2: token
constexpr std::array<bool, 256> in_target = table_of("-._~!$&'()*+,;=:@/?%");  // RFC 3986, 3.3 and 3.4

constexpr std::string_view blank_line = "\r\n\r\n";

/// Takes the characters of a class off the front.
std::string_view take(std::string_view& bytes, const std::array<bool, 256>& table) noexcept {
  std::size_t size = 0;
  while (size < bytes.size() && table[static_cast<unsigned char>(bytes[size])]) ++size;
  const std::string_view taken = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return taken;
}

bool skip(std::string_view& bytes, std::string_view expected) noexcept {
  if (!bytes.starts_with(expected)) return false;
  bytes.remove_prefix(expected.size());
  return true;
}

/// One field with its line end, when it is plain.
bool take_plain_field(std::string_view& bytes) noexcept {
  const std::string_view name = take(bytes, in_name);
  if (name.empty() || !skip(bytes, ":")) return false;
  std::size_t size = 0;
  while (size < bytes.size() && (bytes[size] == '\t' || (bytes[size] >= ' ' && bytes[size] <= '~'))) ++size;
  const std::string_view value = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return skip(bytes, "\r\n") && leaves_plain(name, value);
}

}  // namespace

bool leaves_plain(std::string_view name, std::string_view value) noexcept {
  const auto is = [&](std::string_view other) { return equal_ignoring_case(name, other); };
  switch (name.empty() ? '\0' : static_cast<char>(name.front() | 0x20)) {
    case 'a':
      if (is("accept")) return trim(value) == "*/*";
      return !is("authorization");
    case 'c':
      if (is("connection")) return equal_ignoring_case(trim(value), "keep-alive");
      return !is("content-length") && !is("cookie");
    case 'e': return !is("expect");
    case 'i': return !equal_ignoring_case(name.substr(0, 3), "if-");
    case 'p': return !is("proxy-authorization") && !is("proxy-connection");
    case 'r': return !is("range");
    case 't': return !is("transfer-encoding") && !is("te") && !is("trailer");
    case 'u': return !is("upgrade");
    default: return true;
  }
}

std::optional<PlainHead> read_plain_head(std::string_view bytes) noexcept {
  std::string_view rest = bytes;
  PlainHead plain;
  if (skip(rest, "GET "))
    plain.head.method = "GET";
  else if (skip(rest, "HEAD "))
    plain.head.method = "HEAD";
  else
    return std::nullopt;
  if (!rest.starts_with('/')) return std::nullopt;
  plain.head.target = take(rest, in_target);
  if (!skip(rest, " HTTP/1.1\r\n")) return std::nullopt;
  while (!skip(rest, "\r\n"))
    if (!take_plain_field(rest)) return std::nullopt;
  plain.size = bytes.size() - rest.size();
  return plain;
}

std::string_view answer_to(std::string_view method, std::string_view prepared) noexcept {
  if (method != "HEAD") return prepared;
  const std::size_t end = prepared.find(blank_line);
  return end == std::string_view::npos ? prepared : prepared.substr(0, end + blank_line.size());
}

void append_answer(std::string& out, const HttpResponse& response, AnswerStyle style) {
  const auto to = std::back_inserter(out);
  fmt::format_to(to, "HTTP/1.1 {} {}\r\n", response.status, http_reason(response.status));
  for (const auto& [name, value] : response.headers) {
    // A value with a line break would start a header of its own.
    if (value.find_first_of("\r\n") != std::string::npos || equal_ignoring_case(name, "content-length")) continue;
    out.append(name).append(": ").append(value).append("\r\n");
  }
  if (response.status != 204 && response.status != 304)
    fmt::format_to(to, "Content-Length: {}\r\n", response.body.size());
  if (!style.keep_alive)
    out += "Connection: close\r\n";
  else if (style.old_keep_alive)
    out += "Connection: keep-alive\r\n";
  out += "\r\n";
  if (!style.head_only && response.status != 204 && response.status != 304) out += response.body;
}

AnswerReader::AnswerReader(std::string_view answer) noexcept {
  const std::size_t end = answer.find(blank_line);
  const std::size_t line = answer.find("\r\n");
  if (end == std::string_view::npos || !answer.starts_with("HTTP/1.1 ") || line < 12) return;
  const auto status = to_int(answer.substr(9, 3));
  if (!status || *status < 100) return;
  status_ = static_cast<int>(*status);
  if (line < end) fields_ = answer.substr(line + 2, end - line);  // each with its line end
  body_ = answer.substr(end + blank_line.size());
}

std::optional<std::pair<std::string_view, std::string_view>> AnswerReader::next() noexcept {
  const std::size_t end = fields_.find("\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = fields_.substr(0, end);
  fields_.remove_prefix(end + 2);
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return next();
  return std::pair(line.substr(0, colon), trim(line.substr(colon + 1)));
}

HttpResponse ask(HttpHandler& handler, const HttpRequest& request) {
  struct Pending {
    std::promise<HttpResponse> promise;
    std::atomic<bool> answered = false;
    ~Pending() { set(HttpResponse::json(500, R"({"error":"no answer was made"})")); }
    void set(HttpResponse response) {
      if (!answered.exchange(true)) promise.set_value(std::move(response));
    }
  };
  auto pending = std::make_shared<Pending>();
  std::future<HttpResponse> answer = pending->promise.get_future();
  const bool later =
      handler.handle_later(request, [pending](HttpResponse response) { pending->set(std::move(response)); });
  pending.reset();
  return later ? answer.get() : handler.handle(request);
}

}  // namespace serin::wire
