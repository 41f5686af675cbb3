#pragma once
#include <memory>
#include <string>

#include "serin/ports/clock.hpp"
#include "serin/ports/sql.hpp"

namespace serin::sql_test {

/// A database of one kind, empty, gone with the object. Adding a kind is one line in engines.cpp.
class Engine {
 public:
  virtual ~Engine() = default;
  /// Another user of the same database.
  virtual std::unique_ptr<Sql> open() = 0;
  /// A statement that would run for ever.
  [[nodiscard]] virtual std::string endless() const = 0;
  /// A user who reads only, in the database's own words, where those are others; nothing where they are not.
  virtual std::unique_ptr<Sql> open_reader() { return nullptr; }
  /// Whether a second row with the same PRIMARY KEY is refused.
  [[nodiscard]] virtual bool enforces_keys() const { return true; }
};
/// "sqlite", "postgres" or "bigquery". The server of PostgreSQL, and the emulator of BigQuery, are shared by all tests
/// of a program.
std::unique_ptr<Engine> make_engine(const std::string& kind);
Sleeper& real_time();

}  // namespace serin::sql_test
