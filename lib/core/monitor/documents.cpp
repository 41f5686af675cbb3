#include "documents.hpp"

#include "rules.hpp"
#include "serin/base/text.hpp"

namespace serin::monitor {
namespace {

// The lines that say something.
std::vector<std::string_view> meaning(std::string_view text) {
  std::vector<std::string_view> out;
  for (std::string_view line : split(text, '\n')) {
    const std::size_t end = line.find_last_not_of(" \t\r");
    line = line.substr(0, end == std::string_view::npos ? 0 : end + 1);
    if (const std::string_view words = trim(line); words.empty() || words.starts_with('#')) continue;
    out.push_back(line);
  }
  return out;
}

}  // namespace

std::vector<Document> documents(const Catalogue& catalogue) {
  return {{"prometheus.yaml", prometheus_text(catalogue)},
          {"rules.yaml", rules_text(catalogue)},
          {"alertmanager.yaml", alertmanager_text(catalogue)},
          {"dashboards/fleet.json", dashboard_text(catalogue)}};
}

bool same_document(std::string_view left, std::string_view right) { return meaning(left) == meaning(right); }

bool is_ours(std::string_view text) noexcept { return text.substr(0, 200).contains(owner_mark); }

}  // namespace serin::monitor
