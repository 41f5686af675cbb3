#pragma once
#include <span>
#include <string>
#include <vector>

#include "dialect.hpp"
#include "sql_tokens.hpp"

// Private to the module.
namespace serin::bigquery {

/// Writes pieces of a statement in GoogleSQL. Remembers the first thing that it could not write.
class SqlWriter {
 public:
  explicit SqlWriter(std::span<const SqlValue> parameters) : parameters_(parameters) {}
  std::string write(SqlTokens tokens);
  /// Whether the tokens are NULL, or one parameter that is; it counts as written then.
  [[nodiscard]] bool is_null(SqlTokens tokens);
  /// Errors: invalid_argument, for a parameter without value, or a value without parameter.
  [[nodiscard]] Status done() const;

 private:
  std::string write_parameter(std::size_t number);
  std::span<const SqlValue> parameters_;
  std::size_t highest_ = 0;
};

/// `name` as BigQuery quotes it.
[[nodiscard]] std::string quoted_name(std::string_view name);
/// 'text' as BigQuery quotes it.
[[nodiscard]] std::string quoted_text(std::string_view text);

// The translations by the first word of a statement; tokens without spaces at the ends.
Result<GoogleSql> write_insert(SqlTokens tokens, SqlWriter& writer, const TranslateOptions& options);
Result<GoogleSql> write_definition(SqlTokens tokens, SqlWriter& writer, const TranslateOptions& options);

}  // namespace serin::bigquery
