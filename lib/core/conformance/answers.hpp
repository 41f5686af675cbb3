#pragma once
#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace serin::conformance {

// Private to the module: what is wrong with the body of an answer; nothing when it is as the contract says.

/// Fields of /health. \param service  the name it has to say; empty: any
[[nodiscard]] std::optional<std::string> wrong_identity(std::string_view body, std::string_view service);
/// Whether the fields of /health are all there, whatever they say.
[[nodiscard]] bool has_identity(const boost::json::object& body);
/// A JSON object, or what it is instead.
[[nodiscard]] std::optional<boost::json::object> object_of(std::string_view body);
/// The fields of /ready and /health/deep, their types and allowed values.
[[nodiscard]] std::optional<std::string> wrong_shape(const boost::json::object& body);
/// Counts that do not add up.
[[nodiscard]] std::optional<std::string> wrong_counts(const boost::json::object& body);
/// A status word that does not fit the code or the checks.
[[nodiscard]] std::optional<std::string> wrong_status(const boost::json::object& body, int code);
/// An error's text or details that anybody may read.
[[nodiscard]] std::optional<std::string> disclosed(const boost::json::object& body);

}  // namespace serin::conformance
