#include "verb_monitor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "promtool.hpp"
#include "serin/system/files.hpp"

namespace serin::tool {
namespace {

using namespace std::chrono_literals;
using monitor::Document;

struct MonitorFlags {
  std::string file = "fleet/monitoring.yaml";
  std::string targets;
  std::string folder;
  std::vector<std::string> reload;
};

constexpr Exit differences = Exit::usage;  // 2, as terraform's -detailed-exitcode says it

Result<monitor::Catalogue> read_catalogue(const MonitorFlags& flags, VerbContext& context) {
  namespace fs = std::filesystem;
  SERIN_TRY(const std::string text, context.read_file(flags.file));
  SERIN_TRY(monitor::Catalogue read, monitor::load_catalogue(text, flags.file));
  std::string& targets = read.targets_file;
  // Prometheus may stand in any folder, so its file has the whole path.
  std::error_code error;
  if (!flags.targets.empty() && !flags.targets.ends_with(".json"))
    return fail(Errc::invalid_argument, "--targets must name a .json file: Prometheus ignores any other");
  if (!flags.targets.empty())
    targets = fs::absolute(flags.targets, error).lexically_normal().string();
  else if (!targets.empty())
    targets = fs::absolute(fs::path(flags.file).parent_path() / targets, error).lexically_normal().string();
  if (error) return fail_errno(error.value(), targets);
  return read;
}

/// What would be done to one file.
struct Change {
  enum class Kind : std::uint8_t { none, add, change, remove } kind = Kind::none;
  std::string path;  ///< below the folder
  std::string text;
};

Result<std::vector<Change>> changes(const std::vector<Document>& wanted, const std::string& folder) {
  std::vector<Change> out;
  for (const Document& one : wanted) {
    const auto there = read_file(folder + "/" + one.path);
    if (!there && there.error().code() != Errc::not_found) return std::unexpected(there.error());
    if (there && !monitor::is_ours(*there))
      return fail(Errc::conflict,
                  fmt::format("{}/{} is not ours (no \"{}\" in its first line): move it away, or choose another folder",
                              folder, one.path, monitor::owner_mark));
    const Change::Kind kind = !there                                     ? Change::Kind::add
                              : monitor::same_document(*there, one.text) ? Change::Kind::none
                                                                         : Change::Kind::change;
    out.push_back({kind, one.path, one.text});
  }
  for (const char* below : {"", "dashboards"}) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(folder) / below, error)) {
      if (!entry.is_regular_file()) continue;
      const std::string path = std::filesystem::path(entry.path()).lexically_relative(folder).string();
      if (std::ranges::find(wanted, path, &Document::path) != wanted.end()) continue;
      if (const auto there = read_file(entry.path().string()); there && monitor::is_ours(*there))
        out.push_back({Change::Kind::remove, path, {}});
    }
  }
  return out;
}

std::string_view word_of(Change::Kind kind) {
  switch (kind) {
    case Change::Kind::none: return "same";
    case Change::Kind::add: return "add";
    case Change::Kind::change: return "change";
    case Change::Kind::remove: break;
  }
  return "remove";
}

Status make_change(const Change& change, const std::string& folder) {
  const std::filesystem::path path = std::filesystem::path(folder) / change.path;
  if (change.kind == Change::Kind::remove) {
    std::error_code error;
    std::filesystem::remove(path, error);
    if (error) return fail(Errc::permission_denied, fmt::format("{}: {}", path.string(), error.message()));
    return {};
  }
  SERIN_CHECK(make_folders(path.parent_path().string()));
  // Prometheus and Alertmanager run as users of their own; there is no secret in these files.
  return write_file(path.string(), change.text, Readers::everybody);
}

Status reload(const std::string& url, VerbContext& context) {
  SERIN_TRY(const auto parts, split_url(url, "/-/reload"));
  HttpRequest request;
  request.method = "POST";
  request.target = parts.second;
  const Deadline deadline = Deadline::after(context.sleeper().now(), 10s);
  SERIN_TRY(const HttpResponse answer, context.http().send(parts.first, std::move(request), deadline));
  if (answer.status >= 300)
    return fail(Errc::unavailable, fmt::format("{} answered {}: {}", url, answer.status, answer.body));
  return {};
}

Result<Exit> generate(const MonitorFlags& flags, VerbContext& context) {
  SERIN_TRY(const monitor::Catalogue catalogue, read_catalogue(flags, context));
  const std::vector<Document> wanted = monitor::documents(catalogue);
  SERIN_CHECK(changes(wanted, flags.folder));  // refuses before the first file what is somebody else's
  for (const Document& one : wanted) {
    SERIN_CHECK(make_change({Change::Kind::add, one.path, one.text}, flags.folder));
    context.out(fmt::format("{}/{}\n", flags.folder, one.path));
  }
  return Exit::done;
}

Result<Exit> plan(const MonitorFlags& flags, VerbContext& context) {
  SERIN_TRY(const monitor::Catalogue catalogue, read_catalogue(flags, context));
  SERIN_TRY(const std::vector<Change> all, changes(monitor::documents(catalogue), flags.folder));
  bool any = false;
  for (const Change& one : all) {
    if (one.kind == Change::Kind::none) continue;
    context.out(fmt::format("{} {}/{}\n", word_of(one.kind), flags.folder, one.path));
    any = true;
  }
  if (!any) context.out("no difference\n");
  return any ? differences : Exit::done;
}

