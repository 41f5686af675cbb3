#include "page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value_to.hpp>
#include <map>
#include <set>
#include <sstream>
#include <vector>

namespace serin::pool_bench {
namespace {

namespace json = boost::json;

constexpr std::string_view ours = "Serin";

/// What was measured, by contender, scenario and kind of figure.
class Figures {
 public:
  void add(const json::object& line) {
    const std::string who(line.at("who").as_string());
    if (const json::value* why = line.if_contains("skipped")) {
      skipped_.insert(fmt::format("{}: {}", who, std::string_view(why->as_string())));
      return;
    }
    if (std::ranges::find(contenders_, who) == contenders_.end()) contenders_.push_back(who);
    const std::string scenario(line.at("scenario").as_string());
    for (const auto& [key, value] : line)
      if (value.is_number()) values_[{who, scenario, key}].push_back(value.to_number<double>());
  }
  /// Negative when there is none.
  [[nodiscard]] double median(std::string_view who, std::string_view scenario, std::string_view key) const {
    const auto found = values_.find({std::string(who), std::string(scenario), std::string(key)});
    if (found == values_.end()) return -1;
    std::vector<double> all = found->second;
    std::ranges::sort(all);
    return all[all.size() / 2];
  }
  [[nodiscard]] const std::vector<std::string>& contenders() const { return contenders_; }
  [[nodiscard]] const std::set<std::string>& skipped() const { return skipped_; }
  [[nodiscard]] std::size_t rounds() const {
    const auto found = values_.find({std::string(ours), "1/1", "ops_per_ms"});
    return found == values_.end() ? 0 : found->second.size();
  }

 private:
  using Key = std::tuple<std::string, std::string, std::string>;
  std::map<Key, std::vector<double>> values_;
  std::vector<std::string> contenders_;
  std::set<std::string> skipped_;
};

const std::vector<std::string> scenarios{"1/1", "2/2", "4/4", "8/8", "2/1", "4/2", "8/4"};

/// One column a contender.
std::string table(const Figures& figures, std::string_view first, const std::vector<std::string>& rows,
                  const std::function<std::string(const std::string& who, const std::string& row)>& cell) {
  std::string out = fmt::format("| {} |", first);
  std::string rule = "|---|";
  for (const std::string& who : figures.contenders()) {
    out += fmt::format(" {} |", who);
    rule += "---:|";
  }
  out += "\n" + rule + "\n";
  for (const std::string& row : rows) {
    out += fmt::format("| {} |", row);
    for (const std::string& who : figures.contenders()) out += fmt::format(" {} |", cell(who, row));
    out += "\n";
  }
  return out;
}

std::string shown(double value, const char* form) { return value < 0 ? "-" : fmt::format(fmt::runtime(form), value); }

/// Where a rival did more: nobody has to look for it in the table.
std::string losses(const Figures& figures) {
  std::string out;
  for (const std::string& who : figures.contenders()) {
    if (who == ours) continue;
    std::vector<std::string> lost;
    for (const std::string& scenario : scenarios) {
      const double mine = figures.median(ours, scenario, "ops_per_ms");
      const double theirs = figures.median(who, scenario, "ops_per_ms");
      if (theirs > mine) lost.push_back(fmt::format("{} ({:.2f} times ours)", scenario, theirs / mine));
    }
    if (!lost.empty()) out += fmt::format("- {} borrows more in the same time at {}.\n", who, fmt::join(lost, ", "));
    std::vector<std::string> cheaper;
    for (const std::string& scenario : scenarios) {
      const double mine = figures.median(ours, scenario, "cpu_ns");
      const double theirs = figures.median(who, scenario, "cpu_ns");
      if (theirs >= 0 && theirs < mine) cheaper.push_back(fmt::format("{} ({:.2f} of ours)", scenario, theirs / mine));
    }
    if (!cheaper.empty()) out += fmt::format("- {} takes less processor time at {}.\n", who, fmt::join(cheaper, ", "));
    const double mine = figures.median(ours, "spike", "all_served_ms");
    const double theirs = figures.median(who, "spike", "all_served_ms");
    if (theirs >= 0 && theirs < mine)
      out += fmt::format("- {} serves the spike in {:.2f} of our time.\n", who, theirs / mine);
  }
  return out.empty() ? "- Nowhere in this run.\n" : out;
}

constexpr std::string_view intro = R"(# What borrowing costs

Made by `./run bench pool`; do not edit. All contenders are played in turn, {} rounds, on a machine with two cores; figures are
medians of the rounds. A thing does nothing and is used for no time, so that the pool is all there is: with real
connections the differences vanish in the first statement. All wait with a deadline, fill themselves before the clock starts and
ask what was unused for 500 ms whether it lives; ours and HikariCP also count and time every use, the two by hand do not.
`threads/things`: 8/4 is eight threads that share four.

## Processor time of a borrow and return, ns
What other programs do on the machine is not in it; what a pool spins while it waits is.

)";

constexpr std::string_view wall_intro = R"(
## Borrowed and returned, by all threads together, a millisecond of the clock
Here other programs count, too: when 8/8 is not above 1/1, the second core was not to be had.

)";

