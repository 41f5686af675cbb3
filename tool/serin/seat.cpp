#include "seat.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "serin/base/text.hpp"
#include "serin/process/process.hpp"

namespace serin::tool {
namespace {

constexpr Duration ttl = 10s;
constexpr Duration renew_every = 2s;
constexpr Duration call_timeout = 2s;

std::string this_host() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : std::string("unknown-host");
}

/// "process 7 (started 123) on host": the tick makes the pid a name for good.
std::string name_of_this_process(std::string_view verb) {
  const Result<ProcessId> self = identify(getpid());
  return fmt::format("serin {}, process {} (started {}) on {}", verb, getpid(), self ? self->started : 0, this_host());
}

/// Whether that holder is a process of this machine that has ended. In doubt: no.
bool is_gone(const std::string& holder) {
  const std::size_t pid = holder.find("process ");
  const std::size_t started = holder.find("(started ");
  if (pid == std::string::npos || started == std::string::npos || !holder.ends_with(" on " + this_host())) return false;
  const auto number_at = [&](std::size_t at) {
    const std::size_t end = holder.find_first_not_of("0123456789", at);
    return to_int(std::string_view(holder).substr(at, end - at));
  };
  const auto id = number_at(pid + 8);
  const auto ticks = number_at(started + 9);
  return id && ticks && !is_running({.pid = static_cast<int>(*id), .started = *ticks});
}

}  // namespace

Result<std::unique_ptr<Seat>> Seat::take(RealContext& context, Session& session, const ServiceName& service,
                                         std::string_view verb) {
  const LeaseOptions options{
      .name = fmt::format("rollout of {}", service), .holder = name_of_this_process(verb), .ttl = ttl};
  Sleeper& sleeper = context.sleeper();
  const Deadline patience = Deadline::after(sleeper.now(), ttl + 5s);
  bool said = false;
  for (;;) {
    const Deadline soon = Deadline::after(sleeper.now(), call_timeout);
    Result<Lease> lease = Lease::acquire(session.documents, sleeper, options, soon);
    if (lease) return std::unique_ptr<Seat>(new Seat(*std::move(lease), sleeper));
    if (lease.error().code() != Errc::conflict || patience.passed(sleeper.now())) return pass(lease.error());
    SERIN_TRY(const std::optional<LeaseInfo> info,
              inspect_lease(session.documents, options.collection, options.name, soon));
    if (info && !info->holder.empty() && !is_gone(info->holder)) return pass(lease.error());
    if (!said)
      context.err(fmt::format("waiting until the lease of {} runs out: it has ended\n", info ? info->holder : "?"));
    said = true;
    SERIN_CHECK(sleeper.sleep_for(200ms));
  }
}

Seat::~Seat() {
  // Not given back: it runs out by itself.
  static_cast<void>(lease_.release(Deadline::after(clock_.now(), call_timeout)));
}

Status Seat::check() {
  if (clock_.now() - renewed_ < renew_every) return {};
  const Status renewed = lease_.renew(Deadline::after(clock_.now(), call_timeout));
  if (renewed) renewed_ = clock_.now();
  if (renewed || renewed.error().code() == Errc::conflict) return renewed;
  // It could not be renewed now, but nobody else can have it yet.
  if (lease_.is_ours(clock_.now())) return {};
  return renewed;
}

}  // namespace serin::tool
