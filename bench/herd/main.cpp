// ./run bench herd: what a crowd of clients does to a server. Prints every figure, and writes a CSV, the pictures and
// the page. --check plays fewer seeds and answers 1 when something known did not come out.
#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <string_view>

#include "scenario.hpp"

namespace serin::herd {
namespace {

struct Scenario {
  std::string_view name;
  bool (*run)(Report& report, Effort effort);
};
// In the order of the page. A further scenario is one file and one line here.
constexpr std::array scenarios{
    Scenario{"contention", run_contention}, Scenario{"overload", run_overload},
    Scenario{"boundary", run_boundary},     Scenario{"loops", run_loops},
    Scenario{"sweep", run_sweep},           Scenario{"slow", run_slow},
    Scenario{"reconnect", run_reconnect},   Scenario{"retry_after", run_retry_after},
    Scenario{"replica", run_replica},
};

constexpr std::string_view preface =
    "# What a crowd of clients does to a server\n\n"
    "Written by `./run bench herd`; do not edit. The scenarios are played on simulated time with the library's own "
    "policies, 20 seeds each (100 in section 1); every figure is a mean with its 95 % interval, no interval meaning "
    "that "
    "it rounds to nothing. A test (`herd_check`) plays fewer seeds and fails when something known does not come out, "
    "when "
    "a scenario stays down with our defaults, or when their peak is above 1.1 of the capacity.\n\n"
    "| what | value |\n|---|---|\n"
    "| server of sections 2 to 4 | 100 workers, exponential service of 100 ms on average: 1000 a second; a queue of "
    "2000, "
    "first come first served; works on for clients that are gone |\n"
    "| what happens | it stands still from second 40 to 50; played for 180 s |\n"
    "| clients | 200, Poisson arrivals of 700 a second together; each attempt is given up after 1 s |\n"
    "| retries | 4 attempts, first ceiling 100 ms, doubled, at most 10 s, full jitter, where nothing else is said |\n"
    "| token budget (default) | 0.1 a call, starts with and holds 10, one for each client |\n"
    "| AWS quota | 500 tokens, 5 for a retry, 10 after a timeout |\n"
    "| in-flight budget | 20 % of the calls in flight, at least 3 |\n"
    "| breaker | 10 s in ten parts, at least 10 calls, half of them failed, open for 5 s and longer each time |\n"
    "| SRE throttle | K = 2 over 30 s, refuses 90 % at most |\n"
    "| recovered | first 5 s in which 95 % of the requests succeed |\n";

void save(const std::string& path, const std::string& text) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  if (file == nullptr) return fmt::print("cannot write {}\n", path);
  std::fputs(text.c_str(), file);
  std::fclose(file);
  fmt::print("wrote {}\n", path);
}

int run(int argc, char** argv) {
  Effort effort = Effort::all;
  std::string out;
  std::string page;
  std::string only;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const std::string value(word.substr(std::min(word.size(), word.find('=') + 1)));
    if (word == "--check") effort = Effort::check;
    // The run script names a file for every benchmark's results.
    if (word.starts_with("--benchmark_out=")) out = value;
    if (word.starts_with("--page=")) page = value;
    if (word.starts_with("--only=")) only = value;
  }
  Report report;
  report.page = preface;
  bool all = true;
  std::string verdict;
  for (const Scenario& scenario : scenarios) {
    if (!only.empty() && scenario.name != only) continue;
    const bool as_known = scenario.run(report, effort);
    verdict += fmt::format("{}: {}\n", scenario.name, as_known ? "as known" : "NOT as known");
    all = all && as_known;
  }
  if (!out.empty()) save(out + ".csv", report.csv);
  if (!page.empty() && only.empty()) {
    save(page + "/herd.md", report.page);
    for (const Report::Picture& picture : report.pictures) save(page + "/" + picture.name, picture.svg);
  }
  fmt::print("{}", verdict);
  return all ? 0 : 1;
}

}  // namespace
}  // namespace serin::herd

int main(int argc, char** argv) { return serin::herd::run(argc, argv); }
