#pragma once
#include <memory>
#include <optional>
#include <string>

#include "serin/agent/agent.hpp"
#include "serin/control/control_store.hpp"
#include "serin/guard/guarded_http.hpp"
#include "serin/guard/guarded_ports.hpp"
#include "serin/http/session.hpp"
#include "serin/sqlite/sqlite_documents.hpp"
#include "serin/sqlite/sqlite_sql.hpp"
#include "serin/system/clock.hpp"
#include "serin/system/environment.hpp"
#include "serin/system/json_log.hpp"
#include "serin/system/random.hpp"
#include "verb.hpp"

namespace serin::tool {

/// Options that stand before the verb.
struct GlobalOptions {
  std::string fleet_file;
  std::string state;
  std::string log_level = "warn";
};

/// The real world for the verbs. Made first in main(), because it blocks the stop signals. Threads: main's.
class RealContext final : public VerbContext {
 public:
  RealContext() = default;
  [[nodiscard]] GlobalOptions& options() noexcept { return options_; }

  Sleeper& sleeper() override { return sleeper_; }
  Random& random() override { return random_; }
  HttpClient& http() override { return *http_; }
  /// The same behind a breaker, a budget and a bulkhead for each origin: for calls that have to succeed, where http()
  /// is for those that measure. Errors: none, but for a bug in its options.
  Result<HttpClient*> guarded_http();
  Logger logger() override;
  [[nodiscard]] bool is_terminal() const override;
  void out(std::string_view text) override;
  void err(std::string_view text) override;
  Result<config::FleetSpec> fleet() override;
  Result<Session*> session() override;
  Result<std::string> read_file(const std::string& path) override;

  // For the verbs that start and end the fleet itself.
  [[nodiscard]] StopSignal& stop() noexcept { return stop_; }
  [[nodiscard]] Sleeper& patient() noexcept { return patient_; }
  [[nodiscard]] const Environment& environment() const noexcept { return environment_; }
  /// Makes the state folder and the database when they are not there.
  Result<Session*> make_session();
  /// The folder of this program: what ${bin} stands for.
  Result<std::string> bin();

 private:
  struct Opened {
    Opened(config::FleetSpec spec, std::unique_ptr<SqliteSql> database, std::unique_ptr<SqliteDocuments> small,
           std::unique_ptr<control::ControlStore> control, std::unique_ptr<guard::Target> documents_target,
           std::unique_ptr<guard::Target> router_target, const agent::Places& places, const Clock& clock);
    std::unique_ptr<SqliteSql> sql;
    std::unique_ptr<SqliteDocuments> plain_documents;
    std::unique_ptr<control::ControlStore> store;
    HaproxyRouter plain_router;
    std::unique_ptr<guard::Target> documents_target;
    std::unique_ptr<guard::Target> router_target;
    guard::GuardedDocuments documents;
    guard::GuardedRouter router;
    control::StorePlatform platform;
    control::StoreTraffic traffic;
    Session session;
  };
  Result<std::string> find_fleet_file();
  Result<Session*> open_session(bool create);

  StopSignal stop_;  // before anything that starts a thread
  GlobalOptions options_;
  Environment environment_ = Environment::of_process();
  SystemSleeper sleeper_{stop_};
  PatientSleeper patient_;
  SystemRandom random_;
  // Users of a demo are many at once, and a server that hangs must not make the others wait here.
  std::unique_ptr<http::Session> http_ = http::Session::make({.per_origin = 512, .total = 2048}, sleeper_).value();
  std::unique_ptr<guard::GuardedHttp> guarded_http_;
  std::unique_ptr<JsonLog> log_;
  std::unique_ptr<Opened> opened_;
};

}  // namespace serin::tool
