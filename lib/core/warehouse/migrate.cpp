#include "serin/warehouse/migrate.hpp"

#include <fmt/format.h>

#include <string>

#include "serin/base/text.hpp"

namespace serin::warehouse {
namespace {

std::string checksum(const Migration& step) {
  std::string all;
  for (const std::string_view statement : step.statements) all += std::string(statement) + ";";
  return fingerprint(all);
}

Status check_applied(const SqlTable& applied, std::string_view component, std::span<const Migration> steps) {
  if (applied.rows.size() > steps.size())
    return fail(Errc::conflict,
                fmt::format("the tables of {} are at step {}, this program knows {}: it is older than its data",
                            component, applied.rows.size(), steps.size()));
  for (std::size_t i = 0; i < applied.rows.size(); ++i) {
    const auto* name = std::get_if<std::string>(&applied.rows[i].at(0));
    const auto* sum = std::get_if<std::string>(&applied.rows[i].at(1));
    if (name == nullptr || sum == nullptr)
      return fail(Errc::data_loss, fmt::format("schema_migrations of {} is damaged", component));
    if (*name != steps[i].name || *sum != checksum(steps[i]))
      return fail(Errc::conflict,
                  fmt::format("step {} of {} was applied as '{}' and is '{}' in this program with another content: "
                              "add a step instead of changing one",
                              i + 1, component, *name, steps[i].name));
  }
  return {};
}

}  // namespace

Status migrate(Sql& sql, std::string_view component, std::span<const Migration> steps, const Clock& clock,
               Deadline deadline) {
  SERIN_CHECK(sql.execute(
      "CREATE TABLE IF NOT EXISTS schema_migrations(component TEXT, number INTEGER, name TEXT, checksum TEXT, "
      "applied_at INTEGER, PRIMARY KEY(component, number))",
      {}, deadline));
  for (bool done = false; !done;) {
    SERIN_CHECK(sql.transaction(
        [&](SqlSession& session) -> Status {
          // Read under the lock: another process may just have done the step.
          const std::vector<SqlValue> key{std::string(component)};
          SERIN_TRY(
              const SqlTable applied,
              session.query("SELECT name, checksum FROM schema_migrations WHERE component = $1 ORDER BY number", key));
          SERIN_CHECK(check_applied(applied, component, steps));
          if (applied.rows.size() == steps.size()) {
            done = true;
            return {};
          }
          const Migration& step = steps[applied.rows.size()];
          for (const std::string_view statement : step.statements)
            if (const auto changed = session.execute(statement, {}); !changed)
              return pass(changed.error().in(fmt::format("{}: step '{}'", component, step.name)));
          const std::vector<SqlValue> row{std::string(component), static_cast<std::int64_t>(applied.rows.size()) + 1,
                                          std::string(step.name), checksum(step), unix_ms(clock.wall())};
          SERIN_CHECK(session.execute(
              "INSERT INTO schema_migrations(component, number, name, checksum, applied_at) VALUES($1, $2, $3, $4, $5)",
              row));
          return {};
        },
        deadline));
  }
  return {};
}

}  // namespace serin::warehouse
