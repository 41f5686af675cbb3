#pragma once

namespace serin::fleet {

/// `value` to six decimals. Features are kept on this grid, so that writing them as text and reading them back gives
/// the same numbers whatever the last bit of the JSON library's reading is.
[[nodiscard]] double on_grid(double value) noexcept;

}  // namespace serin::fleet
