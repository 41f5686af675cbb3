#include "data_checks.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "serin/checks/dialect.hpp"
#include "serin/sqlite/sqlite_sql.hpp"
#include "serin/system/files.hpp"

namespace serin::fleet {

Result<Validator*> start_data_checks(Runtime& runtime) {
  const Environment& environment = runtime.environment();
  const std::string file = environment.value_or("FLEET_CHECKS", "");
  if (file.empty()) return nullptr;
  ValidatorOptions options{.file = file, .runner = fmt::format("{}-{}", runtime.revision(), getpid())};
  SERIN_TRY(options.text, read_file(file));
  SERIN_TRY(options.every, parse_duration(environment.value_or("FLEET_CHECKS_EVERY", "1m")));
  SERIN_TRY(const std::string warehouse, environment.required("SERIN_WAREHOUSE"));
  const auto engine = checks::engine_of_address(warehouse);
  if (!engine) return fail(Errc::invalid_argument, "SERIN_WAREHOUSE names no database that can be checked");
  options.engine = *engine;
  SERIN_TRY(const std::string state, environment.required("SERIN_STATE"));
  SERIN_TRY(std::unique_ptr<SqliteSql> opened, SqliteSql::open({.path = state + "/checks.db"}, runtime.sleeper()));
  Sql& store = *runtime.make<std::unique_ptr<SqliteSql>>(std::move(opened));
  SERIN_TRY(std::unique_ptr<Validator> made, Validator::make(std::move(options), runtime.warehouse(), store,
                                                             runtime.sleeper(), runtime.metrics(), runtime.logger()));
  Validator& validator = *runtime.make<std::unique_ptr<Validator>>(std::move(made));
  runtime.add_check({.name = "data_checks", .critical = false, .every = 5s, .failing = 1s}, validator.health_check());
  // At once, and then each period: a service that was just started should not be asked in vain for a minute.
  runtime.every(std::min<Duration>(1s, validator.every()), [&runtime, &validator, next = Instant::min()]() mutable {
    const Instant now = runtime.sleeper().now();
    if (now < next) return;
    next = now + validator.every();
    static_cast<void>(validator.run(Deadline::after(now, std::max<Duration>(validator.every(), 30s))));  // logged
  });
  return &validator;
}

}  // namespace serin::fleet
