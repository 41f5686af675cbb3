#include "serin/haproxy/router.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "serin/process/process.hpp"

namespace serin {
namespace {

/// A server that is added at run time keeps no connection open between requests, unless it is told to.
constexpr std::string_view kept_connections = "pool-max-conn -1 pool-purge-delay 5s";
constexpr int lock_patience_ms = 2000;  // setting weights takes microseconds; who holds it longer is stuck

const haproxy::Server* find(const std::vector<haproxy::Server>& servers, std::string_view name) {
  const auto found = std::ranges::find_if(servers, [&](const haproxy::Server& server) { return server.name == name; });
  return found == servers.end() ? nullptr : &*found;
}

}  // namespace

Result<std::vector<haproxy::Server>> HaproxyRouter::servers(const ServiceName& service, Deadline deadline) const {
  SERIN_TRY(const std::string text, socket_.ask(fmt::format("show servers state {}", service), deadline));
  if (text.find("Can't find backend") != std::string::npos)
    return fail(Errc::not_found, fmt::format("the router knows no service '{}'", service));
  SERIN_TRY(auto all, haproxy::parse_servers(text));
  return std::move(all[service.str()]);
}

Result<Split> HaproxyRouter::read(const ServiceName& service, Deadline deadline) {
  SERIN_TRY(const std::vector<haproxy::Server> found, servers(service, deadline));
  return haproxy::split_of(found);
}

Status HaproxyRouter::set_weights(const ServiceName& service, const Split& split, Deadline deadline) const {
  SERIN_TRY(const std::vector<haproxy::Server> now, servers(service, deadline));
  for (const Share& share : split) {
    const bool there = std::ranges::any_of(
        now, [&](const haproxy::Server& server) { return haproxy::release_of(server.name) == share.release.str(); });
    if (share.percent > 0 && !there)
      return fail(Errc::not_found,
                  fmt::format("release '{}' of {} has no replica in the router", share.release, service));
  }
  std::vector<haproxy::Weight> wanted = haproxy::plan_weights(split, now);
  // Growing ones first: the other order gave a canary everything for some hundred requests in a third of the trials.
  std::ranges::sort(wanted, [&](const haproxy::Weight& a, const haproxy::Weight& b) {
    return a.weight - find(now, a.server)->weight > b.weight - find(now, b.server)->weight;
  });
  for (const haproxy::Weight& weight : wanted) {
    if (find(now, weight.server)->weight == weight.weight) continue;
    SERIN_CHECK(
        socket_.order(fmt::format("set server {}/{} weight {}", service, weight.server, weight.weight), deadline));
  }
  return {};
}

Status HaproxyRouter::apply(const ServiceName& service, const Split& split, Deadline deadline) {
  double sum = 0;
  for (const Share& share : split) sum += share.percent;
  if (std::abs(sum - 100) > 0.01)
    return fail(Errc::invalid_argument, fmt::format("the shares of {} add up to {} %, not 100", service, sum));
  SERIN_TRY(const FileLock lock, FileLock::wait(options_.lock_file, lock_patience_ms));
  SERIN_CHECK(set_weights(service, split, deadline));
  return options_.save_split(service, split);
}

Result<int> HaproxyRouter::reconcile(const ServiceName& service, const std::vector<WantedServer>& wanted,
                                     Deadline deadline) {
  SERIN_TRY(const FileLock lock, FileLock::wait(options_.lock_file, lock_patience_ms));
  SERIN_TRY(const std::vector<haproxy::Server> now, servers(service, deadline));
  const auto order = [&](const std::string& command) { return socket_.order(command, deadline); };
  for (const WantedServer& server : wanted) {
    const std::string path = fmt::format("{}/{}", service, server.name);
    const haproxy::Server* known = find(now, server.name);
    if (known == nullptr) SERIN_CHECK(order(fmt::format("add server {} {} weight 0 {}", path, server.address, kept_connections)));
    if (known != nullptr && known->address != server.address) {
      const std::size_t colon = server.address.rfind(':');
      SERIN_CHECK(order(fmt::format("set server {} addr {} port {}", path, server.address.substr(0, colon),
                                    server.address.substr(colon + 1))));
    }
    // Out of rotation is "maint", not "drain": a server that is added starts there, and requests in flight finish in
    // both.
    if ((known != nullptr && known->in_rotation) != server.ready)
      SERIN_CHECK(order(fmt::format("set server {} state {}", path, server.ready ? "ready" : "maint")));
  }
  int busy = 0;
  for (const haproxy::Server& server : now) {
    if (std::ranges::any_of(wanted, [&](const WantedServer& w) { return w.name == server.name; })) continue;
    const std::string path = fmt::format("{}/{}", service, server.name);
    SERIN_CHECK(order(fmt::format("set server {} state maint", path)));
    if (!order(fmt::format("del server {}", path))) ++busy;  // refused while a connection is open
  }
  SERIN_TRY(const Split split, options_.load_split(service));
  if (!split.empty()) {
    // A release of the split may have no replica yet; the others carry on, and the next round sets it.
    Split there;
    for (const Share& share : split)
      if (std::ranges::any_of(
              wanted, [&](const WantedServer& w) { return haproxy::release_of(w.name) == share.release.str(); }))
        there.push_back(share);
    SERIN_CHECK(set_weights(service, there, deadline));
  }
  return busy;
}

}  // namespace serin
