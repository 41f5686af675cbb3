#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"

// What callers ask the services for, as checked values. The services' mains never see JSON.
namespace serin::fleet {

struct StartRequest {
  std::string game_date;
  bool force = false;  ///< start over, also while a batch of that date runs
};
struct PitcherRequest {
  std::string pitcher;
  std::string game_date;
  std::optional<double> line;
};
struct DateRequest {
  std::string game_date;
};
struct DateRangeRequest {
  std::string start_date;
  std::string end_date;                 ///< >= start_date
  std::vector<std::string> processors;  ///< empty: all
};
/// What a caller may say about stalled batches; what it leaves out keeps its default.
struct StallRequest {
  std::optional<Duration> min_age;
  std::optional<double> enough;
};

/// From a request's body. Errors: invalid_argument, naming the field; unknown fields are ignored.
Result<StartRequest> parse_start_request(std::string_view body);
Result<PitcherRequest> parse_pitcher_request(std::string_view body);
Result<DateRequest> parse_date_request(std::string_view body);
Result<DateRangeRequest> parse_date_range_request(std::string_view body);
/// An empty body is fine.
Result<StallRequest> parse_stall_request(std::string_view body);

/// `{"error":code,"detail":sentence}`.
[[nodiscard]] std::string error_json(const Error& error);

}  // namespace serin::fleet
