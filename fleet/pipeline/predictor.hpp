#pragma once
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/fleet_models/model_set.hpp"
#include "serin/fleet_models/skip.hpp"
#include "serin/fleet_pipeline/consecutive_breaker.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/sql.hpp"

namespace serin::fleet {

/// Why there is no prediction for a player. Whether to try again: is_permanent(reason).
struct Skip {
  SkipReason reason = SkipReason::no_features;
  std::string detail;
};
/// What the models said about one player of one game.
struct PlayerPredictions {
  std::string player_id;
  std::string game_id;
  std::string game_date;
  std::vector<Prediction> predictions;  ///< at least one
  std::vector<std::string> failed;      ///< models that failed or were left alone; the others stand
};
/// Exactly one of the two.
struct PredictOutcome {
  std::optional<Skip> skip;
  PlayerPredictions made;
};

struct PredictAsk {
  std::string_view player_id;
  std::string_view game_date;
  std::string_view game_id;  ///< empty: the player's first game of that day, and no look at whether he plays
  std::optional<double> line;
};

/// Runs the models of one sport on stored features, each behind a breaker of its own.
/// Threads: any; what it is given outlives it.
class Predictor {
 public:
  Predictor(Sql& sql, Clock& clock, const ModelSet& models, Sport sport, ConsecutiveBreakerOptions breaker = {});

  /// One indexed read when there are features. Errors: data_loss (damaged features), internal (all models failed); an
  /// unreachable warehouse is the skip warehouse_timeout.
  Result<PredictOutcome> predict(const PredictAsk& ask, Deadline deadline);

  /// A trial on made-up features: proves that every model answers. Errors: the first model's that does not.
  Status self_test() const;
  [[nodiscard]] const ModelSet& models() const noexcept { return models_; }
  [[nodiscard]] Sport sport() const noexcept { return sport_; }
  /// Names of models that are left alone now.
  [[nodiscard]] std::vector<std::string> open_breakers() const;

 private:
  Result<SqlTable> load(const PredictAsk& ask, Deadline deadline);
  Result<Skip> why_not(const PredictAsk& ask, Deadline deadline);
  Result<PredictOutcome> run_models(const Features& features, const PredictAsk& ask);

  Sql& sql_;
  Clock& clock_;
  const ModelSet& models_;
  Sport sport_;
  std::array<std::unique_ptr<ConsecutiveBreaker>, ModelSet::names.size()> breakers_;
};

/// What a caller of a preview, or of the MLB worker, gets.
[[nodiscard]] std::string to_json(const PlayerPredictions& made, std::string_view model_version);
[[nodiscard]] std::string to_json(const Skip& skip);

}  // namespace serin::fleet
