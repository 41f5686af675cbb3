#include "real_context.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>

#include "serin/policy/policies.hpp"
#include "serin/system/files.hpp"

namespace serin::tool {
namespace {

namespace fs = std::filesystem;

std::vector<ServiceName> names_of(const config::FleetSpec& spec) {
  std::vector<ServiceName> names;
  for (const config::ServiceSpec& service : spec.services)
    if (service.target.is_local()) names.push_back(service.name);
  return names;
}

}  // namespace

RealContext::Opened::Opened(config::FleetSpec spec, std::unique_ptr<SqliteSql> database,
                            std::unique_ptr<SqliteDocuments> small, std::unique_ptr<control::ControlStore> control,
                            std::unique_ptr<guard::Target> for_documents, std::unique_ptr<guard::Target> for_router,
                            const agent::Places& places, const Clock& clock)
    : sql(std::move(database)),
      plain_documents(std::move(small)),
      store(std::move(control)),
      plain_router(agent::make_router(places, *store, clock)),
      documents_target(std::move(for_documents)),
      router_target(std::move(for_router)),
      documents(*plain_documents, *documents_target),
      router(plain_router, *router_target),
      platform(*store, names_of(spec)),
      traffic(*store),
      session{.spec = std::move(spec),
              .state = *sql,
              .documents = documents,
              .store = *store,
              .router = router,
              .platform = platform,
              .traffic = traffic} {}

Result<HttpClient*> RealContext::guarded_http() {
  if (!guarded_http_) {
    SERIN_TRY(guarded_http_, guard::GuardedHttp::make(*http_, sleeper_, random_));
  }
  return guarded_http_.get();
}

Logger RealContext::logger() {
  if (!log_)
    log_ = std::make_unique<JsonLog>(STDERR_FILENO, parse_log_level(options_.log_level).value_or(LogLevel::warn),
                                     sleeper_);
  return Logger(*log_);
}

bool RealContext::is_terminal() const { return isatty(STDERR_FILENO) == 1; }
void RealContext::out(std::string_view text) { write_all(STDOUT_FILENO, text); }
void RealContext::err(std::string_view text) { write_all(STDERR_FILENO, text); }

Result<std::string> RealContext::read_file(const std::string& path) {
  if (path != "-") return serin::read_file(path);
  std::string text;
  std::array<char, 65536> buffer{};
  for (;;) {
    const ssize_t got = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(errno, "standard input");
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > (256u << 20)) return fail(Errc::exhausted, "standard input is longer than 256 MB");
  }
}

Result<std::string> RealContext::bin() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  if (error) return fail(Errc::internal, "cannot find the folder of this program: " + error.message());
  return self.parent_path().string();
}

Result<std::string> RealContext::find_fleet_file() {
  std::error_code error;
  if (!options_.fleet_file.empty()) {
    const fs::path file = fs::absolute(options_.fleet_file, error).lexically_normal();
    if (!fs::exists(file, error)) return fail(Errc::not_found, fmt::format("there is no file {}", file.string()));
    return file.string();
  }
  for (fs::path folder = fs::current_path(error); !error; folder = folder.parent_path()) {
    for (const char* name : {"fleet/fleet.yaml", "fleet.yaml"})
      if (fs::exists(folder / name, error)) return (folder / name).string();
    if (folder == folder.parent_path()) break;
  }
  return fail(Errc::not_found, "there is no fleet/fleet.yaml or fleet.yaml, here or above: name one with --fleet FILE");
}

Result<config::FleetSpec> RealContext::fleet() {
  SERIN_TRY(const std::string file, find_fleet_file());
  SERIN_TRY(const std::string text, serin::read_file(file));
  SERIN_TRY(const std::string folder, bin());
  SERIN_TRY(config::FleetSpec spec,
            config::parse_fleet(text, file, {.bin = folder, .here = fs::path(file).parent_path().string()}));
  // Now, and not by six services that each do not start.
  if (!spec.resilience.empty()) {
    SERIN_TRY(const std::string policies, serin::read_file(spec.resilience));
    SERIN_CHECK(policy::parse_policies(policies, spec.resilience));
  }
  if (!options_.state.empty()) {
    // Everything that the file put into its own state folder moves along.
    std::error_code error;
    const std::string old_state = spec.state;
    spec.state = fs::absolute(options_.state, error).lexically_normal().string();
    for (std::string* url : {&spec.warehouse, &spec.bus, &spec.documents}) {
      const std::string prefix = "sqlite:" + old_state + "/";
      if (url->starts_with(prefix)) *url = "sqlite:" + spec.state + "/" + url->substr(prefix.size());
    }
  }
  return spec;
}

Result<Session*> RealContext::open_session(bool create) {
  if (opened_) return &opened_->session;
  SERIN_TRY(config::FleetSpec spec, fleet());
  const agent::Places places(spec.state);
  if (create) SERIN_CHECK(make_folders(spec.state));
  Result<std::unique_ptr<SqliteSql>> sql = SqliteSql::open({.path = places.database, .create = create}, patient_);
  if (!sql && !create && sql.error().code() == Errc::not_found)
    return fail(Errc::unavailable, fmt::format("the fleet of {} was never up ({} is not there): run `serin up`",
                                               spec.file, places.database));
  if (!sql) return pass(sql.error());
  SERIN_TRY(std::unique_ptr<SqliteDocuments> documents, SqliteDocuments::open(**sql, sleeper_));
  SERIN_TRY(std::unique_ptr<control::ControlStore> store, control::ControlStore::open(**sql, sleeper_));
  SERIN_TRY(auto documents_target, guard::Target::make("documents", sleeper_, random_));
  SERIN_TRY(auto router_target, agent::router_target(patient_, random_));
  opened_ = std::make_unique<Opened>(std::move(spec), *std::move(sql), std::move(documents), std::move(store),
                                     std::move(documents_target), std::move(router_target), places, sleeper_);
  return &opened_->session;
}

Result<Session*> RealContext::session() { return open_session(false); }
Result<Session*> RealContext::make_session() { return open_session(true); }

}  // namespace serin::tool
