// N scan checks on one seeded table with known defects, as different tools would ask for them. A variant with a wrong
// value has no time. checks_bench [--rows 1000000] [--only 32]... [--keep FOLDER] [--postgres]; prints Markdown. With
// --keep the table stays in that folder and the next run uses it. --postgres: on a server of its own in the folder.
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>

#include "serin/base/text.hpp"
#include "serin/checks/run.hpp"
#include "serin/postgres/local_postgres.hpp"
#include "serin/postgres/postgres_sql.hpp"
#include "serin/sqlite/sqlite_sql.hpp"
#include "serin/system/clock.hpp"

namespace serin::checks {
namespace {

struct Cost {
  double cpu_s = 0;
  double wall_s = 0;
  double peak_mb = 0;
  std::int64_t queries = 0;
  std::int64_t rows = 0;
  std::vector<double> values = {};
};

/// CPU seconds of a process and, of the ended ones among its children, theirs; 0 when it is gone.
struct ProcessTimes {
  std::int64_t parent = 0;
  double own_s = 0;
  double ended_s = 0;
};
ProcessTimes times_of(const std::string& stat_file) {
  std::ifstream stat(stat_file);
  std::string line;
  std::getline(stat, line);
  const std::size_t end = line.rfind(')');  // the name before it may hold anything
  if (end == std::string::npos) return {};
  const auto words = split(std::string_view(line).substr(end + 2), ' ');
  if (words.size() < 15) return {};
  const auto seconds = [&](std::size_t at) {
    return static_cast<double>(to_int(words[at]).value_or(0)) / static_cast<double>(sysconf(_SC_CLK_TCK));
  };
  return {
      .parent = to_int(words[1]).value_or(0), .own_s = seconds(11) + seconds(12), .ended_s = seconds(13) + seconds(14)};
}
/// A database server: its main process, its sessions, and the helpers that ended.
double server_cpu(std::int64_t server) {
  if (server == 0) return 0;
  const ProcessTimes main = times_of(fmt::format("/proc/{}/stat", server));
  double total = main.own_s + main.ended_s;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    if (!to_int(entry.path().filename().string())) continue;
    const ProcessTimes child = times_of(entry.path().string() + "/stat");
    if (child.parent == server) total += child.own_s + child.ended_s;
  }
  return total;
}

double cpu_now() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}
/// The kernel's high-water mark of resident memory, counted anew.
void reset_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }
double peak_mb() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::strtod(line.c_str() + 6, nullptr) / 1024;
  return 0;
}

Cost measured(const Clock& clock, std::int64_t server, const std::function<Cost()>& work) {
  reset_peak();
  const double cpu = cpu_now() + server_cpu(server);
  const Instant began = clock.now();
  Cost cost = work();
  cost.cpu_s = cpu_now() + server_cpu(server) - cpu;
  cost.wall_s = seconds_of(clock.now() - began);
  cost.peak_mb = peak_mb();
  return cost;
}

/// Rows of ids (from, to]. Every value follows from the id, so that the defects are known: every 1000th n1 is missing,
/// every 500th n2 is negative, every 250th t1 has a word that is not accepted, every 200th t2 is too long.
Status add_rows(Sql& sql, Engine engine, std::int64_t from, std::int64_t to) {
  const char* const numbers =
      engine == Engine::sqlite
          ? "(WITH RECURSIVE n(i) AS (SELECT {} UNION ALL SELECT i + 1 FROM n WHERE i < {}) SELECT i FROM n) AS n"
          : "generate_series(CAST({} AS BIGINT), {}) AS n(i)";
  const std::string statement =
      "INSERT INTO big SELECT i, CASE WHEN i % 1000 = 7 THEN NULL ELSE i * 2654435761 % 1000 END, "
      "CASE WHEN i % 500 = 3 THEN -1 ELSE i * 40503 % 100000 END, i * 69069 % 50000, i % 7, "
      "(i * 2654435761 % 1000003) / 1000.0, (i * 48271 % 65537) / 7.0, CASE WHEN i % 100 = 1 THEN NULL ELSE i / 3.0 "
      "END, "
      "CASE WHEN i % 250 = 9 THEN 'odd' ELSE substr('nba mlb nfl nhl ', CAST(i % 4 * 4 + 1 AS INTEGER), 3) END, "
      "CASE WHEN i % 200 = 5 THEN 'a text that is too long' ELSE 'name ' || (i % 5000) END, 'team ' || (i % 30), "
      "1775757780 - i % 86400 FROM " +
      fmt::format(fmt::runtime(numbers), from + 1, to);
  SERIN_CHECK(sql.execute(statement, std::span<const SqlValue>(), Deadline::never()));
  return {};
}

