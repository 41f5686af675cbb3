#include "serin/judge/clients.hpp"

#include <utility>

namespace serin::judge {

void ClientCounter::add(std::uint64_t client, Arm arm, bool failed) {
  auto& clients = arm == Arm::canary ? canary_ : baseline_;
  auto found = clients.find(client);
  if (found == clients.end()) {
    if (clients.size() >= options_.most_clients) {
      overflowed_ = true;
      return;
    }
    found = clients.emplace(client, Client{}).first;
  }
  Client& known = found->second;
  const bool at_risk = known.failed < 0 || bucket_ - known.failed >= options_.memory;
  std::int64_t& requests = arm == Arm::canary ? now_.canary_requests : now_.baseline_requests;
  std::int64_t& errors = arm == Arm::canary ? now_.canary_errors : now_.baseline_errors;
  if (at_risk && known.seen != bucket_) {
    known.seen = bucket_;
    ++requests;
  }
  if (!failed) return;
  if (!known.ever_failed && arm == Arm::canary) ++failed_clients_;
  known.ever_failed = true;
  if (!at_risk) return;
  known.failed = bucket_;
  ++errors;
}

Bucket ClientCounter::close() {
  ++bucket_;
  return std::exchange(now_, {});
}

}  // namespace serin::judge
