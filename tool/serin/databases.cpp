#include "databases.hpp"

#include <fmt/format.h>

#include "serin/checks/dialect.hpp"
#include "serin/http/session.hpp"
#include "serin/postgres/postgres_sql.hpp"
#include "serin/sqlite/sqlite_sql.hpp"
#include "serin/system/environment.hpp"
#include "serin/system/random.hpp"

namespace serin::tool {

Result<checks::Engine> engine_of(std::string_view url) {
  if (const auto engine = checks::engine_of_address(url)) return *engine;
  return fail(Errc::invalid_argument,
              fmt::format("--db {}...: a database is sqlite:PATH, postgres://user@host/database or "
                          "bigquery://project/dataset",
                          scheme_of(url)));
}

Result<OpenDatabase> open_database(const std::string& url, checks::Engine engine, Sleeper& clock) {
  OpenDatabase opened;
  switch (engine) {
    case checks::Engine::postgres: {
      SERIN_TRY(opened.sql, PostgresSql::open({.url = url, .connections = 16, .read_only = true}, clock));
      return opened;
    }
    case checks::Engine::sqlite: {
      SERIN_TRY(opened.sql, SqliteSql::open({.path = url.substr(url.find(':') + 1),
                                             .read_connections = 4,
                                             .create = false,
                                             .sort_on_disk = true,
                                             .read_only = true},
                                            clock));
      return opened;
    }
    case checks::Engine::bigquery: {
      opened.random = std::make_unique<SystemRandom>();
      opened.http = std::make_unique<http::Session>(clock);
      const google::AuthWorld world{.http = *opened.http, .sleeper = clock, .random = *opened.random};
      opened.google = std::make_unique<google::DataServices>(world, Environment::of_process());
      // A poll waits most of a minute in the service: it is ended, and its job cancelled, when somebody presses Ctrl-C.
      std::stop_source ctrl_c;
      SERIN_TRY(opened.sql, opened.google->open_sql(url, google::DataAccess::read_only, ctrl_c.get_token()));
      opened.watcher = std::jthread([&clock, ctrl_c](const std::stop_token& end) mutable {
        while (!end.stop_requested() && sleep_until(clock, clock.now() + 1h, end)) continue;
        if (!end.stop_requested()) ctrl_c.request_stop();
      });
      return opened;
    }
  }
  return fail(Errc::internal, "a database of no kind");
}

}  // namespace serin::tool
