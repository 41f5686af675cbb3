#include "answers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cctype>
#include <map>

namespace serin::conformance {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 5> identity_fields{"service", "version", "revision", "commit", "environment"};
constexpr std::array<std::string_view, 3> overall_words{"healthy", "degraded", "unhealthy"};
constexpr std::array<std::string_view, 4> check_words{"pass", "warn", "fail", "skip"};
constexpr std::array<std::string_view, 5> counts{"checks_run", "checks_passed", "checks_warned", "checks_failed",
                                                 "checks_skipped"};
constexpr std::size_t shown = 120;

std::optional<std::string_view> text_at(const json::object& object, std::string_view field) {
  const json::value* value = object.if_contains(field);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string_view(value->get_string().data(), value->get_string().size());
}

/// Its beginning, on one line.
std::string excerpt(std::string_view body) {
  std::string out(body.substr(0, shown));
  std::ranges::replace_if(
      out, [](unsigned char c) { return std::iscntrl(c) != 0; }, ' ');
  return fmt::format("'{}'", out);
}

template <std::size_t n>
bool is_one_of(std::string_view word, const std::array<std::string_view, n>& words) {
  return std::ranges::find(words, word) != words.end();
}

std::optional<std::string> wrong_check(const json::value& value) {
  if (!value.is_object()) return "an entry of checks is no object";
  const json::object& check = value.get_object();
  const auto name = text_at(check, "check");
  if (!name || name->empty()) return "an entry of checks has no name in 'check'";
  const auto status = text_at(check, "status");
  if (!status || !is_one_of(*status, check_words))
    return fmt::format("check '{}': status is not pass, warn, fail or skip", *name);
  const json::value* critical = check.if_contains("critical");
  if (critical == nullptr || !critical->is_bool()) return fmt::format("check '{}': critical is no boolean", *name);
  const json::value* duration = check.if_contains("duration_ms");
  if (duration == nullptr || !duration->is_number() || duration->to_number<double>() < 0)
    return fmt::format("check '{}': duration_ms is no number from 0 on", *name);
  for (const std::string_view field : {"details", "error", "reason"})
    if (!check.contains(field)) return fmt::format("check '{}': the field '{}' is missing", *name, field);
  if (!check.at("details").is_object()) return fmt::format("check '{}': details is no object", *name);
  return std::nullopt;
}

}  // namespace

std::optional<json::object> object_of(std::string_view body) {
  boost::system::error_code error;
  json::value value = json::parse(body, error);
  if (error || !value.is_object()) return std::nullopt;
  return std::move(value.get_object());
}

bool has_identity(const json::object& body) {
  return body.contains("status") &&
         std::ranges::all_of(identity_fields, [&](std::string_view field) { return body.contains(field); });
}

std::optional<std::string> wrong_identity(std::string_view body, std::string_view service) {
  const auto object = object_of(body);
  if (!object) return fmt::format("the body is no JSON object: {}", excerpt(body));
  const auto status = text_at(*object, "status");
  if (!status || *status != "healthy") return fmt::format("status is not 'healthy': {}", excerpt(body));
  for (const std::string_view field : identity_fields)
    if (!text_at(*object, field)) return fmt::format("the field '{}' is missing or no text", field);
  const std::string_view name = *text_at(*object, "service");
  if (name.empty()) return "service is empty";
  if (!service.empty() && name != service) return fmt::format("service is '{}', not '{}'", name, service);
  return std::nullopt;
}

std::optional<std::string> wrong_shape(const json::object& body) {
  const auto status = text_at(body, "status");
  if (!status || !is_one_of(*status, overall_words)) return "status is not healthy, degraded or unhealthy";
  if (!text_at(body, "service")) return "the field 'service' is missing or no text";
  const json::value* total = body.if_contains("total_duration_ms");
  if (total == nullptr || !total->is_number()) return "total_duration_ms is missing or no number";
  for (const std::string_view field : counts) {
    const json::value* value = body.if_contains(field);
    if (value == nullptr || !value->is_int64() || value->get_int64() < 0)
      return fmt::format("{} is missing or no count", field);
  }
  const json::value* checks = body.if_contains("checks");
  if (checks == nullptr || !checks->is_array()) return "checks is missing or no list";
  for (const json::value& check : checks->get_array())
    if (auto wrong = wrong_check(check)) return wrong;
  return std::nullopt;
}

std::optional<std::string> wrong_counts(const json::object& body) {
  std::map<std::string, std::int64_t, std::less<>> seen;
  for (const json::value& check : body.at("checks").as_array())
    ++seen[std::string(*text_at(check.as_object(), "status"))];
  const std::array<std::pair<std::string_view, std::int64_t>, 5> expected{
      {{"checks_passed", seen["pass"]},
       {"checks_warned", seen["warn"]},
       {"checks_failed", seen["fail"]},
       {"checks_skipped", seen["skip"]},
       {"checks_run", seen["pass"] + seen["warn"] + seen["fail"]}}};
  for (const auto& [field, count] : expected)
    if (const std::int64_t said = body.at(field).as_int64(); said != count)
      return fmt::format("{} is {}, but the list has {}", field, said, count);
  return std::nullopt;
}

std::optional<std::string> wrong_status(const json::object& body, int code) {
  const std::string_view status = *text_at(body, "status");
  const int fitting = status == "unhealthy" ? 503 : 200;
  if (code != fitting) return fmt::format("answered {} and says '{}'", code, status);
  bool critical_failed = false;
  bool anything = false;
  for (const json::value& value : body.at("checks").as_array()) {
    const json::object& check = value.as_object();
    const std::string_view said = *text_at(check, "status");
    critical_failed = critical_failed || (said == "fail" && check.at("critical").as_bool());
    anything = anything || said == "fail" || said == "warn";
  }
  if (critical_failed && status != "unhealthy") return fmt::format("says '{}' while a critical check fails", status);
  if (!critical_failed && status == "unhealthy") return "says 'unhealthy' while no critical check fails";
  if (anything && status == "healthy") return "says 'healthy' while a check fails or warns";
  return std::nullopt;
}

std::optional<std::string> disclosed(const json::object& body) {
  for (const json::value& value : body.at("checks").as_array()) {
    const json::object& check = value.as_object();
    const std::string_view name = *text_at(check, "check");
    if (!check.at("details").as_object().empty()) return fmt::format("check '{}' shows its details", name);
    const auto error = text_at(check, "error");
    if (error && *error != "withheld") return fmt::format("check '{}' shows its error", name);
  }
  return std::nullopt;
}

}  // namespace serin::conformance
