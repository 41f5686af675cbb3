#include "serin/fleet_pipeline/requests.hpp"

#include <fmt/format.h>

#include "json.hpp"

namespace serin::fleet {
namespace json = boost::json;

Result<StartRequest> parse_start_request(std::string_view body) {
  SERIN_TRY(const json::object object, parse_object(body));
  StartRequest request;
  SERIN_TRY(request.game_date, required_date(object, "game_date"));
  SERIN_TRY(request.force, flag_or(object, "force", false));
  return request;
}

Result<PitcherRequest> parse_pitcher_request(std::string_view body) {
  SERIN_TRY(const json::object object, parse_object(body));
  PitcherRequest request;
  SERIN_TRY(request.pitcher, required_text(object, "pitcher"));
  SERIN_TRY(request.game_date, required_date(object, "game_date"));
  SERIN_TRY(request.line, optional_number(object, "line"));
  return request;
}

Result<DateRequest> parse_date_request(std::string_view body) {
  SERIN_TRY(const json::object object, parse_object(body));
  DateRequest request;
  SERIN_TRY(request.game_date, required_date(object, "game_date"));
  return request;
}

Result<DateRangeRequest> parse_date_range_request(std::string_view body) {
  SERIN_TRY(const json::object object, parse_object(body));
  DateRangeRequest request;
  SERIN_TRY(request.start_date, required_date(object, "start_date"));
  SERIN_TRY(request.end_date, required_date(object, "end_date"));
  if (request.end_date < request.start_date) {
    return fail(Errc::invalid_argument,
                fmt::format("end_date {} is before start_date {}", request.end_date, request.start_date));
  }
  if (const auto* processors = object.if_contains("processors"); processors != nullptr && !processors->is_null()) {
    if (!processors->is_array()) return fail(Errc::invalid_argument, "field 'processors' must be an array of texts");
    for (const json::value& name : processors->get_array()) {
      if (!name.is_string()) return fail(Errc::invalid_argument, "field 'processors' must be an array of texts");
      request.processors.emplace_back(name.get_string().begin(), name.get_string().end());
    }
  }
  return request;
}

Result<StallRequest> parse_stall_request(std::string_view body) {
  StallRequest request;
  if (body.empty()) return request;
  SERIN_TRY(const json::object object, parse_object(body));
  SERIN_TRY(const auto min_age, optional_text(object, "min_age"));
  if (min_age) {
    SERIN_TRY(request.min_age, parse_duration(*min_age));
  }
  SERIN_TRY(request.enough, optional_number(object, "enough"));
  if (request.enough && (*request.enough < 0 || *request.enough > 1)) {
    return fail(Errc::invalid_argument, fmt::format("field 'enough' must be in [0, 1], not {}", *request.enough));
  }
  return request;
}

std::string error_json(const Error& error) {
  return json::serialize(json::object{{"error", errc_name(error.code())}, {"detail", error.detail()}});
}

}  // namespace serin::fleet
