#include "seat.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "serin/base/text.hpp"
#include "serin/process/process.hpp"
#include "serin/system/files.hpp"

namespace serin::tool {
namespace {

constexpr Duration ttl = 10s;
constexpr Duration renew_every = 2s;
constexpr Duration call_timeout = 2s;

/// "host/9f3a2b1c-4026531836": with the boot and the pid namespace, because containers may share a host's name but not
/// its processes. Empty: not known.
std::string this_machine() {
  const Result<std::string> boot = read_file("/proc/sys/kernel/random/boot_id");
  std::error_code error;
  std::string pids = std::filesystem::read_symlink("/proc/self/ns/pid", error).string();  // "pid:[4026531836]"
  if (!boot || error) return {};
  std::erase_if(pids, [](char c) { return c < '0' || c > '9'; });
  return fmt::format("{}/{}-{}", this_host(), boot->substr(0, 8), pids);
}

/// "serin deploy, process 7 (started 123) on host/...": the tick makes the pid a name for good.
std::string name_of_this_process(std::string_view verb) {
  const Result<ProcessId> self = identify(getpid());
  return fmt::format("serin {}, process {} (started {}) on {}", verb, getpid(), self ? self->started : 0,
                     this_machine());
}

/// Whether that holder is a process of this machine that has ended. In doubt: no.
bool is_gone(std::string_view holder) {
  const std::string here = this_machine();
  const std::size_t pid = holder.find("process ");
  const std::size_t started = holder.find("(started ");
  if (here.empty() || pid == std::string_view::npos || started == std::string_view::npos ||
      !holder.ends_with(" on " + here))
    return false;
  const auto number_at = [&](std::size_t at) {
    const std::size_t end = holder.find_first_not_of("0123456789", at);
    return to_int(holder.substr(at, end - at));
  };
  const auto id = number_at(pid + 8);
  const auto ticks = number_at(started + 9);
  return id && ticks && *ticks > 0 && !is_running({.pid = static_cast<int>(*id), .started = *ticks});
}

std::string lease_name(const ServiceName& service) { return fmt::format("rollout of {}", service); }

}  // namespace

std::string this_host() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : std::string("unknown-host");
}

Result<std::unique_ptr<Seat>> Seat::take(RealContext& context, Session& session, const ServiceName& service,
                                         std::string_view verb) {
  const LeaseOptions options{
      .name = lease_name(service), .holder = name_of_this_process(verb), .ttl = ttl, .is_gone = is_gone};
  Sleeper& sleeper = context.sleeper();
  SERIN_TRY(Lease lease,
            Lease::acquire(session.documents, sleeper, options, Deadline::after(sleeper.now(), call_timeout)));
  return std::unique_ptr<Seat>(new Seat(std::move(lease), sleeper));
}

Result<std::string> Seat::driver(RealContext& context, Session& session, const ServiceName& service) {
  const Clock& clock = context.patient();
  SERIN_TRY(const std::optional<LeaseInfo> info,
            inspect_lease(session.documents, LeaseOptions{}.collection, lease_name(service),
                          Deadline::after(clock.now(), call_timeout)));
  if (!info || clock.wall() >= info->until || is_gone(info->holder)) return std::string();
  return info->holder;
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
