#include "json_fields.hpp"

namespace serin::fleet {

Result<boost::json::object> parse_json_object(std::string_view text) {
  boost::system::error_code error;
  boost::json::stream_parser parser;
  const std::size_t used = parser.write_some(text.data(), text.size(), error);
  if (!error && used == text.size()) parser.finish(error);
  if (error || used != text.size()) {
    // Where the reading stopped, so that a person finds the place in a file.
    std::size_t line = 1;
    for (const char c : text.substr(0, used)) line += c == '\n' ? 1 : 0;
    return fail(Errc::data_loss,
                fmt::format("line {}: not JSON: {}", line, error ? error.message() : "text after the end"));
  }
  const auto value = parser.release();
  if (!value.is_object()) return fail(Errc::data_loss, "line 1: not a JSON object");
  return value.get_object();
}

std::string Fields::full_name(std::string_view name) const {
  return path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name);
}

void Fields::complain(std::string finished) {
  if (wrong_.empty()) wrong_ = std::move(finished);
}
void Fields::complain(std::string_view name, std::string_view what) {
  complain(fmt::format("{} {}", full_name(name), what));
}

const boost::json::value* Fields::find(std::string_view name) {
  asked_.emplace(name);
  const auto* value = object_ == nullptr ? nullptr : object_->if_contains(name);
  if (value == nullptr) complain(name, "is missing");
  return value;
}

std::string Fields::text(std::string_view name) {
  const auto* value = find(name);
  if (value == nullptr) return {};
  if (value->is_string()) return std::string(value->get_string());
  complain(name, "is not a text");
  return {};
}

bool Fields::flag(std::string_view name) {
  const auto* value = find(name);
  if (value == nullptr) return false;
  if (value->is_bool()) return value->get_bool();
  complain(name, "is neither true nor false");
  return false;
}

std::int64_t Fields::whole(std::string_view name, std::int64_t least, std::int64_t most) {
  const auto* value = find(name);
  if (value == nullptr) return least;
  if (value->is_int64() && value->get_int64() >= least && value->get_int64() <= most) return value->get_int64();
  complain(name, fmt::format("is not a whole number from {} to {}", least, most));
  return least;
}

double Fields::number(std::string_view name, double least, double most) {
  const auto* value = find(name);
  if (value == nullptr) return least;
  double number = std::numeric_limits<double>::quiet_NaN();
  if (value->is_double()) number = value->get_double();
  if (value->is_int64()) number = static_cast<double>(value->get_int64());
  if (number >= least && number <= most) return number;
  complain(name, fmt::format("is not a number from {} to {}", least, most));
  return least;
}

const boost::json::object* Fields::object(std::string_view name) {
  const auto* value = find(name);
  if (value == nullptr) return nullptr;
  if (value->is_object()) return &value->get_object();
  complain(name, "is not an object");
  return nullptr;
}

const boost::json::array* Fields::array(std::string_view name) {
  const auto* value = find(name);
  if (value == nullptr) return nullptr;
  if (value->is_array()) return &value->get_array();
  complain(name, "is not a list");
  return nullptr;
}

void Fields::refuse_others() {
  if (object_ == nullptr) return;
  for (const auto& field : *object_)
    if (!asked_.contains(std::string_view(field.key())))
      complain(std::string_view(field.key()), "is not a known field");
}

}  // namespace serin::fleet
