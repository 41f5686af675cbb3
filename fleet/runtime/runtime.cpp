#include "serin/fleet_runtime/runtime.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "serin/base/text.hpp"
#include "serin/beast/serve.hpp"
#include "serin/fleet_pipeline/definitions.hpp"
#include "serin/fleet_pipeline/schema.hpp"
#include "serin/fleet_runtime/answers.hpp"
#include "serin/fleet_runtime/session_limits.hpp"
#include "serin/system/files.hpp"

namespace serin::fleet {
namespace {

constexpr Duration start_timeout = 20s;
std::string_view fresh_name(FreshTable table) {
  switch (table) {
    case FreshTable::games: return "source_data_fresh";
    case FreshTable::contexts: return "contexts_fresh";
    case FreshTable::features: return "features_fresh";
  }
  return "fresh";
}

}  // namespace

Runtime::Runtime(std::string_view name, Environment environment)
    : name_(name),
      environment_(std::move(environment)),
      lines_(STDERR_FILENO, parse_log_level(environment_.value_or("LOG_LEVEL", "info")).value_or(LogLevel::info),
            patient_),
      logger_(sink_, {{"service", name_}, {"release", revision()}}) {}

Runtime::~Runtime() {
  // Whoever still waits is to end now, in the order opposite to that in which it was made.
  stop_.request();
  threads_.clear();
}

void Runtime::end_checks(int code) {
  stop_.request();
  if (!health_ || health_->stop()) return;
  logger_.warn("a check hangs; it is left behind", {{"exit_code", code}});
  std::_Exit(code);  // it uses what the destructors would destroy (decision 0008); the log is written line by line
}

Status Runtime::open(const std::vector<std::string>& variables) {
  std::vector<std::string> missing;
  std::vector<std::string> needed{"PORT", "SERIN_WAREHOUSE", "SERIN_BUS", "SERIN_DOCUMENTS"};
  needed.insert(needed.end(), variables.begin(), variables.end());
  for (const std::string& variable : needed)
    if (!environment_.required(variable)) missing.push_back(variable);
  if (!missing.empty())
    return fail(Errc::invalid_argument, fmt::format("not set in the environment: {}", fmt::join(missing, ", ")));
  const std::string asked = environment_.value_or("SERIN_SERVICE", name_);
  if (asked != name_)
    return fail(Errc::invalid_argument, fmt::format("this program is {}, but it was started as {}", name_, asked));
  SERIN_TRY(faults_, parse_faults(environment_.value_or("FLEET_FAULT", "")));
  if (faults_.refuse_start) return fail(Errc::unavailable, "FLEET_FAULT says refuse_start");

  SERIN_TRY(const std::string warehouse, environment_.required("SERIN_WAREHOUSE"));
  SERIN_TRY(const std::string bus, environment_.required("SERIN_BUS"));
  SERIN_TRY(const std::string documents, environment_.required("SERIN_DOCUMENTS"));
  SERIN_TRY(policies_, read_policies());
  // FLEET_POOLING=off: no connection serves twice, to measure what keeping them saves.
  const bool reuse = environment_.value_or("FLEET_POOLING", "on") != "off";
  http::SessionOptions wide = session_options(policies_);
  wide.reuse = reuse;
  SERIN_TRY(plain_http_, http::Session::make(std::move(wide), sleeper_));
  databases_ = std::make_unique<Databases>(
      google::AuthWorld{.http = *plain_http_, .sleeper = patient_, .random = random_, .log = &sink_}, environment_,
      reuse);
  SERIN_TRY(OpenedWarehouse opened, databases_->warehouse(warehouse));
  warehouse_ = std::move(opened.sql);
  warehouse_pools_ = std::move(opened.pools);
  if (const std::string folder = environment_.value_or("SERIN_STATE", "");
      !folder.empty() && !environment_.value_or("FLEET_DRILLS", "").empty())
    faulty_warehouse_ = std::make_unique<FaultySql>(*warehouse_, sleeper_, random_, folder + "/faults", logger_);
  SERIN_TRY(bus_, databases_->bus(bus));
  SERIN_TRY(documents_, databases_->documents(documents));
  SERIN_CHECK(prepare_warehouse(*warehouse_, patient_, within(start_timeout)));

  SERIN_CHECK(guard_everything());
  SERIN_TRY(health_, health::Health::make({}, patient_, {.random = &random_, .metrics = &metrics_, .log = &logger_}));
  health_->refuse("starting");  // until every check is there
  ServiceOptions options{.identity = {.service = name_,
                                      .version = environment_.value_or("SERIN_LABEL_VERSION", ""),
                                      .revision = revision(),
                                      .commit = environment_.value_or("SERIN_LABEL_COMMIT", ""),
                                      .environment = environment_.value_or("SERIN_ENVIRONMENT", "")},
                         .key = environment_.value_or("ADMIN_KEY", "")};
  SERIN_TRY(service_, Service::make(std::move(options), *health_, metrics_, logger_, patient_));
  service_->route(
      "GET", "/resilience",
      [this](const HttpRequest&) { return HttpResponse::json(200, guard::to_json(guarded_states())); },
      Service::Answers::from_memory);  // it is asked when every worker hangs
  // It was complete when we got here, and a process's environment does not change.
  add_check({.name = "environment", .every = 1h, .failing = 1s}, [](Deadline) { return health::CheckAnswer::pass(); });
  add_check(contract_check("warehouse"), [this](Deadline deadline) {
    const Status answered = check_columns(real_warehouse(), deadline);
    return answered ? health::CheckAnswer::pass() : health::CheckAnswer::of(answered.error());
  });
  return {};
}

Status Runtime::guard_everything() {
  const guard::Watchers watchers{.metrics = &metrics_, .log = &sink_};
  const auto target = [&](const std::string& name) {
    const policy::NamedPolicy* own = policies_.find(name);
    return own != nullptr ? guard::Target::make(name, sleeper_, random_, own->policy, watchers)
                          : guard::Target::make(name, sleeper_, random_, watchers);
  };
  SERIN_TRY(warehouse_target_, target("warehouse"));
  SERIN_TRY(bus_target_, target("bus"));
  SERIN_TRY(documents_target_, target("documents"));
  guarded_warehouse_ = std::make_unique<guard::GuardedSql>(real_warehouse(), *warehouse_target_);
  guarded_bus_ = std::make_unique<guard::GuardedBus>(*bus_.port, *bus_target_);
  guarded_documents_ = std::make_unique<guard::GuardedDocuments>(*documents_.port, *documents_target_);
  // By the origin as it is called, so "http:*" in the file is every other service.
  const auto policy_of = [this](std::string_view origin) -> std::optional<guard::TargetPolicy> {
    const policy::NamedPolicy* own = policies_.find(origin);
    return own != nullptr ? std::optional(own->policy) : std::nullopt;
  };
  SERIN_TRY(http_,
            guard::GuardedHttp::make(*plain_http_, sleeper_, random_, {.policy_of = policy_of, .watchers = watchers}));
  metrics_.on_expose([this] {
    for (const auto& [name, state] : guarded_states()) guard::write_gauges(metrics_, name, state);
    pool_metrics_.write(warehouse_pools_());
    if (faulty_warehouse_)
      metrics_
          .gauge("fleet_warehouse_statements",
                 "Statements that reached the warehouse behind all protection; in drills.")
          .set(static_cast<double>(faulty_warehouse_->calls()));
  });
  return {};
}

Result<policy::Policies> Runtime::read_policies() const {
  const std::optional<std::string> file = environment_.value("SERIN_RESILIENCE");
  if (!file || file->empty()) return policy::Policies();
  SERIN_TRY(const std::string text, read_file(*file));
  return policy::parse_policies(text, *file);
}

std::vector<guard::NamedState> Runtime::guarded_states() const {
  std::vector<guard::NamedState> states;
  for (const auto* target : {&warehouse_target_, &bus_target_, &documents_target_})
    states.push_back({.name = (*target)->name(), .state = (*target)->state()});
  for (guard::NamedState& origin : http_->states()) states.push_back(std::move(origin));
  return states;
}

Status Runtime::start_faults() {
  if (faults_.any()) logger_.warn("faults are staged", {{"FLEET_FAULT", environment_.value_or("FLEET_FAULT", "")}});
  if (faults_.hang_ready)
    add_check(contract_check("hanging"), [this](Deadline) {
      static_cast<void>(sleeper_.sleep_until(Instant::max()));
      return health::CheckAnswer::fail("hanging", "FLEET_FAULT says hang_ready");
    });
  if (faults_.exit_after)
    threads_.emplace_back([this] {
      if (sleeper_.sleep_for(*faults_.exit_after)) std::_Exit(1);  // as a crash does: nothing is said or closed
    });
  if (faults_.leak_per_second > 0) {
    auto& leaked = make<std::vector<std::string>>();
    every(1s, [this, &leaked] { leaked.emplace_back(static_cast<std::size_t>(faults_.leak_per_second), 'x'); });
  }
  return {};
}

void Runtime::add_check(health::CheckOptions options, health::CheckFunction check) {
  Status added = health_->add(std::move(options), std::move(check));
  if (!added && checks_added_) checks_added_ = std::move(added);
}

Status Runtime::serve() {
  SERIN_CHECK(checks_added_);
  health_->accept();
  health_->mark_started();
  const auto port = to_int(environment_.value_or("PORT", ""));
  if (!port || *port < 0 || *port > 65535)
    return fail(Errc::invalid_argument,
                fmt::format("PORT must be a number from 0 to 65535, not '{}'", environment_.value_or("PORT", "")));
  FaultyHandler faulty(*service_, sleeper_, faults_);
  ServeOptions options{.server = {.port = static_cast<std::uint16_t>(*port), .workers = 16},
                       .on_drain = [this] { health_->begin_drain(); }};
  return serin::serve(std::move(options), faulty, stop_, logger_);
}

Result<Predictor*> Runtime::load_predictor(Sport sport) {
  SERIN_TRY(const std::string path, environment_.required("MODEL_PATH"));
  const Result<std::string> file = read_file(path);
  if (!file) return fail(file.error().code(), fmt::format("the model file cannot be read: {}", file.error().detail()));
  SERIN_TRY(ModelSet loaded, ModelSet::load(*file));
  auto& models = make<ModelSet>(std::move(loaded));
  return &make<Predictor>(warehouse(), sleeper(), models, sport);
}

void Runtime::every(Duration period, std::function<void()> work) {
  threads_.emplace_back([this, period, work = std::move(work)] {
    while (sleeper_.sleep_for(period)) work();
  });
}

void Runtime::add_documents_check() {
  add_check(contract_check("documents"), [this](Deadline deadline) {
    const auto answered = documents_.port->get("health", "probe", deadline);
    return answered ? health::CheckAnswer::pass() : health::CheckAnswer::of(answered.error());
  });
}

void Runtime::add_bus_check() {
  add_check(contract_check("bus"), [this](Deadline deadline) {
    const auto subscriptions = bus_.port->subscriptions(deadline);
    if (!subscriptions) return health::CheckAnswer::of(subscriptions.error());
    if (subscriptions->empty()) return health::CheckAnswer::fail("no_subscription", "the bus has no subscription");
    return health::CheckAnswer::pass({{"subscriptions", subscriptions->size()}});
  });
  add_check({.name = "dead_letters", .critical = false, .every = 10s, .failing = 1s},
            [this](Deadline deadline) -> health::CheckAnswer {
              const auto subscriptions = bus_.port->subscriptions(deadline);
              if (!subscriptions) return health::CheckAnswer::of(subscriptions.error());
              std::int64_t dead = 0;
              for (const SubscriptionOptions& subscription : *subscriptions) {
                const auto backlog = bus_.port->backlog(subscription.name, deadline);
                if (!backlog) return health::CheckAnswer::of(backlog.error());
                if (!backlog->dead_letters)
                  return health::CheckAnswer::unknown(
                      "dead_letters_unknown",
                      "the bus does not tell how many dead letters " + subscription.name + " has");
                dead += *backlog->dead_letters;
              }
              return check_answer(judge_dead_letters(dead, 10));
            });
}

void Runtime::add_calls_check() {
  add_check({.name = "outbound_calls", .critical = false, .every = 2s, .failing = 1s}, [this](Deadline) {
    for (const auto& [name, state] : http_->states())
      if (state.breaker && state.breaker->state != breaker::State::closed)
        return health::CheckAnswer::warn(
            "breaker_open", fmt::format("the breaker of {} is {}", name, breaker::state_name(state.breaker->state)));
    return health::CheckAnswer::pass();
  });
}

void Runtime::add_freshness_check(FreshTable table, Sport sport) {
  add_check({.name = std::string(fresh_name(table)), .critical = false, .every = 30s, .failing = 5s},
            [this, table, sport](Deadline deadline) {
              const auto judged = [&]() -> Result<Judgement> {
                SERIN_TRY(const FreshnessFacts facts, freshness_facts(*warehouse_, table, sport, today(), deadline));
                return judge_freshness(facts, patient_.wall());
              }();
              return check_answer(judged);
            });
}

int run_service(std::string_view name, const std::vector<std::string>& variables,
                const std::function<Status(Runtime&)>& setup) {
  Runtime runtime(name, Environment::of_process());
  const auto ran = [&]() -> Status {
    SERIN_CHECK(runtime.open(variables));
    SERIN_CHECK(setup(runtime));
    SERIN_CHECK(runtime.start_faults());
    return runtime.serve();
  }();
  if (!ran) runtime.logger_.error("could not run", {{"error", ran.error().text()}});
  const int code = ran ? 0 : ran.error().code() == Errc::invalid_argument ? 2 : 3;
  runtime.end_checks(code);
  return code;
}

}  // namespace serin::fleet
