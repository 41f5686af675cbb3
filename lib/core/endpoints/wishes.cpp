#include "wishes.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <tuple>

#include "serin/base/text.hpp"

namespace serin::endpoints {
namespace {

constexpr std::size_t most_excludes = 64;
constexpr std::size_t longest_name = 256;
constexpr std::size_t most_ranges = 64;  // the rest of a longer Accept is not read

struct Offer {
  Dialect dialect;
  std::string_view type;
  std::string_view version;  ///< of the parameter "version"; empty: it has none
};
constexpr std::array<Offer, 5> offers{{{Dialect::native, "application/json", ""},
                                       {Dialect::health_json, "application/health+json", ""},
                                       {Dialect::actuator, "application/vnd.spring-boot.actuator.v3+json", ""},
                                       {Dialect::kubernetes, "text/plain", ""},
                                       {Dialect::prometheus, "text/plain", "0.0.4"}}};

/// Which of the offers a dialect is the same media type as: it takes its place where it is preferred.
Dialect stands_for(Dialect dialect) noexcept {
  switch (dialect) {
    case Dialect::native:
    case Dialect::microprofile:
    case Dialect::aspnet_ui: return Dialect::native;
    case Dialect::kubernetes:
    case Dialect::aspnet_word: return Dialect::kubernetes;
    case Dialect::actuator: return Dialect::actuator;
    case Dialect::health_json: return Dialect::health_json;
    case Dialect::prometheus: return Dialect::prometheus;
  }
  return Dialect::native;
}

struct Range {
  std::string_view type;
  std::string_view version;
  double quality = 1;
};

std::optional<Range> parse_range(std::string_view text) {
  const auto parts = split(text, ';');
  Range range{.type = trim(parts.front())};
  if (range.type.find('/') == std::string_view::npos) return std::nullopt;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const std::size_t equals = parts[i].find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = trim(parts[i].substr(0, equals));
    const std::string_view value = trim(parts[i].substr(equals + 1));
    if (equal_ignoring_case(name, "version")) range.version = value;
    if (!equal_ignoring_case(name, "q")) continue;
    const auto quality = to_double(value);
    if (!quality || !(*quality >= 0 && *quality <= 1)) return std::nullopt;
    range.quality = *quality;
  }
  return range;
}

/// How exactly a range means an offer: 0 not at all, 1 "*/*", 2 "text/*", 3 the type, 4 with its version.
int specificity(const Range& range, const Offer& offer) {
  if (range.type == "*/*") return 1;
  if (range.type.ends_with("/*"))
    return equal_ignoring_case(range.type.substr(0, range.type.size() - 1),
                               offer.type.substr(0, offer.type.find('/') + 1))
               ? 2
               : 0;
  if (!equal_ignoring_case(range.type, offer.type)) return 0;
  if (range.version.empty()) return 3;
  return range.version == offer.version ? 4 : 0;
}

}  // namespace

Result<Query> parse_query(std::string_view target) {
  Query out;
  const std::size_t mark = target.find('?');
  if (mark == std::string_view::npos) return out;
  for (const std::string_view pair : split(target.substr(mark + 1), '&')) {
    const std::size_t equals = pair.find('=');
    const std::string name = percent_decode(pair.substr(0, equals), true);
    const std::string value = equals == std::string_view::npos ? "" : percent_decode(pair.substr(equals + 1), true);
    if (name == "verbose") out.verbose = value != "0" && value != "false";
    if (name != "exclude" || value.empty() || std::ranges::find(out.exclude, value) != out.exclude.end()) continue;
    if (out.exclude.size() == most_excludes || value.size() > longest_name)
      return fail(Errc::invalid_argument, "at most 64 names of at most 256 bytes can be excluded");
    out.exclude.push_back(value);
  }
  return out;
}

Dialect negotiate(std::string_view accept, Dialect preferred) {
  std::vector<Range> ranges;
  for (const std::string_view text : split(accept, ',')) {
    if (ranges.size() == most_ranges) break;
    if (const auto range = parse_range(text)) ranges.push_back(*range);
  }
  const Dialect place = stands_for(preferred);
  Dialect best = preferred;
  std::tuple<double, int, bool> best_rank{0, 0, false};
  for (const Offer& offer : offers) {
    Range closest{.quality = 0};
    int exact = 0;
    for (const Range& range : ranges)
      if (const int fits = specificity(range, offer); fits > exact) {
        exact = fits;
        closest = range;
      }
    const bool is_preferred = offer.dialect == place;
    const std::tuple<double, int, bool> rank{closest.quality, exact, is_preferred};
    if (exact == 0 || closest.quality <= 0 || rank <= best_rank) continue;
    best = is_preferred ? preferred : offer.dialect;
    best_rank = rank;
  }
  return best;
}

}  // namespace serin::endpoints
