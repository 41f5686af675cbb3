#pragma once
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serin/ports/clock.hpp"
#include "serin/ports/http.hpp"
#include "serin/ports/random.hpp"

// Private to the module: what all APIs have in common.
namespace serin::google_emulator {

namespace json = boost::json;

/// An error in the shape of Google's.
struct Failure {
  int code = 400;
  std::string status;  ///< "INVALID_ARGUMENT"
  std::string reason;  ///< "invalid": BigQuery's word
  std::string message;
  double retry_after = 0;  ///< seconds, as RetryInfo; 0: none
};
using Reply = std::expected<json::value, Failure>;
using Outcome = std::expected<void, Failure>;

[[nodiscard]] std::unexpected<Failure> refuse(int code, std::string_view status, std::string_view reason,
                                              std::string message);
[[nodiscard]] std::unexpected<Failure> not_found(std::string message);
[[nodiscard]] std::unexpected<Failure> exists(std::string message);
[[nodiscard]] std::unexpected<Failure> bad(std::string message);
/// What went wrong inside of us, or with the file.
[[nodiscard]] std::unexpected<Failure> refuse(const Error& error);
[[nodiscard]] HttpResponse answer_of(const Failure& failure);

/// One request, with what its path said.
struct Call {
  const HttpRequest& request;
  std::vector<std::string> parts;  ///< what stood where the pattern has {}, decoded
  json::object body;               ///< empty when there is none
  WallTime now{};
  [[nodiscard]] std::string query(std::string_view name) const;  ///< empty: absent
  /// Every value of a parameter that may be repeated.
  [[nodiscard]] std::vector<std::string> queries(std::string_view name) const;
  [[nodiscard]] std::int64_t number(std::string_view name, std::int64_t otherwise) const;
  [[nodiscard]] bool flag(std::string_view name) const { return query(name) == "true"; }
};

using Handler = std::function<Reply(Call&)>;

/// "/v1/projects/{}/topics/{}:publish"; {} is one segment, {**} all that follows. Patterns are tried in order.
struct Route {
  std::string_view method;
  std::string_view pattern;
  Handler handler;
};
/// The decoded parts, when the path is of that form.
[[nodiscard]] std::optional<std::vector<std::string>> match(std::string_view pattern, std::string_view path);

// JSON, forgiving: nothing here throws.
[[nodiscard]] std::string text_at(const json::object& object, std::string_view name);
[[nodiscard]] std::int64_t int_at(const json::object& object, std::string_view name, std::int64_t otherwise = 0);
[[nodiscard]] bool bool_at(const json::object& object, std::string_view name);
[[nodiscard]] const json::object* object_at(const json::object& object, std::string_view name);
[[nodiscard]] const json::array* array_at(const json::object& object, std::string_view name);
/// The object at a path, made where it is missing.
[[nodiscard]] json::object& make_object(json::object& object, std::string_view name);
/// Number or text as text; bools as "true"; empty for anything else.
[[nodiscard]] std::string scalar_text(const json::value& value);
[[nodiscard]] json::value parsed(std::string_view text);  ///< null when it is no JSON

[[nodiscard]] std::string micros_text(WallTime time);  ///< "2026-01-31T10:00:00.123456Z"
[[nodiscard]] std::string random_hex(Random& random, int digits);
[[nodiscard]] std::string random_uuid(Random& random);
/// Reads gzip. Nothing: it is none, or larger than `most` bytes.
[[nodiscard]] std::optional<std::string> gunzip(std::string_view bytes, std::size_t most);
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes) noexcept;

/// Names after `token`, at most `most`: pages of anything that is listed in order.
struct Page {
  std::size_t from = 0;
  std::size_t most = 0;
  [[nodiscard]] static Page of(const Call& call, std::string_view size_name, std::size_t otherwise);
  /// The token of the page after this one; empty after the last.
  [[nodiscard]] std::string next(std::size_t total) const;
};

}  // namespace serin::google_emulator