/// Whether the table of an earlier run, with --keep, is there.
bool has_rows(Sql& sql, std::int64_t rows) {
  const auto found = sql.query("SELECT MAX(id) FROM big", std::span<const SqlValue>(), Deadline::never());
  return found && found->rows.at(0).at(0) == SqlValue(rows);
}

Status make_table(Sql& sql) {
  for (const std::string_view statement :
       {"DROP TABLE IF EXISTS big", "DROP TABLE IF EXISTS parent",
        "CREATE TABLE big(id INTEGER PRIMARY KEY, n1 INTEGER, n2 INTEGER, n3 INTEGER, n4 INTEGER, r1 REAL, r2 REAL, r3 "
        "REAL, "
        "t1 TEXT, t2 TEXT, t3 TEXT, at INTEGER)",
        "CREATE TABLE parent(id INTEGER PRIMARY KEY)",
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 49989) INSERT INTO parent SELECT i "
        "FROM n"}) {
    SERIN_CHECK(sql.execute(statement, std::span<const SqlValue>(), Deadline::never()));
  }
  return {};
}

std::string check_line(int number) {
  const int round = number / 11;
  switch (number % 11) {
    case 0: return "range: {column: n2, min: " + std::to_string(round) + ", max: 99999}";
    case 1: return round % 2 == 0 ? "missing: n1" : fmt::format("range: {{column: n1, max: {}}}", 999 - round);
    case 2: return fmt::format("accepted_values: {{column: t1, values: [nba, mlb, nfl, nhl, x{}]}}", round);
    case 3: return fmt::format("length: {{column: t2, max: {}}}", 15 + round);
    case 4: return fmt::format("range: {{column: r1, min: 0.5, max: {}}}", 1000 - round);
    case 5: return round % 2 == 0 ? "missing: r3" : fmt::format("range: {{column: r3, min: {}}}", round);
    case 6: return fmt::format("range: {{column: n3, max: {}}}", 49990 - round);
    case 7: return fmt::format("range: {{column: n4, max: {}}}", round % 6);
    case 8: return fmt::format("range: {{column: r2, max: {}}}", 9000 - round);
    case 9: return fmt::format("length: {{column: t3, min: {}, max: 9}}", 6 + round % 3);
    default: return fmt::format("range: {{column: at, min: {}}}", 1775757780 - 86000 + round);
  }
}

Result<CheckFile> scan_checks(int count, Engine engine) {
  std::string text = "tables: {big: {grows_by: id}}\nchecks:\n";
  for (int i = 0; i < count; ++i) text += fmt::format("  - {{table: big, name: c{}, {}}}\n", i, check_line(i));
  return load_checks(text, fmt::format("bench{}.yaml", count), engine);
}
Result<CheckFile> grouping_checks(Engine engine) {
  return load_checks(
      "checks:\n  - {table: big, unique: id}\n  - {table: big, unique: n3}\n  - {table: big, unique: [n1, n2, n4]}\n"
      "  - {table: big, reference: {column: n3, table: parent, key: id}}\n",
      "grouping.yaml", engine);
}

double number(const SqlValue& value) {
  const auto* whole = std::get_if<std::int64_t>(&value);
  return whole == nullptr ? -1 : static_cast<double>(*whole);
}

struct Bench {
  Sql& sql;
  Dialect dialect;
  std::int64_t server;  ///< process whose children's CPU counts too; 0: none
  ResultStore& store;
  const Clock& clock;
  std::int64_t rows;

