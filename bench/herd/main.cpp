// ./run bench herd: what a crowd of clients does to a server. Prints tables and writes build/bench/herd.csv beside the
// other results; --check runs fewer seeds and answers 1 when something known did not come out.
#include <fmt/format.h>

#include <cstdio>
#include <string_view>

#include "scenario.hpp"

namespace serin::herd {

void Table::add(std::string_view scenario, std::string_view variant, std::string_view figure, Estimate value) {
  csv += fmt::format("{},\"{}\",{},{:.4f},{:.4f}\n", scenario, variant, figure, value.mean, value.margin);
  fmt::print("{:<12} {:<32} {:<22} {:>12.2f} +- {:.2f}\n", scenario, variant, figure, value.mean, value.margin);
}

namespace {

void save(const std::string& path, const std::string& text) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  if (file == nullptr) return fmt::print("cannot write {}\n", path);
  std::fputs(text.c_str(), file);
  std::fclose(file);
  fmt::print("wrote {}\n", path);
}

}  // namespace
}  // namespace serin::herd

int main(int argc, char** argv) {
  using namespace serin::herd;
  bool check = false;
  std::string out;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--check") check = true;
    // The run script names a file for every benchmark's results.
    if (word.starts_with("--benchmark_out=")) out = std::string(word.substr(word.find('=') + 1));
  }
  Table table;
  const bool contention = run_contention(table, check ? 20 : 100);
  const bool overload = run_overload(table, check ? 2 : 20);
  const bool reconnect = run_reconnect(table, check ? 2 : 20);
  if (!out.empty()) {
    serin::herd::save(out + ".csv", table.csv);
    serin::herd::save(out + ".svg", draw_overload());
  }
  fmt::print("contention as published: {}; overload: {}; reconnect: {}\n", contention ? "yes" : "NO",
             overload ? "as known" : "NOT as known", reconnect ? "as known" : "NOT as known");
  return contention && overload && reconnect ? 0 : 1;
}
