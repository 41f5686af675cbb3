#pragma once
#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"

// Private to the module.
namespace serin::firestore {

/// The fields of a document for a JSON object: null, bool, 64-bit whole numbers, doubles, texts, lists and maps as
/// Firestore's own, so that others see data and not a text. Nothing when Firestore cannot hold it so: a list directly
/// in a list, a number above 2^63 - 1, a name that is empty or reserved (__x__), more than 20 levels.
[[nodiscard]] std::optional<boost::json::object> fields_of(const boost::json::object& content);

/// The JSON object of a document's fields. What JSON has no form for, and others may have written, becomes a text:
/// times as they are, bytes in base64, references, NaN and the infinities; a place on earth is
/// {"latitude","longitude"}. Errors: data_loss (a value of no known kind).
Result<boost::json::object> content_of(const boost::json::object& fields);

/// A document's id as a segment of its name: '/' and '%' are escaped, and so are ".", ".." and "__x__".
[[nodiscard]] std::string segment_of(std::string_view id);
[[nodiscard]] std::string id_of(std::string_view segment);

/// "2026-01-21T08:00:00.123456Z" and microseconds since 1970. Errors: data_loss (no such time, or one with
/// nanoseconds).
Result<std::int64_t> micros_of(std::string_view time);
[[nodiscard]] std::string time_of_micros(std::int64_t micros);

}  // namespace serin::firestore
