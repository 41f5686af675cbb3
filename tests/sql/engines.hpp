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
};
/// "sqlite" or "postgres". The server of PostgreSQL is shared by all tests of a program.
std::unique_ptr<Engine> make_engine(const std::string& kind);
Sleeper& real_time();

}  // namespace serin::sql_test
