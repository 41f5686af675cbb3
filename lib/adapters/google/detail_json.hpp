#pragma once
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"

// For this module and the clients on it: answers and files that others wrote, read without a surprise.
namespace serin::google {

/// Errors: data_loss, naming `what` and the place; never its content.
Result<boost::json::value> parse_json(std::string_view text, std::string_view what);
/// The same, which must be an object. An empty text is an empty object: some services answer so.
Result<boost::json::object> parse_object(std::string_view text, std::string_view what);

/// A member, or null when it is absent or null. \param path  "a.b.c" for members of members
[[nodiscard]] const boost::json::value* member(const boost::json::object& object, std::string_view path);
/// A text member; empty when it is absent or something else.
[[nodiscard]] std::string text_of(const boost::json::object& object, std::string_view path);
/// A whole number, as number or (as proto3 writes 64 bits) as text. Nothing when absent or something else.
[[nodiscard]] std::optional<std::int64_t> int_of(const boost::json::object& object, std::string_view path);
[[nodiscard]] std::optional<double> double_of(const boost::json::object& object, std::string_view path);
[[nodiscard]] bool flag_of(const boost::json::object& object, std::string_view path);
/// Null when it is absent or something else.
[[nodiscard]] const boost::json::object* object_of(const boost::json::object& object, std::string_view path);
/// An empty one when it is absent or something else.
[[nodiscard]] const boost::json::array& array_of(const boost::json::object& object, std::string_view path);
/// A time of RFC 3339. Nothing when absent or something else.
[[nodiscard]] std::optional<WallTime> time_of(const boost::json::object& object, std::string_view path);

/// "3.5s", as google.protobuf.Duration is written. Nothing for anything else; at most a day comes out.
[[nodiscard]] std::optional<Duration> parse_proto_duration(std::string_view text);

}  // namespace serin::google