  Result<std::vector<std::string>> plain(const CheckFile& file) const {
    std::vector<std::string> out;
    for (const Check& check : file.checks) {
      SERIN_TRY(const std::string bad, bad_row(check, dialect, {}));
      out.push_back(fmt::format("SELECT COUNT(*){}", from_where(dialect, "big", bad)));
    }
    return out;
  }
  Cost one_by_one(const std::vector<std::string>& statements) const {
    Cost cost{.queries = static_cast<std::int64_t>(statements.size()),
              .rows = rows * static_cast<std::int64_t>(statements.size())};
    for (const std::string& statement : statements) {
      const auto table = sql.query(statement, std::span<const SqlValue>(), Deadline::never());
      cost.values.push_back(table ? number(table->rows.at(0).at(0)) : -1);
    }
    return cost;
  }
  Cost union_all(const std::vector<std::string>& statements) const {
    Cost cost{.queries = 1, .rows = rows * static_cast<std::int64_t>(statements.size())};
    // With a number each: nobody promises that the parts answer in their order.
    std::string all;
    for (std::size_t i = 0; i < statements.size(); ++i)
      all += fmt::format("{}SELECT {}, {}", i == 0 ? "" : " UNION ALL ", i, statements[i].substr(sizeof "SELECT"));
    const auto table = sql.query(all + " ORDER BY 1", std::span<const SqlValue>(), Deadline::never());
    if (table)
      for (const SqlRow& row : table->rows) cost.values.push_back(number(row.at(1)));
    return cost;
  }
  Cost fused(const CheckFile& file) const {
    Cost cost{.queries = 1, .rows = rows};
    std::string columns;
    for (const Check& check : file.checks)
      columns += (columns.empty() ? "" : ", ") + dialect.count_if(bad_row(check, dialect, {}).value_or(""));
    const auto table = sql.query(fmt::format("SELECT {}{}", columns, from_where(dialect, "big", "")),
                                 std::span<const SqlValue>(), Deadline::never());
    if (table)
      for (const SqlValue& value : table->rows.at(0)) cost.values.push_back(number(value));
    return cost;
  }
  Cost ours(const CheckFile& file, const RunOptions& options) const {
    Cost cost;
    const auto report = run_checks(file, sql, dialect, clock, &store, options);
    if (!report) return cost;
    cost.queries = report->queries;
    cost.rows = report->rows_read;
    for (const CheckResult& result : report->results) cost.values.push_back(result.metric.value_or(-1));
    return cost;
  }
};

void print(std::string_view what, int count, const Cost& cost, const std::vector<double>& expected, double base) {
  if (cost.values != expected) {
    std::printf("| %d | %s | wrong value | | | | | |\n", count, std::string(what).c_str());
    return;
  }
  std::printf("| %d | %s | %.2f | %.2f | %.1f x | %lld | %.1f M | %.0f |\n", count, std::string(what).c_str(),
              cost.cpu_s, cost.wall_s, base / cost.cpu_s, static_cast<long long>(cost.queries),
              static_cast<double>(cost.rows) / 1e6, cost.peak_mb);
  std::fflush(stdout);
}

/// The defects that were put in, by their own arithmetic.
bool defects_are_there(std::int64_t rows, const std::vector<double>& values) {
  const auto every = [&](std::int64_t step, std::int64_t first) {
    return static_cast<double>((rows - first) / step + 1);
  };
  return values.size() < 4 || (values[0] == every(500, 3) && values[1] == every(1000, 7) &&
                               values[2] == every(250, 9) && values[3] == every(200, 5));
}

Result<bool> compare(const Bench& bench, int count) {
  SERIN_TRY(const CheckFile file, scan_checks(count, bench.dialect.engine));
  SERIN_TRY(const std::vector<std::string> statements, bench.plain(file));
  static_cast<void>(bench.ours(file, {}));  // warms the cache
  const Cost single = measured(bench.clock, bench.server, [&] { return bench.one_by_one(statements); });
  const bool right = defects_are_there(bench.rows, single.values);
  const std::vector<double>& expected = single.values;
  print("one query a check", count, single, expected, single.cpu_s);
  bool same = right;
  const auto show = [&](std::string_view what, const std::function<Cost()>& work) {
    const Cost cost = measured(bench.clock, bench.server, work);
    same = same && cost.values == expected;
    print(what, count, cost, expected, single.cpu_s);
  };
  show("UNION ALL", [&] { return bench.union_all(statements); });
  show("one SELECT", [&] { return bench.fused(file); });
  show("serin", [&] { return bench.ours(file, {}); });
  show("serin, 2 threads", [&] { return bench.ours(file, {.threads = 2}); });
  show("serin, newest 1 %", [&] { return bench.ours(file, {.incremental = true}); });
  return same;
}

struct Wanted {
  std::int64_t rows = 1'000'000;
  std::vector<int> counts = {};
  std::string folder = {};
  bool postgres = false;
};

