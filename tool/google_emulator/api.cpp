#include "api.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "serin/base/text.hpp"

namespace serin::google_emulator {

std::unexpected<Failure> refuse(int code, std::string_view status, std::string_view reason, std::string message) {
  return std::unexpected(Failure{code, std::string(status), std::string(reason), std::move(message)});
}
std::unexpected<Failure> not_found(std::string message) {
  return refuse(404, "NOT_FOUND", "notFound", std::move(message));
}
std::unexpected<Failure> exists(std::string message) {
  return refuse(409, "ALREADY_EXISTS", "duplicate", std::move(message));
}
std::unexpected<Failure> bad(std::string message) {
  return refuse(400, "INVALID_ARGUMENT", "invalid", std::move(message));
}

std::unexpected<Failure> refuse(const Error& error) {
  switch (error.code()) {
    case Errc::invalid_argument: return bad(error.detail());
    case Errc::not_found: return not_found(error.detail());
    case Errc::conflict: return refuse(409, "ABORTED", "conflict", error.detail());
    case Errc::unsupported: return refuse(501, "UNIMPLEMENTED", "notImplemented", error.detail());
    case Errc::unavailable: return refuse(503, "UNAVAILABLE", "backendError", error.detail());
    case Errc::deadline_exceeded: return refuse(504, "DEADLINE_EXCEEDED", "timeout", error.detail());
    case Errc::permission_denied: return refuse(403, "PERMISSION_DENIED", "accessDenied", error.detail());
    case Errc::rejected:
    case Errc::exhausted:
    case Errc::cancelled:
    case Errc::data_loss:
    case Errc::internal: break;
  }
  return refuse(500, "INTERNAL", "internalError", error.detail());
}

HttpResponse answer_of(const Failure& failure) {
  json::object error{{"code", failure.code},
                     {"message", failure.message},
                     {"status", failure.status},
                     {"errors", json::array{json::object{
                                    {"domain", "global"}, {"reason", failure.reason}, {"message", failure.message}}}}};
  if (failure.retry_after > 0)
    error["details"] = json::array{json::object{{"@type", "type.googleapis.com/google.rpc.RetryInfo"},
                                                {"retryDelay", fmt::format("{}s", failure.retry_after)}}};
  return HttpResponse::json(failure.code, json::serialize(json::object{{"error", std::move(error)}}));
}

std::string Call::query(std::string_view name) const { return request.query(name).value_or(""); }

std::vector<std::string> Call::queries(std::string_view name) const {
  std::vector<std::string> out;
  const std::string_view target = request.target;
  const std::size_t mark = target.find('?');
  if (mark == std::string_view::npos) return out;
  for (const std::string_view pair : split(target.substr(mark + 1), '&')) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos || percent_decode(pair.substr(0, equals), true) != name) continue;
    out.push_back(percent_decode(pair.substr(equals + 1), true));
  }
  return out;
}

std::int64_t Call::number(std::string_view name, std::int64_t otherwise) const {
  return to_int(query(name)).value_or(otherwise);
}

std::optional<std::vector<std::string>> match(std::string_view pattern, std::string_view path) {
  std::vector<std::string> out;
  std::size_t at = 0;
  for (std::size_t i = 0; i < pattern.size();) {
    if (pattern[i] != '{') {
      if (at >= path.size() || path[at] != pattern[i]) return std::nullopt;
      ++at;
      ++i;
      continue;
    }
    const bool rest = pattern.substr(i, 4) == "{**}";
    i += rest ? 4 : 2;
    std::size_t end = path.size();
    const std::string_view tail = pattern.substr(i);
    if (rest && !tail.empty()) {
      if (path.size() < at + tail.size() || !path.ends_with(tail)) return std::nullopt;
      end = path.size() - tail.size();
    } else if (!rest) {
      end = at;
      while (end < path.size() && path[end] != '/' && (path[end] != ':' || tail.empty() || tail[0] != ':')) ++end;
      // A verb is not part of a name.
      if (tail.empty() && path.substr(at, end - at).find(':') != std::string_view::npos) return std::nullopt;
    }
    if (end == at) return std::nullopt;
    out.push_back(percent_decode(path.substr(at, end - at), false));
    at = end;
  }
  if (at != path.size()) return std::nullopt;
  return out;
}

