#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/checks/check.hpp"
#include "serin/ports/scan.hpp"

namespace serin::checks {

/// How one engine writes what the checks ask. Everything that differs is here and nowhere else. Pure.
struct Dialect {
  Engine engine = Engine::sqlite;

  /// A name that can be nothing but a name; "a.b" is b of schema a.
  [[nodiscard]] std::string name(std::string_view text) const;
  /// A column of the table that every statement calls t. Qualified, because SQLite takes an unknown "name" for a text.
  [[nodiscard]] std::string column(std::string_view text) const { return "t." + name(text); }
  [[nodiscard]] std::string text(std::string_view words) const;
  [[nodiscard]] std::string number(double value) const;
  [[nodiscard]] std::string as_text(const std::string& expression) const;
  [[nodiscard]] std::string as_real(const std::string& expression) const;
  /// Whole seconds since 1970; NULL for what is no time.
  [[nodiscard]] std::string epoch_seconds(const std::string& expression, TimeUnit unit) const;
  /// The condition that a term counts rows by; empty for those that are no counts of rows.
  [[nodiscard]] std::string condition(const scan::Term& term, const std::string& expression) const;
  /// Counts the rows that meet a condition.
  [[nodiscard]] std::string count_if(const std::string& condition) const;
  /// The columns of a SELECT that give a term's state: one, or three for moments.
  [[nodiscard]] std::vector<std::string> select(const scan::Term& term, const std::string& expression,
                                                const std::string& from_where) const;
  /// Names and types of the table's columns, in order.
  [[nodiscard]] std::string columns_query(std::string_view table) const;
  /// integer, number, text, boolean, time or bytes.
  [[nodiscard]] std::string type_class(std::string_view declared) const;
  /// The pattern in the engine's own dialect. Errors: unsupported, when it would match other texts than RE2 does.
  [[nodiscard]] Result<std::string> pattern(std::string_view re2) const;
};

/// The engine behind an address: "sqlite:", "postgres://", "postgresql://" or "bigquery://"; nothing for others. Pure.
[[nodiscard]] std::optional<Engine> engine_of_address(std::string_view address) noexcept;

/// Words that stand for values in the SQL of a file: ":today" and those of --set. Quoted texts and "::" stay as they
/// are. Errors: invalid_argument for a name that is not given.
[[nodiscard]] Result<std::string> with_parameters(std::string_view sql,
                                                  const std::map<std::string, std::string>& values,
                                                  const Dialect& dialect);

}  // namespace serin::checks
