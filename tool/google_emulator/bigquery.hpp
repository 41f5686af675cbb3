#pragma once
#include <condition_variable>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "serin/google_sql/translate.hpp"
#include "store.hpp"

// Private to the module.
namespace serin::google_emulator {

namespace sql = google_sql;

/// Datasets and tables, as rows of bigquery.db; the data of a table is the SQLite table "tN" with columns of its types.
/// Threads: the connection's.
class BigQueryCatalog final : public sql::Catalog {
 public:
  BigQueryCatalog(Connection& connection, std::int64_t now_ms) : connection_(connection), now_ms_(now_ms) {}
  static Status prepare(Connection& connection);

  [[nodiscard]] Result<sql::Table> find(const sql::TableName& name) const override;
  Result<std::optional<json::object>> dataset(const std::string& project, const std::string& id) const;
  Result<std::optional<json::object>> table(const sql::TableName& name) const;
  Result<std::vector<json::object>> datasets(const std::string& project) const;
  Result<std::vector<json::object>> tables(const std::string& project, const std::string& dataset) const;
  /// New or changed; gives it its etag and times. Errors: conflict, when it exists and `is_new`.
  Result<json::object> put_dataset(const std::string& project, const std::string& id, json::object resource,
                                   bool is_new);
  Result<json::object> put_table(const sql::TableName& name, json::object resource,
                                 const std::vector<sql::Column>& columns, bool is_new);
  Status erase_table(const sql::TableName& name);
  /// Errors: not_found; conflict, when it has tables and `contents` is false.
  Status erase_dataset(const std::string& project, const std::string& id, bool contents);
  /// Errors: invalid_argument, when an existing column changes.
  Status add_columns(const sql::TableName& name, const std::vector<sql::Column>& columns, bool if_missing);
  /// Errors: invalid_argument, when there is no such column or its new name is taken.
  Status rename_columns(const sql::TableName& name, const std::vector<std::pair<std::string, std::string>>& renames);

 private:
  Status keep_schema(const sql::TableName& name);
  Result<sql::Table> view(const sql::TableName& name) const;
  Result<json::object> with_times(json::object resource, const std::optional<json::object>& before) const;
  Connection& connection_;
  std::int64_t now_ms_;
};

/// Between REST's schemas and ours. Errors: unsupported, invalid_argument.
Result<std::vector<sql::Column>> columns_of_schema(const json::object& resource);
[[nodiscard]] json::object schema_of_columns(const std::vector<sql::Column>& columns, bool of_table);

struct CellFormat {
  enum class Timestamps : std::uint8_t { seconds, micros, iso } timestamps = Timestamps::seconds;
  /// formatOptions in a body, formatOptions.x in a query.
  [[nodiscard]] static CellFormat of(const Call& call);
};
/// {"f":[{"v":..}]}
[[nodiscard]] json::object row_json(const Row& row, const std::vector<sql::Column>& columns, CellFormat format);
/// JSON of insertAll into a cell. Errors: invalid_argument.
Result<Cell> cell_of_json(const json::value& value, const sql::Column& column);

struct QueryParameters {
  std::vector<sql::Parameter> types;
  std::vector<Cell> values;
};
/// Errors: invalid_argument, unsupported.
Result<QueryParameters> parameters_of(const json::object& query);

/// What a statement or script gave.
struct QueryResult {
  std::string statement_type = "SELECT";
  std::vector<sql::Column> columns;
  std::vector<Row> rows;
  bool has_rows = false;
  std::optional<std::int64_t> affected;  ///< of DML
  std::int64_t inserted = 0;
  std::int64_t updated = 0;
  std::int64_t deleted = 0;
  std::int64_t bytes = 0;  ///< of the columns that were read
  std::string session;
  std::string destination;  ///< "dataset.table" of DDL and DML
};

class BigQuery {
 public:
  struct Options {
    std::string project;
    Duration session_idle = 60s;
  };
  BigQuery(Options options, Database& database, Store& store, Sleeper& sleeper, Random& random)
      : options_(std::move(options)), database_(database), store_(store), sleeper_(sleeper), random_(random) {
    load_jobs();
  }
  [[nodiscard]] std::vector<Route> routes();
  /// The next job answers "not complete" that often: a knob of the faults.
  void hold_next_job(int polls);

