#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "serin/checks/run.hpp"

// Private to the module.
namespace serin::checks {

/// A value for people: control characters and what is no UTF-8 become '?'. Pure.
[[nodiscard]] std::string cell_text(const SqlValue& value);

/// Sends statements and counts them. Threads: one.
class Asker {
 public:
  Asker(Sql& sql, Deadline deadline) : sql_(sql), deadline_(deadline) {}
  Result<SqlTable> ask(const std::string& statement);
  /// Several at once, on a thread each; the answers in their order.
  std::vector<Result<SqlTable>> ask_all(const std::vector<std::string>& statements);
  [[nodiscard]] std::int64_t queries() const { return queries_; }
  [[nodiscard]] const Sql& sql() const { return sql_; }

 private:
  Sql& sql_;
  Deadline deadline_;
  std::int64_t queries_ = 0;
};

/// The states of one group of rows; of all rows without group_by.
struct ScanGroup {
  std::string name;
  std::vector<scan::State> states;
};

[[nodiscard]] ScanForm form_of(const Scan& scan, const Sql& sql, const Dialect& dialect);
/// The same rows, with only these uses and their terms.
[[nodiscard]] Scan part_of(const Scan& scan, std::vector<Scan::Use> uses);

/// Runs scans: whole, in parts at once, or only over the rows that came since the last run.
class ScanRunner {
 public:
  ScanRunner(const CheckFile& file, Asker& asker, const Dialect& dialect, ResultStore* store, const RunOptions& options)
      : file_(file), asker_(asker), dialect_(dialect), store_(store), options_(options) {}
  /// \param sql  is set to the statement, for people
  Result<std::vector<ScanGroup>> run(const Scan& scan, std::string& sql);
  [[nodiscard]] std::int64_t rows_read() const { return rows_read_; }
  [[nodiscard]] std::int64_t passes() const { return passes_; }

 private:
  struct KeyRange {
    std::int64_t above;  ///< not itself
    std::int64_t to;
  };
  Result<std::vector<ScanGroup>> whole(const Scan& scan, std::string& sql);
  Result<std::vector<scan::State>> in_parts(const Scan& scan, const std::string& key, KeyRange range, std::string& sql);
  Result<std::vector<ScanGroup>> only_new(const Scan& scan, const std::string& key, std::string& sql);
  Result<std::optional<KeyRange>> key_range(const Scan& scan, const std::string& key);

  const CheckFile& file_;
  Asker& asker_;
  const Dialect& dialect_;
  ResultStore* store_;
  const RunOptions& options_;
  std::int64_t rows_read_ = 0;
  std::int64_t passes_ = 0;
};

}  // namespace serin::checks
