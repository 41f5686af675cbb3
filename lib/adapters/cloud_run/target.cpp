#include "serin/cloud_run/target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "targets.hpp"

namespace serin::cloud_run {
namespace {

constexpr int most_attempts = 5;  // against somebody who changes the service again and again

/// Reads, computes and sends again as long as somebody else was faster. What trying again does not help is `rejected`
/// by the change; to the caller it is a conflict, as the ports say it.
template <class Change>
auto until_accepted(const Change& change) -> decltype(change()) {
  auto done = change();
  for (int i = 1; i < most_attempts && !done && done.error().code() == Errc::conflict; ++i) done = change();
  if (!done && done.error().code() == Errc::rejected) return fail(Errc::conflict, done.error().detail());
  return done;
}

ReplicaState state_of(google::RunState state) {
  switch (state) {
    case google::RunState::succeeded: return ReplicaState::ready;
    case google::RunState::failed: return ReplicaState::crash_looping;
    case google::RunState::unknown:
    case google::RunState::pending:
    case google::RunState::reconciling: break;
  }
  return ReplicaState::starting;
}

std::string reason_of(const google::RunCondition& condition) {
  if (condition.reason.empty() || condition.message.empty()) return condition.reason + condition.message;
  return fmt::format("{}: {}", condition.reason, condition.message);
}

}  // namespace

Status check_stages(const std::vector<double>& percents) {
  for (const double percent : percents)
    if (percent != std::round(percent))
      return fail(Errc::invalid_argument,
                  fmt::format("stages: {:.4g} %: Cloud Run gives out whole percents only", percent));
  return {};
}

Result<google::RunService> Target::get(const ServiceName& service, Deadline deadline) {
  return run_.get_service(service.str(), deadline);
}

Result<std::optional<google::RunRevision>> Target::find(const ServiceName& service, const ReleaseName& release,
                                                        Deadline deadline) {
  Result<google::RunRevision> found = run_.revision(service.str(), release.str(), deadline);
  if (found) return std::optional(*std::move(found));
  if (found.error().code() == Errc::not_found) return std::optional<google::RunRevision>();
  return pass(found.error());
}

void Target::remember_operation(const ServiceName& service, const google::RunOperation& operation) {
  const std::scoped_lock lock(mutex_);
  memory_[service].operation = operation.name;
}

Status Target::end_of_operation(const ServiceName& service, Deadline deadline) {
  std::string name;
  {
    const std::scoped_lock lock(mutex_);
    name = memory_[service].operation;
  }
  if (name.empty()) return {};
  const Result<google::RunOperation> operation = run_.operation(name, deadline);
  if (!operation && operation.error().code() != Errc::not_found) return pass(operation.error());
  if (operation && !operation->done) return fail(Errc::unavailable, fmt::format("{} has not ended", name));
  // How it ended is what the service says now: an operation also fails because of a revision that nobody is sent to.
  const std::scoped_lock lock(mutex_);
  Memory& memory = memory_[service];
  if (memory.operation == name) memory.operation.clear();
  return {};
}

Result<Split> Target::read(const ServiceName& service, Deadline deadline) {
  if (const Status ended = end_of_operation(service, deadline); !ended)
    return pass(ended.error().in(fmt::format("the traffic of {}", service)));
  SERIN_TRY(const google::RunService seen, get(service, deadline));
  if (const std::string why = unsettled(seen); !why.empty())
    return fail(Errc::unavailable, fmt::format("the traffic of {}: {}", service, why));
  Split split = split_of(seen.traffic_statuses);
  const std::scoped_lock lock(mutex_);
  Memory& memory = memory_[service];
  if (!memory.known) memory.known = split;
  return split;
}

Result<google::RunOperation> Target::try_apply(const ServiceName& service, const Split& split, Deadline deadline) {
  SERIN_TRY(const google::RunService seen, get(service, deadline));
  const Targets targets = pinned(seen);
  const Split now = split_of(targets);
  {
    const std::scoped_lock lock(mutex_);
    Memory& memory = memory_[service];
    if (!memory.known) memory.known = now;
    if (now != *memory.known && (!memory.pending || now != *memory.pending))
      return fail(Errc::rejected, fmt::format("{} has {}, although {} was set: somebody else changed it, so it is left "
                                              "as it is",
                                              service, text_of_split(now), text_of_split(*memory.known)));
    memory.known = now;
    memory.pending = split;
  }
  // By name already: what follows the latest revision has to be changed although the shares are the same.
  const bool by_name = std::ranges::none_of(
      seen.traffic, [](const google::TrafficTarget& one) { return one.revision.empty() && one.percent > 0; });
  if (now == split && by_name && !seen.traffic.empty()) return google::RunOperation{.name = {}, .done = true};
  return run_.set_traffic(service.str(), with_split(targets, split), seen.etag, deadline);
}

Status Target::apply(const ServiceName& service, const Split& split, Deadline deadline) {
  SERIN_CHECK(check_whole(split));
  const Split wanted = normal(split);
  const Result<google::RunOperation> accepted = until_accepted([&] { return try_apply(service, wanted, deadline); });
  if (!accepted) return pass(accepted.error());
  const std::scoped_lock lock(mutex_);
  Memory& memory = memory_[service];
  memory.known = wanted;
  memory.pending.reset();
  if (!accepted->name.empty()) memory.operation = accepted->name;
  return {};
}

Status Target::start(const ServiceName& service, const ReleaseSpec& release, Deadline deadline) {
  SERIN_TRY(const std::string tag, tag_of(service, release.name));
  if (release.replicas != 1)
    return fail(Errc::invalid_argument,
                fmt::format("release {}: {} replicas, but Cloud Run counts instances by itself: 1", release.name,
                            release.replicas));
  const auto attempt = [&]() -> Status {
    SERIN_TRY(const google::RunService seen, get(service, deadline));
    SERIN_TRY(const std::optional<google::RunRevision> known, find(service, release.name, deadline));
    Targets targets = pinned(seen);
    const bool tagged = std::ranges::any_of(targets, [&](const google::TrafficTarget& one) {
      return one.tag == tag && one.revision == release.name.str();
    });
    std::erase_if(targets, [&](const google::TrafficTarget& one) { return one.tag == tag && one.percent == 0; });
    targets.push_back({.revision = release.name.str(), .percent = 0, .tag = tag});
    if (known) {
      const auto digest = known->annotations.find(std::string(digest_annotation));
      if (!release.digest.empty() && (digest == known->annotations.end() || digest->second != release.digest))
        return fail(Errc::rejected, fmt::format("{} has a revision {} of other content", service, release.name));
      if (tagged) return {};
      SERIN_TRY(const google::RunOperation begun, run_.set_traffic(service.str(), targets, seen.etag, deadline));
      remember_operation(service, begun);
      return {};
    }
    if (release.command.empty() || release.command.front().empty())
      return fail(Errc::invalid_argument, fmt::format("release {} has no image", release.name));
    SERIN_TRY(const std::string body, body_of(seen, release, targets));
    SERIN_TRY(const google::RunOperation begun,
              run_.patch_service(service.str(), body, "template,traffic", seen.etag, deadline));
    remember_operation(service, begun);
    return {};
  };
  return until_accepted(attempt);
}

Status Target::stop(const ServiceName& service, const ReleaseName& release, Deadline deadline) {
  SERIN_TRY(const std::optional<google::RunRevision> known, find(service, release, deadline));
  if (!known) return fail(Errc::not_found, fmt::format("{} has no revision {}", service, release));
  const Result<std::string> tag = tag_of(service, release);
  const auto attempt = [&]() -> Status {
    SERIN_TRY(const google::RunService seen, get(service, deadline));
    Targets targets = pinned(seen);
    for (const Share& share : split_of(targets))
      if (share.release == release)
        return fail(Errc::rejected, fmt::format("{} has {} % of the traffic of {}", release, share.percent, service));
    const std::size_t gone = std::erase_if(targets, [&](const google::TrafficTarget& one) {
      return one.revision == release.str() && (one.tag.empty() || (tag && one.tag == *tag));
    });
    if (gone == 0) return {};
    SERIN_TRY(const google::RunOperation begun, run_.set_traffic(service.str(), targets, seen.etag, deadline));
    remember_operation(service, begun);
    return {};
  };
  return until_accepted(attempt);
}

Result<std::vector<Replica>> Target::replicas(const ServiceName& service, const ReleaseName& release,
                                              Deadline deadline) {
  SERIN_TRY(const std::optional<google::RunRevision> known, find(service, release, deadline));
  if (!known) return fail(Errc::not_found, fmt::format("{} has no revision {}", service, release));
  SERIN_TRY(const google::RunService seen, get(service, deadline));
  Replica one{.name = release.str() + "-0",
              .address = {},
              .state = state_of(known->condition.state),
              .restarts = 0,
              .reason = reason_of(known->condition),
              .log = fmt::format("Cloud Logging: resource.labels.revision_name=\"{}\"", release)};
  if (const Result<std::string> tag = tag_of(service, release)) {
    one.address = host_of(seen, release.str(), *tag);
    const bool asked_for = std::ranges::any_of(
        seen.traffic, [&](const google::TrafficTarget& t) { return t.tag == *tag && t.revision == release.str(); });
    if (asked_for && one.address.empty() && one.state == ReplicaState::ready) {
      one.state = ReplicaState::starting;
      one.reason = "its own address is not there yet";
    }
  }
  return std::vector<Replica>{std::move(one)};
}

}  // namespace serin::cloud_run
