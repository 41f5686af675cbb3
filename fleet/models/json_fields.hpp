#pragma once
#include <fmt/format.h>

#include <boost/json.hpp>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "serin/base/error.hpp"

// Reading JSON of a known shape, strictly. Private to this module's sources.
namespace serin::fleet {

/// Errors: data_loss unless the text is one JSON object.
Result<boost::json::object> parse_json_object(std::string_view text);

/// Takes fields out of an object; the first thing that is wrong stays, with the field's full name.
class Fields {
 public:
  /// \param object  outlives this; null: every field is reported missing
  Fields(const boost::json::object* object, std::string path) : object_(object), path_(std::move(path)) {}

  std::string text(std::string_view name);
  bool flag(std::string_view name);
  std::int64_t whole(std::string_view name, std::int64_t least, std::int64_t most);
  double number(std::string_view name, double least, double most);
  /// The object in `name`, or null after a complaint.
  const boost::json::object* object(std::string_view name);
  const boost::json::array* array(std::string_view name);

  void complain(std::string_view name, std::string_view what);
  void complain(std::string finished);
  /// Complains about fields that nobody asked for: a misspelt name must not be taken for a default.
  void refuse_others();
  [[nodiscard]] const std::string& wrong() const noexcept { return wrong_; }
  [[nodiscard]] std::string full_name(std::string_view name) const;

 private:
  const boost::json::value* find(std::string_view name);

  const boost::json::object* object_;
  std::string path_;
  std::set<std::string, std::less<>> asked_;
  std::string wrong_;
};

}  // namespace serin::fleet
