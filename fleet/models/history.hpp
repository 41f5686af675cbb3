#pragma once
#include <memory>
#include <string>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/fleet_data/records.hpp"
#include "serin/fleet_models/features.hpp"

namespace serin::fleet {

/// One played game of one player, in the words that both sports share.
struct Appearance {
  std::string player_id;
  std::string game_id;
  std::int64_t date = 0;  ///< days since 1970-01-01
  std::string season;
  std::string team;
  std::string opponent;
  bool home = false;
  double minutes = 0;  ///< > 0; MLB: innings of the team in the field
  double volume = 0;   ///< NBA: shots taken (field goals + 0.44 free throws); MLB: 0
  double value = 0;    ///< points or strikeouts
};
/// Rows of players who did not play are left out.
[[nodiscard]] std::vector<Appearance> appearances(const std::vector<PlayerGame>& rows);
[[nodiscard]] std::vector<Appearance> appearances(const std::vector<PitcherGame>& rows);

/// The game that is asked about.
struct Upcoming {
  std::string player_id;
  std::string game_id;
  std::int64_t date = 0;
  std::string season;
  std::string team;
  std::string opponent;
  bool home = false;
};

/// All that has been played, ready to be asked about any day. Holding later games does no harm: an answer about a day
/// uses only games of the days before it. Threads: any, it does not change.
class History {
 public:
  /// In any order; takes about a second for 100,000 appearances.
  History(Sport sport, std::vector<Appearance> games);
  ~History();
  History(History&&) noexcept;
  History& operator=(History&&) noexcept;

  /// Errors: not_found when the player has not played before that day.
  [[nodiscard]] Result<Features> features(const Upcoming& game) const;
  /// Everything it holds, by date, game and player.
  [[nodiscard]] const std::vector<Appearance>& games() const noexcept;
  [[nodiscard]] Sport sport() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

}  // namespace serin::fleet
