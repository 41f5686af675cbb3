#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "serin/fleet_data/records.hpp"
#include "serin/fleet_databases/databases.hpp"
#include "serin/fleet_pipeline/eligible.hpp"
#include "serin/fleet_pipeline/predictor.hpp"
#include "serin/fleet_runtime/counted_log.hpp"
#include "serin/fleet_runtime/fault.hpp"
#include "serin/fleet_runtime/faulty_sql.hpp"
#include "serin/fleet_runtime/pool_metrics.hpp"
#include "serin/guard/guarded_http.hpp"
#include "serin/guard/guarded_ports.hpp"
#include "serin/guard/guarded_sql.hpp"
#include "serin/health/health.hpp"
#include "serin/http/session.hpp"
#include "serin/metrics/metrics.hpp"
#include "serin/policy/policies.hpp"
#include "serin/service/service.hpp"
#include "serin/system/clock.hpp"
#include "serin/system/environment.hpp"
#include "serin/system/json_log.hpp"
#include "serin/system/random.hpp"

namespace serin::fleet {

/// A critical check as the fleet's contract wants it: every 5 s, every second while it fails.
[[nodiscard]] inline health::CheckOptions contract_check(std::string name) {
  return {.name = std::move(name), .every = 5s, .failing = 1s};
}

/// The real world of one service, made by run_service() and used by its setup. Threads: any, after the setup.
class Runtime {
 public:
  // Each behind a breaker, a budget and a bulkhead of its own.
  [[nodiscard]] Sql& warehouse() { return *guarded_warehouse_; }
  [[nodiscard]] Bus& bus() { return *guarded_bus_; }
  [[nodiscard]] Documents& documents() { return *guarded_documents_; }
  [[nodiscard]] Sleeper& sleeper() { return sleeper_; }
  [[nodiscard]] Random& random() { return random_; }
  /// Every call to another service goes through this: a breaker, a budget and a bulkhead for each.
  [[nodiscard]] HttpClient& http() { return *http_; }
  [[nodiscard]] const Logger& logger() const { return logger_; }
  /// What /metrics shows.
  [[nodiscard]] metrics::Registry& metrics() { return metrics_; }
  /// What is wrong with a check is told by serve().
  void add_check(health::CheckOptions options, health::CheckFunction check);
  [[nodiscard]] Service& service() { return *service_; }
  [[nodiscard]] const Environment& environment() const { return environment_; }
  [[nodiscard]] std::string revision() const { return environment_.value_or("SERIN_RELEASE", "unreleased"); }
  [[nodiscard]] Deadline within(Duration time) const { return Deadline::after(sleeper_.now(), time); }
  /// Today's date by the calendar, "2026-01-21".
  [[nodiscard]] std::string today() const { return format_date(days_of(sleeper_.wall())); }

  /// Makes something that lives as long as the service.
  template <class T, class... Arguments>
  T& make(Arguments&&... arguments) {
    auto made = std::make_shared<T>(std::forward<Arguments>(arguments)...);
    kept_.push_back(made);
    return *made;
  }
  /// The models in the file that MODEL_PATH names, behind a predictor. Errors: the file's, or what is wrong in it.
  Result<Predictor*> load_predictor(Sport sport);
  /// Calls `work` every `period` until the service ends.
  void every(Duration period, std::function<void()> work);

  // The checks that several services have.
  void add_documents_check();
  void add_bus_check();
  /// Warns while a breaker in front of another service is not closed.
  void add_calls_check();
  void add_freshness_check(FreshTable table, Sport sport);

 private:
  friend int run_service(std::string_view, const std::vector<std::string>&, const std::function<Status(Runtime&)>&);
  Runtime(std::string_view name, Environment environment);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;
  /// The database itself, or the faults that a drill put in front of it.
  [[nodiscard]] Sql& real_warehouse() { return faulty_warehouse_ ? *faulty_warehouse_ : *warehouse_; }
  Status open(const std::vector<std::string>& variables);
  Status start_faults();
  Status guard_everything();
  /// What SERIN_RESILIENCE names, or nothing. Errors: the file's, or every mistake in it.
  [[nodiscard]] Result<policy::Policies> read_policies() const;
  [[nodiscard]] std::vector<guard::NamedState> guarded_states() const;
  Status serve();
  /// Ends the health checks; when one hangs, the process too.
  void end_checks(int code);

  std::string name_;
  StopSignal stop_;  // before anything that starts a thread
  Environment environment_;
  SystemSleeper sleeper_{stop_};
  PatientSleeper patient_;
  SystemRandom random_;
  JsonLog lines_;
  metrics::Registry metrics_;
  CountedLog sink_{lines_, metrics_};
  Logger logger_;
  policy::Policies policies_;
  std::unique_ptr<http::Session> plain_http_;  // as wide as the policies let calls through
  std::unique_ptr<Databases> databases_;
  std::unique_ptr<Sql> warehouse_;
  std::function<std::vector<pool::NamedStats>()> warehouse_pools_;
  std::unique_ptr<FaultySql> faulty_warehouse_;  // in drills only
  Opened<Bus> bus_;
  Opened<Documents> documents_;
  PoolMetrics pool_metrics_{metrics_, "warehouse"};
  std::unique_ptr<guard::Target> warehouse_target_;
  std::unique_ptr<guard::Target> bus_target_;
  std::unique_ptr<guard::Target> documents_target_;
  std::unique_ptr<guard::GuardedSql> guarded_warehouse_;
  std::unique_ptr<guard::GuardedBus> guarded_bus_;
  std::unique_ptr<guard::GuardedDocuments> guarded_documents_;
  std::unique_ptr<guard::GuardedHttp> http_;
  FaultSpec faults_;
  std::vector<std::shared_ptr<void>> kept_;  // shared: only so that their types are forgotten
  std::unique_ptr<health::Health> health_;
  Status checks_added_;
  std::unique_ptr<Service> service_;
  std::vector<std::jthread> threads_;
};

/// A whole program: opens what the environment names, checks it, lets `setup` add routes and checks, and serves until
/// SIGTERM. Returns the exit code: 0, 2 (environment), 3 (could not run); the last line of the log says why.
/// \param name       the service that this program is; started under another name it refuses
/// \param variables  that must be set, besides PORT, SERIN_WAREHOUSE, SERIN_BUS and SERIN_DOCUMENTS
int run_service(std::string_view name, const std::vector<std::string>& variables,
                const std::function<Status(Runtime&)>& setup);

}  // namespace serin::fleet
