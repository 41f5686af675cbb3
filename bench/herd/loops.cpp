// Backoff in a closed and in an open loop (Brooker, "What is backoff for?", 2022): a client that waits makes fewer
// requests only when it would not make the next one anyway.
#include <fmt/format.h>

#include <array>

#include "crowd.hpp"

namespace serin::herd {

bool run_loops(Report& report, Effort effort) {
  const int seeds = effort == Effort::check ? 2 : 20;
  const retry::BackoffOptions at_once{
      .shape = retry::Shape::constant, .first = 1ms, .most = 1ms, .jitter = retry::Jitter::none};
  const retry::BackoffOptions full{.first = 1s, .most = 10s};
  // 2500 clients with 3.4 s between two requests ask for as much as the open loop: 714 a second.
  const std::array setups{
      Setup{.name = "open loop, at once", .backoff = at_once},
      Setup{.name = "open loop, full jitter from 1 s", .backoff = full},
      Setup{.name = "open loop, the same + token budget", .backoff = full, .budget = BudgetKind::token},
      Setup{.name = "closed loop, at once", .backoff = at_once, .clients = 2500, .think = 3.4},
      Setup{.name = "closed loop, full jitter from 1 s", .backoff = full, .clients = 2500, .think = 3.4},
      Setup{.name = "closed loop, the same + token budget",
            .backoff = full,
            .budget = BudgetKind::token,
            .clients = 2500,
            .think = 3.4},
  };
  report.text(
      "## 4. Closed against open loop: what backoff is for\n"
      "The stall of section 2. In the closed loop 2500 clients ask, wait for the end, pause 3.4 s on average and "
      "ask again: 714 requests a second while all is well.");
  report.head({"", "peak / capacity", "recovers", "after, s", "served in the 60 s after"});
  std::vector<double> shares;
  for (const Setup& setup : setups) {
    const auto outcomes = play_seeds(seeds, [&](std::uint64_t seed) { return play_crowd(setup, seed); });
    const Estimate peak = over(outcomes, &CrowdOutcome::peak);
    const Estimate goodput = over(outcomes, &CrowdOutcome::goodput);
    const Recovery recovery = recovery_of(outcomes);
    report.add("loops", setup.name, "peak_over_capacity", peak);
    report.add("loops", setup.name, "goodput_60s", goodput);
    report.add("loops", setup.name, "recovered_of_seeds", {.mean = recovery.share, .margin = 0});
    report.row({std::string(setup.name), cell(peak), fmt::format("{:.0f} of {}", recovery.share * seeds, seeds),
                recovery.share > 0 ? cell(recovery.seconds, 1) : "never", share(goodput.mean)});
    shares.push_back(recovery.share);
  }
  report.text(
      "Backoff **wins** in the closed loop: who waits does not ask for anything else, so waiting takes load "
      "away. It **loses** in the open loop, where new requests arrive whatever the old ones do: it only moves "
      "load to later. Only the budget works in both.");
  return shares[1] == 0 && shares[2] == 1 && shares[3] == 0 && shares[4] == 1 && shares[5] == 1;
}

}  // namespace serin::herd
