#pragma once
#include <string>
#include <string_view>

// Private to the module.
namespace serin::postgres {

/// A table definition in SQLite's words in PostgreSQL's: INTEGER becomes BIGINT, REAL DOUBLE PRECISION, BLOB BYTEA;
/// AUTOINCREMENT an identity; WITHOUT ROWID goes. Only CREATE TABLE and ALTER TABLE are touched, and nothing in quotes.
/// Every other statement is returned as it is. Pure.
[[nodiscard]] std::string translated(std::string_view sql);

}  // namespace serin::postgres
