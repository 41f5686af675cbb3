#include "serin/probes/tcp_check.hpp"

#include <fmt/format.h>

#include "detail_resolve.hpp"
#include "detail_socket.hpp"

namespace serin::probes {

Result<health::CheckFunction> tcp_check(TcpOptions options, const Clock& clock) {
  Peer peer{.host = std::move(options.host), .port = options.port};
  SERIN_CHECK(check_peer(peer));
  return [peer = std::move(peer), &clock](const health::CheckContext& context) {
    const Wait wait(context, clock);
    const Instant began = clock.now();
    const Result<Descriptor> socket = dial(peer, wait);
    std::vector<LogField> details{{"peer", peer.text()}};
    if (!socket) return answer_of(socket.error(), std::move(details));
    details.emplace_back("connect_seconds", seconds_of(clock.now() - began));
    return health::CheckAnswer::pass(std::move(details));
  };
}

Result<health::CheckFunction> dns_check(DnsOptions options, const Clock& clock) {
  SERIN_CHECK(check_peer({.host = options.host, .port = options.port}));
  if (options.at_least < 1 || options.at_least > 100)
    return fail(Errc::invalid_argument, fmt::format("at_least is {}, not 1 to 100", options.at_least));
  return [options = std::move(options), &clock](const health::CheckContext& context) {
    const Wait wait(context, clock);
    const ResolverFiles files{.hosts = options.hosts, .resolv_conf = options.resolv_conf, .port = options.port};
    const auto found = resolve(options.host, files, wait);
    std::vector<LogField> details{{"host", options.host}};
    if (!found) return answer_of(found.error(), std::move(details));
    details.emplace_back("addresses", found->size());
    details.emplace_back("first", found->front().text());
    if (found->size() >= options.at_least) return health::CheckAnswer::pass(std::move(details));
    return health::CheckAnswer::fail(
        "too_few_addresses", fmt::format("{} has {} addresses, not {}", options.host, found->size(), options.at_least),
        std::move(details));
  };
}

}  // namespace serin::probes