Result<int> compare_all(const Bench& bench, const std::vector<int>& counts) {
  const std::int64_t newest = bench.rows / 100 * 99;
  const Engine engine = bench.dialect.engine;
  if (!has_rows(bench.sql, bench.rows)) {
    SERIN_CHECK(make_table(bench.sql));
    SERIN_CHECK(add_rows(bench.sql, engine, 0, newest));
  } else {
    SERIN_CHECK(bench.sql.execute(fmt::format("DELETE FROM big WHERE id > {}", newest), std::span<const SqlValue>(),
                                  Deadline::never()));
  }
  for (const int count : counts) {
    SERIN_TRY(const CheckFile file, scan_checks(count, engine));
    static_cast<void>(bench.ours(file, {.incremental = true}));
  }
  SERIN_CHECK(add_rows(bench.sql, engine, newest, bench.rows));
  if (engine == Engine::postgres)
    SERIN_CHECK(bench.sql.execute("VACUUM ANALYZE big", std::span<const SqlValue>(), Deadline::never()));
  std::printf(
      "| checks | variant | CPU s | wall s | faster | queries | rows read | peak MB "
      "|\n|---|---|---|---|---|---|---|---|\n");
  bool right = true;
  for (const int count : counts) {
    SERIN_TRY(const bool same, compare(bench, count));
    right = right && same;
  }
  SERIN_TRY(const CheckFile grouping, grouping_checks(engine));
  const Cost cost = measured(bench.clock, bench.server, [&] { return bench.ours(grouping, {}); });
  print("serin, 4 grouping checks", 4, cost, cost.values, cost.cpu_s);
  if (cost.values.size() != 4 || cost.values[0] != 0 || cost.values[3] < 0) right = false;
  return right ? 0 : 1;
}

Result<int> run(const Wanted& wanted) {
  PatientSleeper clock;
  SERIN_TRY(const auto memory, SqliteSql::open({.path = ":memory:"}, clock));
  SERIN_TRY(const auto store, ResultStore::open(*memory, Deadline::never()));
  if (wanted.postgres) {
    SERIN_TRY(const auto server, LocalPostgres::start(wanted.folder, clock));
    std::int64_t process = 0;
    std::ifstream(wanted.folder + "/data/postmaster.pid") >> process;
    SERIN_TRY(const auto sql, PostgresSql::open({.url = server->url()}, clock));
    return compare_all({.sql = *sql,
                        .dialect = {Engine::postgres},
                        .server = process,
                        .store = *store,
                        .clock = clock,
                        .rows = wanted.rows},
                       wanted.counts);
  }
  const std::string file = wanted.folder + "/big.db";
  SERIN_TRY(const auto sql, SqliteSql::open({.path = file, .sort_on_disk = true}, clock));
  const Bench bench{
      .sql = *sql, .dialect = {Engine::sqlite}, .server = 0, .store = *store, .clock = clock, .rows = wanted.rows};
  SERIN_TRY(const int code, compare_all(bench, wanted.counts));
  std::printf("\nsize of the database: %.0f MB\n", static_cast<double>(std::filesystem::file_size(file)) / 1e6);
  return code;
}

}  // namespace
}  // namespace serin::checks

int main(int argc, char** argv) {
  serin::checks::Wanted wanted;
  bool keep = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const char* const next = i + 1 < argc ? argv[i + 1] : nullptr;
    if (word == "--postgres") {
      wanted.postgres = true;
    } else if (word == "--rows" && next != nullptr) {
      wanted.rows = serin::to_int(argv[++i]).value_or(wanted.rows);
    } else if (word == "--keep" && next != nullptr) {
      wanted.folder = argv[++i];
      keep = true;
    } else if (word == "--only" && next != nullptr) {
      wanted.counts.push_back(static_cast<int>(serin::to_int(argv[++i]).value_or(32)));
    } else {
      std::fprintf(stderr, "checks_bench: --rows N, --only N, --keep FOLDER or --postgres\n");
      return 2;
    }
  }
  if (wanted.counts.empty()) wanted.counts = {1, 8, 32, 128};
  if (!keep) {
    std::string pattern = (std::filesystem::temp_directory_path() / "serin-bench-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) return 3;
    wanted.folder = pattern;
  }
  std::filesystem::create_directories(wanted.folder);
  const auto ended = serin::checks::run(wanted);
  if (!keep) std::filesystem::remove_all(wanted.folder);
  if (!ended) {
    std::fprintf(stderr, "checks_bench: %s\n", ended.error().text().c_str());
    return 3;
  }
  return *ended;
}
