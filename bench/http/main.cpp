// ./run bench http: what a request costs our client, beside a Beast loop by hand, libcurl, Go and Python. Server and
// client are processes of their own, each on its core; all clients have their turn, round after round.
// --check makes a few requests with each of ours and answers 1 when the answers or the counts are wrong.
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <fstream>
#include <map>

#include "children.hpp"
#include "clients.hpp"
#include "serin/base/text.hpp"
#include "serin/http/session.hpp"

namespace serin::bench_http {

std::span<const Client> clients() {
  static constexpr std::array<Client, 6> all{{{"ours", ours_async},
                                              {"ours, blocking", ours_blocking},
                                              {"Beast loop by hand", beast_by_hand},
                                              {"libcurl easy", curl_easy},
                                              {"libcurl multi", curl_multi},
                                              {"libcurl, no pooling", no_pooling}}};
  return all;
}

namespace {

struct Options {
  bool check = false;
  std::string page;
  std::string out;
  std::string rivals;  // a folder with Go's program; empty: without the rivals in other languages
  int rounds = 5;
};

struct Row {
  std::string name;
  std::vector<std::string> command;  // port, concurrency and requests follow
  bool only_one = false;             // knows no concurrency
  double share = 1;                  // of the requests, for those that are slow
};
struct Sample {
  double requests = 0, seconds = 0, cpu = 0, p50 = 0, p99 = 0, wrong = 0;
  double connections = 0, peak_kb = 0;
};

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  return values[values.size() / 2];
}

/// Connections and requests the server has seen.
std::pair<std::int64_t, std::int64_t> seen_by(http::Session& session, std::uint16_t port) {
  HttpRequest request{.target = "/stats"};
  request.headers.set("Connection", "close");
  const auto answer = session.send("http://127.0.0.1:" + std::to_string(port), request, Deadline::never());
  if (!answer) return {0, 0};
  const auto parts = split(answer->body, ' ');
  return {to_int(parts.at(0)).value_or(0), to_int(parts.at(1)).value_or(0)};
}

std::optional<Sample> measure(const Row& row, const Load& load, http::Session& asker, int core) {
  std::vector<std::string> command = row.command;
  const int requests = std::max(static_cast<int>(load.requests * row.share), load.concurrency);
  for (const int number : {static_cast<int>(load.port), load.concurrency, requests})
    command.push_back(std::to_string(number));
  const auto before = seen_by(asker, load.port);
  const Ended ended = run_child(command, core);
  const auto after = seen_by(asker, load.port);
  std::vector<double> numbers;
  for (const std::string_view word : split(trim(ended.output), ' '))
    if (const auto number = to_double(word)) numbers.push_back(*number);
  if (ended.code != 0 || numbers.size() != 6 || numbers[0] <= 0) return {};
  return Sample{.requests = numbers[0],
                .seconds = numbers[1],
                .cpu = numbers[2],
                .p50 = numbers[3],
                .p99 = numbers[4],
                .wrong = numbers[5],
                .connections = static_cast<double>(after.first - before.first - 1),  // less the question itself
                .peak_kb = static_cast<double>(ended.peak_kb)};
}

std::vector<Row> rows_of(const Options& options, const std::string& self) {
  std::vector<Row> rows;
  for (const Client& one : clients()) {
    const std::string name = one.name;
    rows.push_back({.name = name,
                    .command = {self, "--client", name},
                    .only_one = name == "libcurl easy" || name == "libcurl, no pooling",
                    .share = name == "libcurl, no pooling" ? 0.2 : 1});
#ifndef SERIN_BENCH_CURL
    if (name.starts_with("libcurl")) rows.pop_back();
#endif
  }
  if (options.rivals.empty()) return rows;
  if (::access((options.rivals + "/go_client").c_str(), X_OK) == 0)
    rows.push_back({.name = "Go net/http", .command = {options.rivals + "/go_client"}});
  for (const char* name : {"urllib3", "requests"})
    rows.push_back({.name = std::string("Python ") + name,
                    .command = {"/usr/bin/python3", "bench/http/rivals/with_python.py", name},
                    .share = 0.05});
  return rows;
}

using Samples = std::map<std::pair<int, std::string>, std::vector<Sample>>;

std::string table(const std::vector<Row>& rows, const Samples& samples, int concurrency) {
  std::string out =
      "| client | CPU us/request | of the Beast loop's (min-max) | requests per CPU second | p50 us | p99 us | "
      "connections | "
      "peak RSS MB |\n|---|---|---|---|---|---|---|---|\n";
  const auto base = samples.find({concurrency, "Beast loop by hand"});
  for (const Row& row : rows) {
    const auto found = samples.find({concurrency, row.name});
    if (found == samples.end() || base == samples.end()) continue;
    std::vector<double> cpu, ratios, p50, p99, peak, connections;
    for (std::size_t i = 0; i < found->second.size(); ++i) {
      const Sample& one = found->second[i];
      const Sample& beast = base->second.at(std::min(i, base->second.size() - 1));
      cpu.push_back(one.cpu / one.requests * 1e6);
      ratios.push_back(one.cpu / one.requests / (beast.cpu / beast.requests));
      p50.push_back(one.p50 / 1e3);
      p99.push_back(one.p99 / 1e3);
      peak.push_back(one.peak_kb / 1024);
      connections.push_back(one.connections);
    }
    out +=
        fmt::format("| {} | {:.1f} | {:.2f} ({:.2f}-{:.2f}) | {:.0f} | {:.0f} | {:.0f} | {:.0f} | {:.1f} |\n", row.name,
                    median(cpu), median(ratios), *std::ranges::min_element(ratios), *std::ranges::max_element(ratios),
                    1e6 / median(cpu), median(p50), median(p99), median(connections), median(peak));
  }
  return out;
}

constexpr std::string_view page_head =
    R"(# What a request costs

`./run bench http` sends GET requests to a server of its own (one thread, epoll, an answer of 512 bytes that is always
the same) on core 0; each client is a process on core 1. All clients have their turn, round after round; ratios are
taken within a round, because neighbours in time had the same machine, and then their median; in brackets the least
and the most. CPU is user and system time of the client's process after a warm-up of a tenth of the requests.
"Connections" is what the server accepted for one client. Every sample is in `build/bench/http_bench.json`. `--check`
runs in the tests.

"ours" is `Session::send_async`, each request begun where another ended; "blocking" is `Session::send` from as many
threads. The Beast loop has no pool, no timeouts and no second chance: it is what there is to pay for. libcurl easy
and "no pooling" (a handle for each request) are one at a time. Go runs on one thread of execution; Python's clients
have threads.

)";

