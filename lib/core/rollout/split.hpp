#pragma once
#include <optional>
#include <string>

#include "serin/base/name.hpp"
#include "serin/ports/router.hpp"

namespace serin::rollout {

/// Percent of a release, 0 when the split does not name it. Pure.
[[nodiscard]] double percent_of(const Split& split, const ReleaseName& release) noexcept;
/// Whether both give every release the same share, up to what a router's coarse weights can do (0.3 points), and 0 only
/// where the other has 0: a little traffic is not no traffic. Entries of 0 % may be missing. Pure.
[[nodiscard]] bool same_split(const Split& a, const Split& b) noexcept;
/// "v1=95 v2=5", without the releases that have nothing; "nobody" when none has. Pure.
[[nodiscard]] std::string split_text(const Split& split);
/// The release that has everything, if one has. Pure.
[[nodiscard]] std::optional<ReleaseName> only_release(const Split& split);
/// `percent` for the candidate and the rest for the baseline. Pure.
[[nodiscard]] Split canary_split(const ReleaseName& baseline, const ReleaseName& candidate, double percent);

}  // namespace serin::rollout
