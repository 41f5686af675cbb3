#pragma once
#include <boost/json/fwd.hpp>
#include <string>
#include <string_view>

#include "big_query.hpp"
#include "dialect.hpp"

// Private to the module.
namespace serin::google {

/// Where a job is found again.
struct JobPlace {
  std::string project;
  std::string id;
  std::string location;
};

/// One statement on its way. Views outlive the call.
struct Statement {
  std::string_view text;  ///< GoogleSQL
  std::span<const SqlValue> parameters;
  bool may_run_again = false;  ///< it only reads: a job that broke is replaced by a new one
  bool dry = false;
  std::string session = {};  ///< of a transaction
  bool opens_session = false;
};

struct JobAnswer {
  BigQueryAnswer answer;
  std::string session;  ///< that was opened
};

/// The REST calls of jobs: runs statements, waits for them, reads their pages, cancels them. Threads: any.
class Jobs {
 public:
  /// \param api, options  outlive it
  Jobs(Api& api, const BigQueryOptions& options) : api_(api), options_(options) {}
  Result<JobAnswer> run(const Statement& statement, Deadline deadline);
  Result<BigQueryAnswer> insert(const Statement& statement, const JobOptions& job, Deadline deadline);
  /// GET of something in the project: "datasets/d/tables/t". Errors: not_found, ...
  Result<boost::json::object> get(std::string_view path, Deadline deadline);
  Result<boost::json::object> post(std::string_view path, std::string body, Idempotency idempotency, Deadline deadline);
  /// "projects/p/datasets/d" of the default dataset, and of a table in it or in the dataset that its name says.
  [[nodiscard]] std::string dataset_path() const;
  [[nodiscard]] std::string table_path(std::string_view table) const;
  /// 32 hex digits, never the same twice.
  [[nodiscard]] std::string new_id();

 private:
  struct Progress;
  Result<boost::json::object> call(const ApiCall& call);
  Result<JobAnswer> run_once(const Statement& statement, Deadline deadline, ApiError& error);
  Result<BigQueryAnswer> insert_once(const Statement& statement, const JobOptions& job, Deadline deadline,
                                     ApiError& error);
  Status place_job(const JobPlace& place, std::string body, Deadline deadline, ApiError& error);
  Status read_to_end(Progress& progress, const JobPlace& place, Deadline deadline, ApiError& error);
  void cancel(const JobPlace& place);
  [[nodiscard]] boost::json::object common_body(const Statement& statement) const;
  [[nodiscard]] std::string root() const;
  /// How long the service may take for one answer, so that it comes before the deadline.
  [[nodiscard]] Duration patience(Deadline deadline, Duration most) const;

  Api& api_;
  const BigQueryOptions& options_;
};

}  // namespace serin::google
