#include "serin/probes/bus_check.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "detail_socket.hpp"

namespace serin::probes {
namespace {

using health::CheckAnswer;

/// The fullest of the subscriptions, by each measure.
struct Worst {
  Duration oldest{};
  std::string oldest_in;
  std::int64_t dead_letters = 0;
  std::string dead_letters_in;
  std::int64_t waiting = 0;  ///< of all
  std::string unknown_in;    ///< a subscription of which the bus does not tell what is judged
  void add(const std::string& name, const Backlog& backlog) {
    waiting += backlog.waiting.value_or(0);
    if (!backlog.oldest || !backlog.dead_letters) unknown_in = name;
    if (oldest_in.empty() || backlog.oldest.value_or(0s) > oldest) {
      oldest = backlog.oldest.value_or(0s);
      oldest_in = name;
    }
    if (dead_letters_in.empty() || backlog.dead_letters.value_or(0) > dead_letters) {
      dead_letters = backlog.dead_letters.value_or(0);
      dead_letters_in = name;
    }
  }
};

CheckAnswer judge(const BusOptions& options, const Worst& worst) {
  std::vector<LogField> details{{"subscriptions", options.subscriptions.size()},
                                {"waiting", worst.waiting},
                                {"oldest_seconds", seconds_of(worst.oldest)},
                                {"dead_letters", worst.dead_letters}};
  const std::string late =
      fmt::format("{} has a message that is {} old", worst.oldest_in, format_duration(worst.oldest));
  const std::string dead = fmt::format("{} has {} dead letters", worst.dead_letters_in, worst.dead_letters);
  if (worst.oldest >= options.oldest_down) return CheckAnswer::fail("backlog_old", late, std::move(details));
  if (worst.dead_letters >= options.dead_letters_down)
    return CheckAnswer::fail("dead_letters", dead, std::move(details));
  if (worst.oldest >= options.oldest_degraded) return CheckAnswer::warn("backlog_old", late, std::move(details));
  if (worst.dead_letters >= options.dead_letters_degraded)
    return CheckAnswer::warn("dead_letters", dead, std::move(details));
  if (!worst.unknown_in.empty())
    return CheckAnswer::unknown(
        "backlog_unknown", "the bus does not tell how old or how dead the messages of " + worst.unknown_in + " are");
  return CheckAnswer::pass(std::move(details));
}

CheckAnswer look(const BusOptions& options, Bus& bus, const health::CheckContext& context) {
  const auto stopped = [] { return CheckAnswer::unknown("cancelled", "asked to stop before it was asked"); };
  if (context.stop.stop_requested()) return stopped();
  const auto there = bus.subscriptions(context.deadline);
  if (!there) return answer_of(there.error());
  Worst worst;
  for (const std::string& name : options.subscriptions) {
    if (std::ranges::find(*there, name, &SubscriptionOptions::name) == there->end())
      return CheckAnswer::fail("subscription_missing", "there is no subscription " + name);
    if (context.stop.stop_requested()) return stopped();
    const auto backlog = bus.backlog(name, context.deadline);
    if (!backlog) return answer_of(backlog.error());
    worst.add(name, *backlog);
  }
  return judge(options, worst);
}

}  // namespace

Result<health::CheckFunction> bus_check(BusOptions options, Bus& bus) {
  if (options.subscriptions.empty() || options.subscriptions.size() > 100)
    return fail(Errc::invalid_argument, "subscriptions are not 1 to 100");
  if (options.oldest_degraded <= 0s || options.oldest_degraded > options.oldest_down)
    return fail(Errc::invalid_argument, "not 0 < oldest_degraded <= oldest_down");
  if (options.dead_letters_degraded < 1 || options.dead_letters_degraded > options.dead_letters_down)
    return fail(Errc::invalid_argument, "not 1 <= dead_letters_degraded <= dead_letters_down");
  return
      [options = std::move(options), &bus](const health::CheckContext& context) { return look(options, bus, context); };
}

}  // namespace serin::probes
