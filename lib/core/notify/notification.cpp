#include "serin/notify/notification.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace serin::notify {
namespace {

namespace json = boost::json;

constexpr std::size_t most_key = 200;
constexpr std::size_t most_title = 300;
constexpr std::size_t most_text = 8000;
constexpr std::size_t most_labels = 32;
constexpr std::size_t most_label = 200;
constexpr std::size_t most_link = 2000;
constexpr std::string_view cut = "...";

constexpr std::array<std::string_view, 2> statuses{"firing", "resolved"};
constexpr std::array<std::string_view, 3> severities{"info", "ticket", "page"};

/// How many bytes the character at the front has; 0 when it is not UTF-8 (RFC 3629: no overlong forms, no surrogates).
std::size_t character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const auto follows = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
    return byte(i) >= low && byte(i) <= high;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const unsigned low = first == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = first == 0xED ? 0x9F : 0xBF;
    return follows(1, low, high) && follows(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const unsigned low = first == 0xF0 ? 0x90 : 0x80;
    const unsigned high = first == 0xF4 ? 0x8F : 0xBF;
    return follows(1, low, high) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

enum class Lines : std::uint8_t { one, many };

/// UTF-8 without control characters and of at most so many bytes. A line feed is a blank where there is one line only.
std::string clean(std::string_view text, std::size_t most, Lines lines) {
  std::string out;
  while (!text.empty()) {
    const std::size_t size = character(text);
    const bool is_control = text[0] == '\x7f' || (static_cast<unsigned char>(text[0]) < 0x20);
    std::string_view next = text.substr(0, std::max<std::size_t>(size, 1));
    if (size == 0) {
      next = "?";
    } else if (is_control && !(lines == Lines::many && (text[0] == '\n' || text[0] == '\t'))) {
      next = text[0] == '\n' || text[0] == '\t' ? " " : "";
    }
    if (out.size() + next.size() > most) {
      while (out.size() + cut.size() > most) {
        while ((static_cast<unsigned char>(out.back()) & 0xC0u) == 0x80u) out.pop_back();
        out.pop_back();
      }
      return out.append(cut);
    }
    out.append(next);
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return out;
}

std::string member(const json::object& object, std::string_view name) {
  const json::value* found = object.if_contains(name);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

}  // namespace

std::string_view status_name(AlertStatus status) noexcept { return statuses[static_cast<std::size_t>(status)]; }
std::string_view severity_name(Severity severity) noexcept { return severities[static_cast<std::size_t>(severity)]; }
std::optional<AlertStatus> parse_status(std::string_view name) noexcept {
  const auto* const found = std::ranges::find(statuses, name);
  if (found == statuses.end()) return std::nullopt;
  return static_cast<AlertStatus>(found - statuses.begin());
}
std::optional<Severity> parse_severity(std::string_view name) noexcept {
  const auto* const found = std::ranges::find(severities, name);
  if (found == severities.end()) return std::nullopt;
  return static_cast<Severity>(found - severities.begin());
}

Result<Notification> checked(Notification in) {
  if (in.key.empty()) return fail(Errc::invalid_argument, "a notification needs a key");
  if (in.key.size() > most_key || clean(in.key, most_key, Lines::one) != in.key)
    return fail(Errc::invalid_argument, fmt::format("the key '{}' must be one line of at most {} bytes of UTF-8",
                                                    clean(in.key, 60, Lines::one), most_key));
  in.title = clean(in.title, most_title, Lines::one);
  if (in.title.find_first_not_of(' ') == std::string::npos)
    return fail(Errc::invalid_argument, fmt::format("the notification '{}' needs a title", in.key));
  if (in.status == AlertStatus::firing) in.resolved_at.reset();
  if (in.status == AlertStatus::resolved && (!in.resolved_at || *in.resolved_at < in.started_at))
    return fail(Errc::invalid_argument,
                fmt::format("the notification '{}' is resolved, but says no time after its beginning", in.key));
  in.service = clean(in.service, most_label, Lines::one);
  in.text = clean(in.text, most_text, Lines::many);
  in.link = clean(in.link, most_link, Lines::one);
  if (!in.link.starts_with("http://") && !in.link.starts_with("https://")) in.link.clear();
  std::map<std::string, std::string> labels;
  for (const auto& [name, value] : in.labels)
    if (labels.size() < most_labels && !name.empty())
      labels.emplace(clean(name, most_label, Lines::one), clean(value, most_label, Lines::one));
  in.labels = std::move(labels);
  return in;
}

std::string json_of(const Notification& notification) {
  json::object labels;
  for (const auto& [name, value] : notification.labels) labels[name] = value;
  json::object out{{"key", notification.key},
                   {"status", status_name(notification.status)},
                   {"severity", severity_name(notification.severity)},
                   {"service", notification.service},
                   {"title", notification.title},
                   {"text", notification.text},
                   {"labels", std::move(labels)},
                   {"started_at", format_rfc3339(notification.started_at)}};
  if (notification.resolved_at) out["resolved_at"] = format_rfc3339(*notification.resolved_at);
  if (!notification.link.empty()) out["link"] = notification.link;
  if (notification.is_event) out["is_event"] = true;
  return json::serialize(out);
}

Result<Notification> parse_notification(std::string_view text) {
  boost::system::error_code error;
  const json::value value = json::parse(json::string_view(text.data(), text.size()), error);
  const json::object* object = error ? nullptr : value.if_object();
  if (object == nullptr) return fail(Errc::data_loss, "a stored notification is no JSON object");
  const auto status = parse_status(member(*object, "status"));
  const auto severity = parse_severity(member(*object, "severity"));
  const auto started = parse_rfc3339(member(*object, "started_at"));
  if (!status || !severity || !started || member(*object, "key").empty())
    return fail(Errc::data_loss, "a stored notification has no key, status, severity or started_at");
  Notification out{.key = member(*object, "key"),
                   .status = *status,
                   .severity = *severity,
                   .service = member(*object, "service"),
                   .title = member(*object, "title"),
                   .text = member(*object, "text"),
                   .labels = {},
                   .started_at = *started,
                   .link = member(*object, "link")};
  if (const json::value* labels = object->if_contains("labels"); labels != nullptr && labels->is_object())
    for (const auto& [name, label] : labels->get_object())
      if (label.is_string()) out.labels.emplace(std::string(name), std::string(label.get_string()));
  if (const auto resolved = parse_rfc3339(member(*object, "resolved_at"))) out.resolved_at = *resolved;
  const json::value* event = object->if_contains("is_event");
  out.is_event = event != nullptr && event->is_bool() && event->get_bool();
  return out;
}

}  // namespace serin::notify
