#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "serin/google/api.hpp"
#include "serin/ports/check.hpp"
#include "serin/ports/sql.hpp"

namespace serin::google {

/// In which words statements are written.
enum class SqlWords : std::uint8_t {
  portable,    ///< those that SQLite and PostgreSQL share; translated
  google_sql,  ///< BigQuery's own; only $1 is written @p1
};

struct BigQueryOptions {
  std::string project;        ///< that runs the jobs and pays
  std::string dataset;        ///< of table names without one: "dataset" or "project.dataset"
  std::string location = {};  ///< "EU"; empty: where the dataset is. Later calls name the place that the job names.
  SqlWords words = SqlWords::portable;
  bool read_only = false;             ///< everything that writes is refused before it is sent
  std::int64_t max_bytes_billed = 0;  ///< the service refuses a statement that would bill more; 0: no limit
  /// A query is tried out first, which costs nothing, and refused when it would read more bytes; 0: never.
  std::int64_t max_bytes_read = 0;
  std::map<std::string, std::string> labels = {};  ///< of every job: at most 64, of [a-z0-9_-]
  std::int64_t page_rows = 0;                      ///< rows of one answer, at least 1; 0: the service chooses (10 MB)
  int new_jobs = 2;           ///< how often a query is run anew when its job broke; writes never are; 0 to 10
  std::stop_token stop = {};  ///< ends every call, and cancels its job
};

/// What a statement did, and what it cost.
struct BigQueryAnswer {
  SqlTable table;
  std::int64_t changed = 0;  ///< rows that a statement inserted, updated or deleted
  std::int64_t bytes_processed = 0;
  bool from_cache = false;
  std::string job;  ///< its id; empty when the service made none
};

struct JobOptions {
  bool batch = false;            ///< waits for idle slots instead of running at once
  std::string destination = {};  ///< "dataset.table" that is replaced by the result; empty: a temporary one
};

struct StreamedRow {
  std::string json;  ///< an object: columns and values
  std::string
      insert_id;  ///< of 1 to 128 bytes; the service drops a second row with it for about a minute; may be empty
};
/// Why a row was not taken. The others of its request were.
struct RejectedRow {
  std::size_t index = 0;
  std::string reason;  ///< "invalid"
  std::string message;
};

/// BigQuery as a warehouse. Statements go through jobs.query with a request id, so that one that is sent twice is done
/// once; what is not done at its deadline is cancelled. Threads: any.
///
/// What is other than on SQLite and PostgreSQL: no key is enforced, so a plain INSERT never conflicts, and ON CONFLICT
/// holds against what is committed; in a transaction, tables are made at once and stay when it is rolled back, so that
/// CREATE TABLE and ADD COLUMN get IF NOT EXISTS there, and should come before what writes; TIMESTAMP is a whole number
/// of microseconds; a BYTES parameter is a text that is no UTF-8 or holds a NUL. Write transactions of all processes
/// come one after the other, through a table `serin_turn` in the dataset; one begins in BigQuery with its first write.
class BigQuery final : public Sql {
 public:
  /// Where BigQuery is, and how its requests are tried again: five times, as a request id makes that harmless.
  [[nodiscard]] static ApiOptions defaults();
  /// Sends nothing. Errors: invalid_argument, naming the option.
  static Result<std::unique_ptr<BigQuery>> open(BigQueryOptions options, std::shared_ptr<Api> api);
  ~BigQuery() override;
  using Sql::execute;
  using Sql::query;
  /// Errors: as the port's; also permission_denied, exhausted (limits of the service), rejected (max_bytes_read),
  /// unsupported (words without counterpart), data_loss (an answer that is none).
  Result<SqlTable> query(std::string_view sql, std::span<const SqlValue> parameters, Deadline deadline) override;
  Result<std::int64_t> execute(std::string_view sql, std::span<const SqlValue> parameters, Deadline deadline) override;
  /// An error of the commit itself says when it may have been committed all the same.
  Status transaction(const std::function<Status(SqlSession&)>& work, Deadline deadline) override;

  /// For statements of minutes or hours: a job with an id of ours, found again by it when an answer is lost.
  Result<BigQueryAnswer> run_job(std::string_view sql, std::span<const SqlValue> parameters, const JobOptions& options,
                                 Deadline deadline);
  /// How many bytes it would read. Checks statement, tables and rights, and costs nothing.
  Result<std::int64_t> dry_run(std::string_view sql, std::span<const SqlValue> parameters, Deadline deadline);
  /// Streams rows into a table, 500 a request. Returns those that were not taken; an error means that later requests
  /// were not sent. Errors: invalid_argument (a row that is no JSON object), and as query().
  Result<std::vector<RejectedRow>> insert_all(std::string_view table, const std::vector<StreamedRow>& rows,
                                              Deadline deadline);
  /// Whether the service answers and the dataset is there: a dry run and a look, neither of which costs anything.
  Status ping(Deadline deadline);

 private:
  struct Parts;
  explicit BigQuery(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

/// Whether BigQuery answers: its ping(). \param sql  outlives the check
[[nodiscard]] health::CheckFunction bigquery_check(BigQuery& sql);

}  // namespace serin::google
