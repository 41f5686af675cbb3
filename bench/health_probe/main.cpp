// ./run bench health_probe: probes against a constant answer, server on core 0, wrk on core 1; rounds are interleaved,
// so that what else the machine does hits all alike. Writes every run as CSV and a table in Markdown beside the other
// results.
//   --connections N  only that many (may be repeated)     --rounds N, --seconds N  of each measurement
//   --from FILE      runs measured earlier (CSV), added   --check  no wrk: every server of ours gives the same answer
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string_view>

#include "measure.hpp"
#include "serin/base/text.hpp"
#include "serin/http/session.hpp"
#include "serin/system/clock.hpp"
#include "serin/system/files.hpp"
#include "servers.hpp"

namespace serin::probe {
namespace {

struct Server {
  std::string_view name;
  std::string_view text;
  std::string_view rival;  ///< what it is compared with
};
constexpr std::array<Server, 7> servers{{{"nginx", "nginx `return 200`", "nginx"},
                                         {"serin", "our server, prepared", "nginx"},
                                         {"serin_hung", "the same, 8 workers hung, queue full", "serin"},
                                         {"beast", "Boost.Beast by hand", "nginx"},
                                         {"beast_serin", "our handler in that Beast loop", "beast"},
                                         {"httplib", "cpp-httplib", "nginx"},
                                         {"httplib_serin", "our handler mounted on cpp-httplib", "httplib"}}};

struct Options {
  std::vector<int> connections;
  int rounds = 5;
  int seconds = 1;
  std::vector<Run> earlier;
  std::string out;
  bool check = false;
};

struct Spread {
  double median = 0, least = 0, most = 0;
};
Spread spread(std::vector<double> values) {
  if (values.empty()) return {};
  std::ranges::sort(values);
  return {values[values.size() / 2], values.front(), values.back()};
}

using Figure = double Run::*;
std::vector<double> figures(const std::vector<Run>& runs, std::string_view server, int connections, Figure figure) {
  std::vector<double> values;
  for (const Run& run : runs)
    if (run.server == server && run.connections == connections) values.push_back(run.*figure);
  return values;
}

/// Round by round, because neighbours in time had the same machine.
Spread ratio(const std::vector<Run>& runs, const Server& server, int connections, Figure figure) {
  const std::vector<double> own = figures(runs, server.name, connections, figure);
  const std::vector<double> rival = figures(runs, server.rival, connections, figure);
  std::vector<double> ratios;
  for (std::size_t i = 0; i < std::min(own.size(), rival.size()); ++i) ratios.push_back(own[i] / rival[i]);
  return spread(std::move(ratios));
}

std::string table(const std::vector<Run>& runs, int connections) {
  std::string out = fmt::format(
      "\n### {} connection{}\n\n"
      "| server | compared with | req/s | ratio (min-max) | p50 us | p99 us | ratio of p99 (min-max) | CPU us/request "
      "| ratio | "
      "switches/request | RSS MB | errors |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n",
      connections, connections == 1 ? "" : "s");
  for (const Server& server : servers) {
    const auto of = [&](Figure figure) { return spread(figures(runs, server.name, connections, figure)).median; };
    const Spread speed = ratio(runs, server, connections, &Run::requests_per_second);
    const Spread tail = ratio(runs, server, connections, &Run::p99_us);
    out += fmt::format(
        "| {} | {} | {:.0f} | {:.2f} ({:.2f}-{:.2f}) | {:.0f} | {:.0f} | {:.2f} ({:.2f}-{:.2f}) | {:.2f} | {:.2f} | "
        "{:.2f} | {:.1f} "
        "| {:.0f} |\n",
        server.text, server.name == server.rival ? "" : server.rival, of(&Run::requests_per_second), speed.median,
        speed.least, speed.most, of(&Run::p50_us), of(&Run::p99_us), tail.median, tail.least, tail.most,
        of(&Run::cpu_us), ratio(runs, server, connections, &Run::cpu_us).median, of(&Run::switches),
        of(&Run::memory_mb), of(&Run::errors));
  }
  return out;
}

Result<std::vector<Run>> measure(const Options& options, const std::string& folder) {
  std::vector<Target> targets;
  for (const Server& server : servers) {
    SERIN_TRY(Target target, Target::start(std::string(server.name), folder));
    targets.push_back(std::move(target));
  }
  std::vector<Run> runs = options.earlier;
  for (const int connections : options.connections) {
    for (const Target& target : targets) SERIN_CHECK(target.measure(connections, 1));  // warm
    for (int round = 0; round < options.rounds; ++round)
      for (const Target& target : targets) {
        SERIN_TRY(const Run run, target.measure(connections, options.seconds));
        fmt::print(stderr, "{}", run.csv());
        runs.push_back(run);
      }
  }
  return runs;
}

Status check(const std::string& folder) {
  const SystemClock clock;
  http::Session client(clock);
  for (const Server& server : servers) {
    if (server.name == "nginx") continue;
    SERIN_TRY(const Target target, Target::start(std::string(server.name), folder));
    SERIN_TRY(const HttpResponse answer, client.send(fmt::format("http://127.0.0.1:{}", target.port()),
                                                     {.target = "/health"}, Deadline::after(clock.now(), 10s)));
    if (answer.status != 200 || answer.body != body)
      return fail(Errc::internal, fmt::format("{} answers {} {}", server.name, answer.status, answer.body));
    for (const auto& [name, value] : fields())
      if (name != "Connection" && answer.headers.find(name) != value)
        return fail(Errc::internal, fmt::format("{} answers without '{}: {}'", server.name, name, value));
  }
  const auto run = read_wrk(
      "  Latency Distribution\n     50%  253.00us\n     99%    1.26ms\n  2 requests in 1.00s, 1MB read\nRequests/sec:  "
      "12.5\n");
  if (!run || run->p50_us != 253 || run->p99_us != 1260 || run->requests_per_second != 12.5)
    return fail(Errc::internal, "wrk's output is not read right");
  return {};
}

Status run(const Options& options) {
  std::string pattern = (std::filesystem::temp_directory_path() / "serin-probe-XXXXXX").string();
  const std::string folder = mkdtemp(pattern.data());
  if (options.check) {
    const Status checked = check(folder);
    std::filesystem::remove_all(folder);
    return checked;
  }
  const Result<std::vector<Run>> runs = measure(options, folder);
  std::filesystem::remove_all(folder);
  if (!runs) return std::unexpected(runs.error());
  std::map<int, std::string> tables;
  std::string csv(csv_head);
  for (const Run& run : *runs) {
    csv += run.csv();
    tables.try_emplace(run.connections, table(*runs, run.connections));
  }
  std::string text;
  for (const auto& [connections, part] : tables) text += part;
  fmt::print("{}", text);
  if (options.out.empty()) return {};
  SERIN_CHECK(write_file(options.out + ".csv", csv));
  return write_file(options.out + ".md", text);
}

Options read_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const auto value = [&] { return i + 1 < argc ? std::string_view(argv[++i]) : std::string_view(); };
    const auto number = [&] {
      return static_cast<int>(std::clamp<std::int64_t>(to_int(value()).value_or(1), 1, 1000));
    };
    if (word == "--check") options.check = true;
    if (word == "--connections") options.connections.push_back(number());
    if (word == "--rounds") options.rounds = number();
    if (word == "--seconds") options.seconds = number();
    if (word == "--from") options.earlier = read_csv(read_file(std::string(value())).value_or(""));
    // The run script names a file for every benchmark's results.
    if (word.starts_with("--benchmark_out=")) options.out = std::string(word.substr(word.find('=') + 1));
  }
  if (options.connections.empty()) options.connections = {1, 32, 256};
  return options;
}

}  // namespace
}  // namespace serin::probe

int main(int argc, char** argv) {
  using namespace serin;
  if (argc == 4 && std::string_view(argv[1]) == "--serve") {
    const auto port = to_int(argv[3]);
    return port && probe::serve(argv[2], static_cast<std::uint16_t>(*port)) ? 0 : 2;
  }
  const Status done = probe::run(probe::read_options(argc, argv));
  if (!done) fmt::print(stderr, "health: {}\n", done.error().text());
  return done ? 0 : 1;
}
