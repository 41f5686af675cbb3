#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "serin/base/error.hpp"
#include "serin/ports/bus.hpp"

// What the services tell each other. One struct a topic; each knows how it looks on the bus.
namespace serin::fleet {

namespace topic {
constexpr std::string_view phase3_complete = "phase3-complete";
constexpr std::string_view phase4_complete = "phase4-complete";
constexpr std::string_view prediction_request = "prediction-request";
constexpr std::string_view prediction_request_dead = "prediction-request-dead";
constexpr std::string_view prediction_ready = "prediction-ready";
}  // namespace topic

/// phase3-complete and phase4-complete: the tables of a date are there.
struct PhaseComplete {
  std::string game_date;
  std::string run_id;    ///< of the processor run; a second delivery of the same event has the same one
  bool partial = false;  ///< some processors failed
};
/// prediction-request: predict one player of one game.
struct PredictionRequest {
  std::string batch_id;
  std::string player_id;
  std::string game_id;
  std::string game_date;
  std::optional<double> line;  ///< the market's; nothing: the player's own
  bool preview = false;        ///< compute and answer, write nothing
};
enum class Outcome : std::uint8_t {
  predicted,  ///< its rows are in the staging table
  skipped,    ///< there will never be a prediction, for the reason given
  dead,       ///< the request used up its attempts
};
[[nodiscard]] std::string_view outcome_name(Outcome outcome) noexcept;
/// prediction-ready: the worker is done with one player.
struct PredictionReady {
  std::string batch_id;
  std::string player_id;
  Outcome outcome = Outcome::predicted;
  std::string reason;  ///< of a skip
  std::int64_t rows = 0;
};

/// As messages. Batch and player are attributes too, so that a message whose data is damaged still says whose it was.
[[nodiscard]] BusMessage to_message(const PhaseComplete& event);
[[nodiscard]] BusMessage to_message(const PredictionRequest& event);
[[nodiscard]] BusMessage to_message(const PredictionReady& event);

/// From the data of a message. Errors: invalid_argument, naming the field.
Result<PhaseComplete> parse_phase_complete(std::string_view data);
/// `batch_id` and `game_id` may be absent in a preview only.
Result<PredictionRequest> parse_prediction_request(std::string_view data);
Result<PredictionReady> parse_prediction_ready(std::string_view data);

}  // namespace serin::fleet
