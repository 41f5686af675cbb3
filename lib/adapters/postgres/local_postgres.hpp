#pragma once
#include <memory>
#include <string>

#include "serin/base/error.hpp"
#include "serin/ports/clock.hpp"
#include "serin/process/process.hpp"

namespace serin {

/// A PostgreSQL server of one's own in a folder, reached through a unix socket there and by nobody else: for tests,
/// benchmarks and a first look. Ended with the object. As root it runs as the user `postgres`, because the server
/// refuses to run as root. Threads: one.
class LocalPostgres {
 public:
  /// Makes the folder's database when it has none, and starts the server.
  /// \param folder  is made when it is not there; a short path, because a unix socket lives in it
  /// Errors: not_found (no PostgreSQL is installed), unavailable (with the server's last words), deadline_exceeded.
  static Result<std::unique_ptr<LocalPostgres>> start(std::string folder, Sleeper& sleeper);
  ~LocalPostgres();
  LocalPostgres(const LocalPostgres&) = delete;
  LocalPostgres& operator=(const LocalPostgres&) = delete;
  /// "postgres:///postgres?host=...&user=postgres"
  [[nodiscard]] std::string url() const;
  /// Ends it at once, as a crash does; start() on the same folder brings it back.
  void kill();

 private:
  void await_end();
  LocalPostgres(std::string folder, ProcessId server) : folder_(std::move(folder)), server_(server) {}
  std::string folder_;
  ProcessId server_;
};

}  // namespace serin