Result<Exit> apply(const MonitorFlags& flags, VerbContext& context) {
  SERIN_TRY(const monitor::Catalogue catalogue, read_catalogue(flags, context));
  SERIN_TRY(const std::vector<Change> all, changes(monitor::documents(catalogue), flags.folder));
  for (const Change& one : all) {
    if (one.kind == Change::Kind::none) continue;
    SERIN_CHECK(make_change(one, flags.folder));
    context.out(fmt::format("{} {}/{}: done\n", word_of(one.kind), flags.folder, one.path));
  }
  // Also without a difference: an earlier run may have ended between the file and the reload.
  for (const std::string& url : flags.reload) {
    SERIN_CHECK(reload(url, context));
    context.out(fmt::format("reloaded {}\n", url));
  }
  return Exit::done;
}

/// Prints one line a command; what it said only when it failed.
Result<bool> look(MonitorTools& tools, const std::vector<std::string>& command, VerbContext& context) {
  SERIN_TRY(const MonitorTools::Ran ran, tools.run(command));
  context.out(fmt::format("{} {} {}\n", ran.well ? "ok  " : "FAIL", command.front(), command.back()));
  if (!ran.well) context.out(ran.output + "\n");
  return ran.well;
}

Result<Exit> check(const MonitorFlags& flags, VerbContext& context) {
  SERIN_TRY(const monitor::Catalogue catalogue, read_catalogue(flags, context));
  SERIN_TRY(const auto tools, MonitorTools::make(monitor::documents(catalogue)));
  bool well = true;
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"promtool", "check", "rules", "--lint-fatal", "rules.yaml"},
        {"promtool", "check", "config", "prometheus.yaml"},
        {"amtool", "check-config", "alertmanager.yaml"}}) {
    SERIN_TRY(const bool one, look(*tools, command, context));
    well = well && one;
  }
  return well ? Exit::done : Exit::failed;
}

Result<Exit> test(const MonitorFlags& flags, VerbContext& context) {
  SERIN_TRY(const monitor::Catalogue catalogue, read_catalogue(flags, context));
  const monitor::Drills drills = monitor::drills(catalogue);
  std::vector<Document> all = monitor::documents(catalogue);
  all.insert(all.end(), drills.tests.begin(), drills.tests.end());
  SERIN_TRY(const auto tools, MonitorTools::make(all));
  for (const std::string& one : drills.unproved) context.out(fmt::format("FAIL {}\n", one));
  bool well = drills.unproved.empty();
  for (const Document& one : drills.tests) {
    SERIN_TRY(const bool passed, look(*tools, {"promtool", "test", "rules", one.path}, context));
    well = well && passed;
  }
  const auto cases = monitor::route_cases(catalogue);
  for (const monitor::RouteCase& one : cases) {
    SERIN_TRY(const MonitorTools::Ran ran,
              tools->run({"amtool", "config", "routes", "test", "--config.file=alertmanager.yaml",
                          "--verify.receivers=" + one.receiver, "service=" + one.service, "severity=" + one.severity}));
    if (ran.well) continue;
    well = false;
    context.out(
        fmt::format("FAIL a {} of {} must reach {}\n{}\n", one.severity, one.service, one.receiver, ran.output));
  }
  context.out(fmt::format("{} alerts, each made to fire and kept silent; {} routes: {}\n", drills.alerts, cases.size(),
                          well ? "ok" : "FAILED"));
  return well ? Exit::done : Exit::failed;
}

using Work = Result<Exit> (*)(const MonitorFlags&, VerbContext&);

/// \param compares  its 2 means differences, so all its errors are 1, as terraform's -detailed-exitcode has them
CLI::App* add(CLI::App& parent, VerbContext& context, const std::shared_ptr<MonitorFlags>& flags, const char* name,
              const char* help, Work work, bool compares) {
  CLI::App* verb = parent.add_subcommand(name, help);
  verb->add_option("--file", flags->file, "The catalogue")->capture_default_str();
  verb->add_option("--targets", flags->targets,
                   "What Prometheus scrapes: monitoring/targets.json of the fleet's state");
  verb->callback([flags, &context, work, compares] {
    const Result<Exit> done = work(*flags, context);
    if (!done) context.fail_with(done.error());
    context.finish(done ? *done : compares ? Exit::failed : exit_of(done.error()));
  });
  return verb;
}

}  // namespace

void add_monitor_verbs(CLI::App& app, VerbContext& context) {
  CLI::App* monitor =
      app.add_subcommand("monitor", "Alerts, routes and dashboards from one catalogue, and their drills");
  monitor->require_subcommand(1);
  const auto flags = std::make_shared<MonitorFlags>();
  add(*monitor, context, flags, "generate", "Write every file into a folder", generate, false)
      ->add_option("--out", flags->folder, "The folder")
      ->required();
  add(*monitor, context, flags, "check", "Ask promtool and amtool whether the files are right", check, false);
  add(*monitor, context, flags, "test", "Make every alert fire and keep it silent; ask who would be told", test, false);
  add(*monitor, context, flags, "plan", "What apply would change; exit 0 nothing, 2 something, 1 error", plan, true)
      ->add_option("--to", flags->folder, "The folder that Prometheus and Alertmanager read")
      ->required();
  CLI::App* put = add(*monitor, context, flags, "apply", "Make a folder as the catalogue says", apply, false);
  put->add_option("--to", flags->folder, "The folder that Prometheus and Alertmanager read")->required();
  put->add_option("--reload", flags->reload, "Address to POST /-/reload to, once for each server");
}

}  // namespace serin::tool