constexpr std::string_view wait_intro = R"(
## The longest that one borrower waited, us
Each borrow timed, in a run of its own. A thread that is not on a core waits whatever the pool does: some milliseconds here are
the kernel's.

)";

constexpr std::string_view share_intro = R"(
## How even it was: calls of the thread that got fewest, over those of the one that got most

)";

constexpr std::string_view spike_intro = R"(
## Fifty at once: five things there, fifty allowed, 150 ms to make one, 2 ms of use

)";

constexpr std::string_view ending = R"(
Strict order has a price where threads want more than there is: what comes back goes to who has waited longest, who is asleep more
often than not, and the thread that is awake may not just take it again, as it may with a mutex and a condition. Goroutines change
places without the kernel. With us who is next looks at its own word for a moment before it sleeps; who stands further back leaves its
core to those it waits for. A thread that has been woken still has to get a core, and holds what it was handed meanwhile.
)";

}  // namespace

Result<std::string> page_of(const std::string& text) {
  Figures figures;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) continue;
    boost::system::error_code error;
    const json::value value = json::parse(line, error);
    if (error || !value.is_object() || !value.as_object().contains("who"))
      return fail(Errc::invalid_argument, fmt::format("not a line of the bench: {}", line));
    figures.add(value.as_object());
  }
  std::string out = fmt::format(fmt::runtime(intro), figures.rounds());
  out += table(figures, "threads/things", scenarios, [&](const std::string& who, const std::string& row) {
    return shown(figures.median(who, row, "cpu_ns"), "{:.0f}");
  });
  out += "\nTimes ours:\n\n";
  out += table(figures, "threads/things", scenarios, [&](const std::string& who, const std::string& row) {
    const double mine = figures.median(ours, row, "cpu_ns");
    return shown(mine <= 0 ? -1 : figures.median(who, row, "cpu_ns") / mine, "{:.2f}");
  });
  out += wall_intro;
  out += table(figures, "threads/things", scenarios, [&](const std::string& who, const std::string& row) {
    return shown(figures.median(who, row, "ops_per_ms"), "{:.0f}");
  });
  out += "\nOurs over each:\n\n";
  out += table(figures, "threads/things", scenarios, [&](const std::string& who, const std::string& row) {
    const double theirs = figures.median(who, row, "ops_per_ms");
    return shown(theirs <= 0 ? -1 : figures.median(ours, row, "ops_per_ms") / theirs, "{:.2f}");
  });
  out += wait_intro;
  out += table(figures, "threads/things", scenarios, [&](const std::string& who, const std::string& row) {
    return shown(figures.median(who, row, "longest_wait_us"), "{:.0f}");
  });
  out += share_intro;
  out += table(figures, "threads/things", scenarios, [&](const std::string& who, const std::string& row) {
    return shown(figures.median(who, row, "least_share"), "{:.2f}");
  });
  out += spike_intro;
  const std::map<std::string, std::string> rows{
      {"things at the end", "total"}, {"all served after, ms", "all_served_ms"}, {"mean wait, ms", "mean_wait_ms"}};
  std::vector<std::string> names;
  for (const auto& [name, key] : rows) names.push_back(name);
  out += table(figures, "", names, [&](const std::string& who, const std::string& row) {
    return shown(figures.median(who, "spike", rows.at(row)), row == "things at the end" ? "{:.0f}" : "{:.1f}");
  });
  out += "\n## Where we lose\n" + losses(figures) + std::string(ending);
  for (const std::string& why : figures.skipped()) out += fmt::format("\nNot measured: {}.\n", why);
  return out;
}

}  // namespace serin::pool_bench