 private:
  // bigquery_tables.cpp
  Reply list_projects(Call& call);
  Reply service_account(Call& call);
  Reply list_datasets(Call& call);
  Reply insert_dataset(Call& call);
  Reply get_dataset(Call& call);
  Reply change_dataset(Call& call, bool replaces);
  Reply delete_dataset(Call& call);
  Reply list_tables(Call& call);
  Reply insert_table(Call& call);
  Reply get_table(Call& call);
  Reply change_table(Call& call, bool replaces);
  Reply delete_table(Call& call);
  // bigquery_rows.cpp
  Reply insert_all(Call& call);
  Reply list_rows(Call& call);
  // bigquery_jobs.cpp
  Reply query(Call& call);
  Reply query_results(Call& call);
  Reply insert_job(Call& call);
  Reply get_job(Call& call);
  Reply list_jobs(Call& call);
  Reply cancel_job(Call& call);
  Reply delete_job(Call& call);
  struct Job;
  std::shared_ptr<Job> start(const json::object& query, json::object reference, const json::object& configuration,
                             WallTime now);
  std::shared_ptr<Job> start_query(Call& call);
  std::shared_ptr<Job> find_job(const std::string& project, const std::string& id);
  Reply results_of(Job& job, Call& call, std::size_t page_size, CellFormat format);
  // bigquery_keep.cpp
  void keep(const Job& job);
  void forget(const std::string& project, const std::string& id);
  void load_jobs();
  // bigquery_run.cpp
  struct Session;
  std::expected<QueryResult, Failure> run(const json::object& query, const json::object& reference, bool dry_run,
                                          WallTime now);
  std::expected<QueryResult, Failure> run_on(Connection& connection, const json::object& query, bool dry_run,
                                             bool is_session, WallTime now);
  std::expected<void, Failure> run_one(Connection& connection, const std::string& text,
                                       const sql::TranslateOptions& options, const QueryParameters& parameters,
                                       const json::object& query, bool dry_run, QueryResult& result);
  Status execute(Connection& connection, const sql::Statement& statement, const QueryParameters& parameters,
                 QueryResult& result);
  Status define(Connection& connection, const sql::Statement& statement, const QueryParameters& parameters,
                QueryResult& result);
  Status into_destination(Connection& connection, const json::object& query, const sql::Statement& statement,
                          const QueryParameters& parameters, QueryResult& result);
  Result<std::shared_ptr<Session>> session(const std::string& id);
  Result<std::string> new_session();
  void drop_idle_sessions();

  [[nodiscard]] std::int64_t now_ms() const { return unix_ms(sleeper_.wall()); }
  /// Runs with a connection of its own, in a transaction when `writes`.
  Reply with_catalog(bool writes, const std::function<Reply(Connection&, BigQueryCatalog&)>& work);

  Options options_;
  Database& database_;
  Store& store_;
  Sleeper& sleeper_;
  Random& random_;
  std::mutex mutex_;
  std::list<std::shared_ptr<Job>> jobs_;  // guarded by mutex_; newest first, bounded
  struct Request {
    std::shared_ptr<Job> job;  ///< null while it runs
    Instant at{};
  };
  std::map<std::string, Request> requests_;  // guarded by mutex_; by requestId
  std::condition_variable finished_;         // a request of requests_ has its job
  std::set<std::string> starting_;           // guarded by mutex_; ids of jobs that run and are not kept yet
  std::map<std::string, std::shared_ptr<Session>> sessions_;  // guarded by mutex_
  std::map<std::string, Instant> inserted_;                   // guarded by mutex_; insertIds of the last minute
  int hold_next_ = 0;                                         // guarded by mutex_
};

/// Translation's and SQLite's errors in BigQuery's shape.
[[nodiscard]] std::unexpected<Failure> query_failure(const Error& error);
enum class Count : std::uint8_t { exactly, roughly };
/// The bytes that reading these columns is billed for; roughly: from the first rows and the number of all.
Result<std::int64_t> bytes_of(Connection& connection, const std::vector<sql::Read>& reads, Count count);

}  // namespace serin::google_emulator
