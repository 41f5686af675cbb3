#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/fleet_models/features.hpp"
#include "serin/fleet_models/parameters.hpp"

namespace serin::fleet {

enum class Recommendation : std::uint8_t { over, under, pass };
/// "OVER", "UNDER", "PASS".
[[nodiscard]] std::string_view recommendation_name(Recommendation recommendation) noexcept;

struct Prediction {
  std::string model;
  double value = 0;       ///< points or strikeouts, >= 0
  double confidence = 0;  ///< 0 to 100: how likely the side is right, 0 when the model knows nothing
  Recommendation recommendation = Recommendation::pass;
  double line = 0;  ///< the one given, or the player's own
};

/// The models of both sports with the numbers out of one model file. Threads: any, it does not change.
class ModelSet {
 public:
  static constexpr std::array<std::string_view, 4> names = {"moving_average", "opponent_adjusted", "similarity",
                                                            "ensemble"};
  /// Reads and checks a model file. Errors: data_loss, naming the line or the field and what it should be;
  /// unsupported for another format. A file that loads also predicts: a trial prediction is part of loading.
  static Result<ModelSet> load(std::string_view json);
  /// The file that is shipped (fleet/models/default_models.json), as it was when this was built.
  [[nodiscard]] static std::string_view default_file() noexcept;

  /// The file's own name for its content, "2026.1"; goes into the table of predictions.
  [[nodiscard]] const std::string& version() const noexcept { return version_; }
  [[nodiscard]] const SportParameters& parameters(Sport sport) const noexcept {
    return sport == Sport::nba ? nba_ : mlb_;
  }

  /// \param model  one of `names`
  /// \param line   nothing: the player's own (own_line)
  /// Errors: not_found for another model; invalid_argument when the features have no game to go by (skip reason
  /// no_history) or hold a number that is not finite. Pure.
  Result<Prediction> predict(std::string_view model, const Features& features, std::optional<double> line = {}) const;

 private:
  ModelSet() = default;
  std::string version_;
  SportParameters nba_;
  SportParameters mlb_;
};

/// The naive baseline: the mean of the season so far; before its first game, of all games that are known.
/// Nothing without games. Every model has to beat this to be worth its place.
[[nodiscard]] std::optional<double> naive_baseline(const Features& features);

}  // namespace serin::fleet
