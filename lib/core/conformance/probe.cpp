#include "serin/conformance/probe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cctype>
#include <optional>

#include "answers.hpp"

namespace serin::conformance {
namespace {

using health::HealthStatus;

constexpr std::size_t longest_word = 32;

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::string trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(blank) - first + 1));
}

/// The words that the field's dialects have for it; nothing for any other.
std::optional<HealthStatus> status_of_word(std::string_view word) {
  struct Meaning {
    std::string_view word;
    HealthStatus status;
  };
  static constexpr std::array<Meaning, 16> meanings{{{"healthy", HealthStatus::up},
                                                     {"up", HealthStatus::up},
                                                     {"pass", HealthStatus::up},
                                                     {"ok", HealthStatus::up},
                                                     {"serving", HealthStatus::up},
                                                     {"degraded", HealthStatus::degraded},
                                                     {"warn", HealthStatus::degraded},
                                                     {"unknown", HealthStatus::unknown},
                                                     {"out_of_service", HealthStatus::out_of_service},
                                                     {"not_serving", HealthStatus::down},
                                                     {"shutting_down", HealthStatus::out_of_service},
                                                     {"unhealthy", HealthStatus::down},
                                                     {"down", HealthStatus::down},
                                                     {"fail", HealthStatus::down},
                                                     {"failed", HealthStatus::down},
                                                     {"error", HealthStatus::down}}};
  const auto found = std::ranges::find(meanings, word, &Meaning::word);
  if (found == meanings.end()) return std::nullopt;
  return found->status;
}

/// The names of the checks that are not well, as far as the body lists them in our form or MicroProfile's.
std::string failing_checks(const boost::json::object& body) {
  std::string out;
  const boost::json::value* checks = body.if_contains("checks");
  if (checks == nullptr || !checks->is_array()) return out;
  for (const boost::json::value& value : checks->get_array()) {
    const boost::json::object* check = value.if_object();
    if (check == nullptr) continue;
    const boost::json::value* name =
        check->contains("check") ? check->if_contains("check") : check->if_contains("name");
    const boost::json::value* status = check->if_contains("status");
    if (name == nullptr || status == nullptr || !name->is_string() || !status->is_string()) continue;
    const std::string word = lower(status->get_string().c_str());
    if (word == "skip" || status_of_word(word) == HealthStatus::up) continue;
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", name->get_string().c_str(), word);
  }
  return out;
}

HealthStatus status_of_code(int code, std::string& said) {
  if (code >= 200 && code < 300) return HealthStatus::up;
  said = fmt::format("answered {}", code);
  if (code == 401 || code == 403) said += ": it does not know who asks";
  if (code == 404) said += ": there is no such path";
  const bool is_about_the_question = code >= 300 && code < 500;
  return is_about_the_question ? HealthStatus::unknown : HealthStatus::down;
}

std::optional<std::string> wrong_claim(const HttpResponse& answer, const std::map<std::string, std::string>& expected) {
  const auto body = object_of(answer.body);
  for (const auto& [field, value] : expected) {
    const boost::json::value* said = body ? body->if_contains(field) : nullptr;
    if (said == nullptr || !said->is_string()) return fmt::format("/health does not say its {}", field);
    if (said->get_string() != boost::json::string_view(value))
      return fmt::format("{} is '{}', not '{}'", field, said->get_string().c_str(), value);
  }
  return std::nullopt;
}

}  // namespace

HealthStatus status_of_answer(const HttpResponse& answer, std::string& said) {
  said.clear();
  const HealthStatus by_code = status_of_code(answer.status, said);
  if (by_code == HealthStatus::unknown) return by_code;
  std::optional<HealthStatus> by_body;
  if (const auto body = object_of(answer.body)) {
    const boost::json::value* status = body->if_contains("status");
    if (status != nullptr && status->is_string()) by_body = status_of_word(lower(status->get_string().c_str()));
    if (const std::string failing = failing_checks(*body); !failing.empty())
      said += (said.empty() ? "" : ": ") + failing;
  } else if (const std::string word = trimmed(answer.body); word.size() <= longest_word) {
    by_body = status_of_word(lower(word));
  }
  // The worse of the two: neither a kind code nor a kind word talks the other away.
  const HealthStatus status = std::max(by_code, by_body.value_or(HealthStatus::up));
  if (status != HealthStatus::up && said.empty()) said = fmt::format("says {}", health::health_status_name(status));
  return status;
}

Probed probe_health(HttpClient& http, const Clock& clock, const ProbeTarget& target, Deadline deadline) {
  const Instant began = clock.now();
  Probed probed;
  const Result<HttpResponse> answer = http.send(target.origin, {.target = target.path}, deadline);
  probed.took = clock.now() - began;
  if (!answer) {
    probed.said = answer.error().text();
    return probed;
  }
  probed.code = answer->status;
  probed.status = status_of_answer(*answer, probed.said);
  if (target.expected.empty()) return probed;
  const Result<HttpResponse> identity = http.send(target.origin, {.target = "/health"}, deadline);
  if (!identity) {
    probed.status = std::max(probed.status, HealthStatus::unknown);
    probed.said = "/health: " + identity.error().text();
  } else if (auto wrong = wrong_claim(*identity, target.expected)) {
    probed.status = HealthStatus::down;
    probed.said = *std::move(wrong);
  }
  return probed;
}

}  // namespace serin::conformance
