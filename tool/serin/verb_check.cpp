#include "verb_check.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <memory>

#include "databases.hpp"
#include "serin/base/text.hpp"
#include "serin/checks/health_view.hpp"
#include "serin/checks/report.hpp"
#include "serin/checks/run.hpp"
#include "serin/sqlite/sqlite_sql.hpp"

namespace serin::tool {
namespace {

struct CheckFlags {
  std::string file;
  std::string database;
  std::string store;
  std::vector<std::string> tables;
  std::vector<std::string> tags;
  std::vector<std::string> names;
  std::vector<std::string> parameters;
  std::vector<std::string> formats;
  std::string fail_on = "fail";
  std::string deadline = "10m";
  std::string retention = "90d";
  std::string since = "30d";
  int threads = 1;
  bool incremental = false;
  bool make_store = false;
};

/// One file, one database and, where it is wanted, the results of earlier runs.
struct Opened {
  explicit Opened(Sleeper& sleeper) : clock(sleeper) {}
  StoppableClock clock;
  checks::CheckFile file;
  OpenDatabase database;
  std::unique_ptr<SqliteSql> store_database;
  std::unique_ptr<checks::ResultStore> store;
  checks::Dialect dialect;
  checks::RunOptions options;
  Duration retention{};
};

Result<std::string> sqlite_path(std::string_view url) {
  if (url.starts_with("sqlite:")) return std::string(url.substr(7));
  return fail(Errc::invalid_argument, fmt::format("--store {}:...: results are kept in sqlite:PATH", scheme_of(url)));
}

Status fill_options(const CheckFlags& flags, Opened& opened) {
  checks::RunOptions& options = opened.options;
  options.tables = flags.tables;
  options.tags = flags.tags;
  options.names = flags.names;
  options.incremental = flags.incremental;
  options.threads = flags.threads;
  SERIN_TRY(const Duration deadline, parse_duration(flags.deadline));
  SERIN_TRY(opened.retention, parse_duration(flags.retention));
  options.deadline = Deadline::after(opened.clock.now(), deadline);
  options.run_id = fmt::format("{}-{}", format_rfc3339(opened.clock.wall()), getpid());
  for (const std::string& parameter : flags.parameters) {
    const auto pair = name_and_value(parameter);
    if (!pair) return fail(Errc::invalid_argument, fmt::format("--set {}: write NAME=VALUE", parameter));
    options.parameters[pair->first] = pair->second;
  }
  return {};
}

Result<std::unique_ptr<Opened>> open(const CheckFlags& flags, VerbContext& context) {
  auto opened = std::make_unique<Opened>(context.sleeper());
  if (!flags.database.empty()) {
    SERIN_TRY(opened->dialect.engine, engine_of(flags.database));
  }
  SERIN_TRY(const std::string text, context.read_file(flags.file));
  SERIN_TRY(opened->file, checks::load_checks(text, flags.file, opened->dialect.engine));
  SERIN_CHECK(fill_options(flags, *opened));
  if (!flags.database.empty()) {
    SERIN_TRY(opened->database, open_database(flags.database, opened->dialect.engine, opened->clock));
  }
  if (!flags.store.empty()) {
    SERIN_TRY(const std::string path, sqlite_path(flags.store));
    SERIN_TRY(opened->store_database,
              SqliteSql::open({.path = path, .read_connections = 1, .create = flags.make_store}, opened->clock));
    SERIN_TRY(opened->store, checks::ResultStore::open(*opened->store_database, opened->options.deadline));
  }
  return opened;
}

Result<std::string> rendered(std::string_view format, const checks::CheckReport& report, checks::Colour colour) {
  if (format == "text") return checks::report_text(report, colour);
  if (format == "json") return checks::report_json(report);
  if (format == "junit") return checks::report_junit(report);
  if (format == "html") return checks::report_html(report);
  if (format == "github") return checks::report_github(report);
  return fail(Errc::invalid_argument,
              fmt::format("--format {}: write text, json, junit, html or github, or FORMAT=FILE", format));
}

/// "junit=out.xml" goes to the file, "json" to standard output.
Status write_report(const std::string& wanted, const checks::CheckReport& report, VerbContext& context) {
  const std::size_t equals = wanted.find('=');
  SERIN_TRY(const std::string text, rendered(wanted.substr(0, equals), report, checks::Colour::no));
  if (equals == std::string::npos) {
    context.out(text);
    return {};
  }
  return write_report_to(wanted.substr(equals + 1), text);
}

Exit exit_of_report(const checks::CheckReport& report, std::string_view fail_on) {
  if (report.count(checks::Outcome::fail) > 0) return Exit::failed;
  if (report.count(checks::Outcome::error) > 0) return Exit::held;
  if (fail_on == "warn" && report.count(checks::Outcome::warn) > 0) return Exit::failed;
  return Exit::done;
}

Result<Exit> run(const CheckFlags& flags, VerbContext& context) {
  // What cannot be written is refused before anything is read.
  for (const std::string& format : flags.formats) SERIN_CHECK(rendered(format.substr(0, format.find('=')), {}, {}));
  SERIN_TRY(const auto opened, open(flags, context));
  if (context.is_terminal())
    opened->options.progress = [&context](std::size_t done, std::size_t total, std::string_view what) {
      context.err(fmt::format("\r\x1b[K{}/{} {}", done, total, what.substr(0, 70)));
    };
  SERIN_TRY(const checks::CheckReport report, checks::run_checks(opened->file, *opened->database.sql, opened->dialect,
                                                                 opened->clock, opened->store.get(), opened->options));
  if (context.is_terminal()) context.err("\r\x1b[K");
  if (opened->clock.stopped()) return fail(Errc::cancelled, "interrupted");
  const std::vector<std::string> formats = flags.formats.empty() ? std::vector<std::string>{"text"} : flags.formats;
  for (const std::string& format : formats) SERIN_CHECK(write_report(format, report, context));
  // With time of its own: a run that reached its deadline is a result too.
  if (opened->store)
    SERIN_CHECK(opened->store->save(report, opened->retention, Deadline::after(opened->clock.now(), 30s)));
  return exit_of_report(report, flags.fail_on);
}

Result<Exit> list(const CheckFlags& flags, VerbContext& context) {
  SERIN_TRY(const auto opened, open(flags, context));
  const auto chosen = checks::choose(opened->file, opened->options);
  if (chosen.empty()) return fail(Errc::invalid_argument, fmt::format("no check of {} was selected", flags.file));
  for (const std::size_t index : chosen) {
    const checks::Check& check = opened->file.checks[index];
    context.out(fmt::format("{:<16} {:<28} {}{}{}\n", checks::type_name(check.type), check.table, check.name,
                            check.owner.empty() ? "" : "  @" + check.owner,
                            check.tags.empty() ? "" : fmt::format("  #{}", fmt::join(check.tags, " #"))));
  }
  return Exit::done;
}

Result<Exit> explain(const CheckFlags& flags, VerbContext& context) {
  SERIN_TRY(const auto opened, open(flags, context));
  SERIN_TRY(const std::string text, checks::explain_checks(opened->file, *opened->database.sql, opened->dialect,
                                                           opened->clock.wall(), opened->options));
  context.out(text);
  return Exit::done;
}

Result<Exit> history(const CheckFlags& flags, VerbContext& context) {
  SERIN_TRY(const auto opened, open(flags, context));
  SERIN_TRY(const Duration since, parse_duration(flags.since));
  const auto chosen = checks::choose(opened->file, opened->options);
  if (chosen.empty()) return fail(Errc::invalid_argument, fmt::format("no check of {} was selected", flags.file));
  std::size_t found = 0;
  for (const std::size_t index : chosen) {
    const checks::Check& check = opened->file.checks[index];
    SERIN_TRY(const auto results,
              opened->store->results(check.id, opened->clock.wall() - since, 100, opened->options.deadline));
    found += results.size();
    for (const checks::StoredResult& result : results)
      context.out(fmt::format("{}  {:<14} {:>12}  {}: {}\n", format_rfc3339(result.at),
                              checks::outcome_name(result.outcome),
                              result.value ? fmt::format("{:.6g}", *result.value) : "-", result.name, result.reason));
  }
  if (found == 0) context.err(fmt::format("serin: no result of these checks in the last {}\n", flags.since));
  return Exit::done;
}

Result<Exit> baseline(const CheckFlags& flags, VerbContext& context) {
  SERIN_TRY(const auto opened, open(flags, context));
  std::vector<std::string> ids;
  for (const std::size_t index : checks::choose(opened->file, opened->options))
    ids.push_back(opened->file.checks[index].id);
  if (ids.empty()) return fail(Errc::invalid_argument, fmt::format("no check of {} was selected", flags.file));
  SERIN_TRY(const std::int64_t had, opened->store->set_baseline(ids, opened->clock.wall(), opened->options.deadline));
  context.out(fmt::format("{} checks start anew; {} of them had a past\n", ids.size(), had));
  return Exit::done;
}

using Action = Result<Exit> (*)(const CheckFlags&, VerbContext&);

CLI::App* add(CLI::App& parent, const char* name, const char* what, std::shared_ptr<CheckFlags> flags, Action action,
              VerbContext& context) {
  CLI::App* verb = parent.add_subcommand(name, what);
  verb->add_option("FILE", flags->file, "The checks, YAML; - for standard input")->required();
  verb->add_option("--table", flags->tables, "Only checks of this table; may be given again");
  verb->add_option("--tag", flags->tags, "Only checks with this tag; may be given again");
  verb->add_option("--name", flags->names, "Only the check of this name; may be given again");
  verb->footer("Exit codes: 0 nothing failed, 1 a check failed, 2 usage or file, 3 could not run.");
  verb->callback([flags, action, &context] {
    const Result<Exit> ended = action(*flags, context);
    // Ctrl-C makes every deadline pass: what failed because of that did not fail.
    if (!ended && !context.sleeper().sleep_for(0s))
      return context.fail_with(fail(Errc::cancelled, "interrupted: no check was judged and nothing was kept").error());
    if (!ended) return context.fail_with(ended.error());
    context.finish(*ended);
  });
  return verb;
}

}  // namespace

void add_check_verbs(CLI::App& app, VerbContext& context) {
  CLI::App* check = app.add_subcommand("check", "Data checks: what a table should look like, and whether it does");
  check->require_subcommand(1);
  const auto make = [] { return std::make_shared<CheckFlags>(); };
  const std::string database =
      "The database, sqlite:PATH, postgres://user@host/database or bigquery://project/dataset; it is only read";

  auto flags = make();
  flags->make_store = true;
  CLI::App* verb = add(*check, "run", "Run the checks of a file on a database", flags, run, context);
  verb->add_option("--db", flags->database, database)->required();
  verb->add_option("--store", flags->store, "Keeps results here for history and comparisons, sqlite:PATH");
  verb->add_option("--set", flags->parameters, "NAME=VALUE for :NAME in the file's SQL; may be given again");
  verb->add_option("--format", flags->formats,
                   "text, json, junit, html or github, to standard output or =FILE; may be given again");
  verb->add_option("--fail-on", flags->fail_on, "The outcome from which the exit code is 1")
      ->check(CLI::IsMember({"fail", "warn"}))
      ->capture_default_str();
  verb->add_option("--deadline", flags->deadline, "For the whole run")->capture_default_str();
  verb->add_option("--retention", flags->retention, "Results older than this are forgotten")->capture_default_str();
  verb->add_option("--threads", flags->threads, "Parts of a table that are read at once, where it has grows_by")
      ->capture_default_str();
  verb->add_flag("--incremental", flags->incremental, "Read only rows that are new, where a table has grows_by");

  add(*check, "list", "The checks of a file", make(), list, context);

  flags = make();
  verb = add(*check, "explain", "The statements that a run would send, and what was fused", flags, explain, context);
  verb->add_option("--db", flags->database, database)->required();
  verb->add_option("--set", flags->parameters, "NAME=VALUE for :NAME in the file's SQL; may be given again");

  flags = make();
  verb = add(*check, "history", "What earlier runs found", flags, history, context);
  verb->add_option("--store", flags->store, "Where results are kept, sqlite:PATH")->required();
  verb->add_option("--since", flags->since, "How far back")->capture_default_str();

  flags = make();
  verb = add(*check, "baseline", "Forget the past for comparisons: what comes now is normal", flags, baseline, context);
  verb->add_option("--store", flags->store, "Where results are kept, sqlite:PATH")->required();

  CLI::App* schema = check->add_subcommand("schema", "The JSON Schema of a file of checks, for editors");
  schema->callback([&context] { context.out(checks::checks_json_schema()); });
}

}  // namespace serin::tool
