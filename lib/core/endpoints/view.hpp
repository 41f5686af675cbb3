#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "serin/base/time.hpp"
#include "serin/endpoints/options.hpp"
#include "serin/ports/health.hpp"

namespace serin::endpoints {

// Private to the module: what a caller may see. Every dialect is written from a View, so that what is hidden is hidden
// in one place.

struct View {
  const health::Identity& identity;
  health::HealthReport report;
  Disclosure level = Disclosure::status;
  bool verbose = false;                     ///< times may be told, and lines that a short answer leaves out
  std::vector<std::string> groups = {};     ///< there are
  std::vector<std::string> excluding = {};  ///< names as the caller gave them
  std::string_view about = {};

  [[nodiscard]] bool shows_checks() const noexcept { return level >= Disclosure::components; }
  [[nodiscard]] bool shows_details() const noexcept { return level >= Disclosure::details; }
};

/// What stands instead of an error's text.
inline constexpr std::string_view withheld = "withheld";
inline constexpr std::size_t longest_text = 1024;

/// Turns what is known into what may be said:
/// - while it drains, readiness and deep get a failing check "drain" and are at best out of service;
/// - the status is no better than its checks, and what does not serve has a check that says so: where the source names
///   none, "service" is added;
/// - texts are redacted and cut at 1 KiB, and left out where the level does not show them. Pure.
void conclude(View& view);
/// The code for a report that went through conclude(), whatever the dialect. The drain's counts unless a check is down:
/// a broken replica must not keep what only a leaving one may keep.
[[nodiscard]] int code_of(const Codes& codes, const health::HealthReport& report) noexcept;
/// Whether something that is down is the reason, beside the drain.
[[nodiscard]] bool is_broken(const health::HealthReport& report) noexcept;
/// Whether the drain counts for what `kind` asks.
[[nodiscard]] bool heeds_drain(health::Kind kind) noexcept;
/// What a check makes of the whole: one that is not critical degrades at worst.
[[nodiscard]] health::HealthStatus contribution(const health::CheckReport& check) noexcept;
/// Its beginning, cut between characters.
[[nodiscard]] std::string_view cut(std::string_view text, std::size_t bytes) noexcept;
/// On one line: what has lines as its form must not be given some by a text.
[[nodiscard]] std::string one_line(std::string_view text);
[[nodiscard]] double milliseconds(Duration duration) noexcept;

}  // namespace serin::endpoints
