#include "serin/notify/message.hpp"

#include <algorithm>

namespace serin::notify {

std::vector<Notification> Message::latest() const {
  std::vector<Notification> out;
  for (const Notification& change : changes) {
    const auto known = std::ranges::find(out, change.key, &Notification::key);
    if (known == out.end())
      out.push_back(change);
    else
      *known = change;
  }
  return out;
}

AlertStatus Message::status() const {
  const std::vector<Notification> all = latest();
  const bool fires =
      std::ranges::any_of(all, [](const Notification& one) { return one.status == AlertStatus::firing; });
  return fires || all.empty() ? AlertStatus::firing : AlertStatus::resolved;
}

Severity Message::severity() const {
  Severity out = Severity::info;
  for (const Notification& change : changes) out = std::max(out, change.severity);
  return out;
}

}  // namespace serin::notify