std::string scalar_text(const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  if (value.is_int64()) return std::to_string(value.get_int64());
  if (value.is_uint64()) return std::to_string(value.get_uint64());
  if (value.is_double()) return fmt::format("{}", value.get_double());
  if (value.is_bool()) return value.get_bool() ? "true" : "false";
  return "";
}

std::string text_at(const json::object& object, std::string_view name) {
  const json::value* found = object.if_contains(name);
  return found == nullptr ? "" : scalar_text(*found);
}
std::int64_t int_at(const json::object& object, std::string_view name, std::int64_t otherwise) {
  return to_int(text_at(object, name)).value_or(otherwise);
}
bool bool_at(const json::object& object, std::string_view name) { return text_at(object, name) == "true"; }
const json::object* object_at(const json::object& object, std::string_view name) {
  const json::value* found = object.if_contains(name);
  return found == nullptr ? nullptr : found->if_object();
}
const json::array* array_at(const json::object& object, std::string_view name) {
  const json::value* found = object.if_contains(name);
  return found == nullptr ? nullptr : found->if_array();
}
json::object& make_object(json::object& object, std::string_view name) {
  json::value& value = object[name];
  if (!value.is_object()) value.emplace_object();
  return value.get_object();
}

json::value parsed(std::string_view text) {
  boost::system::error_code error;
  json::parse_options options;
  options.max_depth = 64;
  json::value out = json::parse(text, error, {}, options);
  return error ? json::value() : out;
}

std::string micros_text(WallTime time) {
  const auto micros = std::chrono::floor<std::chrono::microseconds>(time.time_since_epoch()).count();
  std::string out = format_rfc3339(time);  // milliseconds
  out.insert(out.size() - 1, fmt::format("{:03}", ((micros % 1000) + 1000) % 1000));
  return out;
}

std::string random_hex(Random& random, int digits) {
  std::string out;
  while (static_cast<int>(out.size()) < digits) out += fmt::format("{:016x}", random.next());
  return out.substr(0, static_cast<std::size_t>(digits));
}

std::string random_uuid(Random& random) {
  const std::string hex = random_hex(random, 32);
  return fmt::format("{}-{}-4{}-a{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(13, 3), hex.substr(17, 3),
                     hex.substr(20, 12));
}

std::optional<std::string> gunzip(std::string_view bytes, std::size_t most) {
  z_stream stream{};
  constexpr int gzip_window = 15 + 16;
  if (inflateInit2(&stream, gzip_window) != Z_OK) return std::nullopt;
  std::string out;
  std::vector<unsigned char> source(bytes.begin(), bytes.end());  // zlib wants it writable by type
  stream.next_in = source.data();
  stream.avail_in = static_cast<uInt>(source.size());
  std::array<unsigned char, 65536> buffer{};
  int code = Z_OK;
  while (code == Z_OK && out.size() <= most) {
    stream.next_out = buffer.data();
    stream.avail_out = buffer.size();
    code = inflate(&stream, Z_NO_FLUSH);
    out.append(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(buffer.size() - stream.avail_out));
  }
  inflateEnd(&stream);
  if (code != Z_STREAM_END || out.size() > most) return std::nullopt;
  return out;
}

std::uint32_t crc32c(std::string_view bytes) noexcept {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1U) != 0 ? 0x82F63B78U : 0U);
  }
  return ~crc;
}

Page Page::of(const Call& call, std::string_view size_name, std::size_t otherwise) {
  Page page{.most = otherwise};
  const std::int64_t asked = call.number(size_name, 0);
  if (asked > 0) page.most = std::min(otherwise, static_cast<std::size_t>(asked));
  if (const auto token = base64_decode(call.query("pageToken")))
    page.from = static_cast<std::size_t>(std::max<std::int64_t>(0, to_int(*token).value_or(0)));
  return page;
}

std::string Page::next(std::size_t total) const {
  return from + most < total ? base64_encode(std::to_string(from + most)) : "";
}

}  // namespace serin::google_emulator
