#pragma once
#include <cstddef>
#include <string_view>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/fleet_data/records.hpp"

namespace serin::fleet {

/// Stands wherever Retrosheet's data is used.
constexpr std::string_view retrosheet_notice =
    "The information used here was obtained free of charge from and is copyrighted by Retrosheet. Interested parties "
    "may contact Retrosheet at www.retrosheet.org.";

struct RetrosheetFile {
  std::vector<PitcherGame> rows;  ///< by date, game and pitcher
  std::size_t duplicates = 0;     ///< lines that repeat an earlier one; left out
  std::size_t left_out = 0;       ///< sides without a named starter or without a count of strikeouts: unknown is not 0
};

/// Reads a Retrosheet game log (161 fields a line, no header): two rows a game, one for each side's starter.
/// The strikeouts in a team's batting line were made against the other side, so each starter gets the *opponent's*.
///
/// \param file  for messages only
/// Errors: data_loss, as "file:line: field N (meaning): what is wrong"; also for a game that is there twice with
/// different content, and for a file without rows. Pure.
Result<RetrosheetFile> parse_retrosheet(std::string_view text, std::string_view file);

}  // namespace serin::fleet