int play(const Options& options, const std::string& self) {
  const ServerProcess server(self);
  const SystemClock clock;
  http::Session asker(clock);
  const int core = sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 1 : -1;
  const std::vector<Row> rows = rows_of(options, self);
  constexpr std::array<int, 3> crowds{1, 16, 64};
  Samples samples;
  boost::json::array log;
  for (int round = 0; round < options.rounds; ++round)
    for (const int concurrency : crowds)
      for (const Row& row : rows) {
        if (row.only_one && concurrency != 1) continue;
        const Load load{.port = server.port(), .concurrency = concurrency, .requests = concurrency == 1 ? 5000 : 20000};
        const auto sample = measure(row, load, asker, core);
        if (!sample || sample->wrong != 0) {
          fmt::print(stderr, "{} at {}: no result\n", row.name, concurrency);
          continue;
        }
        samples[{concurrency, row.name}].push_back(*sample);
        log.push_back(boost::json::object{{"client", row.name},
                                          {"concurrency", concurrency},
                                          {"round", round},
                                          {"requests", sample->requests},
                                          {"seconds", sample->seconds},
                                          {"cpu_seconds", sample->cpu},
                                          {"p50_ns", sample->p50},
                                          {"p99_ns", sample->p99},
                                          {"connections", sample->connections},
                                          {"peak_kb", sample->peak_kb}});
      }
  std::string page(page_head);
  page += "## Figures\nOn a shared 2-core virtual machine, while others worked on it: trust the ratios of CPU.\n";
  for (const int concurrency : crowds)
    page += fmt::format("### {} at a time\n\n{}", concurrency, table(rows, samples, concurrency));
  fmt::print("{}", page);
  if (!options.out.empty()) std::ofstream(options.out) << boost::json::serialize(log) << "\n";
  if (!options.page.empty()) std::ofstream(options.page + "/http.md") << page;
  return 0;
}

/// That each client gets its answers, over as many connections as it should, and the server saw them all.
int check(const std::string& self) {
  const ServerProcess server(self);
  const SystemClock clock;
  http::Session asker(clock);
  int bad = 0;
  for (const Row& row : rows_of({}, self)) {
    const Load load{.port = server.port(), .concurrency = row.only_one ? 1 : 4, .requests = 200};
    const auto before = seen_by(asker, load.port);
    const auto sample = measure(row, load, asker, -1);
    const auto after = seen_by(asker, load.port);
    const double pooled = row.name == "libcurl, no pooling" ? 1e9 : load.concurrency;
    if (sample && sample->wrong == 0 && sample->connections >= 1 && sample->connections <= pooled &&
        static_cast<double>(after.second - before.second) >= 200 * row.share)
      continue;
    fmt::print(stderr, "{}: {} wrong, {} connections, {} requests seen\n", row.name, sample ? sample->wrong : -1,
               sample ? sample->connections : -1, after.second - before.second);
    ++bad;
  }
  return bad == 0 ? 0 : 1;
}

int run_client(const std::string& name, const Load& load) {
  for (const Client& one : clients()) {
    if (name != one.name) continue;
    Took took = one.run(load);
    if (took.latencies.empty()) return 1;
    std::ranges::sort(took.latencies);
    const std::size_t count = took.latencies.size();
    fmt::print("{} {} {} {} {} {}\n", count, took.seconds, took.cpu_seconds, took.latencies[count / 2],
               took.latencies[count * 99 / 100], took.wrong);
    return 0;
  }
  return 2;
}

int run(std::span<char*> arguments) {
  const std::vector<std::string> words(arguments.begin(), arguments.end());
  if (words.size() == 2 && words[1] == "--serve") return serve();
  if (words.size() == 6 && words[1] == "--client")
    return run_client(words[2], {.port = static_cast<std::uint16_t>(to_int(words[3]).value_or(0)),
                                 .concurrency = static_cast<int>(to_int(words[4]).value_or(1)),
                                 .requests = static_cast<int>(to_int(words[5]).value_or(1))});
  Options options;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string& word = words[i];
    const auto value = [&](std::string_view name) { return word.substr(name.size()); };
    if (word == "--check")
      options.check = true;
    else if (word.starts_with("--page="))
      options.page = value("--page=");
    else if (word.starts_with("--rivals="))
      options.rivals = value("--rivals=");
    else if (word.starts_with("--rounds="))
      options.rounds = static_cast<int>(to_int(value("--rounds=")).value_or(5));
    else if (word.starts_with("--benchmark_out="))
      options.out = value("--benchmark_out=");
    else {
      fmt::print(stderr, "unknown: {}\n", word);
      return 2;
    }
  }
  return options.check ? check(words[0]) : play(options, words[0]);
}

}  // namespace
}  // namespace serin::bench_http

int main(int argc, char** argv) { return serin::bench_http::run({argv, static_cast<std::size_t>(argc)}); }
